# Link-local addresses with their scope, and the errors of routes: what only
# a network of its own can show.
use Sockt;
use SocktNet;

need_root();
my ($left, $right) = (namespace('left'), namespace('right'));
link_namespaces($left, ['10.9.0.1/24'], $right, ['10.9.0.2/24']);

my ($address) = ip('-n', $right, '-6', 'address', 'show', 'dev', 'right')
    =~ /inet6 (fe80::\S+?)\//;
ok defined $address, 'a link-local address';
my $p = start_in($right, 'listen', '-v', "[$address%right]:0");
my ($host, $port) = $p->expect(err => qr/listening on (\S+) port (\d+) /);
is $host, "$address%right", 'listen takes a scope';
my $r = in_namespace({ stdin => 'hello' }, $left, sockt(), 'connect', '-v',
    "[$address%left]:$port");
is $r->{status}, 0, 'connect takes a scope' or diag $r->{err};
like $r->{err}, qr/connected to \Q$address\E%left port $port from fe80::\S+%left/,
    'and tells it';
is $p->finish->{out}, 'hello', 'the bytes arrive';

$r = start_in($left, 'connect', '-z', "[$address%nonesuch]:$port")->finish;
is $r->{status}, 7, 'an unknown scope: no such interface' or diag $r->{err};

$r = start_in($left, 'connect', '-z', '192.0.2.1', 80)->finish;
is $r->{status}, 6, 'no route is status 6';
like $r->{err}, qr/network unreachable \(no route to that network from here\)/,
    'and told';
$r = start_in($left, 'connect', '-z', '-w', '300ms', '10.9.0.77', 80)->finish;
like $r->{status}, qr/^[56]$/, 'a neighbour that is not there: 5 or 6';

done_testing;
