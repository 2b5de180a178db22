# connect --tls: verification, what fails and how it is told, how a connection
# ends. The peer is openssl s_server.
use Sockt;
use IO::Select;
use Socket ();
use SocktTls;

plan skip_all => 'openssl is not installed' unless tls_is_available();

my $dir = scratch();
my %mark = (env => { TMPDIR => $dir });
my $ca = tls_authority("$dir/ca");
my $good = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1');
my $server = tls_reverser($good);
my $port = $server->{port};

sub tls {
    my %o = (%mark, ref $_[0] eq 'HASH' ? %{ shift() } : ());
    return run(\%o, 'connect', '--tls', @_);
}
my @ca = ('--tls-ca', "$dir/ca/ca.pem");

# -rev answers each line with its reverse, and CLOSE ends the connection.
my $r = tls({ stdin => "hello\nCLOSE\n" }, @ca, 'localhost', $port);
is "$r->{status} $r->{out}$r->{err}", "0 olleh\n",
    'bytes go both ways; the peer ends the connection';
$r = tls({ stdin => "hello\n" }, @ca, '--send-only', "127.0.0.1:$port");
is "$r->{status} $r->{out}$r->{err}", '0 ', '--send-only ends it itself';
$r = tls({ stdin => "hello\n" }, @ca, '--on-eof', 'quit', 'localhost', $port);
is "$r->{status} $r->{err}", '0 ', '--on-eof quit, too';
$r = tls('-z', @ca, 'localhost.', $port);
is "$r->{status} $r->{err}", '0 ', 'the final dot of a name is not verified';
$r = tls(@ca, '--send', 'abc\n', '--expect', 'cba', '--done', 'localhost', $port);
is "$r->{status} $r->{out}", "0 cba\n", 'a script';
$r = tls({ stdin => "Q\nquit\nRx\nBk\nk\nCLOSE\n" }, @ca, 'localhost', $port);
is $r->{out}, "Q\ntiuq\nxR\nkB\nk\n", 'letters that are commands of openssl are data';
$r = tls('-z', @ca, 'localhost', $port);
is "$r->{status} $r->{out}$r->{err}", '0 ', '-z';
$r = tls('-z', @ca, "localhost:$port", "127.0.0.1:$port");
is $r->{status}, 0, '-z with two endpoints';
$r = tls(@ca, '127.0.0.1', $port, '--', 'sh', '-c',
    'echo abc; read x; echo "got $x" >&2');
is "$r->{status} $r->{err}", "0 got cba\n", 'a program';
$r = tls('-v', '--send-only', @ca, 'localhost', $port);
like $r->{err}, qr/^sockt connect: TLSv1\.\d with \S+, certificate of CN = good, issued by CN = authority, verified, expires in \d days?, in \S+ ms$/m,
    '-v: protocol, cipher, certificate';
$r = tls('--json', '--send-only', @ca, 'localhost', $port);
like $r->{err}, qr/"event":"secured".*"protocol":"TLSv1\.\d","cipher":"\w+","subject":"CN = good","issuer":"CN = authority","days":\d,"verified":true/,
    '--json: the "secured" event';
$r = tls('-vv', '--send-only', @ca, 'localhost', $port);
like $r->{err}, qr/: fork the connection .*holds the connection and TLS/,
    '-vv: the process';
for my $limit (7 .. 13) {
    $r = run({ %mark, command => 'sh' }, '-c', "ulimit -n $limit; exec \"\$\@\"",
        'sh', sockt(), 'connect', '-z', '--tls', @ca, 'localhost', $port);
    like $r->{err}, qr/too many open files|^\z/,
        "ulimit -n $limit: a process that cannot start says why";
}

# Verification.
my $self = tls_self_signed("$dir/self", 'DNS:localhost');
my $stranger = tls_certificate(tls_authority("$dir/other"), 'stranger',
    'DNS:localhost');
my $wrong = tls_certificate($ca, 'wrong', 'DNS:other.test');
my $expired = tls_certificate($ca, 'expired', 'DNS:localhost', days => -1);
my $future = tls_certificate($ca, 'future', 'DNS:localhost',
    from => '20490101000000Z');
for my $case (
    ['self-signed', $self, qr/self-signed certificate/],
    ['unknown authority', $stranger, qr/unable to \w+ .*?/],
    ['wrong name', $wrong, qr/hostname mismatch: it is not for localhost/],
    ['expired', $expired, qr/certificate has expired/],
    ['not yet valid', $future, qr/certificate is not yet valid/],
) {
    my ($what, $certificate, $reason) = @$case;
    my $s = tls_reverser($certificate);
    for my $zero ([], ['-z']) {
        $r = tls({ stdin => 'secret' }, @$zero, @ca, 'localhost', $s->{port});
        exits $r, '9 ', "$what @$zero, with the reason in one line",
            err => qr/^sockt connect: localhost port \d+: TLS: the certificate is not accepted: $reason \((?:--tls-\w+ \w+ .*, )?--tls-insecure accepts any\)$/;
        is scalar(() = $r->{err} =~ /\n/g), 1, '  and nothing else';
    }
    exits tls({ stdin => "abc\n" }, '-v', '--tls-insecure', '--send-only',
        'localhost', $s->{port}), 0, '  --tls-insecure accepts it',
        err => qr/not verified \(--tls-insecure\)/;
}
my $s = tls_reverser($wrong);
exits tls('-z', @ca, '127.0.0.1', $s->{port}), 9,
    'wrong address, with the reason', err => qr/IP address mismatch/;
$r = tls('-z', 'localhost', $port);
is $r->{status}, 9, "the system's authorities do not know the test's";
$r = run({ env => { TMPDIR => $dir, SSL_CERT_FILE => "$dir/ca/ca.pem" } },
    'connect', '--tls', '-z', 'localhost', $port);
is $r->{status}, 0, '  unless SSL_CERT_FILE names it';

# A directory of authorities, which openssl rehash has prepared.
mkdir "$dir/authorities" or die $!;
link "$dir/ca/ca.pem", "$dir/authorities/ca.pem" or die $!;
$r = tls('-z', '--tls-ca', "$dir/authorities", 'localhost', $port);
is $r->{status}, 9, 'a directory without hashes knows no authority';
is system('openssl', 'rehash', "$dir/authorities"), 0, 'openssl rehash';
$r = tls('-z', '--tls-ca', "$dir/authorities", 'localhost', $port);
is "$r->{status} $r->{err}", '0 ', '--tls-ca with a directory';

# ALPN: the protocol of the server that is the first of both.
my $alpn = tls_serve($good, '-rev', '-alpn', 'http/1.1,spdy');
for my $case (['spdy,http/1.1', qr/, http\/1\.1, /], ['imap', qr/^(?!.*http)/]) {
    my ($names, $says) = @$case;
    $r = tls('-v', '--send-only', @ca, '--tls-alpn', $names, 'localhost',
        $alpn->{port});
    like(($r->{err} =~ /(TLSv.*)/)[0] // '', $says, "--tls-alpn $names");
}

# Files and programs.
exits tls('-z', '--tls-ca', "$dir/nosuch", 'localhost', $port), 11,
    'no such file', err => qr/--tls-ca: \S+nosuch: no such file/;
spew("$dir/garbage", "nothing\n");
exits tls('-z', '--tls-ca', "$dir/garbage", 'localhost', $port), 11,
    'a file without a certificate',
    err => qr/no certificate can be read from \S+garbage \(--tls-ca\)/;
for my $key (['unreadable', "$dir/nosuch", 11, qr/nosuch: no such file/],
    ['of another certificate', "$dir/ca/wrong.key", 2, qr/the key does not belong to the certificate/],
    ['encrypted', "$dir/encrypted", 2, qr/the key is encrypted/]) {
    my ($what, $path, $status, $error) = @$key;
    qx(openssl pkey -in $good->{key} -aes128 -passout pass:x -out $path)
        if $what eq 'encrypted';
    for my $command (['connect', '--tls', 'localhost', $port],
        ['listen', 0], ['serve-hello', 0]) {
        $r = run({ timeout => 5 }, @$command, '--tls-cert', $good->{cert},
            '--tls-key', $path);
        exits $r, $status, "$command->[0]: a key that is $what", err => $error;
        is scalar(() = $r->{err} =~ /\n/g), $status == 2 ? 2 : 1,
            '  in one line, and where help is';
    }
}
misused 'connect', qr/--tls-ca goes with --tls/ => '--tls-ca x h 1',
    qr/--tls-insecure goes with --tls/ => '--tls-insecure h 1',
    qr/--tls-insecure and --tls-ca cannot be used together/ =>
        '--tls --tls-insecure --tls-ca x h 1',
    qr/--tls-alpn/ => "--tls -z --tls-alpn a,,b localhost $port";

# Peers that do not speak TLS.
for my $case (
    ['SSH', sub { print { $_[0] } "SSH-2.0-OpenSSH_9.2\r\n"; sysread $_[0], my $x, 9 },
        9, qr/the peer does not speak TLS on that port/],
    ['an HTTP error', sub { sysread $_[0], my $x, 9; print { $_[0] } "HTTP/1.1 400 Bad Request\r\n\r\n" },
        9, qr/the peer does not speak TLS on that port/],
    ['the end', sub { sysread $_[0], my $x, 9999 },
        9, qr/the peer closed the connection during the handshake/],
    ['a reset', sub { sysread $_[0], my $x, 1;
        setsockopt $_[0], Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0 },
        10, qr/TLS: .*connection reset/],
) {
    my ($what, $code, $status, $error) = @$case;
    my $l = tcp_listener();
    peer($l, sub { $_[0]->autoflush(1); $code->(@_) });
    exits tls({ stdin => 'secret' }, 'localhost', $l->sockport), $status,
        "$what instead of a handshake", err => $error;
}
my $silent = tcp_listener();
exits tls('-w', 0.3, 'localhost', $silent->sockport), 5,
    'no answer to the handshake',
    err => qr/the TLS handshake was not done within 0\.3 s \(--timeout\)/;
exits tls('-z', @ca, '127.0.0.1', free_port()), 4, 'refused, as without TLS';

# How it ends. The middle forwards so many bytes of the server, then closes.
sub truncating {
    my ($bytes) = @_;
    my $l = tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        my $s = tcp_client($port);
        my $left = $bytes;
        my $select = IO::Select->new($c, $s);
        while ($left > 0) {
            for my $from ($select->can_read) {
                my $n = sysread($from, my $piece, 65536) or return;
                $piece = substr $piece, 0, $left if $from == $s;
                syswrite $from == $s ? $c : $s, $piece;
                $left -= length $piece if $from == $s;
            }
        }
        shutdown $c, 1;
        1 while sysread $c, my $rest, 65536;
    });
    return $l->sockport;
}
# The handshake and the tickets of TLS 1.3 are some 3 KiB.
exits tls({ stdin => join '', ('x' x 999 . "\n") x 40 }, @ca, 'localhost',
    truncating(9000)), 10, 'a stream without an end of TLS',
    err => qr/the peer ended the connection without ending TLS \(close_notify\): what it sent may be incomplete/;
my $p = start({ %mark, keep_stdin => 1 }, 'connect', '--tls', @ca, 'localhost',
    truncating(9000));
$p->send_line(join '', ('x' x 999 . "\n") x 40);
$p->expect(err => qr/ may be incomplete; the connection was lost after 40000 bytes sent and \d+ received; stdin was still open\n/);
is $p->finish->{status}, 10, '  at once, while stdin is open';
$p = start({ %mark, keep_stdin => 1 }, 'connect', '--tls', @ca, 'localhost',
    $port);
$p->send_line("abc\n");
$p->expect(out => qr/cba/);
$p->send_line("CLOSE\n");
$r = $p->finish;
is $r->{status}, 0, 'the peer ends TLS first: sending goes on to the end of stdin';

# Without Linux's own calls a process is not told that sockt was killed.
for my $signal (qw(INT TERM HUP KILL)) {
    $p = start({ %mark, keep_stdin => 1 }, 'connect', '--tls', @ca, 'localhost',
        $port);
    $p->send_line("abc\n");
    $p->expect(out => qr/cba/);
    $p->signal($signal);
    $r = $p->finish;
    is $r->{signal}, { INT => 2, TERM => 15, HUP => 1, KILL => 9 }->{$signal},
        "$signal: dies by it";
    is join(' ', left_behind($dir)), '', '  and leaves no process';
}
my $mute = tcp_listener();
$p = start(\%mark, 'connect', '--tls', @ca, '127.0.0.1', $mute->sockport);
sysread my $begun = $mute->accept, my $client_hello, 1;
$p->stop('KILL');
is join(' ', left_behind($dir)), '', 'KILL during the handshake: no process';
for my $seconds (0.001, 0.003, 0.005, 0.01, 0.02) {
    $p = start(\%mark, 'connect', '--tls', '-z', @ca, 'localhost', $port);
    select undef, undef, undef, $seconds;
    $p->signal('TERM');
    $p->finish;
}
$r = tls({ stdin => 'x' }, '-m', 0.5, @ca, 'localhost', $port);
is $r->{status}, 5, '--max-time';
is join(' ', left_behind($dir)), '', 'no process is left by any of these';

# A libssl that cannot be loaded.
SKIP: {
    my @paths = qx(/sbin/ldconfig -p) =~ /^\s*libssl\.so\.3 .*=> (\S+)$/mg;
    skip 'only root hides libssl', 1
        unless is_root() && @paths && !system 'unshare -m true 2>/dev/null';
    exits run({ command => 'unshare' }, '-m', 'sh', '-c', join(' && ',
            map({ "mount --bind /dev/null $_" } @paths), 'exec "$@"'), 'sh',
        sockt(), 'connect', '--tls', 'localhost', $port), 1, 'no libssl',
        err => qr/^sockt connect: \N*TLS needs libssl\.so\.3, which cannot be loaded \(Debian: install libssl3\): /;
}

# Transports below.
$r = tls({ stdin => "hello\nCLOSE\n" }, @ca, '--via',
    "'" . sockt() . "' connect 127.0.0.1 %p", 'localhost', $port);
is "$r->{status} $r->{out}$r->{err}", "0 olleh\n", 'TLS on a program';
exits tls(@ca, '--via', "'" . sockt() . "' connect 127.0.0.1 " . free_port(),
    'localhost', $port), 10, '  which fails, with its own reason',
    err => qr/the program of --via failed with status 4: .*refused/;
my $unix = start('listen', '-kq', "unix:$dir/s", '--to', "127.0.0.1:$port");
exits tls({ stdin => "hello\nCLOSE\n" }, '--retry-for', 5, '-q', @ca,
    "unix:$dir/s"), "0 olleh\n", 'TLS on a Unix socket';
$unix->stop;

done_testing;
