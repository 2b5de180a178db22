# Scans, each in network namespaces of its own (root, nftables), compared by
# time; a port that is missed, or found where nothing listens, is LOST.
package BenchScan;

use strict;
use warnings;
use Bench ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt ();
use SocktScan qw(two_hosts inside listen_inside firewall);
use Time::HiRes qw(time);

my @sixteen = map { 30 + 61 * $_ } 1 .. 16;
my @sockt = (Bench::sockt(), 'portscan', '-n');

# Runs a scan in a namespace; undef for programs that do not tell what is open.
sub measure {
    my ($space, $open, @command) = @_;
    my @before = times;
    my $start = time;
    my $r = Sockt::run({ command => '/usr/sbin/ip', timeout => 120 },
        'netns', 'exec', $space, @command);
    my $seconds = time - $start;
    my @after = times;
    my $found = join ' ', sort { $a <=> $b } $r->{out} =~ /^(\d+)\/tcp +open/mg;
    my $lost = defined $open && $found ne "@$open" ? "found '$found'" : '';
    return {
        value => $seconds, lost => $lost,
        extra => [$after[2] + $after[3] - $before[2] - $before[3]],
    };
}

sub scans {
    my ($title, $space, $open, @tools) = @_;
    Bench::row(
        name => $title, unit => 's', lower => 1, extra => ['cpu s'],
        tools => [map {
            my ($name, @command) = @$_;
            my $truth = $name =~ /^nc/ ? undef : $open;
            [$name, sub { measure($space, $truth, @command) }];
        } grep { Bench::installed($_->[1]) || -x $_->[1] } @tools],
    );
}

sub silence_but {
    my ($space, @open) = @_;
    firewall($space, 'tcp dport { ' . join(',', @open) . ' } accept',
        'tcp dport 1-65535 tcp flags syn drop');
}

{
    my ($own) = two_hosts(link => 'veth');
    my $l = listen_inside($own, '', 22, 80, 8080);
    scans('scan: 65,535 ports of the loopback', $own, [22, 80, 8080],
        ['sockt', @sockt, '127.0.0.1', '-'],
        ['nmap', qw(nmap -n -Pn -sT -T5 --min-rate 100000 -p- 127.0.0.1)],
        ['nc -z', qw(nc.openbsd -nz 127.0.0.1 1-65535)]);
}
for my $silent (0, 1) {
    my ($own, $far) = two_hosts(link => [20, 0, 1000]);
    my $l = listen_inside($far, '', @sixteen);
    silence_but($far, @sixteen) if $silent;
    scans('scan: 20 ms away, 16 open, 1,000 '
        . ($silent ? 'silent' : 'closed'), $own, \@sixteen,
        ['sockt', @sockt, '192.0.2.2', '1-1016'],
        ['nmap', qw(nmap -n -Pn -sT -T4 -p1-1016 192.0.2.2)]);
}
{
    my ($own, $far) = two_hosts(link => 'veth');
    my @open = (1234, 2345, 33333, 44444, 65000);
    my $l = listen_inside($far, '', @open);
    silence_but($far, @open);
    scans('scan: 65,535 ports across a link, all silent but five', $own,
        \@open,
        ['sockt', @sockt, '192.0.2.2', '-'],
        ['nmap', qw(nmap -n -Pn -sT -T5 --min-rate 5000 --max-retries 1
            -p- 192.0.2.2)]);
}
{
    my ($own, $far) = two_hosts(link => 'veth');
    inside($far, "ip addr add 192.0.2.$_/24 dev v0") for 3 .. 128;
    my $l = listen_inside($far, '', 22, 80);
    my @open = (22) x 127;
    @open = ((22) x 127, (80) x 127);
    scans('scan: a /24 of 100 ports, half of the hosts dead', $own, \@open,
        ['sockt', @sockt, '192.0.2.2-254', '1-100'],
        ['nmap', qw(nmap -n -sT -T4 -p1-100 192.0.2.2-254)]);
}
1;
