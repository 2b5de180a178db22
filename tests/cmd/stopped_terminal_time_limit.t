# A terminal that takes nothing (stopped, or a link that hangs) does not hold up
# a time limit.
use Sockt;
use Fcntl qw(O_RDWR);
use POSIX qw(mkfifo);

my $pty = built('pty');

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

my $l = tcp_listener();
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
