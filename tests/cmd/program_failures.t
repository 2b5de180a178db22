# A program that fails is a failure for its peer, whose bytes it has not read: a
# reset. What it had read, or answered whole, is not; nor is a program that
# succeeds. What was thrown away is counted.
use Sockt;
use Socket qw(:all);
use SocktTls;
use Time::HiRes qw(sleep time);

my $dir = scratch();
my $has_tls = tls_is_available();
my $cert = $has_tls ? tls_self_signed("$dir/self", 'IP:127.0.0.1') : undef;
my @cert = $has_tls ? ('--tls-cert', $cert->{cert}, '--tls-key', $cert->{key}) : ();
# Without Linux calls it is not known what a program has sent.
my $portable = run('--version')->{out} =~ /posix/;

# Whether what is sent on a connection is refused in the end.
sub is_refused {
    my ($c) = @_;
    for (1 .. 500) {
        return 1 if !defined syswrite $c, 'x';
        sleep 0.01;
    }
    return 0;
}

# Each: the program, what the client sends before its exit, or 100 ms after it,
# and what the client gets.
my @rows = (
    ['exit 1', "hello\n", '', ' reset', 'unread at its exit, nothing sent'],
    ['exit 10', "hello\n", '', ' reset', 'with a status of sockt'],
    ['exit 11', "hello\n", '', ' reset', 'with another one'],
    ['exit 1', '', "hello\n", ' reset', 'the first byte comes 100 ms later'],
    ['exit 1', '', '', ' fin', 'no byte'],
    ['exit 0', "hello\n", '', ' fin', 'status 0, unread'],
    ['exit 0', '', "hello\n", ' fin', 'status 0, later'],
    ['read l; exit 1', "hello\n", '', ' fin', 'everything was read'],
    ['read l; exit 1', "hello\n", "more\n", ' reset', 'more comes after that'],
    ['read l; echo whole; exit 1', "GET\nrest\n", '', "whole\n fin",
        'a whole answer, the rest of a request'],
    ['read l; echo half; kill -9 $$', "a\nb\n", '', "half\n reset", 'death by a signal'],
);
# How the program is run, and options of the server and of the client.
my @ways = (['-e', []], ['--', []], ['-x', ['-x', '/dev/null']],
    ['-o', ['-o', "$dir/o%n"]]);

for my $way (@ways) {
    my ($how, $options) = @$way;
    for my $row (@rows) {
        my ($program, $first, $later, $expected, $name) = @$row;
    SKIP: {
            skip 'without Linux calls', 1 if $portable && !@$options
                && $expected eq ' reset' && !$later;
            my $p = start('listen', '-4kv', @$options, 0,
                $how eq '--' ? ('--', 'sh', '-c', $program) : ('-e', $program));
            my $c = tcp_client($p->port);
            my $got = '';
            # A byte that comes before the exit is unread at it.
            kill 'STOP', $p->{pid} if $first && $program !~ /read/;
            syswrite $c, $first if $first;
            kill 'CONT', $p->{pid};
            $p->expect(err => qr/accepted/);
            if ($later) {
                sleep 0.1;
                syswrite $c, $later;
            }
            shutdown $c, 1 if $expected =~ /fin/;
            $got = until_end($c);
            # Where this test was slow, the FIN came before: what follows it has
            # nobody any more.
            $got =~ s/fin\z/reset/ if $later && $expected =~ /reset/ && is_refused($c);
            is $got, $expected, "$how $program: $name";
            close $c;
            $p->stop;
        }
    }
}

# Senders of sockt, by themselves and with TLS: their status; in both directions.
my $big = spew("$dir/big", 'x' x 5_000_000);
for my $tls ([], $has_tls ? ['--tls', '--tls-insecure'] : ()) {
    my @server = @$tls ? @cert : ();
    for my $row (['exec false', 10], ['echo whole; exit 1', 10, "whole\n"], ['cat >/dev/null; exit 1', 0],
        ['cat >/dev/null', 0], ['head -c 100 >/dev/null; exit 1', 10],
        ['kill -9 $$', 10]) {
        my ($program, $status, $out) = @$row;
        my $p = start('listen', '-4k', @server, 0, '-e', $program);
        open my $in, '<', $big or die;
        exits run({ stdin => $in, timeout => 20 }, 'connect', '-q', @$tls, '127.0.0.1', $p->port),
            $status, "listen @{[@$tls ? 'TLS' : '']} -e $program: the sender", out => $out // '';
        $p->stop;

        open $in, '<', $big or die;
        my $s = start({ stdin => $in }, 'listen', '-4', @server, 0);
        my $r = run({ timeout => 20 }, 'connect', '-q', @$tls, '-e', $program, '127.0.0.1', $s->port);
        is $s->finish->{status}, $status, "connect @{[@$tls ? 'TLS' : '']} -e $program: the sender";
        is $r->{status}, $program =~ /kill/ ? 137 : $program =~ /false|exit/ ? 1 : 0,
            '  and its own status is the program\'s';
    }
}

# Small ones, which are in the system's buffers.
for my $tls ([], $has_tls ? ['--tls', '--tls-insecure'] : ()) {
    my @server = @$tls ? @cert : ();
    for my $options ([], ['-x', '/dev/null']) {
    SKIP: {
            skip 'without Linux calls', 2 if $portable && !@$tls && !@$options;
            my $p = start('listen', '-4k', @server, @$options, 0, '-e', 'exec false');
            is run({ stdin => "x\n" }, 'connect', '-q', @$tls, '127.0.0.1', $p->port)
                ->{status}, 10, "listen @$options @$tls: a small backup that is not stored";
            # What TLS has received when its end is passed on is dropped.
            next if @$tls;
            pipe my $r, my $w or die;
            my $c = start({ stdin => $r }, 'connect', '-q', @$tls, '127.0.0.1', $p->port);
            await_child($p->{pid});
            await_no_child($p->{pid}) if !@$options;
            sleep 0.1;
            syswrite $w, "x\n";
            close $w;
            is $c->finish->{status}, 10, '  and one that comes after the exit';
            $p->stop;
        }
    }
}

# A process that the program has left goes on with the connection, whatever the
# status of the program is.
for my $status (0, 1) {
    my $p = start('listen', '-4k', 0, '-e', "(sleep 0.3; echo late) & exit $status");
    my $c = tcp_client($p->port);
    is until_end($c), "late\n fin", "an orphan of a program with status $status";
    $p->stop;
}

# A reset that waits until the output is acknowledged does not keep the processor
# busy: the client reads nothing, and has sent more.
SKIP: {
    skip 'without Linux calls', 1 if $portable;
    my $p = start('listen', '-4', 0, '-e', "exec $^X -MFcntl -e '"
        . 'fcntl STDOUT, F_SETFL, O_NONBLOCK; syswrite STDOUT, "x" x 2e7; exit 1' . "'");
    socket my $c, AF_INET, SOCK_STREAM, 0 or die;
    setsockopt $c, SOL_SOCKET, SO_RCVBUF, 4096;
    connect $c, pack_sockaddr_in($p->port, INADDR_LOOPBACK) or die;
    syswrite $c, 'a' x 100;
    await_child($p->{pid});
    await_no_child($p->{pid});
    syswrite $c, 'b' x 100;
    sleep 1;
    my @fields = split ' ', slurp("/proc/$p->{pid}/stat") =~ s/.*\) //sr;
    cmp_ok(($fields[11] + $fields[12]) / 100, '<', 0.3, 'it waits without haste');
    close $c;
    $p->finish;
}

# What is told.
SKIP: {
    skip 'without Linux calls the bytes of a program are not known', 7 if $portable;
    my $p = start('listen', '-4k', 0, '-e', 'exit 3');
    my $port = $p->port;
    kill 'STOP', $p->{pid};
    my $c = tcp_client($port);
    syswrite $c, 'x' x 1000;
    kill 'CONT', $p->{pid};
    $p->expect(err => qr/port \d+: the program failed with status 3; 1000 bytes were not read by the program\n/);
    ok 1, 'a line without -v names a failed handler with -k';
    close $c;

    # A health check, a client without data and one that has left are silent.
    is run('connect', '-z', '127.0.0.1', $port)->{status}, 0, 'a health check';
    is run('connect', '-q', '127.0.0.1', $port)->{status}, 0, 'a receiver';
    my $r = $p->stop;
    is scalar(() = $r->{err} =~ /failed/g), 1, 'no line for these';

    $p = start('listen', '-4k', 0, '-e', 'yes; exit 1');
    $c = tcp_client($p->port);
    syswrite $c, "request\n";
    sysread $c, my $line, 2;
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $c;
    await_no_child($p->{pid});
    is $p->stop->{err} =~ /failed/, '', 'nor for a client that has left first';

    # All of 5 MiB that a program with status 0 leaves.
    $p = start('listen', '-4', '--json', 0, '-e', 'true');
    open my $in, '<', spew("$dir/5M", 'x' x 5242880) or die;
    is run({ stdin => $in }, 'connect', '-q', '127.0.0.1', $p->port)->{status}, 0, '5 MiB';
    $r = $p->finish;
    like $r->{err}, qr/"event":"closed".*"received":5242880.*"discarded":5242880/,
        'what was thrown away is in the event';
    $p = start('listen', '-4v', 0, '-e', 'true');
    open $in, '<', "$dir/5M" or die;
    run({ stdin => $in }, 'connect', '-q', '127.0.0.1', $p->port);
    like $p->finish->{err}, qr/closed .*, 5242880 bytes were not read by the program\n/,
        'and in the line';

    # What a program leaves that is ended was counted twice.
    $p = start('listen', '-4k', '--json', '-m', '300ms', 0, '--', 'sleep', '100');
    $c = tcp_client($p->port);
    syswrite $c, 'x' x 100;
    $p->expect(err => qr/"event":"closed".*\n/);
    like $p->stop->{err}, qr/"event":"closed".*"received":100,.*"discarded":100,/,
        'what a program has left that --max-time ended';
}

# A program of udp-serve.
{
    my $p = start('udp-serve', '-4', 0, '--', 'sh', '-c', 'read l; [ "$l" = good ] || exit 3');
    my $s = udp_socket(peer => ['127.0.0.1', $p->port]);
    send $s, "bad\n", 0;
    $p->expect(err => qr/port \d+: the program ended with status 3 and sent no answer\n/);
    ok 1, 'udp-serve names a program that failed';
    $p->stop;
}

done_testing;
