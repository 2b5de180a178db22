# A server that runs out of descriptors says so once, waits, and goes on.
use Sockt;

# Few descriptors: two listening sockets, the signal pipe, and not much more.
my $p = start({ command => '/bin/sh' }, '-c',
    'ulimit -n 12; exec "$@"', 'sh', sockt(), 'listen', '-k', '-v', 0,
    '--', 'cat');
my $port = $p->port;
my @c = map { tcp_client($port) } 1 .. 12;
syswrite $_, "x\n" for @c;
$p->expect(err => qr/accepting pauses: too many open files/);
my $served = 0;
while (@c) {
    my $c = shift @c;
    vec(my $bits = '', fileno $c, 1) = 1;
    # Those that wait are served as soon as others have gone.
    next unless select $bits, undef, undef, 20;
    $served++ if (<$c> // '') eq "x\n";
    close $c;
}
is $served, 12, 'every client is served in the end';
my $r = $p->stop;
is $r->{status}, 0, 'stopped';
my $said = () = $r->{err} =~ /accepting pauses/g;
cmp_ok $said, '<', 12, 'and it did not say so for each';

done_testing;
