# Binding that fails is status 7 and tells why: a port in use and who holds
# it, a port that needs a privilege, an address that is not ours.
use Sockt;

my $proc = -r '/proc/net/tcp';
my $l = tcp_listener();
my $port = $l->sockport;

my $any = tcp_listener(host => '0.0.0.0');
my $any_port = $any->sockport;
my $six = has_ipv6() ? tcp_listener(host => '::1') : undef;
my $other = tcp_listener(host => '127.0.0.2');
my $p = start('listen', '-v', '127.0.0.3', $other->sockport);
$p->port;
for my $row (
    ['a port in use, is told on one line', $$, '127.0.0.1', $port],
    ['half of the loopback is not enough', $$, $port],
    ['a port that is in use on every interface', $$, '127.0.0.1', $any_port],
    $six ? ['a port in use on ::1', $$, '::1', $six->sockport] : (),
    # The holder is the one that is in the way, not one on another address.
    ['a port in use on one address of two', $p->{pid}, '127.0.0.3', $other->sockport]) {
    my ($name, $holder, @args) = @$row;
    exits run('listen', @args), 7, "$name, with the process that holds it",
        err => [qr/\Asockt listen: .* port $args[-1]: address in use .*\n\z/,
        $proc ? qr/process $holder \(.+\)/ : ()];
}
$p->stop;

exits run('listen', '192.0.2.1', 0), 7, 'an address that is not ours',
    err => qr/192\.0\.2\.1 .*address not available \(it is not an address of this machine\)/;
exits run('connect', '-s', '127.0.0.1', '-p', $port, '127.0.0.1', $any_port),
    7, 'a source port in use, as our end, not the other side',
    err => [qr/address in use/,
    qr/cannot use local address 127\.0\.0\.1 port $port: /];
unlike run('connect', '-vv', '-s', '192.0.2.1', '127.0.0.1', $port)->{err},
    qr/: connect the socket/, 'no step is told that was not taken';

# Without privilege: another user, where we are root.
SKIP: {
    my $first = 1024;
    if (open my $f, '<', '/proc/sys/net/ipv4/ip_unprivileged_port_start') {
        chomp($first = <$f>);
    }
    skip 'every port may be bound here', 2 if $first < 2;
    my $low = $first - 1;
    my $drop = is_root() ? '$( = $) = "65534 65534"; ($<, $>) = (65534) x 2;' : '';
    my @unprivileged = ({ command => $^X }, '-e', "$drop exec \@ARGV or die", sockt());
    my $r = run(@unprivileged, 'listen', $low);
    skip 'the binary cannot be run by another user', 2
        if $r->{err} =~ /Died at/;
    exits $r, 7, "port $low without privilege",
        err => qr/port $low: permission denied \(.*privilege.*\)/;
    exits run(@unprivileged, 'connect', '-p', $low, '127.0.0.1', $port), 7,
        'and as a source port', err => qr/cannot use local port $low: permission denied/;
}

# udp-send -p with a port in use did not name the process that holds it: it had
# confined itself before it bound, and could not read /proc any more.
my $s = udp_socket();
$port = $s->sockport;
for my $source ([], [ '-s', '127.0.0.1' ]) {
    last unless -r '/proc/net/udp';
    exits run('udp-send', '--no-reply', @$source, '-p', $port, '127.0.0.1', 9,
        'x'), 7, "@$source -p with a port in use, who holds it",
        err => qr/ port $port: address in use.* \(held by process $$ /;
}

# A socket that is its own peer: nobody listens there.
my $own_port = free_port();
exits run('connect', '-z', '-p', $own_port, '127.0.0.1', $own_port), 4,
    'a local port that is the remote one: refused, and a line says so',
    err => qr/port $own_port: refused/;

# Every address, with a word that no shell expands.
my $everywhere = start('listen', '-k', '--echo', 'any', 0);
is exchange($everywhere->port, "x\n"), "x\n", 'any is every address';
like $everywhere->{err}, qr/listening on every address/, 'as * is';
$everywhere->stop;

done_testing;
