# What a program that is given a connection finds: fds 0, 1 and 2 and no
# other, the UCSPI variables, default signals, the rights of --user.
use Sockt;
use Socket qw(SOMAXCONN);
use Time::HiRes qw(time);

sub ask {
    my ($port, $host) = @_;
    my $c = tcp_client($port, $host);
    shutdown $c, 1;
    local $/;
    return scalar(<$c>) // '';
}

# Which of 0 to 255 are open, asked with fcntl so that nothing is opened.
my $walk = 'use Fcntl; print join " ", grep { my $fd = $_; '
    . 'require POSIX; defined POSIX::dup2($fd, $fd) } 0 .. 255';
my $p = start('listen', '-k', 0, '--', $^X, '-e', $walk);
my $port = $p->port;
my @held = map { tcp_client($port) } 1 .. 5;
is ask($port), '0 1 2', 'a program of listen has no other descriptor';
@held = ();
$p->stop;

my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    local $/;
    my $got = <$c>;
    die "got $got" unless $got eq '0 1 2';
});
is run('connect', '127.0.0.1', $l->sockport, '--', $^X, '-e', $walk)
    ->{status}, 0, 'connect -- PROGRAM';
is reap($pid), 0, 'has no other descriptor either';
close $l;

my $variables = 'print join " ", map { "$_=" . ($ENV{$_} // "") } '
    . 'qw(PROTO TCPLOCALIP TCPLOCALPORT TCPREMOTEIP TCPREMOTEPORT)';
for my $host ('127.0.0.1', has_ipv6() ? '::1' : ()) {
    $p = start({ env => { TCPREMOTEIP => 'of an outer server' } },
        'listen', '-k', 0, '--', $^X, '-e', $variables);
    $port = $p->port;
    my $c = tcp_client($port, $host);
    my $own = $c->sockport;
    is do { local $/; <$c> }, "PROTO=TCP TCPLOCALIP=$host "
        . "TCPLOCALPORT=$port TCPREMOTEIP=$host TCPREMOTEPORT=$own",
        "the UCSPI variables, $host";
    $p->stop;
}

$p = start('listen', '-k', 0, '--', $^X, '-e',
    'print join " ", map { $SIG{$_} // "DEFAULT" } qw(PIPE TERM CHLD INT)');
is ask($p->port), 'DEFAULT DEFAULT DEFAULT DEFAULT', 'default signals';
$p->stop;

# connect gives its exit status on.
$l = tcp_listener();
for my $case ([ 'exit 3', 3 ], [ 'kill -9 $$', 137 ]) {
    peer($l, sub { });
    is run('connect', '-e', $case->[0], '127.0.0.1', $l->sockport)->{status},
        $case->[1], "connect -e '$case->[0]'";
}
peer($l, sub { });
my $r = run('connect', '127.0.0.1', $l->sockport, '--', '/no/such');
is $r->{status}, 127, 'a program that is not there: 127';
like $r->{err}, qr{cannot run /no/such: no such file}, 'and told';
peer($l, sub { });
$r = run('connect', '127.0.0.1', $l->sockport, '--', '/etc/passwd');
is $r->{status}, 126, 'one that is no program: 126';
peer($l, sub { sleep 5 });
exits run('connect', '-m', '200ms', '127.0.0.1', $l->sockport, '--', 'sleep',
    60), 5, '-m ends a program: 5';

SKIP: {
    skip 'needs root', 7 unless is_root() && defined getpwnam 'nobody';
    $p = start('listen', '-k', '--user', 'nobody', 0, '--', $^X, '-e',
        'my $was = "$< $> $( $)"; $> = 0; $< = 0; print "$was; $< $>"');
    my ($uid, $gid) = (getpwnam 'nobody')[ 2, 3 ];
    my $answer = ask($p->port);
    is $answer, "$uid $uid $gid $gid $gid $gid; $uid $uid",
        '--user: user, group and groups, and no way back';
    is $p->stop->{status}, 0, 'stopped';
    # Whose path could not be removed at the end does not begin.
    my $dir = scratch();
    chmod 0755, $dir;
    exits run('listen', '--user', 'nobody', '--echo', "unix:$dir/s"), 7,
        '--user: a path that only root may remove: 7',
        err => qr/--user: 'nobody' may not remove unix:\Q$dir\E\/s at the end/;
    mkdir "$dir/own";
    chown $uid, $gid, "$dir/own";
    $p = start('listen', '-kv', '--user', 'nobody', '--echo',
        "unix:$dir/own/s");
    $p->expect(err => qr/listening on/);
    is $p->stop->{status}, 0, 'in a folder of the user it ends well';
    is scalar(grep { -e } "$dir/s", "$dir/own/s"), 0, 'and no path is left';
    my $child = Sockt::fork_as($uid, undef, sub {
        my $o = run('listen', '--user', 'root', 0);
        die "$o->{status} $o->{err}" unless $o->{status} == 7
            && $o->{err} =~ /not permitted/;
    });
    is reap($child), 0, 'who is not root cannot become root: status 7';
}

# A program's exit status has the number of a usage error: it is passed on, and
# nothing is said about sockt's own usage.
$l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case (
    [ @to, '--', 'sh', '-c', 'exit 2' ],
    [ '-e', 'exit 2', @to ],
    [ '-q', '-e', 'exit 2', @to ],
) {
    my $pid = peer($l, sub { });
    exits run('connect', @$case), 2, "connect @$case, in silence", err => '';
    reap($pid);
}
$pid = peer($l, sub { });
exits run('connect', '--json', '-e', 'exit 2', @to), 2,
    'connect --json, no error', no_err => qr/^[^{]|"error"/m;
reap($pid);

for my $case ([ '-e', 'exit 2', 0 ], [ 0, '--', 'sh', '-c', 'exit 2' ]) {
    my $p = start('listen', @$case);
    my $c = tcp_client($p->port);
    1 while sysread $c, my $rest, 100;
    close $c;
    exits $p->finish, 2, "listen @$case, nothing but the announcement",
        no_err => qr/^(?!sockt listen: listening on )/m;
}

# A usage error of ours is told as ever.
exits run('connect', '--nonsense', @to), 2, 'a usage error, with its hint',
    err => qr/\n.*try 'sockt connect --help'\n/;

# A program that is asked to end, by the end of its server or by --max-time,
# ends with what it has started, also when that does not listen and the program
# itself has gone at once.
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
$p = start('listen', '-k', '-e', 'sleep 1000 & echo $$; wait', 0);
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

$p = start('listen', '-k', '-m', '1', '-e', $program, 0);
$c = tcp_client($p->port);
chomp($group = <$c>);
ok group_ends($group, 5), '--max-time: nobody is left';
is scalar(<$c>), undef, 'and the connection has ended';
is $p->stop->{status}, 0, 'the server went on';

# A program ends, and a process that it has started goes on with the
# connection: its bytes arrive. shutdown(2) would have ended the connection for
# every copy of the descriptor.
my $dir = scratch();
system('mkfifo', "$dir/go") == 0 or die;

# The first process ends at once, the second writes once it is let.
$program = "(cat $dir/go; echo late) 2>/dev/null & echo early";

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
    exits $p->finish, 0, 'has ended',
        err => qr/a process that it started keeps the connection\n/;
    let_go();
    is scalar(<$c>), "late\n", 'what it has left behind';
}

# Where nothing is left the end is an orderly one, with input unread too.
# A zombie that the program has not reaped is nobody who could go on.
$p = start('listen', '-k', 0, '--', $^X, '-e', 'fork or exit;'
    . 'select undef, undef, undef, 0.05; print "bye\n"');
$port = $p->port;
my $whole = 0;
for (1 .. 10) {
    my $c = tcp_client($port);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $c, 'unread' x 5000;
    $whole++ if (do { local $/; <$c> } // '') eq "bye\n";
}
is $whole, 10, 'a program that leaves nothing behind: last words arrive';
$p->stop;

# What the shell has opened for sockt reaches the program.
{
    my $dir = scratch();
    my $q = start({ command => 'sh' }, '-c',
        'exec 5> "$1"; exec "$0" listen -4 0 -- sh -c "echo it has 5 >&5"',
        Sockt::sockt(), "$dir/five");
    exchange($q->port, '');
    $q->finish;
    is slurp("$dir/five"), "it has 5\n", 'a program inherits descriptor 5';
}

done_testing;
