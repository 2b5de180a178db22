# Scans, each in network namespaces of its own (root, nftables), compared by
# time; a port that is missed, or found where nothing listens, is LOST.
use strict;
use warnings;
use Bench;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SocktNet qw(two_hosts inside listen_inside firewall);

# Runs a scan in a namespace; open: the ports to find, or undef for a program
# whose output does not have them.
sub measure {
    my ($space, $open, $command) = @_;
    my $out = scratch() . '/found';
    my $pid = start("ip netns exec $space $command", $out);
    finish($pid);
    my ($cpu, $seconds) = spent($pid);
    my $found = join ' ', sort { $a <=> $b }
        slurp($out) =~ m{^(\d+)/tcp +open}mg;
    return { value => $seconds, more => [$cpu],
        lost => defined $open && $found ne "@$open" ? "found '$found'" : '' };
}

sub scans {
    my ($name, $space, $open, @tools) = @_;
    row(
        name => $name, unit => 's', lower => 1, more => ['CPU s'], rounds => 3,
        tools => [map { my ($program, $command) = @$_;
            my $truth = $program =~ /^nc/ ? undef : $open;
            [$program, sub { measure($space, $truth, $command) }];
        } contestants(@tools)],
    );
}

sub silence_but {
    my ($space, @open) = @_;
    firewall($space, 'tcp dport { ' . join(',', @open) . ' } accept',
        'tcp dport 1-65535 tcp flags syn drop');
}

my $PORTSCAN = 'SOCKT portscan -n';
my @sixteen = map { 30 + 61 * $_ } 1 .. 16;
print "\nscan\n";
{
    my ($own) = two_hosts();
    my $l = listen_inside($own, '', 22, 80, 8080);
    scans('65,535 of the loopback', $own, [22, 80, 8080],
        ['sockt', "$PORTSCAN 127.0.0.1 -"],
        ['nmap', 'nmap -n -Pn -sT -T5 --min-rate 100000 -p- 127.0.0.1'],
        ['nc.openbsd', 'nc.openbsd -nz 127.0.0.1 1-65535']);
}
for my $silent (0, 1) {
    my ($own, $far) = two_hosts(link => [20, 0, 1000]);
    my $l = listen_inside($far, '', @sixteen);
    silence_but($far, @sixteen) if $silent;
    scans('20 ms away, 1,000 ' . ($silent ? 'silent' : 'closed'), $own,
        \@sixteen, ['sockt', "$PORTSCAN 192.0.2.2 1-1016"],
        ['nmap', 'nmap -n -Pn -sT -T4 -p1-1016 192.0.2.2']);
}
{
    my ($own, $far) = two_hosts();
    my @open = (1234, 2345, 33333, 44444, 65000);
    my $l = listen_inside($far, '', @open);
    silence_but($far, @open);
    scans('65,535, five not silent', $own, \@open,
        ['sockt', "$PORTSCAN 192.0.2.2 -"],
        ['nmap', 'nmap -n -Pn -sT -T5 --min-rate 5000 --max-retries 1 -p- '
            . '192.0.2.2']);
}
{
    my ($own, $far) = two_hosts();
    inside($far, "ip addr add 192.0.2.$_/24 dev v0") for 3 .. 128;
    my $l = listen_inside($far, '', 22, 80);
    scans('/24 of 100 ports, half dead', $own, [(22) x 127, (80) x 127],
        ['sockt', "$PORTSCAN 192.0.2.2-254 1-100"],
        ['nmap', 'nmap -n -sT -T4 -p1-100 192.0.2.2-254']);
}
1;
