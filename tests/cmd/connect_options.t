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

# --limit-rate, from a file and from a pipe that is moved in the system.
my $bytes = 'x' x 600_000;
for my $o ({ stdin => $bytes }, { stdin => do {
    open my $f, '<', spew(scratch() . '/in', $bytes) or die $!; $f } }) {
    my $sink = tcp_listener();
    my $pid = peer($sink, sub { my ($c) = @_; 1 while sysread $c, my $got, 65536 });
    my $r = run($o, 'connect', '--limit-rate', 300_000, '127.0.0.1', $sink->sockport);
    exits $r, 0, '--limit-rate';
    cmp_ok $r->{seconds}, '>', 1.9, '  takes its time';
    cmp_ok $r->{seconds}, '<', 6, '  and no more';
}
my $reader = tcp_listener();
peer($reader, sub { 1 while sysread $_[0], my $got, 65536 });
exits run({ stdin => 'x' x 100_000 }, 'connect', '--limit-rate', '1k', '-m', 0.7,
    '127.0.0.1', $reader->sockport), 5, 'its pauses are not blamed on the peer',
    err => qr/; --limit-rate delays the rest; sent/, no_err => qr/the peer/;
misused 'connect', qr/--limit-rate/ => ['--limit-rate 0 h 1', '--limit-rate x h 1',
    '--limit-rate 1k -z h 1', '--limit-rate 1k -e cat h 1', '--limit-rate 1k h 1 -- cat'];

done_testing;
