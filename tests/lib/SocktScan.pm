# Namespaces for scans: two machines, and what lies between them. Root
# only; everything goes away with the test.
package SocktScan;

use strict;
use warnings;
use Carp qw(croak);
use Exporter qw(import);
use Sockt;
use Test::More;

our @EXPORT = qw(need_root two_hosts inside listen_inside firewall);

my @spaces;
my $owner = $$;

# Skips the whole file where namespaces cannot be had.
sub need_root {
    plan skip_all => 'only root makes network namespaces' unless is_root();
    for my $program (@_, 'ip') {
        plan skip_all => "there is no $program"
            unless grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin';
    }
    my $name = "sockt-probe-$$";
    plan skip_all => 'no network namespaces here'
        if system("ip netns add $name 2>/dev/null");
    system("ip netns del $name");
}

sub ip {
    my ($command) = @_;
    system("ip $command") == 0 or croak "ip $command failed";
}

# Names of two namespaces. link => 'veth', or a list DELAY-MS LOSS-PERMILLE
# QUEUE for the slow link of tests/lib/link.c. The first is 192.0.2.1 and
# 2001:db8::1, the second .2 and ::2.
sub two_hosts {
    my (%o) = @_;
    my @names = map { "sockt-$$-" . @spaces . "-$_" } 'a', 'b';
    for my $name (@names) {
        ip("netns add $name");
        push @spaces, $name;
        ip("-n $name link set lo up");
    }
    my @dev = ref $o{link} ? slow_link($o{link}, @names) : veth(@names);
    for my $i (0, 1) {
        my ($me, $peer) = ($i + 1, 2 - $i);
        my $n = "-n $names[$i]";
        inside($names[$i], 'sysctl -qw net.ipv6.conf.all.accept_dad=0');
        ip("$n link set $dev[$i] up");
        ip("$n addr add 192.0.2.$me/24 dev $dev[$i]");
        ip("$n -6 addr add 2001:db8::$me/64 dev $dev[$i] nodad");
    }
    return @names;
}

sub veth {
    my ($a, $b) = @_;
    ip("link add v0 netns $a type veth peer name v0 netns $b");
    return ('v0', 'v0');
}

sub slow_link {
    my ($args, @names) = @_;
    my $build = $ENV{SOCKT_BUILD} // "$Sockt::TOP/build";
    my $p = start({ command => "$build/tests/link" },
        @names, @$args);
    $p->expect(out => qr/ready/);
    $SocktScan::link{ $names[0] } = $p;
    return ('t0', 't1');
}

# Runs a shell command in a namespace.
sub inside {
    my ($name, $command) = @_;
    system('ip', 'netns', 'exec', $name, 'sh', '-c', $command) == 0
        or croak "$command failed in $name";
}

# Listens on ports in a namespace, IPv4 and IPv6; returns when all are open.
# Each connection is accepted and closed, or gets a banner.
sub listen_inside {
    my ($name, $banner, @ports) = @_;
    my $code = <<'END';
use strict; use IO::Socket::IP; use IO::Select; use Socket;
my ($banner, @ports) = @ARGV; my $s = IO::Select->new;
for my $p (@ports) { for my $h ('0.0.0.0', '::') {
    $s->add(IO::Socket::IP->new(LocalHost => $h, LocalPort => $p, Listen => 128,
        ReuseAddr => 1, V6Only => 1, Type => SOCK_STREAM) // die "$h $p: $@");
} }
$| = 1; $SIG{PIPE} = 'IGNORE'; print "ready\n";
while (1) { for my $l ($s->can_read) { my $c = $l->accept or next;
    print $c $banner if length $banner; close $c; } }
END
    my $p = start({ command => '/usr/sbin/ip' }, 'netns', 'exec', $name, $^X,
        '-e', $code, $banner, @ports);
    $p->expect(out => qr/ready/);
    return $p;
}

# Gives a namespace input rules of nft(8), one a line.
sub firewall {
    my ($name, @rules) = @_;
    inside($name, "nft 'add table inet f; add chain inet f i "
        . "{ type filter hook input priority 0; }'");
    inside($name, "nft 'add rule inet f i $_'") for @rules;
}

END {
    if ($$ == $owner) {
        local $?;
        system("ip netns del $_ 2>/dev/null") for @spaces;
    }
}

1;
