# Unix datagram sockets, as server and as client, path and abstract.
use Sockt;
use Socket;
use SocktUdp;

my $dir = scratch();
$ENV{TMPDIR} = $dir;
my $server = pack_sockaddr_un("$dir/server");

sub unix_socket {
    my ($path) = @_;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($path) or die "bind: $!";
    return $s;
}

# A server on a path.
sub serve {
    my $p = start('udp-serve', @_, "unix:$dir/server");
    $p->expect(err => qr/receiving on unix:\Q$dir\E\/server\n/);
    return $p;
}

# What it answers to text.
sub asks {
    my ($c, $text) = @_;
    send $c, $text, 0, $server or die "send: $!";
    return scalar hear($c);
}

# sockt serves.
my $p = serve('-vv');
my $c = unix_socket("$dir/client");
is asks($c, 'Michael'), 'Hello, Michael!', 'a named client is answered';
socket my $nameless, AF_UNIX, SOCK_DGRAM, 0;
send $nameless, 'x', 0, $server;
$p->expect(err => qr/ignored: its sender has no address to send an answer to/);
setsockopt $c, SOL_SOCKET, SO_SNDBUF, 1 << 20;
send $c, 'y' x 100_000, 0, $server or die "send: $!";
$p->expect(err => qr/recvmsg .*\(one datagram, which was truncated\)/);
$p->expect(err => qr/\(its end was cut off\)/);
$p->expect(err => qr/ignored: it is too long and was truncated/);
pass 'a datagram that is longer than the buffer is told';
exits run('udp-send', "unix:$dir/server", 'a', 'b'), "0 Hello, a!\nHello, b!\n",
    'udp-send asks it';
is $p->stop->{status}, 0, 'ends';
ok !-e "$dir/server", 'the path is gone';

# Each path has a limit of its own.
$p = serve('-v', '--max-rate', '2', '--echo');
my $other = unix_socket("$dir/other");
for my $from ($c, $other) {
    send $from, $_, 0, $server for 2 .. 3;
    is asks($from, 1), 2, '--max-rate: each path is answered';
}
$p->expect(err => qr{unix:\Q$dir\E/$_: ignored: its host has reached the limit})
    for 'client', 'other';
$p->stop;

# A client that does not read its answers holds up nobody; it stopped the server
# once, which asked the socket for space without end.
$p = serve('-v', '--echo');
my ($stuck, $good) = map { unix_socket("$dir/$_") } 'stuck', 'good';
my @before = times;
for my $n (1 .. 700) {
    send $stuck, "stuck $n", 0, $server or die "send: $!";
    $p->_pump(0);
}
is asks($good, 'good'), 'good', 'others are answered';
my @got;
while (defined(my $got = hear($stuck, 0))) { push @got, $got }
is asks($stuck, 'again'), 'again', 'a client that reads is answered';
my $r = $p->stop;
my $told = () = $r->{err} =~ /stuck: ignored: no answer was sent: the client does not read those it has/g;
is scalar(@got) + $told, 700, 'each answer is sent or told';
is_deeply \@got, [map { "stuck $_" } 1 .. @got], 'in order';
my ($answered, $ignored) = $r->{err} =~ /answered (\d+) .*, ignored (\d+),/;
is "$answered $ignored", @got + 2 . " $told", 'and counted';
my @after = times;
cmp_ok $after[2] + $after[3] - $before[2] - $before[3], '<', 0.5,
    'without spinning';

# The signal comes while an answer waits for space.
$p = serve('-v', '--echo');
for (1 .. 700) {
    send $stuck, 'x', 0, $server or die "send: $!";
    $p->_pump(0);
}
ok !$p->stop->{timed_out}, 'a server whose client does not read can be ended';

# sockt asks.
my $s = unix_socket("$dir/perl");
my $pid = Sockt::fork_child(sub {
    for (1 .. 2) {
        my $from = recv $s, my $x, 1000, 0;
        send $s, "<$x>", 0, $from;
    }
});
exits run('udp-send', "unix:$dir/perl", 'one', ''), "0 <one>\n<>\n",
    'a Perl server answers';
is reap($pid), 0, 'and ends';
close $s;
exits run('udp-send', "unix:$dir/perl", 'x'), 4, 'nobody there is refused';
$s = unix_socket("$dir/perl2");
my @whole = ({ stdin => 'z' x 60_000 }, 'udp-send', '--no-reply', '--whole',
    "unix:$dir/perl2");
exits run(@whole), 0, 'a long one';
is hear($s), 'z' x 60_000, 'arrives whole';
exits run(@whole, '--sndbuf', 4096), 7,
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

# What no datagram can carry is refused with the limit, never cut: stdin, options,
# and what arrives nevertheless.
$s = udp_socket();
setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 1 << 20;
for my $case (
    ['the longest datagram of IPv4', 0, qr/\A\z/, 65507, 'x' x 65507, '--whole'],
    ['one byte more is an error, that names the limit', 2,
        qr/of 65508 bytes is too long: UDP over IPv4 carries 65507 at most/, undef,
        'x' x 65508, '--whole'],
    ['the whole of much more', 2, qr/all of stdin is too long for a datagram/, undef,
        'x' x 70_000, '--whole'],
    ['a line that is too long, after another', 1,
        qr/a line of stdin is too long .*; sent 1 datagram$/, 3, "ok\n" . 'x' x 700_000],
    ['a line that IPv4 cannot carry, after another', 1,
        qr/carries 65507 at most; sent 1 datagram$/, 3, "ok\n" . 'x' x 65_508],
    ['so is a block', 2, qr/./, undef, 'x' x 70_000, '--size', 65_508],
    ['a block that is too long is a usage error', 2, qr/./, undef, '', '--size', 65_528],
) {
    my ($name, $status, $why, $arrives, $stdin, @options) = @$case;
    exits run({ stdin => $stdin }, 'udp-send', '--no-reply', @options, '127.0.0.1',
        $s->sockport), $status, $name, err => $why;
    my $got = hear($s, defined $arrives ? 1 : 0);
    is defined $got ? length $got : undef, $arrives, '  and what arrives';
}
exits run('udp-send', '--no-reply', '127.0.0.1', $s->sockport, 'x' x 65_508), 2,
    'a message that is too long is a usage error, that names the limit',
    err => qr/carries 65507 at most$/m;
is hear($s, 0), undef, 'nothing was cut to fit';

SKIP: {
    skip 'no IPv6', 2 unless has_ipv6();
    my $s6 = udp_socket(host => '::1');
    my @whole = ('udp-send', '--no-reply', '--whole', '::1', $s6->sockport);
    exits run({ stdin => 'x' x 65527 }, @whole), 0, 'IPv6 carries 20 bytes more';
    like run({ stdin => 'x' x 65525 }, @whole, '--number')->{err},
        qr/65528 bytes is too long: UDP over IPv6 carries 65527/, 'and no more';
}

# A server whose answer would be too long says so, and goes on.
($p, $c) = udp_pair('-v');
$c->send('x' x 65507);
$p->expect(err => qr/ignored: no answer was sent: .* 65515 bytes is too long/);
is ask($c, 'short'), 'Hello, short!', 'the server goes on';
$p->stop;

# A message that was longer than a datagram wrote past the room that --number
# has for it.
$s = unix_socket("$dir/s");
exits run('udp-send', '--number', '--count', '64', '--window', '64',
    '--sndbuf', '4M', "unix:$dir/s", 'x' x 120_000), 2, 'not a crash, but too long',
    err => qr/120000 bytes is too long to be numbered: 65536 bytes at most/;
exits run('udp-send', '--no-reply', '--number', "unix:$dir/s", 'x' x 65_536), 0,
    'the longest that a number fits before';
ok hear($s) eq '#0 ' . 'x' x 65_536, 'arrives';

# One that is too long was left out, in silence, where another went before it.
exits run('udp-send', '--no-reply', '--number', "unix:$dir/s", 'one',
    'x' x 65_537, 'three'), 2, 'a message that is too long behind another',
    err => qr/65537 bytes is too long to be numbered/;
is hear($s), '#0 one', 'those before it are sent';
is hear($s, 0), undef, 'and none behind it';

done_testing;
