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

# --interface: what comes, or would leave, by another one is not for it.
$p = start_in($right, 'listen', '-k', '--echo', '--interface', 'lo', '*', 0);
$port = $p->port;
is start_in($left, 'connect', '-z', '10.9.0.2', $port)->finish->{status}, 4,
    'listen --interface lo: refused on another one';
is start_in($right, 'connect', '-z', '127.0.0.1', $port)->finish->{status}, 0,
    '  open there';
$p->stop;
$p = start_in($right, 'listen', '-k', '--echo', '--interface', 'right', '*', 0);
$port = $p->port;
is start_in($right, 'connect', '-z', '127.0.0.1', $port)->finish->{status}, 4,
    'listen --interface right: refused on the loopback';
for my $case ([0, 'left', '10.9.0.2'], [0, 'left', $address], [6, 'lo', '10.9.0.2']) {
    my ($status, $interface, @to) = @$case;
    $r = start_in($left, 'connect', '-z', '-w', '500ms', '--interface', $interface,
        @to, $port)->finish;
    my $wanted = $status ? qr/^[56]$/ : qr/^0$/;
    like $r->{status}, $wanted, "connect --interface $interface @to" or diag $r->{err};
    $r = start_in($left, 'portscan', '-w', '500ms', '--interface', $interface, @to,
        $port)->finish;
    is $r->{status} == 0, $status == 0, "portscan --interface $interface @to"
        or diag $r->{err};
}
$p->stop;
$p = start_in($right, 'udp-serve', '--interface', 'right', '*', 0);
$port = $p->port;
is in_namespace($left, sockt(), 'udp-send', '--interface', 'left', $address, $port,
    'x')->{out}, "Hello, x!\n", 'udp-send and udp-serve --interface';
isnt in_namespace($right, sockt(), 'udp-send', '-w', '300ms', '127.0.0.1', $port,
    'x')->{status}, 0, '  and not on another one';
$p->stop;

$r = start_in($left, 'connect', '-z', '192.0.2.1', 80)->finish;
is $r->{status}, 6, 'no route is status 6';
like $r->{err}, qr/network unreachable \(no route to that network from here\)/,
    'and told';
$r = start_in($left, 'connect', '-z', '-w', '300ms', '10.9.0.77', 80)->finish;
like $r->{status}, qr/^[56]$/, 'a neighbour that is not there: 5 or 6';

done_testing;
