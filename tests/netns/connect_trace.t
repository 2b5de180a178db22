# connect --trace: the routers on the way of a TCP connection and where it ends,
# as an ordinary user, IPv4 and IPv6.
use Sockt;
use JSON::PP qw(decode_json);
use SocktNet;

need_root('nft');
my ($host, $near, $far, $server) = routed_hosts();
plan skip_all => 'only Linux tells the sender'
    if run('--version')->{out} =~ /posix/;
my $listeners = listen_inside($server, '', 80);
inside($_, 'sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0; '
    . 'nft add table inet f; for hook in input forward output; do nft add chain '
    . 'inet f $hook "{ type filter hook $hook priority 0; }"; done')
    for $near, $far, $server;
inside($far, 'nft add rule inet f forward tcp dport 82 reject with icmpx type '
    . 'admin-prohibited; nft add rule inet f forward tcp dport 83 drop');
inside($server, 'nft add rule inet f input tcp dport 84 reject with icmpx type '
    . 'port-unreachable');

sub trace { return in_namespace({}, $host, sockt(), 'connect', '--trace', @_) }

my $ms = qr/\d[\d.]* ms/;
for (['10.9.3.2', '10.9.1.2', '10.9.2.2', '10.9.1.77', 'it'],
    ['fd09:3::2', 'fd09:1::2', 'fd09:2::2', 'fd09:1::77', '.*']) {
    my ($to, $first, $second, $nobody, $silent) = @$_;
    my $way = qr/1  \Q$first\E  $ms\n2  \Q$second\E  $ms\n/;
    for my $row (
        [0, 80, qr/\A${way}3  \Q$to\E  $ms  open\n\z/, qr/\A\z/],
        [4, 81, qr/\A${way}3  \Q$to\E  $ms  refused\n\z/,
            qr/\A.*port 81: refused \(the host answered; nothing listens there\)\n\z/],
        [6, 82, qr/\A${way}3  \Q$second\E  $ms  prohibited by \Q$second\E, a router.*\n\z/,
            qr/\A.*port 82: prohibited by \Q$second\E, a router on the way/],
        [4, 84, qr/\A${way}3  \Q$to\E  $ms  refused by the host's firewall .*\n\z/,
            qr/\A.*port 84: refused by the host's firewall/]) {
        my ($status, $port, $out, $err) = @$row;
        exits trace($to, $port), $status, "$to $port", out => $out, err => $err,
            within => 1.5;
    }
    my $r = trace('-w', '.3', $to, 83);
    exits $r, 5, "$to 83: the packets get as far as the second router",
        out => qr/\A${way}3-30  \*\n\z/,
        err => qr/port 83: no answer from the host within 0\.3 s \(--timeout\); the last that answered is hop 2, \Q$second\E\n\z/;
    my @events = map { decode_json($_) } split /\n/, trace('--json', $to, 80)->{out};
    is_deeply [map { "$_->{event} $_->{hop} $_->{address}" } @events],
        ["hop 1 $first", "hop 2 $second", "hop 3 $to"], '  --json';
    is scalar(grep { $_->{seconds} > 0 } @events), 3, '  with round trips';
    exits trace('-w', 5, $nobody, 80), 6, '  a neighbor that is not there has no row',
        out => '', err => qr/host unreachable: $silent does not answer on this network/,
        within => 10;
    exits in_namespace({}, $host, sockt(), 'connect', '-z', '-w', '.2', $to, 83), 5,
        '  a timeout of connect names it',
        err => qr/queue is full\nsockt connect: to see how far packets get: sockt connect --trace \Q$to\E 83\n\z/;
}

exits run({ command => 'unshare' }, '-n', sockt(), 'connect', '--trace', '-w', 9,
    '10.4.0.2', 80), 6, 'no route: told at once', out => '', within => 5;

# A router that says nothing.
inside($near, 'nft add rule inet f output icmp type time-exceeded drop');
exits trace('-w', '.3', '10.9.3.2', 80), 0, 'a silent router is a star',
    out => qr/\A1  \*\n2  10\.9\.2\.2  $ms\n3  10\.9\.3\.2  $ms  open\n\z/;

# One that is silent once: the system repeats the SYN after a second, and whether
# its answer is one to the first or the second is not known.
inside($near, 'nft flush chain inet f output; nft add rule inet f output icmp type '
    . 'time-exceeded quota until 100 bytes drop');
exits trace('10.9.3.2', 80), 0, 'the round trip of a repeated attempt is not known',
    out => qr/\A1  10\.9\.1\.2\n2  10\.9\.2\.2  $ms\n3  10\.9\.3\.2  $ms  open\n\z/;

# Several attempts reach the host: only the first connection is not reset.
my $code = <<'END';
use strict; use IO::Socket::IP; use Errno;
my $l = IO::Socket::IP->new(LocalHost => '10.9.3.2', LocalPort => 85, Listen => 9)
    // die $@;
$| = 1; print "ready\n";
for (1 .. 6) { my $c = $l->accept; my $n = sysread $c, my $bytes, 1;
    print defined $n ? "end\n" : $!{ECONNRESET} ? "reset\n" : "$!\n"; }
END
my $p = start({ command => 'ip' }, 'netns', 'exec', $server, $^X, '-e', $code);
$p->expect(out => qr/ready/);
trace('10.9.3.2', 85);
is join(' ', sort split /\n/, $p->finish->{out}), 'end ready' . ' reset' x 5,
    'of six connections five are reset';
done_testing;
