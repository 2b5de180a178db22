# What is ignored by whoever starts a server: its children are reaped anyhow,
# and its programs start with every signal at its default and none blocked.
use Sockt;

# A shell's and perl's own traps cannot set SIGCHLD for a program they become;
# this can, and blocks USR1 as well.
sub start_ignoring {
    my (@args) = @_;
    return start({ command => $^X }, '-MPOSIX', '-e', <<'P', sockt(), @args);
$SIG{$_} = 'IGNORE' for qw(CHLD PIPE HUP INT QUIT USR2);
sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1));
exec @ARGV;
P
}

sub ask {
    my ($port, $text) = @_;
    my $c = tcp_client($port);
    syswrite $c, $text;
    shutdown $c, 1;
    local $/;
    return scalar(<$c>) // '';
}

for my $case ([ '--echo', 0 ], [ 0, '--', 'cat' ]) {
    my $p = start_ignoring('listen', @$case);
    is ask($p->port, 'x'), 'x', "listen @$case: its answer, and its end";
    is $p->finish->{status}, 0, 'and the end of listen';
}
my $p = start_ignoring('listen', 0, '--', 'sh', '-c', 'exit 3');
ask($p->port, '');
is $p->finish->{status}, 3, "a program's status is known";

for my $case ([ 'listen', '-k', '--echo' ], ['serve-hello']) {
    $p = start_ignoring(@$case, '--max-conns', 2, 0);
    my $port = $p->port;
    my $served = grep { ask($port, "x\n") =~ /x!?\n/ } 1 .. 5;
    is $served, 5, "@$case --max-conns 2: all five are served";
    is $p->stop->{status}, 0, 'stopped';
}

my $l = tcp_listener();
peer($l, sub { });
my $r = do {
    local $SIG{CHLD} = 'DEFAULT';
    my $q = start_ignoring('connect', '-e', 'exit 3', '127.0.0.1',
        $l->sockport);
    $q->finish;
};
is $r->{status}, 3, 'connect knows it too';

# sockt itself ignores PIPE, so that one is asked for in the program.
my $tell = 'use POSIX; my $old = POSIX::SigSet->new;'
    . 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new, $old);'
    . 'print join " ", (map { $SIG{$_} // "DEFAULT" }'
    . ' qw(CHLD PIPE HUP INT QUIT USR2 TERM)),'
    . ' map { $old->ismember($_) } SIGUSR1, SIGCHLD, SIGTERM, SIGINT';
my $defaults = join ' ', ('DEFAULT') x 7, (0) x 4;
$p = start_ignoring('listen', '-k', 0, '--', $^X, '-e', $tell);
my $port = $p->port;
is ask($port, ''), $defaults, 'a program has the defaults';
is ask($port, ''), $defaults, 'and so has the next one';
$p->stop;
$p = start_ignoring('udp-serve', '127.0.0.1', 0, '--', $^X, '-e', $tell);
my $u = udp_socket(peer => [ '127.0.0.1', $p->port ]);
syswrite $u, 'x';
sysread $u, my $answer, 1000;
is $answer, $defaults, 'one of udp-serve too';
$p->stop;

done_testing;
