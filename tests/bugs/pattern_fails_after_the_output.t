# When a pattern of --expect fails because the peer has finished, everything
# received is written first, also to a slow stdout.
use Sockt;
use Time::HiRes qw(sleep);

my $l = tcp_listener();
pipe my $read, my $write or die;
my $p = start({ stdout => $write }, 'connect', '--expect', 'never', '--done',
    '127.0.0.1', $l->sockport);
close $write;
my $c = $l->accept;
syswrite $c, 'x' x 100_000;
close $c;
# Its stdout is full and it waits; or it has ended.
my $asleep = 0;
while ($asleep < 20 && is_running($p->{pid})) {
    $asleep = is_asleep($p->{pid}) ? $asleep + 1 : 0;
    sleep 0.01;
}
my $n = 0;
while (sysread $read, my $got, 65536) { $n += length $got }
is $n, 100_000, 'everything received is written';
my $r = $p->finish;
is $r->{status}, 9, 'then the pattern is the error';
like $r->{err}, qr/'never'\): the peer finished/, 'that is reported';

done_testing;
