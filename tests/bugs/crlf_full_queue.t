# With --crlf a queue that was full but for one byte was read into with no
# room at all, which was taken for the end of stdin: the rest was lost, with
# status 0.
use Sockt;

my $dir = scratch();
my $lines = 600_000;
my $file = spew("$dir/in", "12345\n" x $lines);
my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    # Slow at first, so that the queue fills.
    my ($n, $whole) = (0, '');
    while (my $got = sysread $c, my $piece, $n++ < 300 ? 777 : 1 << 16) {
        $whole .= $piece;
        select undef, undef, undef, 0.001 if $n < 200;
    }
    die 'got ' . length($whole) unless $whole eq "12345\r\n" x $lines;
});
open my $in, '<', $file or die;
my $r = run({ stdin => $in }, 'connect', '-C', '--sndbuf', '4k',
    '127.0.0.1', $l->sockport);
is $r->{status}, 0, 'exit status';
is reap($pid), 0, 'every line arrives';

done_testing;
