# A terminal that takes nothing (stopped, or a link that hangs) held up the
# results of every command: neither a limit nor a signal ended the run.
use Sockt;
use Fcntl qw(O_RDWR);
use POSIX qw(mkfifo);

# A scan of every port would disturb the servers of other tests.
my $alone = own_network();

my $dir = scratch();
my $l = tcp_listener();
peer($l, sub {
    my ($c) = @_;
    while (my $line = <$c>) { last if $line eq "\r\n" }
    print $c "HTTP/1.1 200 OK\r\n\r\n";
    1 while syswrite $c, "\e[31m a line\n" x 1000;
}, 100);
my $flood = tcp_listener();
peer($flood, sub { 1 while syswrite $_[0], "a line\n" x 1000 }, 100);
my $echo = udp_socket();
Sockt::fork_child(sub {
    while (my $from = recv $echo, my $got, 100, 0) {
        send $echo, 'x' x 1400, 0, $from for 1 .. 100;
    }
});

# FIONREAD
sub held {
    my $n = pack 'i', 0;
    ioctl $_[0], 0x541b, $n or die "FIONREAD: $!";
    return unpack 'i', $n;
}

# What ends a command: a limit, or where there is none SIGTERM.
my $n = 0;
my @to = ('connect', '127.0.0.1', $flood->sockport);
my @commands = (
    ['portscan', '-a', '127.0.0.1', '-'],
    ['portscan', '-a', '--json', '127.0.0.1', '-'],
    ['udp-send', '--replies', 100000, '--count', 100, '--window', 100, '-w',
        60, '127.0.0.1', $echo->sockport, 'x'],
    ['http-get', '-i', 'http://127.0.0.1:' . $l->sockport . '/'],
);
for my $row ((map { ([[], @$_], [['-m', 2], @$_]) } @commands), [['-m', 1], @to],
    [['--idle-timeout', '500ms'], @to], [['-P', '-m', 1], @to]) {
    my ($limit, $command, @rest) = @$row;
    next if !$alone && $rest[-1] eq '-';
    # What the terminal shows goes to a FIFO that nobody reads.
    my $fifo = "$dir/tty" . ++$n;
    mkfifo($fifo, 0600) or die;
    sysopen my $held, $fifo, O_RDWR or die;
    my $p = start({ command => built('pty'), stdin => '' }, $fifo, '1', 80, 'sh',
        '-c', 'echo $$ >&2; exec "$@"', 'sh', sockt(), $command, @$limit, @rest);
    my $pid = $p->expect(err => qr/^(\d+)\n/);
    if (!@$limit) {
        # It is full when it does not grow for a while.
        my ($was, $is) = (-1, 0);
        for (1 .. 50) {
            select undef, undef, undef, 0.3;
            ($was, $is) = ($is, held($held));
            last if $is > 0 && $was == $is;
        }
        kill 'TERM', $pid;
    }
    my $until = time + 10;
    select undef, undef, undef, 0.02 while time < $until && is_running($pid);
    ok !is_running($pid), "$command ends by " . ("@$limit" || 'TERM');
    kill 'KILL', $pid;

    # Then somebody reads what the terminal shows.
    my $reader = Sockt::fork_child(sub { 1 while sysread $held, my $x, 65536 });
    my $r = $p->finish;
    exits $r, 5, '  with status 5', err => qr/\(--(?:max-time|idle-timeout)\)|took nothing/
        if @$limit;
    kill 'KILL', $reader;
    reap($reader);
}

# What was written to the master of a pseudo-terminal went to a new one.
sysopen my $master, '/dev/ptmx', O_RDWR | Fcntl::O_NOCTTY() or die "ptmx: $!";
my $number = pack 'i', 0;
ioctl $master, 0x40045431, $number or die "TIOCSPTLCK: $!";
ioctl $master, 0x80045430, $number or die "TIOCGPTN: $!";
sysopen my $slave, '/dev/pts/' . unpack('i', $number), O_RDWR | Fcntl::O_NOCTTY()
    or die "pts: $!";
my $word = tcp_listener();
peer($word, sub { print { $_[0] } "a word\n" }, 10);
my $port = $word->sockport;
for my $row ([{ stdout => $master }, qr/a word/, 'connect', '127.0.0.1', $port],
    [{ stdout => $master }, qr/open/, 'portscan', '127.0.0.1', $port],
    [{ stderr => $master }, qr/refused/, 'connect', '-m', 9, '127.0.0.1', free_port()]) {
    my ($to, $shown, @command) = @$row;
    run($to, @command);
    my $bits = my $got = '';
    vec($bits, fileno $slave, 1) = 1;
    while ($got !~ $shown && select my $ready = $bits, undef, undef, 5) {
        sysread $slave, $got, 1000, length $got or last;
    }
    like $got, $shown, "$command[0] writes to the master that it was given";
}

done_testing;
