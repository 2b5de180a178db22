# Who said no: what ends an attempt is told with the sender of the ICMP error,
# for connections and datagrams, IPv4 and IPv6. Two routers are on the way.
use Sockt;
use JSON::PP qw(decode_json);
use SocktNet;

need_root('nft');
my ($host, $near, $far, $server) = routed_hosts();
my $listeners = listen_inside($server, "", 80);
my $echo = start_in($server, 'udp-serve', '-q', '--echo', '*', 53);
my $is_posix = run('--version')->{out} =~ /posix/;
plan skip_all => 'only Linux tells the sender' if $is_posix;
inside($_, 'sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0')
    for $host, $near, $far, $server;

# Port => who rejects it, how, and in nft's words.
my %rejects = (
    81 => [$server, 'input', 'port-unreachable', 'port-unreachable'],
    82 => [$near, 'forward', 'port-unreachable', 'port-unreachable'],
    83 => [$far, 'forward', 'admin-prohibited', 'admin-prohibited'],
    84 => [$near, 'forward', 'host-unreachable', 'addr-unreachable'],
    85 => [$far, 'forward', 'net-unreachable', 'no-route'],
    86 => [$server, 'input', 'admin-prohibited', 'admin-prohibited'],
    87 => [$host, 'output', 'port-unreachable', 'port-unreachable'],
);
for my $ns ($host, $near, $far, $server) {
    inside($ns, 'nft add table inet f');
    for my $hook ('input', 'forward', 'output') {
        inside($ns, "nft 'add chain inet f $hook "
            . "{ type filter hook $hook priority 0; }'");
    }
}
for my $port (sort keys %rejects) {
    my ($ns, $hook, $code4, $code6) = @{ $rejects{$port} };
    inside($ns, "nft 'add rule inet f $hook meta l4proto { tcp, udp } "
        . "meta nfproto $_->[0] th dport $port reject with $_->[1] type $_->[2]'")
        for ['ipv4', 'icmp', $code4], ['ipv6', 'icmpv6', $code6];
}

# What is said of each port, where NEAR and FAR are the routers, and the state.
my $firewall = "the host's firewall";
my %said = (
    80 => [0, 'connected', 'open', 'connected'],
    81 => [4, "refused by $firewall (ICMP port unreachable)", 'closed',
        "refused by $firewall", 'HOST'],
    82 => [4, 'refused by NEAR, a router on the way (ICMP port unreachable: a firewall)',
        'closed', 'refused by NEAR', 'NEAR'],
    83 => [6, 'prohibited by FAR, a router on the way (ICMP administratively prohibited)',
        'filtered', 'prohibited by FAR', 'FAR'],
    84 => [6, 'host unreachable, says NEAR, a router on the way (ICMP UNREACHABLE)',
        'filtered', 'host unreachable, says NEAR', 'NEAR'],
    85 => [6, 'network unreachable, says FAR, a router on the way (ICMP NO ROUTE)',
        'filtered', 'network unreachable, says FAR', 'FAR'],
    86 => [6, "prohibited by $firewall (ICMP administratively prohibited)",
        'filtered', "prohibited by $firewall", 'HOST'],
    88 => [4, 'refused (the host answered; nothing listens there)', 'closed',
        'refused'],
);
for my $version (4, 6) {
    my %name = $version == 4
        ? (HOST => '10.9.3.2', NEAR => '10.9.1.2', FAR => '10.9.2.2',
            UNREACHABLE => 'host unreachable', 'NO ROUTE' => 'net unreachable')
        : (HOST => 'fd09:3::2', NEAR => 'fd09:1::2', FAR => 'fd09:2::2',
            UNREACHABLE => 'address unreachable', 'NO ROUTE' => 'no route');
    my $to = $name{HOST};
    my $words = sub { return $_[0] =~ s/\b(HOST|NEAR|FAR|UNREACHABLE|NO ROUTE)\b/$name{$1}/gr };
    for my $port (sort keys %said) {
        my ($status, $text) = ($said{$port}[0], $words->($said{$port}[1]));
        my $r = in_namespace({}, $host, sockt(), 'connect', '-z', '-w', 5, $to, $port);
        exits $r, $status, "connect -z $to $port: status", within => 3;
        is $r->{err}, "sockt connect: $to port $port: $text\n", "  $text" if $status;
    }
    my $r = in_namespace({}, $host, sockt(), 'portscan', '-a', $to,
        join ',', sort keys %said);
    is_deeply { map { /^(\d+)\/tcp +(\w+) +\S+ +(.+)$/ ? ($1 => [$2, $3]) : () }
            split /\n/, $r->{out} },
        { map { $_ => [$said{$_}[2], $words->($said{$_}[3])] } keys %said },
        "portscan $to: the state of each port, and the sender in REASON"
        or diag $r->{out};
    $r = in_namespace({}, $host, sockt(), 'portscan', '-a', '--json', $to,
        join ',', sort keys %said);
    my %by = map { $_->{port} => $_->{by} } grep { $_->{event} eq 'port' }
        map { decode_json($_) } split /\n/, $r->{out};
    is_deeply \%by, { map { $_ => $said{$_}[4] && $words->($said{$_}[4]) } keys %said },
        '  and as member by';

    # Datagrams: the host's own refusal is that of its UDP, whose words stay.
    for my $port (82, 83, 84, 85, 86, 88) {
        my ($status, $text) = ($said{$port}[0], $words->($said{$port}[1]));
        $text = 'refused (the host answered; no program receives there)' if $port == 88;
        $r = in_namespace({}, $host, sockt(), 'udp-send', $to, $port, 'x');
        exits $r, $status, "udp-send $to $port: status";
        like $r->{err}, qr/^sockt udp-send: $to port $port: \Q$text\E$/m, "  $text";
    }
    $r = in_namespace({}, $host, sockt(), 'portscan', '--udp', '-a', $to, '53,82,83,88');
    is_deeply { map { /^(\d+)\/udp +(\S+) +\S+ +(.+)$/ ? ($1 => "$2: $3") : () }
            split /\n/, $r->{out} },
        { 53 => 'open: answered', 82 => "closed: refused by $name{NEAR}",
            83 => "filtered: prohibited by $name{FAR}", 88 => 'closed: refused' },
        "portscan --udp $to";

    # Others that connect; and what this machine itself says.
    $r = in_namespace({}, $host, sockt(), 'http-get',
        'http://' . ($version == 4 ? $to : "[$to]") . ':83/');
    like $r->{err}, qr/prohibited by $name{FAR}, a router/, 'http-get';
    $r = in_namespace({}, $host, sockt(), 'connect', '-z', $to, 87);
    exits $r, 4, 'a firewall of this machine',
        err => qr/refused by a firewall of this machine \(ICMP port unreachable\)/;
    my $silent = $version == 4 ? 'it' : 'it, or the router to it,';
    my $neighbor = $version == 4 ? '10.9.1.77' : 'fd09:1::77';
    exits in_namespace({}, $host, sockt(), 'connect', '-z', $neighbor, 80), 6,
        'a neighbor that is not there', within => 10,
        err => qr/^sockt connect: \S+ port 80: host unreachable: $silent does not answer on this network$/m;
}

# A network behind a gateway that is not there.
for (['10.8.0.0/16', '10.9.1.78', '10.8.1.1', 'the router to it'],
    ['fd00:8::/64', 'fd09:1::78', 'fd00:8::1', 'it, or the router to it,']) {
    my ($network, $gateway, $to, $silent) = @$_;
    ip('-n', $host, 'route', 'add', $network, 'via', $gateway);
    exits in_namespace({}, $host, sockt(), 'connect', '-z', $to, 80), 6,
        'a gateway that is not there', within => 10,
        err => qr/host unreachable: $silent does not answer on this network$/m;
}
# Its steps do not say that the host has answered.
for (['connect', '-z'], ['portscan']) {
    my ($command, @options) = @$_;
    my $r = in_namespace({}, $host, sockt(), $command, '-vv', @options, '10.9.3.2', 82);
    like $r->{err}, qr/port 82: FAILED refused, .* \(a firewall says so by ICMP\)$/m,
        "$command -vv";
    unlike $r->{err}, qr/the host answered/, '  and nothing else';
}
# Once connected, the queue is off: a forged error must not end a connection.
for (['10.9.3.2', 0, 11], ['fd09:3::2', 41, 25]) {
    my ($to, $level, $option) = @$_;
    my $code = "print STDERR 'queue ', unpack 'i', getsockopt STDIN, $level, $option";
    exits in_namespace({}, $host, sockt(), 'connect', $to, 80, '--', $^X, '-e', $code), 0,
        "$to: a connection queues no ICMP errors", err => qr/queue 0/;
}
# A forwarder names the sender for its target.
my $forwarder = start_in($host, 'listen', '--to', '10.9.3.2:82', 0);
my $port = $forwarder->port;
in_namespace({}, $host, sockt(), 'connect', '-q', '--recv-only', '127.0.0.1', $port);
exits $forwarder->finish, 4, 'listen --to',
    err => qr/10\.9\.3\.2 port 82: refused by 10\.9\.1\.2, a router on the way/;
done_testing;
