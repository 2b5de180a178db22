# A network in which nobody answers: the ports of hosts that are given up cost
# nothing, and while a shard steps over them -m holds.
use Sockt;
use JSON::PP;
use SocktNet;

need_root();
my ($a, $b) = two_hosts();
inside($a, 'ip link set v0 arp off && ip addr add 10.1.0.1/16 dev v0');

sub scan {
    my (@args) = @_;
    return in_namespace({ timeout => 60 }, $a, sockt(),
        'portscan', '-w', '0.1', @args);
}

my $r = scan('--json', '10.1.64.0/22', '-');
is $r->{status}, 5, 'all silent: status 5';
is_deeply decode_json($r->{out})->{reasons},
    { 'no answer' => 1024 * 8, 'host skipped' => 1024 * (65535 - 8) },
    'eight ports of each host are asked, the others told as skipped';
ok !decode_json($r->{out})->{partial}, 'nothing is missing';
cmp_ok $r->{seconds}, '<', 15, 'in the time of those probes';

$r = scan('-a', '10.1.64.0/27', '-');
is scalar(() = $r->{out} =~ /^\d+\/tcp +filtered/mg), 32 * 8,
    '-a: what was asked has rows';
is scalar(() = $r->{out} =~ /^not shown: 65527 unknown \(host skipped\)$/mg),
    32, '  what was not is counted';

# Half of 4.3e9 ports: which ones, only going through all of them tells.
exits scan('--shard', '1/2', '-m', 1, '10.1.0.0/16', '-'), 5,
    'a shard: -m ends the run when it has passed', within => 15,
    err => qr/stopped after 1 s \(--max-time\)/;

done_testing;
