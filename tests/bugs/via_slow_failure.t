# A program of --via that needs more than a second to fail counted as a
# connection, whatever --timeout was.
use Sockt;

my $dir = scratch();
my $r = run('connect', '-z', '-w', 20, '--via', 'sleep 1.5; exit 3', 'h', 1);
is $r->{status}, 10, '-z: a failure within --timeout';
like $r->{err}, qr/the program of --via failed with status 3$/, '  is reported';

$r = run({ stdin => 'again' }, 'connect', '-w', 20, '--retry-for', 30, '--via',
    "test -e $dir/go && echo ready && exec cat; touch $dir/go; "
    . 'sleep 1.5; exit 3', 'h', 1);
is "$r->{status} $r->{out}", "0 ready\nagain", '--retry-for runs it again';

done_testing;
