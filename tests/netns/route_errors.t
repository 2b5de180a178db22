# What routes and dropped packets mean: silence, a blackhole, a prohibition.
use Sockt;
use SocktNet;

need_root();
my ($left, $right) = (namespace('left'), namespace('right'));
link_namespaces($left, ['10.9.0.1/24'], $right, ['10.9.0.2/24']);
ip('-n', $left, 'neigh', 'add', '10.9.0.77', 'lladdr', '02:00:00:00:00:01',
    'dev', 'left');
ip('-n', $left, 'route', 'add', $_->[0], $_->[1])
    for ['blackhole', '10.1.0.0/16'], ['prohibit', '10.3.0.0/16'],
    ['unreachable', '10.4.0.0/16'];

for my $row (
    ['10.9.0.77', 5, qr/no answer within 0\.3 s \(--timeout\); the host is down, a firewall drops the packets, or the server's queue is full$/m],
    ['10.1.0.1', 6, qr/unreachable \(a blackhole route of this machine discards the packets\)$/],
    ['10.3.0.1', 6, qr/prohibited \(a router, a firewall or a route of this machine forbids it\)$/],
    ['10.4.0.1', 6, qr/host unreachable \(the host is down, or there is no route to it\)$/],
    ['192.0.2.1', 6, qr/network unreachable \(no route to that network from here\)$/],
) {
    my ($host, $status, $pattern) = @$row;
    my $r = start_in($left, 'connect', '-z', '-w', '.3', $host, 80)->finish;
    is $r->{status}, $status, "connect $host: status" or diag $r->{err};
    like $r->{err}, $pattern, '  and what is said';
    $r = start_in($left, 'portscan', '-a', '-w', '.3', $host, 80)->finish;
    is $r->{status}, $status, "portscan $host: status" or diag $r->{err};
    like $r->{out}, $status == 5 ? qr{^80/tcp +filtered +\S+ +no answer$}m
        : qr{^80/tcp +unknown +\S+ +failed on this side$}m, '  and the state';
    next if $status == 5;
    like $r->{err}, $pattern, '  and why';
    $r = start_in($left, 'udp-send', $host, 80, 'x')->finish;
    is $r->{status}, $status, "udp-send $host: status" or diag $r->{err};
    like $r->{err}, $pattern, '  and the same is said';
}
my $r = start_in($left, 'portscan', '-a', '-w', 30, '10.9.0.78', 80)->finish;
is $r->{status}, 6, 'portscan of an address that no neighbor has: status 6';
like $r->{out}, qr{^80/tcp +filtered +\S+ +host unreachable$}m,
    '  and the state';
$r = start_in($left, 'connect', '-z', '-m', '.3', '10.9.0.77', 80)->finish;
like $r->{err}, qr/stopped after 0\.3 s \(--max-time\); 10\.9\.0\.77 port 80: no answer; /,
    '--max-time is named likewise';
# What the table of causes lacks is the system's own reason.
$r = start_in($left, 'udp-serve', '--join', '239.1.2.3', 0)->finish;
like "$r->{status} $r->{err}", qr/^7 .*: cannot join 239\.1\.2\.3 \(no interface takes multicast by default: name one, GROUP%INTERFACE\): no such device \(error \d+ of the system\)$/,
    'a group on no interface';
done_testing;
