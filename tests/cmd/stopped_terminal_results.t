# A terminal that takes nothing (stopped, or a link that hangs) held up the
# results of every command: neither a limit nor a signal ended the run.
use Sockt;
use Fcntl qw(O_RDWR);
use POSIX qw(mkfifo);

# A scan of every port would disturb the servers of other tests.
my $alone = own_network();

my $pty = built('pty');
my $dir = scratch();

my $l = tcp_listener();
peer($l, sub {
    my ($c) = @_;
    while (my $line = <$c>) { last if $line eq "\r\n" }
    local $SIG{PIPE} = 'IGNORE';
    print $c "HTTP/1.1 200 OK\r\n\r\n";
    1 while syswrite $c, "\e[31m a line\n" x 1000;
}, 100);
my $echo = udp_socket();
Sockt::fork_child(sub {
    while (my $from = recv $echo, my $got, 100, 0) {
        send $echo, 'x' x 1400, 0, $from for 1 .. 100;
    }
});
my @udp = ('127.0.0.1', $echo->sockport, 'x');

my $n = 0;
for my $args (
    ['portscan', '-a', '127.0.0.1', '-'],
    ['portscan', '-a', '--json', '127.0.0.1', '-'],
    ['udp-send', '--replies', 100000, '--count', 100, '--window', 100, '-w',
        60, @udp],
    ['http-get', '-i', 'http://127.0.0.1:' . $l->sockport . '/'])
{
    next if !$alone && $args->[-1] eq '-';
    for my $how ('-m', 'TERM') {
        # What the terminal shows goes to a FIFO that nobody reads.
        my $fifo = "$dir/tty" . ++$n;
        mkfifo($fifo, 0600) or die;
        sysopen my $held, $fifo, O_RDWR or die;
        my ($command, @rest) = @$args;
        my @limit = $how eq '-m' ? ('-m', 2) : ();
        my $p = start({ command => $pty, stdin => '' }, $fifo, '1', 80, 'sh',
            '-c', 'echo $$ >&2; exec "$@"', 'sh', sockt(), $command, @limit,
            @rest);
        my $pid = $p->expect(err => qr/^(\d+)\n/);
        if ($how eq 'TERM') {
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
        select undef, undef, undef, 0.05
            while time < $until && is_alive($pid);
        ok !is_alive($pid), "$command ends by $how";
        kill 'KILL', $pid, $p->{pid};
        reap($p->{pid});
    }
}

# FIONREAD
sub held {
    my $n = pack 'i', 0;
    ioctl $_[0], 0x541b, $n or die "FIONREAD: $!";
    return unpack 'i', $n;
}

# Whether it runs; one that has ended and is not reaped does not.
sub is_alive {
    my ($pid) = @_;
    open my $f, '<', "/proc/$pid/stat" or return kill 0, $pid;
    return <$f> !~ /\) Z /;
}

# A terminal that takes nothing (stopped, or a link that hangs) does not hold up
# a time limit.
$pty = built('pty');

# What the terminal shows goes to a FIFO that nobody reads.
my $fifo = scratch() . '/tty';
mkfifo($fifo, 0600) or die;
sysopen my $held, $fifo, O_RDWR or die;

# Whether a process ends within 10 s.
sub ends {
    my ($pid) = @_;
    for (1 .. 1000) {
        return 1 unless is_running($pid);
        select undef, undef, undef, 0.01;
    }
    return 0;
}

$l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case (
    ['--max-time', '-m', '1'], ['--idle-timeout', '--idle-timeout', '500ms'],
    ['--max-time with -P', '-P', '-m', '1'])
{
    my ($name, @options) = @$case;
    my $pid = peer($l, sub {
        my ($c) = @_;
        local $SIG{PIPE} = 'IGNORE';
        1 while syswrite $c, "a line\n" x 1000;
    });
    my $p = start({ command => $pty, stdin => '' }, $fifo, '1', 80, sockt(),
        'connect', @options, @to);
    my $sockt = await_child($p->{pid});
    $p->expect(err => qr/sockt connect: .*(--max-time|--idle-timeout)/, 10);
    ok ends($sockt), "$name ends it";
    kill 'KILL', $sockt if $sockt;

    # Then somebody reads what the terminal shows.
    my $reader = Sockt::fork_child(sub {
        1 while sysread $held, my $bytes, 65536;
    });
    is $p->finish->{status}, 5, '  with status 5';
    kill 'KILL', $reader, $pid;
    reap($reader);
}

done_testing;
