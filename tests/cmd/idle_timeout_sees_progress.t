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

# A peer that reads slowly, but goes on doing so.
my $size = 1_500_000;
setsockopt $l, SOL_SOCKET, SO_RCVBUF, 8192;
my $slow = peer($l, sub {
    my ($c) = @_;
    my $n = 0;
    while (my $done = sysread $c, my $got, 10_000) {
        $n += $done;
        sleep 0.03;
    }
    die "got $n" unless $n == $size;
});
exits run({ stdin => 'x' x $size }, 'connect', '--sndbuf', '4M',
    '--idle-timeout', '1', @to), 0,
    '--idle-timeout: what is sent slowly is not idle', err => '';
is reap($slow), 0, 'everything arrives';

# The same of what the system takes at once, while stdin stays open: nothing
# else happens until the peer has read it.
for my $command ('connect', 'listen') {
    my ($p, $c);
    if ($command eq 'connect') {
        $p = start({ keep_stdin => 1 }, 'connect', '--idle-timeout', '2', @to);
        $c = $l->accept;
    }
    else {
        $p = start({ keep_stdin => 1 }, 'listen', '--idle-timeout', '2',
            '127.0.0.1', 0);
        $c = IO::Socket::INET->new(Proto => 'tcp') or die;
        setsockopt $c, SOL_SOCKET, SO_RCVBUF, 8192;
        connect $c, sockaddr_in($p->port, inet_aton('127.0.0.1')) or die;
    }
    $p->send_line('x' x 60_000);
    my $n = 0;
    while ($n < 60_000 && (my $done = sysread $c, my $got, 1000)) {
        $n += $done;
        sleep 0.03;
    }
    is $n, 60_000, "$command: everything is read, at 33 kB/s";
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
my $big = peer($l, sub {
    my ($c) = @_;
    syswrite $c, 'x' x $size or die;
});
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

# A limit's reset is one in both sides' stories.
$p = start({ keep_stdin => 1 }, 'connect', '--json', '-m', '300ms', @to);
my $r = $p->finish;
like $r->{err}, qr/"event":"closed".*"first":"us","how":"reset","by":"us"/,
    'what a limit has cut was reset by us';

# A server's process looks at that, too: here while it waits for more.
$p = start('listen', '--echo', '--sndbuf', '4M', '--idle-timeout', '1', 0);
$c = IO::Socket::INET->new(Proto => 'tcp') or die;
setsockopt $c, SOL_SOCKET, SO_RCVBUF, 8192;
connect $c, sockaddr_in($p->port, inet_aton('127.0.0.1')) or die "connect: $!";
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
