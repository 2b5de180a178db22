# TLS with other implementations, each as server and as client: a small, a large
# and a late answer; files of nginx over https; through proxies and programs.
use Sockt;
use Digest::SHA qw(sha256_hex);
use SocktTls;

# Nobody else has a port of ::1 here.
own_network() if is_root();
$ENV{PATH} .= ':/usr/sbin';
my $SIZE = 20 << 20;
my $dir = scratch();
my %mark = (env => { TMPDIR => $dir }, timeout => 120);
my $ca = tls_authority("$dir/ca");
my $pem = "$dir/ca/ca.pem";
my $good = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1', days => 2);
my $wrong = tls_certificate($ca, 'wrong', 'DNS:other.test');
my ($cert, $key) = @$good{qw(cert key)};
my @ca = ('--tls-ca', $pem);
my @tls = ('--tls', @ca);

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
    socat => ['socat', "OPENSSL-LISTEN:PORT,fork,$options", "EXEC:sh $answer"],
    ncat => ['ncat', '-lk', '--ssl', '--ssl-cert', $cert, '--ssl-key', $key,
        '127.0.0.1', 'PORT', '--sh-exec', "sh $answer"],
    python => ['python3', $server, 'PORT'],
);
for my $peer (sort keys %server) {
    my ($p, $port) = start_server(@{ $server{$peer} });
    for my $row (@rows) {
        my ($seconds, $size) = @$row;
        my $r = run({ stdin => "$seconds $size\n", timeout => 60 }, 'connect',
            '-q', @tls, 'localhost', $port);
        is "$r->{status} " . length $r->{out}, "0 $size",
            "$peer as server: $size bytes after $seconds s";
    }
    $p->stop('KILL');
}
my ($p, $port) = start_server('gnutls-serv', '--echo', '-p', 'PORT',
    '--x509certfile', $cert, '--x509keyfile', $key);
exits run({ stdin => "hello\n" }, 'connect', '-q', @tls, 'localhost', $port),
    "0 hello\n", 'gnutls-serv';
$p->stop('KILL');
for my $version ('-tls1_2', '-tls1_3') {
    my $s = tls_serve($good, '-rev', $version);
    exits run({ stdin => "abc\n" }, 'connect', '-q', @tls, 'localhost',
        $s->{port}), "0 cba\n", "s_server $version";
}

# sockt is the server; curl gets the answer of a web server.
my $web = "head -n 2 >/dev/null; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; ";
my @ours = ('openssl', 's_client', '-quiet', '-verify_quiet', '-CAfile', $pem,
    '-connect', 'localhost:PORT');
my %client = (
    socat => ['socat', '-t5', '-', "OPENSSL:localhost:PORT,cafile=$pem"],
    ncat => ['ncat', '--ssl-verify', '--ssl-trustfile', $pem, 'localhost', 'PORT'],
    s_client => [@ours, '-verify_return_error'],
    's_client 1.2' => [@ours, '-tls1_2'],
    'gnutls-cli' => ['gnutls-cli', '--logfile', "$dir/log", '--x509cafile', $pem,
        '-p', 'PORT', 'localhost'],
    python => ['python3', $client, 'PORT'],
    curl => ['curl', '-s', '--cacert', $pem, 'https://localhost:PORT/'],
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
        my $port = $p->port;
        my ($command, @args) = map { s/PORT/$port/r } @{ $client{$peer} };
        my $r = run({ command => $command, stdin => "$seconds $size\n",
            timeout => 60 }, @args);
        is "$r->{status} " . length $r->{out}, "0 $size",
            "$peer as client: $size bytes after $seconds s" or diag $r->{err};
        $p->finish;
    }
}

# A certificate for this run, for clients that do not verify.
my $own = start('listen', '-4', '--tls-self', '--echo', '-k', 0);
my $self_port = $own->port;
my ($pin) = $own->{err} =~ /--tls-pin ([0-9a-f]{64})\n/;
my @insecure = (
    ['openssl', 's_client', '-quiet', '-verify_quiet', '-connect', "127.0.0.1:$self_port"],
    ['ncat', '--ssl', '127.0.0.1', $self_port],
    ['socat', '-t5', '-', "OPENSSL:127.0.0.1:$self_port,verify=0"],
    ['gnutls-cli', '--insecure', '--logfile', "$dir/log", '-p', $self_port, '127.0.0.1'],
    [sockt(), 'connect', '-q', '--tls', '--tls-pin', $pin, '127.0.0.1', $self_port],
);
for (@insecure) {
    my ($command, @args) = @$_;
    my $r = run({ command => $command, stdin => "hello\n", timeout => 60 }, @args);
    is "$r->{status} $r->{out}", "0 hello\n", "--tls-self: $command" or diag $r->{err};
}
my $shown = `openssl s_client -connect 127.0.0.1:$self_port </dev/null 2>/dev/null |
    openssl x509 -fingerprint -sha256 -noout`;
is lc $shown =~ s/.*=|[:\n]//gr, $pin, '  openssl shows the digest that was printed';
$own->stop;

# Files of nginx.
mkdir "$dir/www" or die $!;
chmod 0755, $dir;
srand 15;
my $block = join '', map { pack 'L', rand 2**32 } 1 .. 1 << 18;
spew("$dir/www/large", $block x 20);
spew("$dir/www/small", "small\n");
my $sum = sha256_hex($block x 20);

# nginx with a certificate; its process and port.
sub nginx {
    my ($c) = @_;
    return start_server({ conf => <<"C" }, 'nginx', '-c', 'CONF', '-e', "$dir/err");
daemon off;
master_process off;
pid $c->{cert}.pid;
events { }
http {
    access_log off;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2;
    fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate $c->{cert};
        ssl_certificate_key $c->{key};
        root $dir/www;
    }
}
C
}
my ($nginx, $https) = nginx($good);
my ($other, $other_port) = nginx($wrong);
sub request { return "GET /$_[0] HTTP/1.0\r\n\r\n" }
sub body { return $_[0] =~ s/.*?\r\n\r\n//sr }

for my $host ('localhost', '127.0.0.1') {
    my $r = run({ %mark, stdin => request('large') }, 'connect', @tls, $host, $https);
    is "$r->{status} $r->{err}" . sha256_hex(body($r->{out})), "0 $sum",
        "nginx as $host sends 20 MiB";
}
my $r = run({%mark}, 'connect', @tls, 'localhost', $https);
is "$r->{status} $r->{out}$r->{err}", '0 ', 'nothing to send: the end';
cmp_ok $r->{seconds}, '<', 10, '  before nginx loses patience';
exits run({%mark}, 'http-get', '-q', @ca, '-o', "$dir/file",
    "https://localhost:$https/large"), '0 ', 'http-get: a large file';
is sha256_hex(slurp("$dir/file")), $sum, '  and all of it';
exits run({%mark}, 'http-get', '-q', '--retry', 3, '--retry-for', 20, @ca,
    "https://localhost:$other_port/small"), '9 ', '  another name is status 9';

my @check = ('connect', '-z', @tls, '--tls-days');
exits run(@check, 1, 'localhost', $https), 0, 'nginx: enough days';
exits run(@check, 9, 'localhost', $https), 9, '  too few', err => qr/expires in \d days?/;
my $folder = start('listen', '-4', '--tls-self', '--files', "$dir/www", 0);
my $url = 'https://127.0.0.1:' . $folder->port . '/large';
for (['curl', '-sk', $url], ['wget', '-qO-', '--no-check-certificate', $url]) {
    my ($command, @args) = @$_;
    my $r = run({ command => $command, timeout => 60 }, @args);
    is "$r->{status} " . sha256_hex($r->{out}), "0 $sum", "--tls-self --files: $command";
}
$folder->stop;

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
my ($socat, $echo) = start_server('socat', "OPENSSL-LISTEN:PORT,fork,$options",
    'EXEC:cat');
exits run({%mark}, 'connect', @tls, 'localhost', $echo, '--', @exchange), 0,
    'socat echoes while it is sent to', err => "$sum\n";
$socat->stop;

($socat, my $sink) = start_server('socat', '-u', "OPENSSL-LISTEN:PORT,$options",
    "CREATE:$dir/received");
open my $large, '<:raw', "$dir/www/large" or die $!;
exits run({ %mark, stdin => $large }, 'connect', @tls, '--send-only', '-q',
    'localhost', $sink), 0, '--send-only', err => '';
$socat->finish;
is sha256_hex(slurp("$dir/received")), $sum, '  arrives byte for byte';

# At the end of its stdin ncat would end TCP, without ending TLS.
my ($ncat, $first) = start_server({ keep_stdin => 1 }, 'ncat', '-l', '--ssl',
    '--ssl-cert', $cert, '--ssl-key', $key, '127.0.0.1', 'PORT');
$ncat->send_line("first\n");
exits run({ %mark, stdin => 'bytes' }, 'connect', @tls, '-q', '--expect', 'first',
    '--send', 'last\n', '--on-eof', 'quit', '127.0.0.1', $first),
    "0 first\n", 'ncat: the server is first';
is $ncat->finish->{out}, "last\nbytes", '  and gets all';

# Through proxies.
my ($microsocks, $socks) =
    start_server('microsocks', '-i', '127.0.0.1', '-p', 'PORT');
my ($tinyproxy, $http) = start_server({ conf => <<"C" }, 'tinyproxy', '-d', '-c', 'CONF');
Port PORT
Listen 127.0.0.1
LogFile "$dir/tinyproxy.log"
PidFile "$dir/tinyproxy.pid"
MaxClients 20
C
for my $proxy ("socks5://127.0.0.1:$socks", "http://127.0.0.1:$http") {
    $r = run({ %mark, stdin => request('small') }, 'connect', @tls, '--proxy',
        $proxy, 'localhost', $https);
    is "$r->{status} " . body($r->{out}), "0 small\n", "through $proxy";
    exits run({%mark}, 'connect', '-z', @tls, '--proxy', $proxy, 'localhost',
        $other_port), 9, '  another name: status 9';
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
    my ($server, $plain) = start_server(sockt(), 'listen', '-4q', 'PORT', '--',
        @exchange);
    exits run({%mark}, 'connect', '-q', '--via', $via, '127.0.0.1', $plain, '--',
        @exchange), 0, '  20 MiB each way', err => "$sum\n";
    is $server->finish->{err}, "$sum\n", '  as the other side says';
}

$_->stop for $nginx, $other, $microsocks, $tinyproxy;
is join(' ', left_behind($dir)), '', 'no process is left by any of these';
is join(' ', glob "$dir/sockt-*"), '', 'and no directory';

done_testing;
