# The end of the process that looks a name up was taken for a signal to stop:
# udp-serve NAME failed now and then.
use Sockt;

my %count;
for (1 .. 60) {
    my $r = run('udp-serve', '-q', '--max-time', '0.01', 'localhost', '0');
    $count{"$r->{status} $r->{err}"}++;
}
delete $count{$_} for grep { /^5 / } keys %count;
is_deeply \%count, {}, '60 of 60 are stopped by --max-time alone';

done_testing;
