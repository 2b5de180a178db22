# Limits are about what they name: a connection is not idle while the system
# still sends what it was given, and the peer's end is not late where our own
# stdout is.
use Sockt;
use IO::Socket::INET;
use Socket qw(:all);
use Time::HiRes qw(sleep);

# Each connection counts here, so no other test's may come.
own_network();

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $tells = run('--version')->{out} !~ /posix/;

# A client with a small window.
sub narrow {
    my ($port) = @_;
    my $c = IO::Socket::INET->new(Proto => 'tcp') or die;
    setsockopt $c, SOL_SOCKET, SO_RCVBUF, 8192;
    connect $c, sockaddr_in($port, inet_aton('127.0.0.1')) or die "connect: $!";
    return $c;
}

# Reads slowly, but goes on doing so; how much there was.
sub slowly {
    my ($c, $size, $piece) = @_;
    my $n = 0;
    while ($n < $size && (my $done = sysread $c, my $got, $piece)) {
        $n += $done;
        sleep 0.03;
    }
    return $n;
}

my $size = 1_500_000;
setsockopt $l, SOL_SOCKET, SO_RCVBUF, 8192;
my $slow = peer($l, sub { die 'lost' if slowly($_[0], 2 * $size, 10_000) != $size });
exits run({ stdin => 'x' x $size }, 'connect', '--sndbuf', '4M',
    '--idle-timeout', '1', @to), 0,
    '--idle-timeout: what is sent slowly is not idle', no_err => qr/--|lost/;
is reap($slow), 0, 'everything arrives';

# The same of what the system takes at once, while stdin stays open: nothing
# else happens until the peer has read it.
for my $command ('connect', 'listen') {
    my $p = start({ keep_stdin => 1 }, $command, '--idle-timeout', '2',
        $command eq 'connect' ? @to : ('127.0.0.1', 0));
    my $c = $command eq 'connect' ? $l->accept : narrow($p->port);
    $p->send_line('x' x 60_000);
    is slowly($c, 60_000, 1000), 60_000, "$command: everything is read, at 33 kB/s";
    $p->close_stdin;
    1 while sysread $c, my $got, 9;
    close $c;
    is $p->finish->{status}, 0, 'and it ends in order';
}

# One that stops reading is idle.
my $p = start({ stdin => 'x' x $size }, 'connect', '--idle-timeout', '1',
    @to);
my $c = $l->accept;
exits $p->finish, 5, 'a peer that has stopped reading is idle', within => 5;

# A stdout that takes its time.
my $big = peer($l, sub { syswrite $_[0], 'x' x $size or die });
pipe my $read, my $write or die;
$p = start({ stdout => $write, stdin => '' }, 'connect', '--linger', '2s',
    @to);
close $write;
sleep 3;
my $n = 0;
while (my $done = sysread $read, my $got, 65536) { $n += $done }
exits $p->finish, 0, '--linger: the peer is not late where stdout is';
is $n, $size, 'everything is written';
is reap($big), 0, 'the peer has sent it';

# One that stops in the middle of a fast transfer.
$big = peer($l, sub { syswrite $_[0], 'x' x 40_000_000 });
pipe $read, $write or die;
$p = start({ stdout => $write, keep_stdin => 1 }, 'connect', '--idle-timeout', 1, @to);
close $write;
sysread $read, my $some, 65536 for 1 .. 100;
exits $p->finish, 5, 'stdout is why nothing moves', err => qr/; stdout accepts no more/;
reap($big);

# A limit's reset is one in both sides' stories.
exits start({ keep_stdin => 1 }, 'connect', '--json', '-m', '300ms', @to)->finish, 5,
    'what a limit has cut was reset by us',
    err => qr/"event":"closed".*"first":"us","how":"reset","by":"us"/;

# A server's process looks at that, too: here while it waits for more.
$p = start('listen', '--echo', '--sndbuf', '4M', '--idle-timeout', '1', 0);
$c = narrow($p->port);
my $text = 'x' x 1_000_000;
$c->blocking(0);
my ($sent, $received) = (0, 0);
my $until = time + 60;
while ($received < length $text && time < $until) {
    $sent += syswrite($c, $text, 65536, $sent) // 0 if $sent < length $text;
    my $done = sysread $c, my $got, 10_000;
    last if defined $done && !$done;
    $received += $done // 0;
    sleep 0.03 if $sent == length $text;
}
is $received, length $text, '--echo: what is sent slowly is not idle';
close $c;
is $p->finish->{status}, 0, 'and its end is in order';

done_testing;
