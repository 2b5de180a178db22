# Many hosts: dead ones are given up, live ones are told whole; what fails on
# this machine is no port's state.
use Sockt;
use JSON::PP;
use SocktNet;

need_root('nft');
my ($a, $b) = two_hosts();
inside($b, "ip addr add 192.0.2.$_/24 dev v0") for 3 .. 6;
my $listeners = listen_inside($b, "hello\n", 22, 77);
firewall($b, 'ip daddr 192.0.2.6 tcp dport != 77 drop',
    'tcp dport 30-39 drop');

sub scan {
    return in_namespace({ timeout => 60 }, $a, sockt(), 'portscan', '-n', @_);
}

my $r = scan('192.0.2.2-12', '1-100');
is $r->{status}, 0, 'status 0';
for my $host (2 .. 5) {
    like $r->{out}, qr{^192\.0\.2\.$host\nPORT +STATE\n22/tcp +open\n77/tcp +open\nnot shown: 88 closed \(refused\), 10 filtered \(no answer\)$}m,
        "host $host: each of 100 ports is what it is";
}
like $r->{out}, qr/^11 hosts: [45] with open ports, 0 without, [67] that did not answer$/m,
    'the dead ones are counted';
$r = scan('-v', '192.0.2.6', '1-100');
like $r->{out}, qr{^192\.0\.2\.6\nPORT[^\n]+\n77/tcp +open +connected\nnot shown: 99 filtered}m,
    'a host alone is not skipped: its one open port is found';
$r = scan('-v', '192.0.2.2,192.0.2.99', '1-100');
like $r->{err}, qr/192\.0\.2\.99 was skipped: it answered none of its first probes/,
    '-v names the host that was skipped';
$r = scan('--json', '192.0.2.2-12', '1-100');
my $summary = decode_json((split /\n/, $r->{out})[-1]);
my $sum = 0;
$sum += $_ for values %{ $summary->{reasons} };
is $sum, 1100, 'the counts add up to hosts times ports';
ok $summary->{reasons}{'host skipped'}, 'ports of dead hosts are not asked';

$r = scan('192.0.2.99', '22');
like $r->{status}, qr/^[56]$/, 'a dead host alone: no answer, or unreachable';
$r = scan('203.0.113.7', '22,23');
is $r->{status}, 6, 'no route: status 6';
like $r->{out}, qr{^22/tcp +unknown +failed on this side$}m,
    '  which is no state of the ports';
like $r->{err}, qr/no port could be probed: network unreachable/, '  told so';

for my $options ([], ['--udp']) {
    $r = scan(@$options, '192.0.2.2,192.0.2.255', '22');
    cmp_ok $r->{seconds}, '<', 3, "@$options a broadcast address is not waited for";
    like $r->{out}, qr/, 1 that could not be probed$/m, '  and counted';
}

# A rule of this machine refuses to send: that says nothing about the port.
inside($a, "nft 'add table inet o; add chain inet o o "
    . "{ type filter hook output priority 0; }'");
inside($a, "nft 'add rule inet o o udp dport 7777 drop'");
$r = scan('-a', '--udp', '192.0.2.2', '7777,7778');
like $r->{out}, qr{^7777/udp +unknown +failed on this side$}m,
    'a local failure is no state of the port';
like $r->{out}, qr{^7778/udp +closed +refused$}m, 'others are asked';
like $r->{err}, qr/1 port of \S+ could not be probed: not permitted/, 'and why';

done_testing;
