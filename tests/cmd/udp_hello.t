# udp-serve greets each datagram's sender, udp-send asks any server: the
# tutorials' exchange, in both directions, against Perl sockets.
use Sockt;
use IO::Select;

# Sends datagrams from a Perl client one by one; its replies.
sub ask {
    my ($socket, @messages) = @_;
    return map {
        $socket->send($_);
        IO::Select->new($socket)->can_read(10) or die 'no reply';
        $socket->recv(my $got, 70_000) // die "recv: $!";
        $got;
    } @messages;
}

# TCP and UDP servers share a port number; another test may hold the TCP one.
my ($p, $tcp, $port);
for (1 .. 20) {
    $p = start('udp-serve', '0');
    $port = $p->port;
    $tcp = start('serve-hello', '-4v', $port);
    last if eval { $tcp->expect(err => qr/listening on|in use/) eq '1' }
        && $tcp->{err} =~ /listening on/;
    $_->stop for $tcp, $p;
}
my $c = udp_socket(peer => ['127.0.0.1', $port]);
is_deeply [ask($c, 'Michael', 'Tracy', 'Sarah')],
    ['Hello, Michael!', 'Hello, Tracy!', 'Hello, Sarah!'],
    'three datagrams, three answers';
is_deeply [ask($c, "line\n", '', "a\0b\xff")],
    ["Hello, line\n!", 'Hello, !', "Hello, a\0b\xff!"],
    'the payload is the message, whatever is in it';
$p->expect(err => qr/127\.0\.0\.1 port ${\$c->sockport} says: Tracy\n/);
my $other = udp_socket(peer => ['127.0.0.1', $port]);
is_deeply [ask($other, 'Bob')], ['Hello, Bob!'], 'another client';
if (has_ipv6()) {
    my $c6 = udp_socket(host => '::1', peer => ['::1', $port]);
    is_deeply [ask($c6, 'six')], ['Hello, six!'], 'IPv6 on the same port';
}

is $tcp->port, $port, 'a TCP server on the very same port';
my $t = tcp_client($port);
$t->sysread(my $welcome, 100);
is $welcome, 'Welcome!', 'answers TCP';
is_deeply [ask($c, 'still')], ['Hello, still!'], 'and the other one UDP';
is $tcp->stop->{status}, 0, 'TCP server ends';
exits $p->stop, 0, 'UDP server ends';

# The client, against a Perl server.
my $s = udp_socket();
Sockt::fork_child(sub {
    for (1 .. 3) {
        my $from = $s->recv(my $x, 70_000);
        $s->send("Hello, $x!", 0, $from);
    }
});
exits run('udp-send', '127.0.0.1', $s->sockport, 'Michael', 'Tracy', 'Sarah'),
    0, 'three messages, three printed answers, status 0',
    out => "Hello, Michael!\nHello, Tracy!\nHello, Sarah!\n", err => '';

# Refused and silent.
# A socket that is connected elsewhere holds the port and hears nobody.
my $deaf = udp_socket(peer => ['127.0.0.1', 1]);
my $free = $deaf->sockport;
exits run('udp-send', '127.0.0.1', $free, 'x'), 4,
    'a refused port is status 4, at once: ICMP said so',
    err => qr/^sockt udp-send: 127\.0\.0\.1 port $free: refused \(/,
    within => 1.5;
exits run('udp-send', '-w', '0.2', '127.0.0.1', $s->sockport, 'x'), 5,
    'silence is status 5', err => qr/no reply within 0\.2 s \(--timeout\)/;

# A name with a dead first address.
my $names = built('sockt-names');
my $dead = { env => { SOCKT_TEST_NAMES => 'both=127.0.0.2,127.0.0.1' },
    command => $names };
Sockt::fork_child(sub {
    for (1 .. 4) {
        my $from = $s->recv(my $x, 70_000);
        next if $x eq 'x';
        $s->send($x, 0, $from);
    }
});
my $r = run($dead, 'udp-send', 'both', $s->sockport, 'one', 'two');
is $r->{out}, "one\ntwo\n", 'the next address is tried after a refusal';
$r = run($dead, 'udp-send', '-v', 'both', $s->sockport, 'three');
like $r->{err}, qr/: sent 1 \(5 bytes\), received 1 \(5 bytes\)/,
    'what was refused is not counted';
$r = run($dead, 'udp-send', 'both', $free, 'one');
like $r->{err}, qr/127\.0\.0\.2 .* refused .*127\.0\.0\.1 .* refused/,
    'when all refuse, all are told';

# A port in use is status 7.
exits run('udp-serve', '-4', $s->sockport), 7, 'a port in use is status 7',
    err => qr/cannot receive on 127\.0\.0\.1 port \d+: address in use/;

# Answers leave from the address that was asked, on a wildcard socket too.
# A connected client hears that address only.
sub ask_at {
    my ($host, $port) = @_;
    my $c = udp_socket(
        host => $host =~ /:/ ? '::' : '0.0.0.0', peer => [$host, $port]);
    $c->send("to $host");
    return undef unless IO::Select->new($c)->can_read(3);
    $c->recv(my $got, 1000) // return "error: $!";
    return $got;
}

$p = start('udp-serve', '*', '0');
$port = $p->port;
for my $host ('127.0.0.1', '127.0.0.2', '127.1.2.3',
    has_ipv6() ? '::1' : ()) {
    is ask_at($host, $port), "Hello, to $host!", "$host answers from $host";
}
is $p->stop->{status}, 0, 'ends';

$p = start('udp-serve', '-4', '--echo', '*', '0');
is ask_at('127.0.0.3', $p->port), 'to 127.0.0.3', 'an IPv4 socket does so too';
$p->stop;

done_testing;
