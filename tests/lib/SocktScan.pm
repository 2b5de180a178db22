# Two machines for scans, in network namespaces, and the link between them.
# Only root can make them; SocktNet removes them when the test ends.
package SocktScan;

use strict;
use warnings;
use Carp qw(croak);
use Exporter qw(import);
use Sockt;
use SocktNet qw(need_root namespace ip);

our @EXPORT = qw(need_root two_hosts inside listen_inside firewall);

my @links;    # the processes that are slow links
my $pairs = 0;

# Names of two namespaces. link => 'veth', or a list DELAY-MS LOSS-PERMILLE
# QUEUE for the slow link of tests/lib/link.c. The first is 192.0.2.1 and
# 2001:db8::1, the second .2 and ::2.
sub two_hosts {
    my (%o) = @_;
    $pairs++;
    my @names = map { namespace("$pairs-$_") } 'a', 'b';
    my @dev = ref $o{link} ? slow_link($o{link}, @names) : veth(@names);
    for my $i (0, 1) {
        my ($dev, $host) = ($dev[$i], $i + 1);
        my @on = ('-n', $names[$i]);
        ip(@on, 'link', 'set', $dev, 'up');
        ip(@on, 'addr', 'add', "192.0.2.$host/24", 'dev', $dev);
        ip(@on, '-6', 'addr', 'add', "2001:db8::$host/64", 'dev', $dev, 'nodad');
    }
    return @names;
}

sub veth {
    my ($a, $b) = @_;
    ip('link', 'add', 'v0', 'netns', $a, 'type', 'veth', 'peer', 'name', 'v0',
        'netns', $b);
    return ('v0', 'v0');
}

sub slow_link {
    my ($args, @names) = @_;
    push @links, start({ command => built('link') }, @names, @$args);
    $links[-1]->expect(out => qr/ready/);
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

1;
