# The network of this machine fails for two seconds during a scan: that says
# nothing about the ports of the host, and every open one is found.
use Sockt;
use SocktNet;

need_root();
my ($here, $there) = two_hosts();
my @open = map { 1000 * $_ + 7 } 1 .. 58;
my $l = listen_inside($there, '', @open);

# How it fails, and how it comes back.
my %outage = (
    'the link is down' => ['ip link set v0 down', 'ip link set v0 up'],
    'the address is gone' =>
        ['ip addr del 192.0.2.1/24 dev v0', 'ip addr add 192.0.2.1/24 dev v0'],
    'a route refuses' =>
        ['ip route add unreachable 192.0.2.2', 'ip route del unreachable 192.0.2.2'],
);

for my $what (sort keys %outage) {
    my ($down, $up) = @{ $outage{$what} };
    my $p = start_in($here,
        'portscan', '-n', '--json', '--rate', '30000', '192.0.2.2', '-');
    $p->expect(out => qr/"port":\d+/);
    inside($here, $down);
    select undef, undef, undef, 2;
    inside($here, $up);
    my $r = $p->finish(60);
    is $r->{status}, 0, "$what: status 0";
    is join(' ', sort { $a <=> $b } $r->{out} =~ /"port":(\d+)/g), "@open",
        '  every open port is found';
    like $r->{out}, qr/"reasons":\{"connected":58,"refused":65477\}/,
        '  and every other one is what it is';
}

# When it stays so, that is told as what it is.
my $r = in_namespace($here, sockt(),
    'portscan', '203.0.113.7,192.0.2.2', '1006-1007');
is $r->{status}, 0, 'no route to one host, another one answers: status 0';
like $r->{out}, qr/^2 hosts: 1 with open ports, 0 without, 0 that did not answer, 1 that could not be probed$/m,
    '  a host that could not be probed is counted';
like $r->{err}, qr/^sockt portscan: 2 ports of \S+ could not be probed: network unreachable$/m,
    '  and why';
$r = in_namespace($here, sockt(),
    'portscan', '-q', '203.0.113.0/28', '-');
is $r->{status}, 6, 'no route to anybody: status 6';
is $r->{err}, 'sockt portscan: no port could be probed: network unreachable '
    . "(no route to that network from here)\n", '  one line says why';
cmp_ok $r->{seconds}, '<', 10, '  soon';

# The firewall of this machine answers in the name of others.
SKIP: {
    skip 'there is no nft', 2 if system('nft --version >/dev/null 2>&1');
    skip 'POSIX does not say who sent an ICMP message', 2
        if run('--version')->{out} =~ /posix/;
    inside($here, "nft 'add table inet o; add chain inet o o "
        . "{ type filter hook output priority 0; }'");
    inside($here, "nft 'add rule inet o o tcp dport 1000-1100 reject'");
    $r = in_namespace($here, sockt(),
        'portscan', '-n', '-a', '192.0.2.2', '1006-1007,2006-2007');
    is join(' ', $r->{out} =~ /^(\d+\/tcp +\w+)/mg),
        '1006/tcp   unknown 1007/tcp   unknown 2006/tcp   closed '
        . '2007/tcp   open', 'what it rejects is not closed';
    like $r->{err}, qr/2 ports of \S+ could not be probed: refused/, '  but told';
}
done_testing;
