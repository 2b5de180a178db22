# Bytes on a TLS connection, from sockt to sockt: large and late ones, half-close
# in TLS 1.2 and 1.3, key updates, records that were damaged on the way.
use Sockt;
use Digest::SHA qw(sha1_hex);
use List::Util qw(min);
use POSIX qw(mkfifo);
use Socket ();
use SocktTls;
use Time::HiRes qw(time);

plan skip_all => 'openssl is not installed' unless tls_is_available();

my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my $good = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1');
my @cert = ('--tls-cert', $good->{cert}, '--tls-key', $good->{key});
my @tls = ('--tls', '--tls-ca', "$dir/ca/ca.pem");
spew("$dir/1.2", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
    . "[c]\nMaxProtocol = TLSv1.2\n");

# What both have after the client's stdin, of so many bytes, has ended, for a
# program that answers late.
my $count = "$^X -e 'binmode STDIN; \$n += length while read STDIN, \$_, 65536;"
    . " select undef, undef, undef, 0.3; print 0 + \$n'";
for my $row (['1.3', 64 << 20], ['1.2', 8 << 20], ['1.3', 3], ['1.2', 0]) {
    my ($version, $size) = @$row;
    my %old = $version eq '1.2' ? (env => { OPENSSL_CONF => "$dir/1.2" }) : ();
    my $p = start('listen', '-4k', @cert, 0, '-e', $count);
    my $r = run({ %old, stdin => 'x' x $size, timeout => 60 }, 'connect', '-v',
        @tls, '--on-eof', 'fin', 'localhost', $p->port);
    is "$r->{status} $r->{out}", "0 $size", "TLS $version: $size bytes, half-close";
    like $r->{err}, qr/: TLSv\Q$version\E with /, '  with that version';
    $p->stop;
}
# And back, while as much is sent.
my $bytes = pack 'N*', map { $_ * 2654435761 } 1 .. 1 << 20;
my $p = start('listen', '-4k', @cert, '--echo', 0);
my $r = run({ stdin => $bytes, timeout => 60 }, 'connect', @tls, '--on-eof', 'fin',
    'localhost', $p->port);
is "$r->{status} " . sha1_hex($r->{out}), '0 ' . sha1_hex($bytes),
    'both directions at the same time';

# A record that is damaged: both ends say so, what came before it is delivered.
my $changes = 1;
my $middle = tls_middle($p->port, sub {
    my ($record) = @_;
    return $record if length $record < 5000 || !$changes--;
    substr($record, 4000, 1) ^= "\1";
    return $record;
});
my $q = start({ keep_stdin => 1 }, 'connect', @tls, 'localhost', $middle);
$q->send_line("before\n");
$q->expect(out => qr/before\n/);
$q->send_line('x' x 9000 . "\n");
exits $q->finish, "9 before\n", 'a damaged record',
    err => qr/: TLS: a record was damaged or tampered with on the way/;
$p->expect(err => qr/TLS: the peer reports an error: .*bad record mac/);
ok 1, '  the other end gets an alert in mid-stream, and says so';
is $p->stop->{status}, 0, '  and goes on';

# How long its connection lasted, by what it reports: to start takes a while on a
# busy machine.
sub seconds {
    my ($r) = @_;
    return $r->{err} =~ /"event":"closed".*"seconds":([\d.]+)/ ? $1 : -1;
}

# A peer that renews its keys and asks for the same.
sub renewing {
    my $p = start({ command => built('tls_peer') }, $good->{cert}, $good->{key}, @_);
    return ($p, $p->expect(out => qr/port (\d+)\n/));
}
for my $row (['late', '', 'x' x 300_000, 'after the end of what was sent'],
    ['meanwhile', 'x' x 4_000_000, 4_000_000, 'while what is sent waits']) {
    my ($mode, $stdin, $out, $what) = @$row;
    my ($peer, $port) = renewing($mode);
    my $r = run({ stdin => $stdin, timeout => 20 }, 'connect', @tls, '--on-eof', 'fin',
        'localhost', $port);
    ok "$r->{status} $r->{out}" eq "0 $out", "key updates $what change nothing"
        or diag "$r->{status} $r->{err}";
    $peer->finish;
}
{
    my ($peer, $port, $r);
    for (1 .. 5) {    # the machine may be busy
        ($peer, $port) = renewing('flood');
        $r = run('connect', @tls, '--json', '-m', 1, 'localhost', $port);
        last if $r->{status} != 5 || seconds($r) < 1.9;
        $peer->finish;
    }
    exits $r, 5, 'a flood of key updates';
    cmp_ok seconds($r), '<', 1.9, '  does not make the limit late';
    $peer->stop;
}

# Peers that read slowly, through a middle with small buffers.
sub slow {
    my ($port, $pause, $piece, $is_upload) = @_;
    my $l = tcp_listener();
    setsockopt $l, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 4096;
    Sockt::fork_child(sub {
        while (my $c = $l->accept) {
            socket my $s, Socket::AF_INET(), Socket::SOCK_STREAM(), 0;
            setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 4096;
            connect $s, Socket::sockaddr_in($port, Socket::inet_aton('127.0.0.1'));
            my ($from, $to) = $is_upload ? ($c, $s) : ($s, $c);
            my $other = Sockt::fork_child(sub {
                while (sysread $to, my $bytes, 65536) { syswrite $from, $bytes }
                shutdown $from, 1;
            });
            my $left = 8000;
            while (sysread $from, my $bytes, $left > 0 ? $left : $piece) {
                syswrite $to, $bytes;
                $left -= length $bytes;
                select undef, undef, undef, $pause if $left <= 0;
                $pause = 0.03 if $pause > 1;
            }
            shutdown $to, 1;
            Sockt::reap($other);
        }
    });
    return $l->sockport;
}
# A server gives a client as long for the last bytes as without TLS.
my $zeros = 'head -c 600000 /dev/zero';
for my $row (['-e', $zeros], ['--to', '127.0.0.1:PORT']) {
    my ($handler, $what) = @$row;
    my $source = start('listen', '-4k', 0, '-e', $zeros);
    my $port = $source->port;
    my $server = start('listen', '-4k', @cert, 0, $handler, $what =~ s/PORT/$port/r);
    my $r = run({ timeout => 20 }, 'connect', '--recv-only', @tls, 'localhost',
        slow($server->port, 3.5, 20_000));
    is "$r->{status} " . length $r->{out}, '0 600000', "$handler: a client that pauses";
    like $server->stop->{err}, qr/^\N*listening\N*\n\z/, '  is not an error';
    $source->stop;
}
# What the peer acknowledges is progress.
{
    my $server = start('listen', '-4k', @cert, '-e', 'wc -c', 0);
    exits run({ stdin => 'x' x 250_000, timeout => 20 }, 'connect', @tls,
        '--idle-timeout', '0.8', '--on-eof', 'fin', 'localhost',
        slow($server->port, 0.03, 3000, 1)), 0,
        '--idle-timeout: what is sent slowly is not idle', out => qr/250000/;
    $server->stop;
    $server = start({ command => 'sh' }, '-c', 'head -c 250000 /dev/zero | exec "$@"',
        'sh', sockt(), 'listen', '-4', @cert, '--idle-timeout', '0.8', 0);
    my $r = run({ timeout => 20 }, 'connect', '--recv-only', @tls, 'localhost',
        slow($server->port, 0.03, 3000));
    is "$r->{status} " . length $r->{out}, '0 250000', '  of a server, either';
    is $server->finish->{status}, 0, '  whose status is 0';
    $server = start('listen', '-4k', @cert, '--discard', 0);
    exits run({ stdin => 'x' x 250_000, timeout => 20 }, 'connect', @tls,
        '--idle-timeout', '0.8', 'localhost', slow($server->port, 9, 1, 1)), 5,
        '  but what is not acknowledged is', err => qr/--idle-timeout/;
    $server->stop;
}
# The end of stdin waits for as long as the peer takes to answer, not a second.
{
    my $server = start('listen', '-4k', @cert, '--echo', 0);
    my $r;
    for (1 .. 30) {    # the machine may be busy
        $r = run({ stdin => "hi\n" }, 'connect', @tls, '--json', 'localhost', $server->port);
        last if seconds($r) < 0.7;
    }
    exits $r, "0 hi\n", 'the end of stdin, after an answer';
    cmp_ok seconds($r), '<', 0.7, '  is passed on soon';
    cmp_ok seconds($r), '>=', 0.1, '  but not at once';
    $server->stop;
}
# A connection of which one side has ended does not wake up again and again.
SKIP: {
    skip 'no /proc', 1 if !-r "/proc/$$/status";
    my $server = start('listen', '-4k', @cert, '-e', 'cat >/dev/null; sleep 9', 0);
    my $q = start({ keep_stdin => 1 }, 'connect', @tls, '--on-eof', 'fin', 'localhost',
        $server->port);
    $q->close_stdin;
    my $pid = await_child($q->{pid});
    my $switches = sub {
        return (slurp("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s*(\d+)/m)[0];
    };
    select undef, undef, undef, 0.5;
    my $before = $switches->();
    select undef, undef, undef, 0.5;
    cmp_ok $switches->() - $before, '<', 4, 'a half-closed connection sleeps';
    $_->stop for $q, $server;

    # Both sides have ended, and sockt does not read what has arrived: a little
    # more than fits into the send buffer of its process.
    my $n = 20_000 + 2 * min(512 * 1024, slurp('/proc/sys/net/core/wmem_max'));
    my $go = scratch() . '/go';
    mkfifo($go, 0600) or die "mkfifo: $!";
    $server = start('listen', '-4', @cert, '-e',
        "cat >/dev/null; cat $go; head -c $n /dev/zero", 0);
    $q = start({ stdin => '' }, 'connect', @tls, '--on-eof', 'fin', 'localhost',
        $server->port);
    $pid = await_child($q->{pid});
    open my $h, '>', $go or die "$go: $!";
    kill STOP => $q->{pid};
    close $h;
    my $ticks = sub {
        my @stat = split ' ', slurp("/proc/$pid/stat") =~ s/.*\)//sr;
        return $stat[11] + $stat[12];
    };
    select undef, undef, undef, 0.5;
    $before = $ticks->();
    select undef, undef, undef, 0.5;
    cmp_ok $ticks->() - $before, '<', 20, '  and one that has ended, but is not read';
    kill CONT => $q->{pid};
    my $r = $q->finish;
    is "$r->{status} " . length $r->{out}, "0 $n", '  which is whole';
    exits $server->finish, 0, '  for the peer, too';
}

# Key updates by the server, in mid-transfer.
my $s = tls_serve($good, '-tls1_3');
$q = start({ keep_stdin => 1 }, 'connect', @tls, 'localhost', $s->{port});
for my $command ('', 'k', 'K', 'k') {
    if ($command) {
        $s->{process}->send_line("$command\n");
        # What it reads together with a command is part of that.
        for (1 .. 50) {
            $s->{process}->send_line("after $command\n");
            last if eval { $q->expect(out => qr/after $command\n/, 0.1) };
        }
        $q->expect(out => qr/after $command\n/);
    }
    $q->send_line("answer $command\n");
    $s->{process}->expect(out => qr/answer $command\n/);
}
ok 1, 'key updates change nothing';
$s->{process}->send_line("Q\n");
like $s->{process}->finish->{out}, qr/(?:SSL_do_handshake -> 1\n.*){3}/s,
    '  and it has made them';
is $q->finish->{status}, 10, 's_server ends without close_notify, which is a loss';

# A session ticket in two records, and data between them. A certificate of the
# client makes it long; the first record as long is the server's certificate.
for my $ends (0, 1) {
    $s = tls_serve($good, '-rev', '-tls1_3', '-max_send_frag', 512, '-Verify', 1,
        '-CAfile', "$dir/ca/ca.pem");
    pipe my $held, my $go or die "pipe: $!";
    my $count = 0;
    my $port = tls_middle($s->{port}, sub {
        my ($record) = @_;
        close $go;
        sysread $held, my $byte, 1 if $count == 2;
        $count++ if length $record == 534;
        return $record;
    });
    $q = start({ keep_stdin => 1 }, 'connect', '-vv', @tls, @cert,
        $ends ? ('--on-eof', 'fin') : (), 'localhost', $port);
    $q->expect(err => qr/TLSv1\.3 with/);
    $q->send_line("hello\n");
    $q->expect(err => qr/send on \N+: 6 bytes/);
    $q->close_stdin if $ends;
    $q->expect(err => qr/SHUT_WR/) if $ends;
    close $go;
    ok eval { $q->expect(out => qr/olleh/) }, 'what is sent amid a ticket arrives';
    $q->close_stdin if !$ends;
    is $q->finish->{status}, 0, '  and ' . ($ends ? 'its' : 'a later') . ' end';
    $s->{process}->stop;
}

done_testing;
