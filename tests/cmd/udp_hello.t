# udp-serve greets each datagram's sender, udp-send asks any server: the
# tutorials' exchange, in both directions, against Perl sockets.
use Sockt;
use SocktUdp;

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
my $c = udp_client($p);
is ask($c, $_), "Hello, $_!", 'the payload is the message, whatever is in it'
    for 'Michael', 'Tracy', 'Sarah', "line\n", '', "a\0b\xff";
$p->expect(err => qr/127\.0\.0\.1 port ${\$c->sockport} says: Tracy\n/);
is ask(udp_client($p), 'Bob'), 'Hello, Bob!', 'another client';
is ask(udp_socket(host => '::1', peer => ['::1', $port]), 'six'), 'Hello, six!',
    'IPv6 on the same port' if has_ipv6();

is $tcp->port, $port, 'a TCP server on the very same port';
my $t = tcp_client($port);
$t->sysread(my $welcome, 100);
is $welcome, 'Welcome!', 'answers TCP';
is ask($c, 'still'), 'Hello, still!', 'and the other one UDP';
is $tcp->stop->{status}, 0, 'TCP server ends';
exits $p->stop, 0, 'UDP server ends';

# The client, against a Perl server.
my $s = udp_socket();
answers($s, 3, sub { "Hello, $_[0]!" });
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
    'silence is status 5', err => qr/no reply within 0\.2 s \(--timeout\); .*; --no-reply does not wait$/m;

# A name with a dead first address.
my $dead = { env => { SOCKT_TEST_NAMES => 'both=127.0.0.2,127.0.0.1' },
    command => built('sockt-names') };
answers($s, 4, sub { $_[0] eq 'x' ? () : $_[0] });
exits run($dead, 'udp-send', 'both', $s->sockport, 'one', 'two'), "0 one\ntwo\n",
    'the next address is tried after a refusal';
exits run($dead, 'udp-send', '-v', 'both', $s->sockport, 'three'), 0,
    'what was refused is not counted',
    err => qr/: sent 1 \(5 bytes\), received 1 \(5 bytes\)/;
exits run($dead, 'udp-send', 'both', $free, 'one'), 4,
    'when all refuse, all are told',
    err => qr/127\.0\.0\.2 .* refused .*127\.0\.0\.1 .* refused/;

# A port in use is status 7.
exits run('udp-serve', '-4', $s->sockport), 7, 'a port in use is status 7',
    err => qr/cannot receive on 127\.0\.0\.1 port \d+: address in use/;

# Answers leave from the address that was asked, on a wildcard socket too: a
# connected client hears that address only.
sub ask_at {
    my ($host, $port) = @_;
    return ask(udp_socket(host => $host =~ /:/ ? '::' : '0.0.0.0',
        peer => [$host, $port]), "to $host", 3);
}

$p = start('udp-serve', '*', '0');
$port = $p->port;
is ask_at($_, $port), "Hello, to $_!", "$_ answers from $_"
    for '127.0.0.1', '127.0.0.2', '127.1.2.3', has_ipv6() ? '::1' : ();
is $p->stop->{status}, 0, 'ends';

$p = start('udp-serve', '-4', '--echo', '*', '0');
is ask_at('127.0.0.3', $p->port), 'to 127.0.0.3', 'an IPv4 socket does so too';
$p->stop;

done_testing;
