# TLS with other implementations, each as server and as client: a small, a large
# and a late answer; files of nginx over https; through proxies and programs.
use Sockt;
use Digest::SHA qw(sha256_hex);
use SocktTls;

$ENV{PATH} .= ':/usr/sbin';
for my $peer (qw(openssl nginx socat ncat nc.openbsd curl gnutls-cli gnutls-serv
    python3 microsocks tinyproxy)) {
    ok scalar(grep { -x "$_/$peer" } split /:/, $ENV{PATH}),
        "$peer is installed";
}
my $SIZE = 20 << 20;
my $dir = scratch();
my %mark = (env => { TMPDIR => $dir }, timeout => 120);
my $ca = tls_authority("$dir/ca");
my $pem = "$dir/ca/ca.pem";
my $good = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1');
my $wrong = tls_certificate($ca, 'wrong', 'DNS:other.test');
my ($cert, $key) = @$good{qw(cert key)};
my @ca = ('--tls-ca', $pem);
my @tls = ('--tls', @ca);

# Starts a program beside the test and waits until it listens on the port.
sub serve {
    my ($port, $command, @args) = @_;
    my $p = start({ command => $command, env => { TMPDIR => $dir } }, @args);
    for (1 .. 600) {
        return $p if IO::Socket::IP->new(PeerHost => '127.0.0.1',
            PeerPort => $port);
        select undef, undef, undef, 0.05;
    }
    $p->finish(0.1);
    die "$command does not listen: $p->{err}$p->{out}";
}

# A client that says nothing is waited for, but not for ever.
my $patient = start('listen', '-4k', '--tls-cert', $cert, '--tls-key', $key,
    '--echo', 0);
my $silent = tcp_client($patient->port);

# Answers a line "SECONDS SIZE" after that time with so many bytes.
my $answer = spew("$dir/answer", "read t n; sleep \$t; head -c \$n /dev/zero\n");
my @rows = ([0, 6], [0, 20_000_000], [0.5, 1000]);

# The same by Python's ssl, at either end.
my $server = spew("$dir/server.py", <<"P");
import socket, ssl, sys, threading, time
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain('$cert', '$key')
l = socket.create_server(('127.0.0.1', int(sys.argv[1])))
def serve(s):
    s = c.wrap_socket(s, server_side=True)
    t, n = s.makefile('rb').readline().split()
    time.sleep(float(t))
    s.sendall(bytes(int(n)))
    s.unwrap()
while True:
    s, _ = l.accept()
    threading.Thread(target=serve, args=(s,)).start()
P
my $client = spew("$dir/client.py", <<"P");
import socket, ssl, sys
c = ssl.create_default_context(cafile='$pem')
s = c.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))),
    server_hostname='localhost')
s.sendall(sys.stdin.buffer.read())
while True:
    b = s.recv(65536)
    if not b:
        break
    sys.stdout.buffer.write(b)
P

# sockt is the client.
my $options = "reuseaddr,bind=127.0.0.1,cert=$cert,key=$key,verify=0";
my %server = (
    socat => sub { ('socat', "OPENSSL-LISTEN:$_[0],fork,$options",
        "EXEC:sh $answer") },
    ncat => sub { ('ncat', '-lk', '--ssl', '--ssl-cert', $cert, '--ssl-key',
        $key, '127.0.0.1', $_[0], '--sh-exec', "sh $answer") },
    python => sub { ('python3', $server, $_[0]) },
);
for my $peer (sort keys %server) {
    my ($command, @args) = $server{$peer}->(my $port = free_port());
    my $p = start({ command => $command }, @args);
    for my $row (@rows) {
        my ($seconds, $size) = @$row;
        my $r = run({ stdin => "$seconds $size\n", timeout => 60 }, 'connect',
            '-q', @tls, '--retry-for', 20, 'localhost', $port);
        is "$r->{status} " . length $r->{out}, "0 $size",
            "$peer as server: $size bytes after $seconds s";
    }
    $p->stop('KILL');
}
my $port = free_port();
my $p = start({ command => 'gnutls-serv' }, '--echo', '-p', $port,
    '--x509certfile', $cert, '--x509keyfile', $key);
my $r = run({ stdin => "hello\n" }, 'connect', '-q', @tls, '--retry-for', 20,
    'localhost', $port);
is "$r->{status} $r->{out}", "0 hello\n", 'gnutls-serv';
$p->stop('KILL');
for my $version ('-tls1_2', '-tls1_3') {
    my $s = tls_serve($good, '-rev', $version);
    $r = run({ stdin => "abc\n" }, 'connect', '-q', @tls, 'localhost', $s->{port});
    is "$r->{status} $r->{out}", "0 cba\n", "s_server $version";
}

# sockt is the server; curl gets the answer of a web server.
my $web = "head -n 2 >/dev/null; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; ";
my %client = (
    socat => sub { ('socat', '-t5', '-', "OPENSSL:localhost:$_[0],cafile=$pem") },
    ncat => sub { ('ncat', '--ssl-verify', '--ssl-trustfile', $pem,
        'localhost', $_[0]) },
    s_client => sub { ('openssl', 's_client', '-quiet', '-verify_quiet',
        '-verify_return_error', '-CAfile', $pem, '-connect', "localhost:$_[0]") },
    's_client 1.2' => sub { ('openssl', 's_client', '-quiet', '-verify_quiet',
        '-tls1_2', '-CAfile', $pem, '-connect', "localhost:$_[0]") },
    'gnutls-cli' => sub { ('gnutls-cli', '--logfile', "$dir/log", '--x509cafile',
        $pem, '-p', $_[0], 'localhost') },
    python => sub { ('python3', $client, $_[0]) },
    curl => sub { ('curl', '-s', '--cacert', $pem, "https://localhost:$_[0]/") },
);
for my $peer (sort keys %client) {
    for my $row (@rows) {
        my ($seconds, $size) = @$row;
        # gnutls-cli stops reading some seconds after the end of its stdin.
        next if $peer eq 'gnutls-cli' && $size > 1 << 20;
        my $program = $peer eq 'curl'
            ? $web . "echo $seconds $size | sh $answer" : "sh $answer";
        my $p = start('listen', '-4', '--tls-cert', $cert, '--tls-key', $key,
            0, '-e', $program);
        my ($command, @args) = $client{$peer}->($p->port);
        my $r = run({ command => $command, stdin => "$seconds $size\n",
            timeout => 60 }, @args);
        is "$r->{status} " . length $r->{out}, "0 $size",
            "$peer as client: $size bytes after $seconds s" or diag $r->{err};
        $p->finish;
    }
}

# Files of nginx.
mkdir "$dir/www" or die $!;
chmod 0755, $dir;
srand 15;
my $block = join '', map { pack 'L', rand 2**32 } 1 .. 1 << 18;
spew("$dir/www/large", $block x 20);
spew("$dir/www/small", "small\n");
spew("$dir/www/chunked.shtml", 'a<!--#include virtual="/small" -->b' x 50);
my $sum = sha256_hex($block x 20);
my ($https, $other) = (free_port(), free_port());
my $servers = join '', map { <<"C" } [ $https, $good ], [ $other, $wrong ];
    server {
        listen 127.0.0.1:$_->[0] ssl;
        ssl_certificate $_->[1]{cert};
        ssl_certificate_key $_->[1]{key};
        root $dir/www;
        location /brisk { alias $dir/www/large; limit_rate 8m; }
        location ~ shtml\$ { ssi on; }
    }
C
spew("$dir/nginx.conf", <<"C");
daemon off;
master_process off;
pid $dir/nginx.pid;
events { }
http {
    access_log $dir/access;
    default_type text/html;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2;
    fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
$servers
}
C
my $nginx = serve($https, 'nginx', '-c', "$dir/nginx.conf", '-e', "$dir/err");
sub request { return "GET /$_[0] HTTP/1.0\r\n\r\n" }
sub body { return $_[0] =~ s/.*?\r\n\r\n//sr }

for my $host ('localhost', '127.0.0.1') {
    $r = run({ %mark, stdin => request('large') }, 'connect', @tls, $host, $https);
    is "$r->{status} $r->{err}" . sha256_hex(body($r->{out})), "0 $sum",
        "nginx as $host sends 20 MiB";
}
$r = run({%mark}, 'connect', @tls, 'localhost', $https);
is "$r->{status} $r->{out}$r->{err}", '0 ', 'nothing to send: the end';
cmp_ok $r->{seconds}, '<', 10, '  before nginx loses patience';

my $url = "https://localhost:$https";
sub get { return run({%mark}, 'http-get', '-q', @ca, @_) }
$r = get('--retry', 3, '--retry-for', 20, "https://localhost:$other/small");
is "$r->{status} $r->{out}", '9 ', 'http-get: another name is status 9';
$r = get('-o', "$dir/file", "$url/large");
is "$r->{status} " . sha256_hex(slurp("$dir/file")), "0 $sum", 'a large file';
is get("$url/chunked.shtml")->{out}, "asmall\nb" x 50, 'chunked';
is get('-r', '1-3', "$url/small")->{out}, 'mal', 'a range';
is get("$url/none")->{status}, 8, 'a file that is not there';
$r = run('http-get', '--json', @ca, "$url/small", "$url/small");
is scalar(() = $r->{err} =~ /"event":"secured"/g) . $r->{out},
    '1' . "small\n" x 2, 'two files over one connection';

# Killed, with its processes, and resumed.
my $got = "$dir/resumed";
my $killed = start('http-get', '-q', @ca, '-o', $got, "$url/brisk");
select undef, undef, undef, 0.02
    until (-s "$got.part" // 0) > 1 << 20 || !is_running($killed->{pid});
is $killed->stop('KILL')->{signal}, 9, 'killed in the middle';
ok !-e $got, '  there is no file yet';
$r = run('http-get', @ca, '-co', $got, "$url/brisk");
like $r->{err}, qr/^HTTP\/1\.1 206/m, 'a part is fetched';
is "$r->{status} " . sha256_hex(slurp($got)), "0 $sum", '  and all of it is there';

# Both directions at the same time, with a program that prints the sum.
my $exchange = spew("$dir/exchange.pl", <<'END');
use Digest::SHA;
binmode $_ for *STDIN, *STDOUT;
my ($size, $path) = @ARGV;
open my $f, '<:raw', $path or die;
if (!fork) {
    while (sysread $f, my $bytes, 65536) {
        while (length $bytes) {
            my $n = syswrite(STDOUT, $bytes) // die "send: $!";
            substr $bytes, 0, $n, '';
        }
    }
    exit;
}
my ($sha, $got) = (Digest::SHA->new(256), 0);
while ($got < $size) {
    my $n = sysread STDIN, my $bytes, 65536;
    die "ended after $got" if !$n;
    $got += $n;
    $sha->add($bytes);
}
wait;
print STDERR $sha->hexdigest, "\n";
END
my @exchange = ($^X, $exchange, $SIZE, "$dir/www/large");
my $echo = free_port();
my $socat = serve($echo, 'socat', "OPENSSL-LISTEN:$echo,fork,$options", 'EXEC:cat');
$r = run({%mark}, 'connect', @tls, 'localhost', $echo, '--', @exchange);
is "$r->{status} $r->{err}", "0 $sum\n", 'socat echoes while it is sent to';
$socat->stop;

my $sink = free_port();
$socat = start({ command => 'socat' }, '-u', "OPENSSL-LISTEN:$sink,$options",
    "CREATE:$dir/received");
open my $large, '<:raw', "$dir/www/large" or die $!;
$r = run({ %mark, stdin => $large }, 'connect', @tls, '--send-only', '-q',
    '--retry-for', 30, 'localhost', $sink);
$socat->finish(30);
is "$r->{status} $r->{err}" . sha256_hex(slurp("$dir/received")), "0 $sum",
    '--send-only arrives byte for byte';

# At the end of its stdin ncat would end TCP, without ending TLS.
my $first = free_port();
my $ncat = start({ command => 'ncat', keep_stdin => 1 }, '-l', '--ssl',
    '--ssl-cert', $cert, '--ssl-key', $key, '127.0.0.1', $first);
$ncat->send_line("first\n");
$r = run({ %mark, stdin => 'bytes' }, 'connect', @tls, '-q', '--retry-for', 30,
    '--expect', 'first', '--send', 'last\n', '--on-eof', 'quit', '127.0.0.1',
    $first);
is "$r->{status} $r->{out}", "0 first\n", 'ncat: the server is first';
is $ncat->finish(30)->{out}, "last\nbytes", '  and gets all';

# Through proxies.
my ($socks, $http) = (free_port(), free_port());
my $microsocks = serve($socks, 'microsocks', '-i', '127.0.0.1', '-p', $socks);
spew("$dir/tinyproxy.conf", <<"C");
Port $http
Listen 127.0.0.1
LogFile "$dir/tinyproxy.log"
PidFile "$dir/tinyproxy.pid"
MaxClients 20
C
my $tinyproxy = serve($http, 'tinyproxy', '-d', '-c', "$dir/tinyproxy.conf");
for my $proxy ("socks5://127.0.0.1:$socks", "http://127.0.0.1:$http") {
    $r = run({ %mark, stdin => request('small') }, 'connect', @tls, '--proxy',
        $proxy, 'localhost', $https);
    is "$r->{status} " . body($r->{out}), "0 small\n", "through $proxy";
    $r = run({%mark}, 'connect', '-z', @tls, '--proxy', $proxy, 'localhost',
        $other);
    is $r->{status}, 9, '  wrong name: status 9';
}

# Programs that connect; "ssh" plays a remote shell.
mkdir "$dir/bin";
chmod 0755, spew("$dir/bin/ssh", "#!/bin/sh\nshift\nexec sh -c \"\$*\"\n");
$mark{env}{PATH} = "$dir/bin:$ENV{PATH}";
for my $via ('nc.openbsd -N %h %p', 'ncat %h %p', 'socat - TCP:%h:%p',
    'ssh host nc.openbsd -N %h %p', "ssh host 'exec nc.openbsd -N %h %p'") {
    $r = run({ %mark, stdin => request('large') }, 'connect', @tls, '--via', $via,
        'localhost', $https);
    is "$r->{status} $r->{err}" . sha256_hex(body($r->{out})), "0 $sum",
        "TLS through $via";
    my $plain = free_port();
    my $server = start('listen', '-q', $plain, '--', @exchange);
    $r = run({%mark}, 'connect', '-q', '--retry-for', 30, '--via', $via,
        '127.0.0.1', $plain, '--', @exchange);
    is "$r->{status} $r->{err}", "0 $sum\n", '  20 MiB each way';
    is $server->finish(30)->{err}, "$sum\n", '  as the other side says';
    $r = run({%mark}, 'connect', '-z', '--via', $via, '127.0.0.1', free_port());
    is $r->{status}, 10, '  refused: status 10';
}

$patient->expect(err => qr/TLS: the TLS handshake was not done within 10 s/);
ok eof($silent), 'a handshake may take ten seconds';
is $patient->stop->{status}, 0, '  and the server goes on';

$_->stop for $nginx, $microsocks, $tinyproxy;
is join(' ', left_behind($dir)), '', 'no process is left by any of these';
is join(' ', glob "$dir/sockt-*"), '', 'and no directory';

done_testing;
