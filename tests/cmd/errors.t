# Every failure says what was tried, what came back and what that means: one
# row for each, with its exit status. What needs a network of its own is in
# tests/netns/route_errors.t.
use Sockt;
use IO::Socket::UNIX;
use Socket;
use Time::HiRes qw(time);

my $dir = scratch();
my $file = spew("$dir/file", '');

# A server that answers every connection with text, once something came.
sub server {
    my ($text) = @_;
    my $l = tcp_listener();
    peer($l, sub {
        sysread $_[0], my $got, 65536;
        print { $_[0] } $text;
    }, 20);
    return '127.0.0.1:' . $l->sockport;
}

my $closed = free_port();
my $mute = tcp_listener();
my $m = $mute->sockport;
my $tls = server("\x15\x03\x01\x00\x02\x02F");
my $ssh = server("SSH-2.0-x\r\n");
my $binary = server("\x18\x03\x03xy");
my $part = server("HTTP/1.1 206 P\r\nContent-Range: bytes 5-9/100\r\n"
    . "Content-Length: 5\r\n\r\nabcde");
my $whole = server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
my ($dgram, $stream) = map {
    my ($type, $name) = @$_;
    IO::Socket::UNIX->new(Type => $type, Local => "$dir/$name",
        $type == SOCK_STREAM ? (Listen => 5) : ()) or die "$name: $!";
} [SOCK_DGRAM, 'dgram'], [SOCK_STREAM, 'stream'];
my $says_no = server("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");

# Of stdin and stdout that are open for the other direction, or are sockets
# without a connection, nothing was said, or the wrong.
socket my $unconnected, AF_INET, SOCK_STREAM, 0 or die;
open my $for_writing, '>', "$dir/written" or die;
open my $for_reading, '<', $file or die;
for my $row (
    [{ stdin => $for_writing }, 'stdin is open for writing only', 'connect 127.0.0.1 1'],
    [{ stdin => $for_writing }, 'stdin is open for writing only', 'udp-send 127.0.0.1 1'],
    [{ stdin => $mute }, 'stdin is a listening socket', 'connect 127.0.0.1 1'],
    map {
        my ($to, $what) = @$_;
        map { [{ stdout => $to }, "stdout is $what", $_] } 'connect 127.0.0.1 1', 'listen 0',
            'portscan 127.0.0.1 1', 'http-get http://127.0.0.1:1/', 'udp-send 127.0.0.1 1 x',
            'connect --send-only -o - 127.0.0.1 1'
    } [$for_reading, 'open for reading only'], [$mute, 'a listening socket'],
        [$unconnected, 'a socket without a connection']
) {
    my ($o, $says, $line) = @$row;
    exits run($o, split / /, $line), 11, "$line: $says", err => qr/: \Q$says\E(?:;|$)/m;
}

# Arguments, exit status, the last line without its beginning.
for my $row (
    # Addresses.
    ['connect fe80::1 80', 2,
        qr/fe80::1 is a link-local address, which needs its interface/],
    (map { [$_, 7, qr/this machine has no interface 'nosuch'$/] }
            'connect fe80::1%nosuch 80', 'listen fe80::1%nosuch 0',
        'serve-hello fe80::1%nosuch 0', 'udp-send fe80::1%nosuch 9 x',
        'udp-serve fe80::1%nosuch 0', 'portscan fe80::1%nosuch 80',
        'http-get http://[fe80::1%25nosuch]/',
        'connect -s fe80::1%nosuch ::1 80',
        'listen --allow fe80::%nosuch/64 0'),
    ['connect fe80::1% 80', 7, qr/this machine has no interface ''/],
    ['connect * 80', 2, qr/'\*' is not a host/],
    ['connect -s 192.0.2.1 127.0.0.1 1', 7,
        qr/cannot use local address 192\.0\.2\.1: address not available \(it is not an address of this machine\)/],
    ["connect 127.0.0.1 $closed", 4,
        qr/refused \(the host answered; nothing listens there\)/],
    ["udp-send 127.0.0.1 $closed x", 4,
        qr/refused \(the host answered; no program receives there\)/],
    (map {
        my $c = $_;
        ([$c =~ s/PATH/$file/r, 7,
            qr/not a socket \(a file of another kind has that path\)/],
        [$c =~ s/PATH/$dir\/none/r, 7,
            qr/no such path \(no program has bound a socket there\)/],
        [$c =~ s{PATH}{$file/x}r, 7,
            qr/no such path \(a part of it is not a directory\)/]);
    } 'connect unix:PATH', 'connect -z unix:PATH', 'udp-send unix:PATH x',
        'http-get -q --unix PATH http://x/'),
    ["connect unix:$dir/dgram", 7,
        qr/wrong type \(that socket is for datagrams, or for streams\)/],
    ["udp-send unix:$dir/stream x", 7,
        qr/wrong type \(that socket is for datagrams, or for streams\)/],
    ["connect --retry-for .3 unix:$file", 7, qr/not a socket/],
    ["connect --retry-for .3 unix:$dir/none", 5,
        qr/^no connection within 0\.3 s \(--retry-for\); \S+: no such path/],
    ['connect unix:@nosuch-sockt', 4,
        qr/refused \(no program listens on that socket\)/],
    ["listen unix:$file", 7,
        qr/cannot listen on unix:\S+: address in use \(the path exists and is not a socket\)/],

    # Limits: the value and the option.
    ["connect -m .2 127.0.0.1 $m", 5,
        qr/^stopped after 0\.2 s \(--max-time\)/],
    ["connect --idle-timeout .2 --on-eof keep 127.0.0.1 $m", 5,
        qr/^nothing was sent or received within 0\.2 s \(--idle-timeout\); sent 0 bytes, received 0$/],
    ["connect --linger 200ms 127.0.0.1 $m", 5,
        qr/^the peer did not finish within 0\.2 s \(--linger\); /],
    ["connect --retry-for .2 127.0.0.1 $closed", 5,
        qr/^no connection within 0\.2 s \(--retry-for\); 127\.0\.0\.1 port $closed: refused/],
    ["connect --send x --expect y --expect-timeout .2 127.0.0.1 $m", 5,
        qr/it was not received within 0\.2 s \(--expect-timeout\)/],
    ['listen -q --accept-timeout .2 127.0.0.1 0', 5,
        qr/^no connection within 0\.2 s \(--accept-timeout\)$/],
    ['listen -q -m .2 127.0.0.1 0', 5,
        qr/^stopped after 0\.2 s \(--max-time\); waiting for a connection$/],
    ['udp-serve -q -m .2 127.0.0.1 0', 5,
        qr/^stopped after 0\.2 s \(--max-time\); received 0 datagrams$/],
    ['udp-serve -q --idle-timeout .2 127.0.0.1 0', 5,
        qr/^no datagram within 0\.2 s \(--idle-timeout\); received 0 datagrams$/],
    ["http-get -q -m .2 http://127.0.0.1:$m/", 5,
        qr{^http://\S+: stopped after 0\.2 s \(--max-time\); }],
    ["portscan -q -m .2 --retry-for 9 127.0.0.1 $closed", 5,
        qr/^stopped after 0\.2 s \(--max-time\)$/],

    # Proxies.
    ["connect --proxy http://127.0.0.1:$closed h.example 22", 4,
        qr/^h\.example port 22: the HTTP proxy 127\.0\.0\.1 port $closed \(--proxy\): refused/],
    ["connect --proxy http://$says_no h.example 22", 8,
        qr/\(--proxy\): declined: 403 No$/],
    ["connect -w .2 --proxy socks5://127.0.0.1:$m h.example 22", 5,
        qr/\(--proxy\): no answer to the handshake within 0\.2 s \(--timeout\)$/],

    # HTTP.
    ["http-get -q http://$tls/", 9,
        qr{^http://\S+: not HTTP \(it looks like TLS, which an https:// URL uses\)$}],
    ["http-get -q http://$binary/", 9,
        qr{^http://\S+: not HTTP \(another kind of server .*\); it sent '\\x18}],
    ["http-get -q http://$ssh/", 9,
        qr{^http://\S+: not HTTP \(another kind of server .*\); it sent 'SSH}],
    ["http-get -q -r 0-3 http://$part/", 9,
        qr/the server sent bytes 5-9 instead of 0-3$/],
    ["http-get -q -r 0-3 http://$whole/", 9,
        qr/the server ignored --range and sent the whole file$/],

    # Command lines: the line before the hint.
    ['http-get -r 3-1 http://x/', 2, qr/'3-1' ends before it begins$/],
    ['http-get -u user http://x/', 2, qr/the password is missing/],
    ['http-get -u u:' . 'p' x 1_100 . ' http://x/', 2,
        qr/^--user: longer than \d+ bytes$/],
    ['http-get -H  http://x/', 2, qr/^--header: '' is not 'Name: value'$/],
    ['http-get ' . 'a' x 9_000, 2, qr/: it is too long$/],
    ['connect --' . 'a' x 40 . ' h 1', 2, qr/^there is no option --a+$/],
    ['listen --allow ' . 'a' x 600 . ' 1', 2,
        qr/is neither a numeric address nor a network ADDRESS\/BITS$/],
    ['connect ' . '--send a ' x 129 . 'h 1', 2,
        qr/more than 128 steps of a script$/],
    ['connect -e true h 1 -- false', 2,
        qr/^--exec and a program cannot be used together$/],
    ['portscan ' . 'a' x 300, 2, qr/longer than a name can be/],
    ['portscan ' . 'a.' x 600, 2, qr/longer than a name can be/],
    ['portscan 22 localhost', 2, qr/^'22' is a number and not a host/],
    ['listen 127.0.0.1', 2, qr/^missing port after '127\.0\.0\.1': expected \[ADDRESS\] PORT$/],
    ['connect http://localhost/', 2, qr{^'http://localhost/' is a URL: expected HOST PORT$}],
    # An option's value is one word, which the forms of two operands are not.
    (map { ["$_ localhost", 2, qr/: missing port after 'localhost': expected HOST:PORT, \[IPV6\]:PORT or unix:PATH$/] }
        'udp-serve 0 --to', 'listen 0 --to', 'http-get http://h --connect-to'),
    ['listen 0 --to http://h', 2, qr{^--to: 'http://h' is a URL: expected HOST:PORT$}],
    ['connect localhost', 2, qr/^missing port after 'localhost': expected HOST PORT, HOST:PORT,/],
    ['udp-serve --join 10.0.0.1 1', 2, qr/is not a multicast group$/],
    ['connect -x - h 1', 2, qr/^--hexdump: '-' is stdout, which has the data that is received .* free with --send-only\)$/],
    ['listen -o - 1', 2, qr/^--output: '-' is stdout, .* free with --exec or --to or --echo or --discard or --send-only or a program\)$/],
    ['listen -q --accept-timeout .1 -x - 127.0.0.1 0 -- cat', 5, qr/^no connection/],
    ['listen -q --accept-timeout .1 -x - -e cat 127.0.0.1 0', 5, qr/^no connection/],
    ['connect --send-only -x - -o - h 1', 2, qr/^--output and --hexdump cannot both be '-'$/],
    ['connect --send-only -x - --append h 1', 2, qr/^--append goes with a file/],
    ['http-get --if-modified-since - http://x/', 2, qr{^--if-modified-since: '-' is not a file here \(\./- is a file of that name\)$}],
    ['portscan --targets - --ports-file - 1', 2, qr/cannot both be '-'$/],
    ['listen --allow @- 1', 2, qr/^--allow: '\@-' is not a file/],
    ["listen --allow 127.0.0.1 unix:$dir/s", 2, qr/^--allow is for IP addresses: the permissions of a Unix socket's path say who may connect/],
    ["serve-hello --deny 127.0.0.1 unix:$dir/s", 2, qr/^--deny is for IP addresses/],
    ["udp-serve --allow 127.0.0.1 unix:$dir/s", 2, qr/^--allow is for IP addresses/],
    ["listen -4 --echo unix:$dir/s", 2, qr/^--ipv4 does not apply to a Unix socket$/],
    ["connect --ttl 3 unix:$dir/s", 2, qr/^--ttl does not apply to a Unix socket$/],
    ["udp-send -s 127.0.0.1 unix:$dir/s x", 2, qr/^--source does not apply to a Unix socket$/],
    ["connect -o $dir/none/x 127.0.0.1 $m", 11,
        qr/none\/x: no such file or directory$/],
    ["connect 127.0.0.1 $m -- /no/such", 127,
        qr/^cannot run \/no\/such: no such file or directory$/],
) {
    my ($line, $status, $pattern) = @$row;
    my @args = split / /, $line;
    my $r = run({ timeout => 20 }, @args);
    my @lines = map { s/^sockt $args[0]: //r } split /\n/, $r->{err};
    pop @lines if $status == 2 && @lines > 1;
    my $last = $lines[-1] // '';
    exits { %$r, err => $last }, $status, $line, err => $pattern,
        no_err => qr/\b1 (?:byte|datagram)s\b/;
}

# The environment's proxy is named.
exits run({ env => { http_proxy => "http://127.0.0.1:$closed" } }, 'http-get',
    'http://h.example/'), 4,
    'a proxy of the environment, is named, with where it is from',
    err => qr{http://h\.example/: the HTTP proxy 127\.0\.0\.1 port $closed \(from http_proxy\): refused};

# A TLS client gets its answer at once.
my $p = start('serve-hello', '--http', '-4', '0');
my $c = tcp_client($p->port);
syswrite $c, "\x16\x03\x01\x02\x00\x01";
like scalar <$c>, qr{^HTTP/1\.1 400}, 'serve-hello --http: TLS is answered';
$p->expect(err => qr/answered 400 Bad Request: the client speaks TLS \(https\)/);
$p->stop;

# A name whose address needs an interface, which was told as a blackhole route.
SKIP: {
    skip 'no IPv6', 10 unless has_ipv6();
    my %names = (env => { SOCKT_TEST_NAMES => 'near=fe80::1' },
        command => built('sockt-names'));
    my $needs = qr/no interface \(a link-local address needs one: name ADDRESS%INTERFACE\)/;
    exits run(\%names, $_, 'near', 9), 7, "$_ to a link-local address: status",
        err => qr/ port 9: $needs/ for 'connect', 'udp-send';
    exits run(\%names, $_, 'near', 0), 7, "$_ on a link-local address: status",
        err => qr/ on fe80::1 port 0: $needs/ for 'listen', 'serve-hello', 'udp-serve';
}

# A local port whose last connection is in TIME-WAIT.
SKIP: {
    skip 'no /proc/net/tcp', 2 unless -r '/proc/net/tcp';
    my $l = tcp_listener();
    my $pid = peer($l, sub { sysread $_[0], my $got, 1 }, 2);
    my $to = $l->sockport;
    my $r = run('connect', '-v', '127.0.0.1', $to);
    my ($port) = $r->{err} =~ /from 127\.0\.0\.1 port (\d+) in/;
    $r = run('connect', '-p', $port, '127.0.0.1', $to);
    skip 'the port could be used again', 2 if $r->{status} == 0;
    exits $r, 7, 'a port in TIME-WAIT: status',
        err => qr/cannot use local port $port: address in use \(an earlier connection of that port is in TIME-WAIT/;
}

my $sockt = "'" . sockt() . "'";    # for a shell

# ulimit -n: a shortage is status 1 in every command.
for my $line ("connect 127.0.0.1 $closed", 'listen 0', 'udp-serve 0',
    "udp-send 127.0.0.1 $closed x", "http-get -o $dir/n http://127.0.0.1:$closed/",
    'portscan 127.0.0.1 9') {
    exits run({ command => 'sh' }, '-c', "ulimit -n 5; exec $sockt $line"), 1,
        "$line: too many open files, is said",
        err => qr/: too many open files \(the limit of this process/;
}

# ulimit -f: a file that may not grow is a failed write, not the end by SIGXFSZ.
$dir = scratch();
my $long = server('x' x 100_000);

# dash counts in 512 bytes, bash in 1,024.
sub limited {
    my ($line) = @_;
    return ({ command => 'sh' }, '-c', "ulimit -f 8 && $line");
}

exits run(limited("$sockt connect $long > $dir/out")), 11,
    'connect: stdout over ulimit -f is status 11, and is said',
    err => qr/^sockt connect: stdout: file too large/m;
ok -s "$dir/out", 'what fits was written';
exits run(limited("$sockt connect -o $dir/file $long")), 11,
    'connect -o: over ulimit -f';

# A log line that cannot be written is dropped, and clients are served.
$p = start(limited("exec $sockt listen -k -vv --echo 127.0.0.1 0 2> $dir/log"));
my ($until, $echo) = time + 10;
until ($echo || time > $until) {
    select undef, undef, undef, 0.02;
    ($echo) = -e "$dir/log" ? slurp("$dir/log") =~ /listening on .* port (\d+)/ : ();
}
is exchange($echo, "line $_\n"), "line $_\n", "client $_ of a full log"
    for 1 .. 40;
my $size = -s "$dir/log";
is exchange($echo, "last\n"), "last\n", 'one more';
is -s "$dir/log", $size, 'the log was full';
exits $p->stop, 0, 'the server goes on and stops as told';

# Programs get the signal's default action.
$p = start('listen', 0, '--', 'sh', '-c',
    'read go; ulimit -f 1; '
        . "exec dd if=/dev/zero of=$dir/p bs=8192 count=1 2>&1");
exchange($p->port, "go\n");
is $p->finish->{status}, 153, 'a program dies by SIGXFSZ';

done_testing;
