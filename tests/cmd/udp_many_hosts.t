# Groups and broadcasts on the loopback interface: joined, sent to, answered
# by everybody who hears them.
use Sockt;
use Socket qw(:all);
use SocktUdp;

my $lo = ($^O eq 'linux') ? 'lo' : 'lo0';
my $group = '239.255.77.' . (1 + $$ % 250);

# A Perl member of the group on a port.
sub member {
    my ($port) = @_;
    socket my $s, AF_INET, SOCK_DGRAM, 0 or die "socket: $!";
    setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1;
    bind $s, pack_sockaddr_in($port // 0, inet_aton($group)) or die "bind: $!";
    setsockopt $s, IPPROTO_IP, IP_ADD_MEMBERSHIP,
        pack_ip_mreq(inet_aton($group), inet_aton('127.0.0.1'))
        or die "join: $!";
    return $s;
}

# Sending needs no joining.
my $s = member();
my ($port) = unpack_sockaddr_in(getsockname $s);
exits run('udp-send', '--no-reply', '--multicast-interface', $lo, $group,
    $port, 'to all'), 0, 'sent to a group';
is hear($s), 'to all', 'a member hears it';

# The options of a group; whether an IPv6 datagram can be sent depends on the
# routes.
for my $family (['IP', 'TTL', $group], ['IPV6', 'HOPS', "ff01::1%$lo"]) {
    my ($name, $limit, $to) = @$family;
    next if $name eq 'IPV6' && !has_ipv6();
    my $r = run('udp-send', '-vv', '--no-reply', '--multicast-interface', $lo,
        '--multicast-ttl', 7, '--no-multicast-loop', $to, 9, 'x');
    like $r->{err}, qr/ ${name}_MULTICAST_$_ .*: ok/, "${name}_MULTICAST_$_"
        for "$limit = 7", 'LOOP = 0', 'IF = interface \d+';
}

# Many may answer.
Sockt::fork_child(sub {
    my (undef, $from) = hear($s);
    udp_socket()->send('one', 0, $from);
    udp_socket(host => '127.0.0.2')->send('two', 0, $from);
});
my $r = run('udp-send', '-v', '--multicast-interface', $lo, '-w', '0.5', $group,
    $port, 'who is there');
exits $r, 0, 'all that answer in time are heard, and who they are',
    out => qr/\A(?:one\ntwo|two\none)\n\z/, err => qr/reply from 127\.0\.0\.2 port/;
exits run('udp-send', '--multicast-interface', $lo, '-w', '0.1', $group, $port,
    'x'), 5, 'nobody is status 5';

# A server that has joined.
my $p = start('udp-serve', '-v', '--join', "$group%$lo", '0');
$port = $p->port;
like $p->{err}, qr/receiving on \Q$group\E port/, 'it is bound to the group';
my $c = udp_socket();
setsockopt $c, IPPROTO_IP, IP_MULTICAST_IF, inet_aton('127.0.0.1');
$c->send('hi', 0, pack_sockaddr_in($port, inet_aton($group)));
is hear($c), 'Hello, hi!', 'hears the group';
unlike ask(udp_client($p), 'x', 0.2) // '', qr/Hello/, 'and nothing else';
$s = member($port);
$c->send('both', 0, pack_sockaddr_in($port, inet_aton($group)));
is hear($s), 'both', 'another member on the same port hears it too';
is hear($c), 'Hello, both!', 'as does the server';
is $p->stop->{status}, 0, 'ends';

for my $families ([], ['-4']) {
    $p = start('udp-serve', @$families, '--join', "$group%$lo", '*', '0');
    $c->send('hi', 0, pack_sockaddr_in($p->port, inet_aton($group)));
    is hear($c), 'Hello, hi!', "@$families with ADDR the group";
    is ask(udp_client($p), 'x'), 'Hello, x!', 'and everything else';
    $p->stop;
}
exits run('udp-serve', '--join', "$group%$lo", '127.0.0.1', '0', '-m', '0.1'), 5,
    'a group may be joined on any address';
exits run('udp-serve', '-6', '--join', "$group%$lo", '::1', '0'), 7,
    'but not on one of the other family';
exits run('udp-serve', ('--join', "$group%$lo") x 2, '-m', '0.1', '0'), 7,
    'nor twice', err => qr/: cannot join \Q$group\E: address in use/;

# Broadcast.
$p = start('udp-serve', '-4', '-v', '*', '0');
$port = $p->port;
misused 'udp-send', qr/a broadcast address needs --broadcast/ =>
    "127.255.255.255 $port x";
exits run('udp-send', '--broadcast', '-w', '0.3', '127.255.255.255', $port,
    'x'), 0, '--broadcast, is answered', out => "Hello, x!\n";
$p->stop;

# An option for multicast groups was accepted for another peer, and ignored.
my $none = qr/requires a multicast group; 127\.0\.0\.1 is not one$/m;
misused 'udp-send', map { my ($option) = /^(\S+)/;
    (qr/^sockt udp-send: $option $none/ => "-n $_ 127.0.0.1 9 x") }
    '--multicast-ttl 3', '--no-multicast-loop', '--multicast-interface lo';

done_testing;
