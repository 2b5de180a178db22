# What no datagram can carry is refused with the limit, never cut.
use Sockt;
use IO::Select;
use Socket;

my $s = udp_socket();
setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 1 << 20;
my @to = ('127.0.0.1', $s->sockport);

sub received {
    return undef unless IO::Select->new($s)->can_read(1);
    $s->recv(my $x, 70_000);
    return length $x;
}

my $r = run({ stdin => 'x' x 65507 }, 'udp-send', '--no-reply', '--whole', @to);
is $r->{status}, 0, 'the longest datagram of IPv4';
is received(), 65507, 'arrives whole';
exits run({ stdin => 'x' x 65508 }, 'udp-send', '--no-reply', '--whole', @to),
    2, 'one byte more is an error, that names the limit',
    err => qr/of 65508 bytes is too long: UDP over IPv4 carries 65507 at most/;
$r = run({ stdin => 'x' x 70_000 }, 'udp-send', '--no-reply', '--whole', @to);
is $r->{status}, 2, 'the whole of much more';
like $r->{err}, qr/all of stdin is too long for a datagram/, 'told';
exits run({ stdin => "ok\n" . 'x' x 700_000 }, 'udp-send', '--no-reply', @to),
    1, 'a line that is too long, after another',
    err => qr/a line of stdin is too long .*; sent 1 datagram$/;
is received(), 3, 'what came before it was sent';
$r = run({ stdin => "ok\n" . 'x' x 65_508 }, 'udp-send', '--no-reply', @to);
is $r->{status}, 1, 'a line that IPv4 cannot carry, after another';
like $r->{err}, qr/carries 65507 at most; sent 1 datagram$/, 'told, too';
is received(), 3, 'and what came before it was sent';
$r = run('udp-send', '--no-reply', @to, 'x' x 65_508);
is $r->{status}, 2, 'a message that is too long is a usage error';
like $r->{err}, qr/carries 65507 at most$/m, 'that names the limit';
exits run({ stdin => 'x' x 70_000 }, 'udp-send', '--no-reply', '--size',
    65_508, @to), 2, 'so is a block';
$r = run('udp-send', '--no-reply', '--size', '65528', @to);
is $r->{status}, 2, 'a block that is too long is a usage error';
ok !IO::Select->new($s)->can_read(0), 'nothing was cut to fit';

SKIP: {
    skip 'no IPv6', 2 unless has_ipv6();
    my $s6 = udp_socket(host => '::1');
    my @to6 = ('::1', $s6->sockport);
    exits run({ stdin => 'x' x 65527 }, 'udp-send', '--no-reply', '--whole',
        @to6), 0, 'IPv6 carries 20 bytes more';
    $r = run({ stdin => 'x' x 65525 }, 'udp-send', '--no-reply', '--whole',
        '--number', @to6);
    like $r->{err}, qr/65528 bytes is too long: UDP over IPv6 carries 65527/,
        'and no more';
}

# A server whose answer would be too long says so, and goes on.
my $p = start('udp-serve', '-4', '-v', '0');
my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
$c->send('x' x 65507);
$p->expect(err => qr/ignored: no answer was sent: .* 65515 bytes is too long/);
$c->send('short');
$c->recv(my $x, 100);
is $x, 'Hello, short!', 'the server goes on';
$p->stop;

# A message that was longer than a datagram wrote past the room that --number
# has for it.
my $dir = scratch();
$ENV{TMPDIR} = $dir;
socket $s, AF_UNIX, SOCK_DGRAM, 0;
bind $s, pack_sockaddr_un("$dir/s");
$r = run('udp-send', '--number', '--count', '64', '--window', '64',
    '--sndbuf', '4M', "unix:$dir/s", 'x' x 120_000);
is $r->{signal}, 0, 'not a crash';
exits $r, 2, 'but too long',
    err => qr/120000 bytes is too long to be numbered: 65536 bytes at most/;
$r = run('udp-send', '--no-reply', '--number', "unix:$dir/s", 'x' x 65_536);
is $r->{status}, 0, 'the longest that a number fits before';
recv $s, $x, 70_000, 0;
ok $x eq '#0 ' . 'x' x 65_536, 'arrives';

# One that is too long was left out, in silence, where another went before it.
exits run('udp-send', '--no-reply', '--number', "unix:$dir/s", 'one',
    'x' x 65_537, 'three'), 2, 'a message that is too long behind another',
    err => qr/65537 bytes is too long to be numbered/;
recv $s, $x, 70_000, 0;
is $x, '#0 one', 'those before it are sent';
ok !defined recv($s, $x, 70_000, MSG_DONTWAIT), 'and none behind it';

done_testing;
