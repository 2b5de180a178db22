# A program ends, and a process that it has started goes on with the
# connection: its bytes arrive. shutdown(2) would have ended the connection for
# every copy of the descriptor.
use Sockt;

my $dir = scratch();
system('mkfifo', "$dir/go") == 0 or die;

# The first process ends at once, the second writes once it is let.
my $program = "(cat $dir/go; echo late) 2>/dev/null & echo early";

sub let_go { open my $go, '>', "$dir/go" or die $!; close $go }

for my $keep ([], ['-k']) {
    my $p = start('listen', '-v', @$keep, '-e', $program, 0);
    my $c = tcp_client($p->port);
    is scalar(<$c>), "early\n", "listen @$keep: the program";
    $p->expect(err => qr/a process that it started keeps the connection\n/);
    is $p->finish->{status}, 0, 'has ended' unless @$keep;
    let_go();
    is scalar(<$c>), "late\n", 'what it has left behind';
    is scalar(<$c>), undef, 'has ended too';
    next unless @$keep;
    ok $p->expect(err => qr/ neither side finished$/m), 'nobody had ended it before';
    $p->stop;
}

SKIP: {
    skip 'this system does not tell of them', 4
        unless run('--version')->{out} =~ /linux/;
    my $l = tcp_listener();
    my $p = start('connect', '-v', '-e', $program, '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    is scalar(<$c>), "early\n", 'connect: the program';
    my $r = $p->finish;
    is $r->{status}, 0, 'has ended';
    like $r->{err}, qr/a process that it started keeps the connection\n/,
        'and this is told';
    let_go();
    is scalar(<$c>), "late\n", 'what it has left behind';
}

# Where nothing is left the end is an orderly one, with input unread too.
# A zombie that the program has not reaped is nobody who could go on.
my $p = start('listen', '-k', 0, '--', $^X, '-e', 'fork or exit;'
    . 'select undef, undef, undef, 0.05; print "bye\n"');
my $port = $p->port;
my $whole = 0;
for (1 .. 10) {
    my $c = tcp_client($port);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $c, 'unread' x 5000;
    $whole++ if (do { local $/; <$c> } // '') eq "bye\n";
}
is $whole, 10, 'a program that leaves nothing behind: last words arrive';
$p->stop;

done_testing;
