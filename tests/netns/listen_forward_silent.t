# listen --to with targets that are silent, prohibited and without a route: the
# next one is tried after --timeout, or at once.
use Sockt;
use SocktNet;

need_root();
my ($left, $right) = (namespace('left'), namespace('right'));
link_namespaces($left, ['10.9.0.1/24'], $right, ['10.9.0.2/24']);
ip('-n', $left, 'neigh', 'add', '10.9.0.77', 'lladdr', '02:00:00:00:00:01',
    'dev', 'left');
ip('-n', $left, 'route', 'add', $_->[0], $_->[1])
    for ['prohibit', '10.3.0.0/16'], ['unreachable', '10.4.0.0/16'];

my $echo = start_in($right, 'listen', '-k', '--echo', '10.9.0.2', 0);
my $target = '10.9.0.2:' . $echo->port;

# connect in the left namespace with an input.
sub client {
    my ($input, $port) = @_;
    return start({ command => 'ip', stdin => $input }, 'netns', 'exec', $left,
        sockt(), 'connect', '127.0.0.1', $port);
}

# Sends x through a forwarder to targets. What the client got, how long that
# took, and what the forwarder said.
sub forward {
    my (@options) = @_;
    my $p = start_in($left, 'listen', '-v', '-k', @options, '127.0.0.1', 0);
    my $r = client('x', $p->port)->finish;
    $p->expect(err => qr/closed/);
    return ($r->{out}, $r->{seconds}, $p->stop->{err});
}

for my $row (
    ['10.9.0.77:80', qr/10\.9\.0\.77 port 80: no answer within 0\.4 s \(--timeout\).*; trying 10\.9/, 0.4],
    ['10.3.0.1:80', qr/10\.3\.0\.1 port 80: prohibited .*; trying 10\.9/, 0],
    ['10.4.0.1:80', qr/10\.4\.0\.1 port 80: host unreachable .*; trying 10\.9/, 0],
    ['192.0.2.1:80', qr/192\.0\.2\.1 port 80: network unreachable .*; trying 10\.9/, 0],
    ['name.example:80', qr/name\.example: .*; trying 10\.9/, 0],
) {
    my ($first, $said, $seconds) = @$row;
    my ($out, $took, $err) =
        forward('-w', '400ms', '--to', $first, '--to', $target);
    is $out, 'x', "$first: the next target is reached";
    like $err, $said, 'and why' or diag $err;
    cmp_ok $took, '>=', $seconds, 'after the time limit' if $seconds;
}

my ($out, $took, $err) = forward('-w', '400ms', '--to', '10.9.0.77:80',
    '--to', '10.4.0.1:80');
is $out, '', 'none can be reached';
like $err, qr/forwarding to: 10\.9\.0\.77 port 80: no answer .*; 10\.4\.0\.1 port 80: host unreachable/,
    'one line names both';

# A link that comes back while the client waits.
ip('-n', $left, 'link', 'set', 'left', 'down');
my $p = start_in($left, 'listen', '-v', '-k', '--retry-for', 20, '-w', 1, '--to',
    $target, '127.0.0.1', 0);
my $c = client('late', $p->port);
$p->expect(err => qr/unreachable.*; trying again for 20 s/);
ip('-n', $left, 'link', 'set', 'left', 'up');
is $c->finish->{out}, 'late', '--retry-for: the target is reached in the end';
$p->stop;
$echo->stop;

done_testing;
