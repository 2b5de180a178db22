# A program that is asked to end, by the end of its server or by --max-time,
# ends with what it has started, also when that does not listen and the program
# itself has gone at once.
use Sockt;
use Time::HiRes qw(time);

# Tells its process group; one in it ignores what would end it.
my $program = '(trap "" HUP INT TERM; while :; do sleep 1; done) & '
    . 'echo $$; wait';

for my $signal (qw(TERM HUP)) {
    my $p = start('listen', '-k', '-e', $program, 0);
    my $c = tcp_client($p->port);
    chomp(my $group = <$c>);
    my $r = $p->stop($signal);
    ok group_ends($group, 5), "$signal: nobody is left when the server has ended";
    cmp_ok $r->{seconds}, '<', 10, 'which took its time, no more';
}

# Those who do listen cost no time.
my $p = start('listen', '-k', '-e', 'sleep 1000 & echo $$; wait', 0);
my $c = tcp_client($p->port);
chomp(my $group = <$c>);
my $start = time;
$p->stop;
my $took = time - $start;
ok group_ends($group, 5), 'a willing one has ended';
SKIP: {
    skip 'zombies cannot be told from others here', 1
        unless run('--version')->{out} =~ /linux/;
    cmp_ok $took, '<', 1.5, 'at once';
}

$p = start('listen', '-k', '-m', '0.1', '-e', $program, 0);
$c = tcp_client($p->port);
chomp($group = <$c>);
ok group_ends($group, 5), '--max-time: nobody is left';
is scalar(<$c>), undef, 'and the connection has ended';
is $p->stop->{status}, 0, 'the server went on';

done_testing;
