# A run that leaves by itself (--on-eof quit, --done) writes out what it has
# read, and does not keep the processor busy while it waits for that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use Sockt;
use Socket qw(:all);
use Test::More;
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

# Seconds of processor time of a process.
sub busy {
    my ($pid) = @_;
    my @fields = split ' ', slurp("/proc/$pid/stat") =~ s/.*\) //sr;
    return ($fields[11] + $fields[12]) / 100;
}

pipe my $read, my $write or die;
my $p = start({ stdout => $write, keep_stdin => 1 }, 'connect', '--on-eof',
    'quit', @to);
my $c = $l->accept;
syswrite $c, 'x' x 150_000;
shutdown $c, SHUT_WR;
# Its stdout is full when its input ends.
sleep 0.002 while IO::Select->new($write)->can_write(0);
close $write;
$p->close_stdin;
sysread $c, my $end, 1;
is drain($read), 150_000, '--on-eof quit: everything read is written';
is $p->finish->{status}, 0, 'status 0';

SKIP: {
    skip 'no /proc', 1 unless -r "/proc/$$/stat";
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

done_testing;
