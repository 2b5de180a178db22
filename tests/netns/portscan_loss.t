# Across a slow link that loses packets: no open port is missed.
use Sockt;
use SocktScan;

need_root('nft');
my $runs = $ENV{SOCKT_RUNS} || 2;
my @open = map { 30 + 61 * $_ } 1 .. 16;

# What a scan of 1016 ports finds open, and how many it calls closed.
sub scan {
    my ($space) = @_;
    my $r = run({ command => '/usr/sbin/ip', timeout => 60 }, 'netns', 'exec',
        $space, sockt(), 'portscan', '-n', '192.0.2.2', '1-1016');
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

done_testing;
