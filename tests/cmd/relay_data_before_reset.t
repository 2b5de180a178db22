# What the other side said last arrives, although it then resets us: it left
# our bytes unread.
use Sockt;

my $runs = 50;
my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    print $c "error: go away\n";
    $c->flush;
}, $runs);
my ($whole, %status) = (0);
# A file holds what there is to send at any time, a pipe only when it is fed.
my $file = spew(scratch() . '/in', 'x' x 200_000);
for (1 .. $runs) {
    open my $in, '<', $file or die;
    my $r = run({ stdin => $in }, 'connect', '127.0.0.1', $l->sockport);
    $whole++ if $r->{out} eq "error: go away\n";
    $status{ $r->{status} }++;
}
is $whole, $runs, "the line that came before the reset: $runs of $runs";
is_deeply [ keys %status ], [10], 'and the lost connection is told each time';

# The same with more than one read takes.
SKIP: {
    skip 'no word of what is acknowledged', 3 unless $^O eq 'linux';
    open my $in, '<', $file or die;
    my $p = start({ stdin => $in }, 'connect', '--rcvbuf', '200k', '127.0.0.1',
        $l->sockport);
    my $c = $l->accept;
    sysread $c, my $x, 1;
    $p->signal('STOP');
    my $size = 150_000;
    print $c 'x' x $size;
    $c->flush;
    # What is still to be sent would be lost with the reset.
    ok acknowledged($c), 'the peer has sent all';
    close $c;
    $p->signal('CONT');
    my $r = $p->finish;
    is length $r->{out}, $size, 'all that came before the reset';
    is $r->{status}, 10, 'which is told';
}

# The other way round: our listener never resets a client that is still
# sending, so that it reads our last words.
my $p = start('listen', '-k', '-e', 'echo error: go away', 0);
my $port = $p->port;
$whole = 0;
for (1 .. $runs) {
    my $c = tcp_client($port);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $c, 'x' x 100_000;
    my $line = <$c>;
    $whole++ if ($line // '') eq "error: go away\n" && !defined <$c>;
}
is $whole, $runs, "a program's last words: $runs of $runs";
$p->stop;

done_testing;
