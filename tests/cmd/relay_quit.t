# A run that leaves by itself (--on-eof quit, --done) writes out what it has
# read, and does not keep the processor busy while it waits for that.
use Sockt;
use IO::Select;
use Socket qw(:all);
use Time::HiRes qw(sleep);

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);

# Waits until what was sent to a peer that takes no more stays the same.
sub wait_full {
    my ($c) = @_;
    $c->blocking(0);
    my ($n, $idle) = (0, 0);
    while ($idle < 5) {
        my $done = syswrite $c, 'x' x 65536;
        $n += $done // 0;
        $idle = $done ? 0 : $idle + 1;
        sleep 0.1 unless $done;
    }
    return $n;
}

sub drain {
    my ($read) = @_;
    my $n = 0;
    while (my $done = sysread $read, my $got, 65536) { $n += $done }
    return $n;
}

# How many bytes may still be on their way to the reader at the other end of a
# connection: those not acknowledged, and those not read there (proc(5)).
sub unread {
    my ($c) = @_;
    my ($ours, $theirs) = map { sprintf '%04X', $_ } $c->sockport, $c->peerport;
    my $table = slurp('/proc/net/tcp');
    my ($unsent) = $table =~ /: \w+:$ours \w+:$theirs \w+ (\w+):/;
    my ($waiting) = $table =~ /: \w+:$theirs \w+:$ours \w+ \w+:(\w+) /;
    return hex($unsent) + hex $waiting;
}

# Seconds of processor time of a process.
sub busy {
    my ($pid) = @_;
    my @fields = split ' ', slurp("/proc/$pid/stat") =~ s/.*\) //sr;
    return ($fields[11] + $fields[12]) / 100;
}

SKIP: {
    skip 'no /proc', 3 unless -r '/proc/net/tcp' && -r "/proc/$$/stat";
    pipe my $read, my $write or die;
    my $p = start({ stdout => $write, keep_stdin => 1 }, 'connect', '--on-eof',
        'quit', @to);
    my $c = $l->accept;
    syswrite $c, 'x' x 150_000;
    # Its stdout is full, or it has made that larger and read everything, when
    # its input ends.
    sleep 0.002 while IO::Select->new($write)->can_write(0) && unread($c);
    my $held = 150_000 - unread($c);
    close $write;
    $p->close_stdin;
    cmp_ok drain($read), '>=', $held,
        '--on-eof quit: everything read is written';
    is $p->finish->{status}, 0, 'status 0';

    setsockopt $l, SOL_SOCKET, SO_RCVBUF, 2048;
    pipe $read, $write or die;
    # The last text is not acknowledged for a while.
    $p = start({ stdout => $write }, 'connect', '--expect', 'ok', '--send',
        'B' x 50_000, '--done', @to);
    close $write;
    $c = $l->accept;
    syswrite $c, 'ok';
    sysread $c, my $begin, 1;
    wait_full($c);
    my $before = busy($p->{pid});
    sleep 1;
    cmp_ok busy($p->{pid}) - $before, '<', 0.15, '--done: waits without haste';
    $p->signal('KILL');
    $p->finish;
}

# connect --on-eof quit ends when its output is written, also if the peer resets
# the connection meanwhile. It kept the processor busy, and never ended.
$l = tcp_listener();
pipe my $read, my $write or die;
my $p = start({ stdout => $write, keep_stdin => 1, timeout => 20 }, 'connect',
    '--on-eof', 'quit', '-o', scratch() . '/copy', '127.0.0.1',
    $l->sockport);
my $c = $l->accept;

# More than the pipe and the queue take: the queue is full.
$c->blocking(0);
1 while IO::Select->new($c)->can_write(0.5) && syswrite $c, 'x' x 65536;
ok !IO::Select->new($write)->can_write(0), 'its stdout is full';
close $write;
$p->send_line('x');
$p->close_stdin;
# It does not sleep before it has read the end, too.
IO::Select->new($c)->can_read(20) && sysread $c, my $x, 1;
is $x, 'x', 'it reads its stdin';
select undef, undef, undef, 0.01 until is_asleep($p->{pid});
setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
close $c;

my $n = 0;
while (IO::Select->new($read)->can_read(20) && sysread $read, my $got, 65536) {
    $n += length $got;
}
cmp_ok $n, '>', 65536, 'what was received is written';
exits $p->finish, 0, 'it ends, with status 0: nothing was left to send';

done_testing;
