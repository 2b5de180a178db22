# Measures portscan against nmap -sT and nc -z: interleaved, medians of five,
# with the same truth found. Root; needs nmap, nc (OpenBSD's) and nftables.
#
#	make build/sockt build/tests/link && perl tests/bench/portscan.pl [CASE]...
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
BEGIN { $ENV{SOCKT_BUILD} //= "$FindBin::Bin/../../build" }
use Sockt;
use SocktScan;
use Time::HiRes qw(time);
use Test::More;

my $rounds = $ENV{ROUNDS} || 5;
my @sixteen = map { 30 + 61 * $_ } 1 .. 16;

sub median { return (sort { $a <=> $b } @_)[@_ / 2] }

# Seconds, CPU seconds and the open ports found by a command in a namespace.
sub measure {
    my ($space, @command) = @_;
    my @before = times;
    my $start = time;
    my $r = run({ command => '/usr/sbin/ip', timeout => 120 },
        'netns', 'exec', $space, @command);
    my $seconds = time - $start;
    my @after = times;
    my %open = map { $_ => 1 } $r->{out} =~ /^(\d+)\/tcp +open/mg,
        "$r->{out}$r->{err}" =~ /port (\d+) \(tcp\) succeeded|port (\d+) \[.*succeeded/g;
    delete $open{''};
    return [$seconds, $after[2] + $after[3] - $before[2] - $before[3],
        scalar(keys %open)];
}

sub compare {
    my ($title, $space, %commands) = @_;
    my %times;
    for (1 .. $rounds) {
        push @{ $times{$_} }, measure($space, @{ $commands{$_} })
            for sort keys %commands;
    }
    my $own = median(map { $_->[0] } @{ $times{sockt} });
    print "# $title\n";
    for my $name (sort keys %commands) {
        my @t = @{ $times{$name} };
        my $m = median(map { $_->[0] } @t);
        printf "%-8s %7.3f s  cpu %6.3f s  sockt/this %.3f  open %s\n", $name,
            $m, median(map { $_->[1] } @t), $own / $m,
            join ' ', sort { $a <=> $b } map { $_->[2] } @t;
    }
}

my %cases = (
    loopback => sub {
        my ($a) = two_hosts(link => 'veth');
        my $l = listen_inside($a, '', 22, 80, 8080);
        my @limit = -x '/tmp/scanlim/lim' ? (limit => ['/tmp/scanlim/lim', 'c']) : ();
        compare('65535 loopback ports', $a,
            sockt => [sockt(), qw(portscan -n 127.0.0.1 -)], @limit,
            nmap => [qw(nmap -n -Pn -sT -T5 --min-rate 100000 -p- 127.0.0.1)],
            nc => [qw(nc -nzv 127.0.0.1 1-65535)]);
    },
    closed => sub {
        my ($a, $b) = two_hosts(link => [20, 0, 1000]);
        my $l = listen_inside($b, '', @sixteen);
        compare('20 ms: 1000 closed, 16 open', $a,
            sockt => [sockt(), qw(portscan -n 192.0.2.2 1-1016)],
            nmap => [qw(nmap -n -Pn -sT -T4 -p1-1016 192.0.2.2)]);
    },
    silent => sub {
        my ($a, $b) = two_hosts(link => [20, 0, 1000]);
        my $l = listen_inside($b, '', @sixteen);
        firewall($b, 'tcp dport { ' . join(',', @sixteen) . ' } accept',
            'tcp dport 1-65535 tcp flags syn drop');
        compare('20 ms: 1000 silent, 16 open', $a,
            sockt => [sockt(), qw(portscan -n 192.0.2.2 1-1016)],
            nmap => [qw(nmap -n -Pn -sT -T4 -p1-1016 192.0.2.2)]);
    },
    all => sub {
        my ($a, $b) = two_hosts(link => 'veth');
        my @open = (1234, 2345, 33333, 44444, 65000);
        my $l = listen_inside($b, '', @open);
        firewall($b, 'tcp dport { ' . join(',', @open) . ' } accept',
            'tcp dport 1-65535 tcp flags syn drop');
        compare('65535 ports, all but five silent', $a,
            sockt => [sockt(), qw(portscan -n 192.0.2.2 -)],
            nmap => [qw(nmap -n -Pn -sT -T5 --min-rate 5000 --max-retries 1
                -p- 192.0.2.2)]);
    },
    sweep => sub {
        my ($a, $b) = two_hosts(link => 'veth');
        inside($b, 'for i in $(seq 3 128); do '
            . 'ip addr add 192.0.2.$i/24 dev v0; done');
        my $l = listen_inside($b, '', 22, 80);
        compare('a /24 of 100 ports, half the hosts dead', $a,
            sockt => [sockt(), qw(portscan -n 192.0.2.2-254 1-100)],
            nmap => [qw(nmap -n -sT -T4 -p1-100 192.0.2.2-254)]);
    },
);
$cases{$_}->() for @ARGV ? @ARGV : qw(loopback closed silent all sweep);
pass 'measured';
done_testing;
