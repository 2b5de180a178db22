# Network namespaces, for tests that need their own links, addresses and routes.
# Only root can make them; without root the whole test is skipped.
package SocktNet;

use strict;
use warnings;
use Carp qw(croak);
use Exporter qw(import);
use Sockt;
use Test::More;

our @EXPORT = qw(need_root namespace link_namespaces in_namespace start_in ip
    two_hosts routed_hosts inside listen_inside firewall);

my @made;
my $owner = $$;

# Skips the whole test where namespaces or one of the programs is missing.
sub need_root {
    plan skip_all => 'only root makes network namespaces' unless is_root();
    for my $program ('ip', @_) {
        plan skip_all => "there is no $program"
            unless grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin';
    }
    my $name = "sockt-probe-$$";
    plan skip_all => 'no network namespaces here'
        if system("ip netns add $name 2>/dev/null") != 0;
    ip('netns', 'del', $name);
}

# Runs ip(8); dies with what it says when it fails.
sub ip {
    my $out = qx(ip @_ 2>&1);
    croak "ip @_: $out" if $? != 0;
    return $out;
}

# A new namespace with its loopback up. Returns its name; it is removed at the
# end of the test.
sub namespace {
    my ($label) = @_;
    my $name = "sockt-$$-$label";
    ip('netns', 'add', $name);
    push @made, $name;
    # Link-local addresses are usable at once.
    ip('netns', 'exec', $name, 'sh', '-c',
        "'for d in all default; do "
        . "echo 0 > /proc/sys/net/ipv6/conf/\$d/accept_dad; done'");
    ip('-n', $name, 'link', 'set', 'lo', 'up');
    return $name;
}

# A link between two namespaces: each end is called eth-OTHER. Addresses are
# given as lists; IPv6 ones are usable at once.
sub link_namespaces {
    my ($left, $lefts, $right, $rights) = @_;
    ip('link', 'add', 'left', 'netns', $left, 'type', 'veth', 'peer', 'name',
        'right', 'netns', $right);
    set_up($left, 'left', @$lefts);
    set_up($right, 'right', @$rights);
    wait_link($left, 'left');
    wait_link($right, 'right');
}

# Gives a device its addresses, and takes it up.
sub set_up {
    my ($ns, $if, @addresses) = @_;
    ip('-n', $ns, 'address', 'add', $_, 'dev', $if, /:/ ? 'nodad' : ())
        for @addresses;
    ip('-n', $ns, 'link', 'set', $if, $if =~ /^t/ ? () : ('addrgenmode', 'eui64'),
        'up');
}

# Waits until the kernel has the routes of a link, which needs both ends up.
sub wait_link {
    my ($ns, $if) = @_;
    my $until = time + $Sockt::PATIENCE;
    while (time < $until) {
        return if ip('-n', $ns, '-6', 'route', 'show', 'table', 'all')
            =~ /^multicast ff00::\/8 dev \Q$if\E /m;
        select undef, undef, undef, 0.02;
    }
    croak "$ns: $if never got its routes";
}

# Runs a program in a namespace to its end, as Sockt::run.
sub in_namespace {
    my $o = ref $_[0] eq 'HASH' ? shift : {};
    my ($ns, @command) = @_;
    return run({ %$o, command => 'ip' }, 'netns', 'exec', $ns, @command);
}

# Starts sockt in a namespace beside the test, as Sockt::start.
sub start_in {
    my ($ns, @args) = @_;
    return start({ command => 'ip' }, 'netns', 'exec', $ns, sockt(), @args);
}

my @links;    # the processes that are slow links
my $pairs = 0;

# Names of two namespaces, linked by v0 in both, or by a slow link between t0 and
# t1: link => a list DELAY-MS LOSS-PERMILLE QUEUE, see tests/lib/tun_link.c. The first
# is 192.0.2.1 and 2001:db8::1, the second .2 and ::2.
sub two_hosts {
    my (%o) = @_;
    $pairs++;
    my @names = map { namespace("$pairs-$_") } 'a', 'b';
    my @dev = ('v0', 'v0');
    if ($o{link}) {
        @dev = ('t0', 't1');
        push @links, start({ command => built('link') }, @names, @{ $o{link} });
        $links[-1]->expect(out => qr/ready/);
    } else {
        ip('link', 'add', 'v0', 'netns', $names[0], 'type', 'veth', 'peer',
            'name', 'v0', 'netns', $names[1]);
    }
    set_up($names[$_ - 1], $dev[$_ - 1], "192.0.2.$_/24", "2001:db8::$_/64")
        for 1, 2;
    return @names;
}

# Names of four namespaces in a row: a client, two routers and a server. Each has
# "e" towards the server and "w" towards the client; the links are 10.9.1.0/24 to
# 10.9.3.0/24 and fd09:1::/64 to fd09:3::/64, .1 in the west and .2 in the east.
# The server is 10.9.3.2 and fd09:3::2.
sub routed_hosts {
    $pairs++;
    my @names = map { namespace("$pairs-$_") } qw(client near far server);
    for my $i (1 .. 3) {
        my ($west, $east) = @names[$i - 1, $i];
        ip('link', 'add', 'e', 'netns', $west, 'type', 'veth', 'peer', 'name',
            'w', 'netns', $east);
        set_up($west, 'e', "10.9.$i.1/24", "fd09:${i}::1/64");
        set_up($east, 'w', "10.9.$i.2/24", "fd09:${i}::2/64");
    }
    inside($_, 'echo 1 >/proc/sys/net/ipv4/ip_forward; '
        . 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding') for @names[1, 2];
    my @routes = ([0, 'default', '10.9.1.2', 'fd09:1::2'],
        [1, ['10.9.3.0/24', 'fd09:3::/64'], '10.9.2.2', 'fd09:2::2'],
        [2, ['10.9.1.0/24', 'fd09:1::/64'], '10.9.2.1', 'fd09:2::1'],
        [3, 'default', '10.9.3.1', 'fd09:3::1']);
    for (@routes) {
        my ($i, $to, @via) = @$_;
        my @to = ref $to ? @$to : ($to) x 2;
        ip('-n', $names[$i], $_ ? '-6' : '-4', 'route', 'add', $to[$_], 'via',
            $via[$_]) for 0, 1;
    }
    return @names;
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
    my $p = start({ command => 'ip' }, 'netns', 'exec', $name, $^X,
        '-e', $code, $banner, @ports);
    $p->expect(out => qr/ready/);
    return $p;
}

# Adds input rules of nft(8) in a namespace, one per argument.
sub firewall {
    my ($name, @rules) = @_;
    inside($name, "nft 'add table inet f; add chain inet f i "
        . "{ type filter hook input priority 0; }'");
    inside($name, "nft 'add rule inet f i $_'") for @rules;
}

END {
    if ($$ == $owner) {
        local $?;
        system("ip netns delete $_ 2>/dev/null") for @made;
    }
}

1;
