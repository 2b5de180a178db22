# Across a slow link that loses packets: no open port is missed.
use Sockt;
use SocktNet;

need_root('nft');
my $runs = $ENV{SOCKT_RUNS} || 2;
my @open = map { 30 + 61 * $_ } 1 .. 16;

# What a scan of 1016 ports finds open, and how many it calls closed.
sub scan {
    my ($space) = @_;
    my $r = in_namespace({ timeout => 60 }, $space, sockt(), 'portscan', '-n', '192.0.2.2', '1-1016');
    my ($closed) = $r->{out} =~ /(\d+) closed/;
    return ([$r->{out} =~ /^(\d+)\/tcp +open/mg], $closed // 0, $r->{seconds});
}

for my $permille (0, 10, 50) {
    my ($a, $b) = two_hosts(link => [20, $permille, 1000]);
    my $l = listen_inside($b, '', @open);
    for my $run (1 .. $runs) {
        my ($found, $closed) = scan($a);
        is "@$found", "@open", "$permille in 1000 lost: run $run, closed ports";
        is $closed, 1000, '  all the others are closed';
    }
    firewall($b, 'tcp dport { ' . join(',', @open) . ' } accept',
        'tcp dport 1-65535 tcp flags syn drop');
    for my $run (1 .. $runs) {
        my ($found, $closed) = scan($a);
        is "@$found", "@open", "$permille in 1000 lost: run $run, silent ports";
        is $closed, 0, '  none of the others is closed';
    }
}

# Several hosts: those that are up are scanned while others are still waited
# for, and only those that are not there are skipped.
my ($here, $there) = two_hosts(link => [20, 0, 1000]);
inside($there, "ip addr add 192.0.2.$_/24 dev t1") for 3 .. 12;
my $listeners = listen_inside($there, '', 22, 77);
my $r = in_namespace({ timeout => 60 }, $here, sockt(), 'portscan', '-n', '192.0.2.2-40', '1-500');
is scalar(() = $r->{out} =~ m{^192\.0\.2\.\d+\nPORT +STATE\n22/tcp +open\n77/tcp +open\nnot shown: 498 closed \(refused\)$}mg),
    11, 'eleven hosts at 20 ms, each of 500 ports';
like $r->{out}, qr/^39 hosts: 11 with open ports, 0 without, 28 that did not answer$/m,
    '  and none of the others';
cmp_ok $r->{seconds}, '<', 10, '  soon';

# Silence for over one round trip lets the window grow from its first 500: all
# the ports are asked before the first of them is given up, 100 ms after its
# probe. A busy machine may be slower; one of ten runs is not.
my ($one, $two) = two_hosts(link => [20, 0, 1000]);
my $l = listen_inside($two, '', @open);
firewall($two, 'tcp dport { ' . join(',', @open) . ' } accept',
    'tcp dport 1-65535 tcp flags syn drop');
my $asked = 0;
for (1 .. 10) {
    $r = in_namespace($one, sockt(), 'portscan', '--json', '-n', '-m', '0.09',
        '192.0.2.2', '1-1016');
    my ($n) = $r->{out} =~ /"probes":(\d+)/;
    $asked = $n if ($n // 0) > $asked;
    last if $asked == 1016;
}
is $asked, 1016, 'silent ports: the first round trip lets the window grow';

done_testing;
