# Binding that fails is status 7 and tells why: a port in use and who holds
# it, a port that needs a privilege, an address that is not ours.
use Sockt;

my $proc = -r '/proc/net/tcp';
my $l = tcp_listener();
my $port = $l->sockport;

my $r = run('listen', '127.0.0.1', $port);
exits $r, 7, 'a port in use, is told on one line',
    err => qr/\Asockt listen: .*127\.0\.0\.1 port $port: address in use .*\n\z/;
SKIP: {
    skip 'no /proc/net/tcp', 2 unless $proc;
    like $r->{err}, qr/process $$ \(.+\)/, 'with the process that holds it';
    # 127.0.0.1 and ::1 are asked for; IPv4 is taken.
    $r = run('listen', $port);
    like $r->{err}, qr/process $$ /, 'also where no address was given';
}
is run('listen', $port)->{status}, 7, 'half of the loopback is not enough';

my $any = tcp_listener(host => '0.0.0.0');
my $any_port = $any->sockport;
$r = run('listen', '127.0.0.1', $any_port);
is $r->{status}, 7, 'a port that is in use on every interface';
like $r->{err}, qr/process $$ /, 'is told likewise' if $proc;

SKIP: {
    skip 'no IPv6 here', 2 unless has_ipv6();
    my $six = tcp_listener(host => '::1');
    $r = run('listen', '::1', $six->sockport);
    is $r->{status}, 7, 'a port in use on ::1';
    like $r->{err}, qr/process $$ /, 'is told likewise' if $proc;
}

# The holder is the one that is in the way, not one on another address.
my $other = tcp_listener(host => '127.0.0.2');
my $p = start('listen', '-v', '127.0.0.3', $other->sockport);
$p->port;
$r = run('listen', '127.0.0.3', $other->sockport);
is $r->{status}, 7, 'a port in use on one address of two';
like $r->{err}, qr/process $p->{pid} \(sockt\)/, 'names the right holder'
    if $proc;
$p->stop;

exits run('listen', '192.0.2.1', 0), 7, 'an address that is not ours',
    err => qr/192\.0\.2\.1 .*address not available \(it is not an address of this machine\)/;

exits run('connect', '-s', '192.0.2.1', '127.0.0.1', $port), 7,
    'a source that is not ours', err => qr/address not available/;
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
    skip 'every port may be bound here', 4 if $first < 2;
    my $low = $first - 1;
    my $drop = is_root() ? '$( = $) = "65534 65534"; ($<, $>) = (65534) x 2;' : '';
    my $r = run({ command => $^X },
        '-e', "$drop exec \@ARGV or die", sockt(), 'listen', $low);
    skip 'the binary cannot be run by another user', 4
        if $r->{err} =~ /Died at/;
    exits $r, 7, "port $low without privilege",
        err => qr/port $low: permission denied \(.*privilege.*\)/;
    exits run({ command => $^X }, '-e', "$drop exec \@ARGV or die", sockt(),
        'connect', '-p', $low, '127.0.0.1', $port), 7, 'and as a source port',
        err => qr/cannot use local port $low: permission denied/;
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
$r = run('connect', '-z', '-p', $own_port, '127.0.0.1', $own_port);
is $r->{status}, 4, 'a local port that is the remote one: refused';
like $r->{err}, qr/port $own_port: refused/, '  and a line says so';

# Every address, with a word that no shell expands.
my $everywhere = start('listen', '-k', '--echo', 'any', 0);
is exchange($everywhere->port, "x\n"), "x\n", 'any is every address';
like $everywhere->{err}, qr/listening on every address/, 'as * is';
$everywhere->stop;

done_testing;
