# The tutorials' exchange with plain Python, in both directions: what their
# clients send our servers answer, and their servers answer our client.
use Sockt;

my $python = '/usr/bin/python3';
ok -x $python, 'python3 is there';

# Runs a Python program to its end.
sub python {
    my ($code, @args) = @_;
    return run({ command => $python }, '-c', $code, @args);
}

# Starts one beside us; its first line on stderr is its port.
sub python_server {
    my ($code, @args) = @_;
    my $p = start({ command => $python }, '-u', '-c', $code, @args);
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
my $p = start('serve-hello', '0');
my $r = python($tcp_client, $p->port);
is $r->{out}, "Welcome!\nHello, Michael!\nHello, Tracy!\nHello, Sarah!\nb''\n",
    'a tutorial\'s TCP client';
is $p->stop->{status}, 0, 'the server ends';

my $udp_client = <<'END';
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for data in [b'Michael', b'Tracy', b'Sarah']:
    s.sendto(data, ('127.0.0.1', int(sys.argv[1])))
    print(s.recv(1024).decode('utf-8'))
s.close()
END
$p = start('udp-serve', '0');
$r = python($udp_client, $p->port);
is $r->{out}, "Hello, Michael!\nHello, Tracy!\nHello, Sarah!\n",
    'a tutorial\'s UDP client';
$p->stop;

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
$r = run('connect', '--expect', 'Welcome!', '--send', 'Michael',
    '--expect', 'Hello, Michael!', '--send', 'Tracy', '--expect',
    'Hello, Tracy!', '--send', 'exit', '127.0.0.1', $port);
is $r->{status}, 0, 'connect talks to a tutorial\'s TCP server';
like $r->{out}, qr/^Welcome!\s*Hello, Michael!\s*Hello, Tracy!\s*$/,
    'and prints what it says';
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
$r = run('udp-send', '127.0.0.1', $port, 'Michael', 'Tracy', 'Sarah');
is $r->{out}, "Hello, Michael!\nHello, Tracy!\nHello, Sarah!\n",
    'udp-send asks a tutorial\'s UDP server';
is $r->{status}, 0, 'status 0';
$server->stop('KILL');

done_testing;
