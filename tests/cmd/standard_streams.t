# A closed descriptor is never taken by a socket; stdout that is closed, full or
# gone is a row of results_write_errors.
use Sockt;

# 0 or 1 closed, where they are needed, is an error before the connection.
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case ([0, 'stdin'], [1, 'stdout']) {
    my ($fd, $name) = @$case;
    exits run({ closed => [$fd] }, 'connect', @to), 11,
        "connect with $name closed", err => qr/$name is closed/;
}
my $r = run({ closed => [0, 1, 2] }, 'connect', '-z', @to);
is $r->{status}, 0, 'connect -z needs none of them';

# Where they are not needed no socket lands there: what the peer sends would
# be our input, what we say would go to the peer.
my $leak = scratch() . '/leak';
my $pid = peer($l, sub {
    my ($c) = @_;
    print $c "from the peer\n";
    shutdown $c, 1;
    local $/;
    my $all = <$c>;
    spew($leak, $all) if length($all // '');
}, 1000);
for (1 .. 2) {
    $r = run({ closed => [0] }, 'connect', '--recv-only', @to);
    is "$r->{status} $r->{out}", "0 from the peer\n", 'stdin closed';
    $r = run({ closed => [1] }, 'connect', '--send-only', '-v', @to);
    is $r->{status}, 0, 'stdout closed';
    $r = run({ closed => [2] }, 'connect', '--recv-only', '-vv', @to);
    is "$r->{status} $r->{out}", "0 from the peer\n", 'stderr closed';
}
kill 'KILL', $pid;
reap($pid);
ok !-e $leak, 'nothing of ours reached the peer but bytes of stdin';

done_testing;
