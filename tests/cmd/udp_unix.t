# Unix datagram sockets, as server and as client, path and abstract.
use Sockt;
use IO::Select;
use Socket;

my $dir = scratch();
$ENV{TMPDIR} = $dir;

sub unix_socket {
    my ($path) = @_;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($path) or die "bind: $!";
    return $s;
}

# sockt serves.
my $p = start('udp-serve', '-vv', "unix:$dir/server");
$p->expect(err => qr/receiving on unix:\Q$dir\E\/server\n/);
my $c = unix_socket("$dir/client");
send $c, 'Michael', 0, pack_sockaddr_un("$dir/server");
recv $c, my $got, 1000, 0;
is $got, 'Hello, Michael!', 'a named client is answered';
socket my $nameless, AF_UNIX, SOCK_DGRAM, 0;
send $nameless, 'x', 0, pack_sockaddr_un("$dir/server");
$p->expect(err => qr/ignored: its sender has no address to send an answer to/);
setsockopt $c, SOL_SOCKET, SO_SNDBUF, 1 << 20;
send $c, 'y' x 100_000, 0, pack_sockaddr_un("$dir/server")
    or die "send: $!";
$p->expect(err => qr/recvmsg .*\(one datagram, which was truncated\)/);
$p->expect(err => qr/\(its end was cut off\)/);
$p->expect(err => qr/ignored: it is too long and was truncated/);
pass 'a datagram that is longer than the buffer is told';
my $r = run('udp-send', "unix:$dir/server", 'a', 'b');
is $r->{out}, "Hello, a!\nHello, b!\n", 'udp-send asks it';
is $p->stop->{status}, 0, 'ends';
ok !-e "$dir/server", 'the path is gone';

# Each path has a limit of its own.
$p = start('udp-serve', '-v', '--max-rate', '2', '--echo', "unix:$dir/server");
$p->expect(err => qr/receiving on/);
my $other = unix_socket("$dir/other");
for my $from ($c, $other) {
    send $from, $_, 0, pack_sockaddr_un("$dir/server") for 1 .. 3;
    recv $from, $got, 1000, 0;
    is $got, 1, '--max-rate: each path is answered';
}
$p->expect(err => qr{unix:\Q$dir\E/$_: ignored: its host has reached the limit})
    for 'client', 'other';
$p->stop;

# A client that does not read its answers holds up nobody; it stopped the server
# once, which asked the socket for space without end.
$p = start('udp-serve', '-v', '--echo', "unix:$dir/server");
$p->expect(err => qr/receiving on/);
my ($stuck, $good) = map { unix_socket("$dir/$_") } 'stuck', 'good';
my @before = times;
for my $n (1 .. 700) {
    send $stuck, "stuck $n", 0, pack_sockaddr_un("$dir/server")
        or die "send: $!";
    $p->_pump(0);
}
send $good, 'good', 0, pack_sockaddr_un("$dir/server");
recv $good, $got, 1000, 0;
is $got, 'good', 'others are answered';
my @got;
while (IO::Select->new($stuck)->can_read(0)) {
    recv $stuck, $got, 1000, 0;
    push @got, $got;
}
send $stuck, 'again', 0, pack_sockaddr_un("$dir/server");
recv $stuck, $got, 1000, 0;
is $got, 'again', 'a client that reads is answered';
$r = $p->stop;
my $told = () = $r->{err} =~ /stuck: ignored: no answer was sent: the client does not read those it has/g;
is scalar(@got) + $told, 700, 'each answer is sent or told';
is_deeply \@got, [map { "stuck $_" } 1 .. @got], 'in order';
my ($answered, $ignored) = $r->{err} =~ /answered (\d+) .*, ignored (\d+);/;
is "$answered $ignored", @got + 2 . " $told", 'and counted';
my @after = times;
cmp_ok $after[2] + $after[3] - $before[2] - $before[3], '<', 0.5,
    'without spinning';

# sockt asks.
my $s = unix_socket("$dir/perl");
Sockt::fork_child(sub {
    for (1 .. 2) {
        my $from = recv $s, my $x, 1000, 0;
        send $s, "<$x>", 0, $from;
    }
});
$r = run('udp-send', "unix:$dir/perl", 'one', '');
is $r->{out}, "<one>\n<>\n", 'a Perl server answers';
close $s;
exits run('udp-send', "unix:$dir/perl", 'x'), 4, 'nobody there is refused';
exits run('udp-send', "unix:$dir/nothing", 'x'), 7, 'no path is another thing';
$s = unix_socket("$dir/perl2");
exits run({ stdin => 'z' x 60_000 }, 'udp-send', '--no-reply', '--whole',
    "unix:$dir/perl2"), 0, 'a long one';
recv $s, $got, 70_000, 0;
is length $got, 60_000, 'arrives whole';
exits run({ stdin => 'z' x 60_000 }, 'udp-send', '--no-reply', '--whole',
    '--sndbuf', 4096, "unix:$dir/perl2"), 7,
    'one that is longer than the send buffer: status',
    err => qr{unix:\Q$dir\E/perl2: a datagram of 60000 bytes is longer than the socket's send buffer$};
is_deeply [glob "$dir/sockt*"], [], 'clients leave nothing behind';

SKIP: {
    skip 'no abstract sockets', 2 unless $^O eq 'linux';
    my $name = "\@sockt-test-$$";
    $p = start('udp-serve', '-v', "unix:$name");
    $p->expect(err => qr/receiving on unix:\Q$name\E\n/);
    is run('udp-send', "unix:$name", 'x')->{out}, "Hello, x!\n", 'abstract';
    is $p->stop->{status}, 0, 'ends';
}

# What no datagram can carry is refused with the limit, never cut.
$s = udp_socket();
setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 1 << 20;
my @to = ('127.0.0.1', $s->sockport);

sub received {
    return undef unless IO::Select->new($s)->can_read(1);
    $s->recv(my $x, 70_000);
    return length $x;
}

$r = run({ stdin => 'x' x 65507 }, 'udp-send', '--no-reply', '--whole', @to);
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
$p = start('udp-serve', '-4', '-v', '0');
$c = udp_socket(peer => ['127.0.0.1', $p->port]);
$c->send('x' x 65507);
$p->expect(err => qr/ignored: no answer was sent: .* 65515 bytes is too long/);
$c->send('short');
$c->recv(my $x, 100);
is $x, 'Hello, short!', 'the server goes on';
$p->stop;

# A message that was longer than a datagram wrote past the room that --number
# has for it.
$dir = scratch();
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
