# Where descriptors are short, a datagram for a program of udp-serve waits until
# another program has ended, as with --max-programs. It was lost.
use Sockt;

my $p = start({ command => 'sh' }, '-c', 'ulimit -n 12; exec "$@"', 'sh',
    sockt(), 'udp-serve', '-4', '--any-port', '--max-rate', '0', '0', '--',
    'sh', '-c', 'sleep 0.1; cat');
my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
$c->send($_) for 1 .. 12;
my %got;
while (keys %got < 12 && IO::Select->new($c)->can_read($Sockt::PATIENCE)) {
    $c->recv(my $answer, 100);
    $got{$answer} = 1;
}
is join(' ', sort { $a <=> $b } keys %got), join(' ', 1 .. 12),
    'every datagram is answered';
my $r = $p->stop;
is $r->{status}, 0, 'and the server ends';
is scalar(() = $r->{err} =~ /datagrams wait for a program to end: too many open files/g),
    1, 'the shortage is reported once';
unlike $r->{err}, qr/pipe:/, 'and is no error';

done_testing;
