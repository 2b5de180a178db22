# A port whose answer comes later than all others' is open still.
use Sockt;
use SocktNet;

need_root();
my $runs = $ENV{SOCKT_RUNS} || 3;
my ($a, $b) = two_hosts(link => [4, 0, 1000, 777, 230]);
my $l = listen_inside($b, '', 22, 777);
for my $run (1 .. $runs) {
    my $r = in_namespace({ timeout => 60 }, $a, sockt(), 'portscan', '-n', '192.0.2.2', '1-900');
    is join(' ', $r->{out} =~ /^(\d+)\/tcp +open/mg), '22 777',
        "run $run: 4 ms to all ports but one, 232 ms to that one";
    like $r->{out}, qr/^not shown: 898 closed \(refused\)$/m,
        '  and the others are closed';
}

# Its answer takes longer than two tries to it, as the others make them.
($a, $b) = two_hosts(link => [4, 0, 1000, 777, 700]);
$l = listen_inside($b, '', 22, 777);
for my $run (1 .. $runs) {
    my $r = in_namespace({ timeout => 60 }, $a, sockt(), 'portscan', '-n', '-w', '3', '192.0.2.2', '1-900');
    is join(' ', $r->{out} =~ /^(\d+)\/tcp +open/mg), '22 777',
        "run $run: -w 3 waits for an answer that takes 0.7 s";
}

done_testing;
