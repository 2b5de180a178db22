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

my @to = ('localhost', $port);

# -rev answers each line with its reverse, and CLOSE ends the connection.
my $hello = "hello\nCLOSE\n";
my $unix = start('listen', '-kq', "unix:$dir/s", '--to', "127.0.0.1:$port");
my $relay = "'" . sockt() . "' connect 127.0.0.1 ";
my $garbage = spew("$dir/garbage", "nothing\n");
for my $row (
    ['bytes go both ways; the peer ends the connection', "0 olleh\n", $hello, [@to], err => ''],
    ['--send-only ends it itself', '0 ', "hello\n", ['--send-only', "127.0.0.1:$port"], err => ''],
    ['--on-eof quit, too', 0, "hello\n", ['--on-eof', 'quit', @to], err => ''],
    ['the final dot of a name is not verified', 0, '', ['-z', 'localhost.', $port], err => ''],
    ['a script', "0 cba\n", '', ['--send', 'abc\n', '--expect', 'cba', '--done', @to]],
    ['letters that are commands of openssl are data', "0 Q\ntiuq\nxR\nkB\nk\n",
        "Q\nquit\nRx\nBk\nk\nCLOSE\n", [@to]],
    ['-z', '0 ', '', ['-z', @to], err => ''],
    ['-z with two endpoints', 0, '', ['-z', "localhost:$port", "127.0.0.1:$port"]],
    ['a program', 0, '', ['127.0.0.1', $port, '--', 'sh', '-c',
        'echo abc; read x; echo "got $x" >&2'], err => "got cba\n"],
    ['-v: protocol, cipher, certificate', 0, '', ['-v', '--send-only', @to],
        err => qr/^sockt connect: TLSv1\.\d with \S+, certificate of CN = good, issued by CN = authority, verified, expires in \d days?, for localhost, 127\.0\.0\.1, valid from 20\S+Z to 20\S+Z, EC key of 256 bits, SHA-256 [0-9a-f]{64}, in \S+ ms$/m],
    ['--json: the "secured" event', 0, '', ['--json', '--send-only', @to],
        err => qr/"event":"secured".*"protocol":"TLSv1\.\d","cipher":"\w+","subject":"CN = good","issuer":"CN = authority","days":\d,.*"verified":true/],
    ['-vv: the process', 0, '', ['-vv', '--send-only', @to],
        err => qr/: fork the connection .*holds the connection and TLS/],
    ['refused, as without TLS', 4, '', ['-z', '127.0.0.1', free_port()]],
    ['--max-time', 5, 'x', ['-m', 0.5, @to]],
    ['TLS on a program', "0 olleh\n", $hello, ['--via', "$relay %p", @to], err => ''],
    ['  which fails, with its own reason', 10, '', ['--via', $relay . free_port(), @to],
        err => qr/the program of --via failed with status 4: .*refused/],
    ['TLS on a Unix socket', "0 olleh\n", $hello,
        ['--retry-for', 5, '-q', '--tls-ca', "$dir/ca/ca.pem", "unix:$dir/s"]],
    ['no such file', 11, '', ['-z', '--tls-ca', "$dir/nosuch", @to],
        err => qr/--tls-ca: \S+nosuch: no such file/],
    ['a file without a certificate', 11, '', ['-z', '--tls-ca', $garbage, @to],
        err => qr/no certificate can be read from \S+garbage \(--tls-ca\)/],
) {
    my ($name, $end, $stdin, $args, %want) = @$row;
    exits tls({ stdin => $stdin }, "@$args" =~ /--tls-ca/ ? () : @ca, @$args), $end,
        $name, %want;
}
$unix->stop;
for my $limit (7 .. 13) {
    my $r = run({ %mark, command => 'sh' }, '-c', "ulimit -n $limit; exec \"\$\@\"",
        'sh', sockt(), 'connect', '-z', '--tls', @ca, @to);
    like $r->{err}, qr/too many open files|^\z/,
        "ulimit -n $limit: a process that cannot start says why";
}

# A program that a limit ends has not said everything.
my $cut = start('listen', '-4', '--recv-only', '--tls-cert', $good->{cert},
    '--tls-key', $good->{key}, 0);
exits tls({}, @ca, '-m', 3, '127.0.0.1', $cut->port, '--', 'sh', '-c',
    'echo half; exec sleep 60'), 5, '-m ends a program';
exits $cut->finish, 10, '  and the peer gets a reset, not the end of TLS',
    out => "half\n", err => qr/TLS: the connection was lost/;

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
        my $r = tls({ stdin => 'secret' }, @$zero, @ca, 'localhost', $s->{port});
        exits $r, '9 ', "$what @$zero, with the reason in one line",
            err => qr/^sockt connect: localhost port \d+: TLS: the certificate is not accepted: $reason(?:[:,] [^(]+)? \((?:--tls-\w+ \w+ .*, )?--tls-insecure accepts any\)$/;
        is scalar(() = $r->{err} =~ /\n/g), 1, '  and nothing else';
    }
    exits tls({ stdin => "abc\n" }, '-v', '--tls-insecure', '--send-only',
        'localhost', $s->{port}), 0, '  --tls-insecure accepts it',
        err => qr/not verified \(--tls-insecure\)/;
}
my $s = tls_reverser($wrong);
exits tls('-z', @ca, '127.0.0.1', $s->{port}), 9,
    'wrong address, with the reason', err => qr/IP address mismatch/;
# A name that is empty, cut or dotted would be no check, or a weaker one.
my $long = join('.', ('x' x 60) x 4, 'yyyyyyyyyyyy');
for my $name ('', '%x', 'x%y', '.test', '.', '..', 'other..test', "$long.test") {
    for my $command (['connect', '-z', '--tls'], ['listen', '--to', "a:1", '--tls'],
        ['http-get']) {
        exits run({ timeout => 5 }, @$command, @ca, '--tls-name', $name,
            $command->[0] eq 'connect' ? ('127.0.0.1', $s->{port})
            : $command->[0] eq 'listen' ? 0 : "https://127.0.0.1:$s->{port}/"), 2,
            "$command->[0] --tls-name '$name'",
            err => qr/--tls-name: '.*' is not a name that a certificate can have/;
    }
}
for my $host ('.test', '%x', 'a..test') {
    exits tls('-z', @ca, '--via', "'" . sockt() . "' connect 127.0.0.1 $s->{port}",
        $host, 1), 9, "a host '$host', which no certificate can have",
        err => qr/TLS: '.*' is not a name that a certificate can have/;
}
# A certificate of --tls-ca is trusted as it is, whoever has signed it.
exits tls('-zv', '--tls-ca', $good->{cert}, @to), 0, '--tls-ca with the very certificate',
    err => qr/issued by CN = authority, verified/;
exits tls('-z', '--tls-ca', $good->{cert}, 'localhost', $s->{port}), 9,
    '  but no other of its authority';
exits tls('-z', '--tls-ca', $wrong->{cert}, 'localhost', $s->{port}), 9,
    '  and not for another name', err => qr/hostname mismatch/;
# A subject that is longer than what is reported is not cut, but left out.
{
    my $o = join '', map { "/OU=$_" . 'x' x 60 } 10 .. 30;
    my $subject = tls_certificate($ca, 'long', 'DNS:localhost', subject => "$o/CN=a");
    my $r = tls('-z', '--json', @ca, 'localhost', tls_reverser($subject)->{port});
    like $r->{out} . $r->{err}, qr/"event":"secured".*"issuer":"CN = authority"/,
        'a long subject';
    unlike $r->{out} . $r->{err}, qr/"subject"|OU/, '  is left out of the event';
}
exits tls('-z', @to), 9, "the system's authorities do not know the test's";
exits run({ env => { TMPDIR => $dir, SSL_CERT_FILE => "$dir/ca/ca.pem" } },
    'connect', '--tls', '-z', @to), 0, '  unless SSL_CERT_FILE names it';

# A directory of authorities, which openssl rehash has prepared.
mkdir "$dir/authorities" or die $!;
link "$dir/ca/ca.pem", "$dir/authorities/ca.pem" or die $!;
for my $status (9, 0) {
    exits tls('-z', '--tls-ca', "$dir/authorities", @to), $status,
        '--tls-ca with a directory ' . ($status ? 'without hashes' : 'that has them');
    system('openssl', 'rehash', "$dir/authorities");
}

# ALPN: the protocol of the server that is the first of both.
my $alpn = tls_serve($good, '-rev', '-alpn', 'http/1.1,spdy');
for my $case ([0, 'spdy,http/1.1', qr/TLSv.*, http\/1\.1, /],
    [9, 'imap', qr/no application protocol/]) {
    my ($status, $names, $says) = @$case;
    exits tls('-v', '--send-only', @ca, '--tls-alpn', $names, 'localhost',
        $alpn->{port}), $status, "--tls-alpn $names", err => $says;
}

# Keys.
for my $key (['unreadable', "$dir/nosuch", 11, qr/nosuch: no such file/],
    ['of another certificate', "$dir/ca/wrong.key", 2, qr/the key does not belong to the certificate/],
    ['encrypted', "$dir/encrypted", 2, qr/the key is encrypted/]) {
    my ($what, $path, $status, $error) = @$key;
    qx(openssl pkey -in $good->{key} -aes128 -passout pass:x -out $path)
        if $what eq 'encrypted';
    for my $command (['connect', '--tls', @to],
        ['listen', 0], ['serve-hello', 0]) {
        my $r = run({ timeout => 5 }, @$command, '--tls-cert', $good->{cert},
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
    qr/--tls-alpn: expected names of protocols/ =>
        "--tls -z --tls-alpn a,,b localhost $port",
    qr/--tls-alpn: more than 255 bytes in all$/m => [map {
        "--tls -z --tls-alpn $_ localhost $port" } 'a' x 256, 'a,' x 127 . 'bc'];

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
my $lines = join '', ('x' x 999 . "\n") x 40;
exits tls({ stdin => $lines }, @ca, 'localhost', truncating(9000)), 10,
    'a stream without an end of TLS',
    err => qr/the peer ended the connection without ending TLS \(close_notify\): what it sent may be incomplete/;
my $p = start({ %mark, keep_stdin => 1 }, 'connect', '--tls', @ca, 'localhost',
    truncating(9000));
$p->send_line($lines);
$p->expect(err => qr/ may be incomplete; the connection was lost after 40000 bytes sent and \d+ received; stdin was still open\n/);
is $p->finish->{status}, 10, '  at once, while stdin is open';
for my $row (['CLOSE', 0], ['INT', -2], ['TERM', -15], ['HUP', -1], ['KILL', -9]) {
    my ($how, $end) = @$row;
    $p = start({ %mark, keep_stdin => 1 }, 'connect', '--tls', @ca, @to);
    $p->send_line("abc\n");
    $p->expect(out => qr/cba/);
    $how eq 'CLOSE' ? $p->send_line("CLOSE\n") : $p->signal($how);
    exits $p->finish, $end, $end ? "$how: dies by it"
        : 'the peer ends TLS first: sending goes on to the end of stdin';
    is join(' ', left_behind($dir)), '', '  and leaves no process';
}
my $mute = tcp_listener();
$p = start(\%mark, 'connect', '--tls', @ca, '127.0.0.1', $mute->sockport);
sysread my $begun = $mute->accept, my $client_hello, 1;
$p->stop('KILL');
is join(' ', left_behind($dir)), '', 'KILL during the handshake: no process';
for my $seconds (0.001, 0.003, 0.005, 0.01, 0.02) {
    $p = start(\%mark, 'connect', '--tls', '-z', @ca, @to);
    select undef, undef, undef, $seconds;
    $p->signal('TERM');
    $p->finish;
}
is join(' ', left_behind($dir)), '', 'no process is left by any of these';

# A libssl that cannot be loaded.
SKIP: {
    my @paths = qx(/sbin/ldconfig -p) =~ /^\s*libssl\.so\.3 .*=> (\S+)$/mg;
    skip 'only root hides libssl', 1
        unless is_root() && @paths && !system 'unshare -m true 2>/dev/null';
    exits run({ command => 'unshare' }, '-m', 'sh', '-c', join(' && ',
            map({ "mount --bind /dev/null $_" } @paths), 'exec "$@"'), 'sh',
        sockt(), 'connect', '--tls', @to), 1, 'no libssl',
        err => qr/^sockt connect: \N*TLS needs libssl\.so\.3, which cannot be loaded \(Debian: install libssl3\): /;
}

done_testing;
