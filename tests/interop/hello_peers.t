# The tutorials' exchange with plain Python, in both directions: what their
# clients send our servers answer, and their servers answer our client; and the
# hello over HTTP as curl and http-get read it.
use Sockt;

# Runs a Python program to its end, or beside us; then its first line on stderr
# is its port.
sub python { return run({ command => 'python3' }, '-c', @_) }

sub python_server {
    my $p = start({ command => 'python3' }, '-u', '-c', @_);
    return ($p, scalar $p->expect(err => qr/^port (\d+)\n/));
}

my $tcp_client = <<'END';
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', int(sys.argv[1])))
print(s.recv(1024).decode('utf-8'))
for data in [b'Michael', b'Tracy', b'Sarah']:
    s.send(data)
    print(s.recv(1024).decode('utf-8'))
s.send(b'exit')
print(repr(s.recv(1024)))
s.close()
END
my $udp_client = <<'END';
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for data in [b'Michael', b'Tracy', b'Sarah']:
    s.sendto(data, ('127.0.0.1', int(sys.argv[1])))
    print(s.recv(1024).decode('utf-8'))
s.close()
END
my $hello = "Hello, Michael!\nHello, Tracy!\nHello, Sarah!\n";
for (['serve-hello', $tcp_client, "Welcome!\n${hello}b''\n"],
    ['udp-serve', $udp_client, $hello]) {
    my ($command, $client, $answers) = @$_;
    my $p = start($command, 0);
    is python($client, $p->port)->{out}, $answers, "a tutorial's client of $command";
    is $p->stop->{status}, 0, '  which ends';
}

my $tcp_server = <<'END';
import socket, sys, threading
def tcplink(sock, addr):
    sock.send(b'Welcome!')
    while True:
        data = sock.recv(1024)
        if not data or data.decode('utf-8').strip() == 'exit':
            break
        sock.send(('Hello, %s!' % data.decode('utf-8')).encode('utf-8'))
    sock.close()
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(('127.0.0.1', 0))
s.listen(5)
print('port', s.getsockname()[1], file=sys.stderr)
while True:
    sock, addr = s.accept()
    threading.Thread(target=tcplink, args=(sock, addr), daemon=True).start()
END
my ($server, $port) = python_server($tcp_server);
exits run('connect', '--expect', 'Welcome!', '--send', 'Michael', '--expect',
    'Hello, Michael!', '--send', 'Tracy', '--expect', 'Hello, Tracy!',
    '--send', 'exit', '127.0.0.1', $port),
    0, "connect talks to a tutorial's TCP server, and prints what it says",
    out => qr/^Welcome!\s*Hello, Michael!\s*Hello, Tracy!\s*$/;
$server->stop('KILL');

my $udp_server = <<'END';
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print('port', s.getsockname()[1], file=sys.stderr)
while True:
    data, addr = s.recvfrom(1024)
    s.sendto(b'Hello, %s!' % data, addr)
END
($server, $port) = python_server($udp_server);
exits run('udp-send', '127.0.0.1', $port, 'Michael', 'Tracy', 'Sarah'),
    "0 $hello", "udp-send asks a tutorial's UDP server";
$server->stop('KILL');

my $web = start('serve-hello', '--http', 0);
my $url = 'http://127.0.0.1:' . $web->port . '/';
my $post = 'x=' . 'y' x 100_000;
for (['GET', qr/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nHello!\z/s, '-i'],
    ['HEAD', qr/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\z/s, '-I'],
    ['a large POST, answered and not cut off', qr/405\z/, '-w', '%{http_code}',
        '-d', $post]) {
    my ($name, $out, @args) = @$_;
    exits run({ command => 'curl' }, '-sS', @args, $url), 0, "curl: $name",
        out => $out;
}
exits run('http-get', '-q', $url), '0 Hello!', 'http-get reads it, too';
is $web->stop->{status}, 0, 'the server ends';

done_testing;
