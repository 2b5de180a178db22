# Across a link, with a firewall: what portscan tells is what is there.
use Sockt;
use SocktNet;

need_root('nft');
my $runs = $ENV{SOCKT_RUNS} || 2;
my @open = (22, 80, 443, 1000, 2222, 3001, 4242, 5000);
my %reject = (
    3100 => ['icmp type port-unreachable', 'closed', 'refused'],
    3101 => ['icmp type host-unreachable', 'filtered', 'host unreachable'],
    3102 => ['icmp type net-unreachable', 'filtered', 'network unreachable'],
    3103 => ['icmp type prot-unreachable', 'filtered', 'protocol unreachable'],
    3104 => ['icmp type admin-prohibited', 'filtered', 'prohibited'],
    3105 => ['icmp type host-prohibited', 'filtered', 'prohibited'],
    3106 => ['icmp type net-prohibited', 'filtered', 'prohibited'],
    3107 => ['tcp reset', 'closed', 'refused'],
);
my %reject6 = (
    3101 => ['icmpv6 type addr-unreachable', 'filtered', 'host unreachable'],
    3102 => ['icmpv6 type no-route', 'filtered', 'network unreachable'],
    3104 => ['icmpv6 type admin-prohibited', 'filtered', 'prohibited'],
);

# The sender of an ICMP error is the host; a reset is nobody else's.
my $is_posix = run('--version')->{out} =~ /posix/;
for my $code (grep { !$is_posix && $_->[0] ne 'tcp reset' } values %reject, values %reject6) {
    $code->[2] .= ($code->[2] =~ /unreachable/ ? ', says' : ' by') . " the host's firewall";
}

# For IPv4 POSIX has one error for host unreachable and prohibited.
if ($is_posix) {
    $reject{$_}[2] = 'host unreachable' for 3104, 3105;
    $reject{3106}[2] = 'network unreachable';
}

my ($a, $b) = two_hosts();
inside($b, 'sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0');
my $listeners = listen_inside($b, '', @open);
firewall($b,
    (map { "meta nfproto ipv4 tcp dport $_ reject with $reject{$_}[0]" }
        sort keys %reject),
    (map { "meta nfproto ipv6 tcp dport $_ reject with $reject6{$_}[0]" }
        sort keys %reject6),
    'tcp dport 3000-3099 tcp dport != 3001 drop');

sub scan {
    my (@args) = @_;
    my $r = in_namespace({ timeout => 60 }, $a, sockt(), 'portscan', '-a', '-n', @args);
    return { status => $r->{status}, err => $r->{err},
        map { /^(\d+)\/tcp +(\w+) +(.+)$/ ? ($1 => [$2, $3]) : () }
            split /\n/, $r->{out} };
}

sub truth {
    my ($port, $codes) = @_;
    return ['open', 'connected'] if grep { $_ == $port } @open;
    return [@{ $codes->{$port} }[1, 2]] if $codes->{$port};
    return ['filtered', 'no answer'] if $port >= 3000 && $port < 3100;
    return ['closed', 'refused'];
}

for my $run (1 .. $runs) {
    for (['192.0.2.2', \%reject], ['2001:db8::2', \%reject6]) {
        my ($ip, $codes) = @$_;
        my $got = scan($ip, '1-5000');
        my @wrong = grep {
            "@{ $got->{$_} // ['nothing'] }" ne "@{ truth($_, $codes) }"
        } 1 .. 5000;
        is $got->{status}, 0, "$ip: something is open";
        is_deeply {
            map { $_ => $got->{$_} } @wrong }, {
            map { $_ => truth($_, $codes) } @wrong },
            "run $run: each of 5000 ports is what it is, and why";
    }
}

done_testing;
