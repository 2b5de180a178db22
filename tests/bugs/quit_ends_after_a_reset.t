# connect --on-eof quit ends when its output is written, also if the peer resets
# the connection meanwhile. It kept the processor busy, and never ended.
use Sockt;
use IO::Select;
use Socket qw(SOL_SOCKET SO_LINGER);

my $l = tcp_listener();
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
my $r = $p->finish;
ok !$r->{timed_out}, 'it ends';
is $r->{status}, 0, 'with status 0: nothing was left to send';

done_testing;
