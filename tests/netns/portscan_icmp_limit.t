# A host that limits how often it refuses (Linux: IPv4 six at once and then one
# a second, IPv6 ten a second): what is closed is told as closed all the same,
# and what is silent for good is not waited for much longer.
use Sockt;
use SocktNet;

need_root('nft');
my ($a, $b) = two_hosts();
inside($b, 'sysctl -qw net.ipv4.icmp_ratelimit=1000 '
    . 'net.ipv4.icmp_ratemask=6168 net.ipv6.icmp.ratelimit=100');
my $server = start_in($b,
    'udp-serve', '-v', '--echo', '*', '40005');
$server->expect(err => qr/ing on/);
my @silent = (40003, 40010 .. 40012);
firewall($b, 'udp dport { ' . join(',', @silent) . ' } drop');

# The states that a scan tells, by port, and how long it took.
sub scan {
    my (@args) = @_;
    my $r = in_namespace({ timeout => 100 }, $a, sockt(), 'portscan', '-a', '-n', '--udp', @args);
    my %state = $r->{out} =~ m{^(\d+)/udp +(\S+)}mg;
    return (\%state, $r->{seconds});
}

sub truth {
    my ($first, $last) = @_;
    my %state = map { $_ => 'closed' } $first .. $last;
    $state{$_} = 'open|filtered' for @silent;
    $state{40005} = 'open';
    return \%state;
}

my ($got, $seconds) = scan('192.0.2.2', '40000-40019');
is_deeply $got, truth(40000, 40019), 'IPv4: every port is what it is';
cmp_ok $seconds, '<', 30, '  in the time that it takes';

($got, $seconds) = scan('2001:db8::2', '40000-40119');
is_deeply $got, truth(40000, 40119), 'IPv6: every port is what it is';
cmp_ok $seconds, '<', 40, '  in the time that it takes';

($got, $seconds) = scan('192.0.2.2', '40001,40003,40010-40012');
is_deeply $got, { 40001 => 'closed', map { $_ => 'open|filtered' } @silent },
    'one refusal, then silence: told so';
cmp_ok $seconds, '<', 20, '  before long';

# What others have used up: the host is there, since a port answers, and that
# it refuses nothing just now is no sign of anything.
inside($b, 'sysctl -qw net.ipv4.icmp_ratelimit=1000');
for my $run (1, 2) {
    inside($a, "$^X -MIO::Socket::IP -e 'for (1 .. 20) { IO::Socket::IP->new("
        . "PeerAddr => q(192.0.2.2), PeerPort => 41000 + \$_, "
        . "Proto => q(udp))->send(q(x)) }'");
    ($got, $seconds) = scan('192.0.2.2', '40000-40002,40005');
    is_deeply $got, { 40005 => 'open', map { $_ => 'closed' } 40000 .. 40002 },
        "run $run, after 20 other datagrams: closed ports are told as closed";
}
($got, $seconds) = scan('192.0.2.2', '40003,40005');
is_deeply $got, { 40003 => 'open|filtered', 40005 => 'open' },
    'a port that is silent by nature';
cmp_ok $seconds, '<', 10, '  costs a few seconds';

done_testing;
