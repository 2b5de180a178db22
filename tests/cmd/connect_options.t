# Own address and port of connect, and what is refused. Socket options are rows of
# server_socket_options.
use Sockt;

# -s and -p: who the peer sees.
my $l = tcp_listener();
my $own = free_port();
my $p = start({ keep_stdin => 1 }, 'connect', '-s', '127.0.0.2', '-p', $own,
    '127.0.0.1', $l->sockport);
my $c = $l->accept;
is $c->peerhost . ' ' . $c->peerport, "127.0.0.2 $own",
    '-s and -p: the four-part name of the connection';
$p->close_stdin;
close $c;
is $p->finish->{status}, 0, 'exit status';

exits run('connect', '-s', '192.0.2.1', '127.0.0.1', $l->sockport), 7,
    'an address that is not ours', err => qr/not an address of this machine/;
misused 'connect', qr/./ => [map({ "$_ 127.0.0.1 1" } '-s localhost', '--ttl 0',
    '--ttl 256', '--tos 256', '--rcvbuf 0', '--sndbuf 1X', '-p 0', '-p 65536',
    '-4 -6', '--send-only --recv-only', '--on-eof nothing', '--on-peer-eof keep',
    '--on-peer-eof drain', '--keepalive=1', '-z -C'), '-4 ::1 1', '-n localhost 1'];

done_testing;
