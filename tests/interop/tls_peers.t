# TLS with other implementations, each as server and as client: a small, a large
# and a late answer. See also tls.t.
use Sockt;
use SocktTls;

$ENV{PATH} .= ':/usr/sbin';
for my $peer (qw(openssl socat ncat curl gnutls-cli gnutls-serv python3)) {
    ok scalar(grep { -x "$_/$peer" } split /:/, $ENV{PATH}),
        "$peer is installed";
}
my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my $pem = "$dir/ca/ca.pem";
my $good = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1');
my ($cert, $key) = @$good{qw(cert key)};
my @tls = ('--tls', '--tls-ca', $pem);

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

# A client that says nothing is waited for, but not for ever.
$p = start('listen', '-4k', '--tls-cert', $cert, '--tls-key', $key, '--echo', 0);
my $silent = tcp_client($p->port);
$p->expect(err => qr/TLS: the TLS handshake was not done within 10 s/, 30);
ok eof($silent), 'a handshake may take ten seconds';
is $p->stop->{status}, 0, '  and the server goes on';

done_testing;
