# Handlers, and what a program that is given a connection finds: fds 0, 1 and 2
# and no other, the UCSPI variables, default signals, the rights of --user; how
# its end, and that of what it has started, is the end of the connection. With
# a record, -x, its bytes go through a process, and all of that is the same.
use Sockt;
use Time::HiRes qw(time);

my $dir = scratch();
my @recorded = ([], ['-x', "$dir/dump"]);
my $linux = run('--version')->{out} =~ /linux/;
my ($p, $c, $r);
my $every = join '', map { chr } 0 .. 255;
for my $case (['-k', '--echo', 0], ['-k', 0, '--', 'cat'], ['-k', '--discard', 0]) {
    $p = start('listen', @$case);
    is exchange($p->port, $every x 400), "@$case" =~ /discard/ ? '' : $every x 400,
        "@$case: every byte value, client $_" for 1, 2;
    is $p->stop->{status}, 0, 'stopped';
}
my $target = tcp_listener();
my $peer = peer($target, sub { local $/; print { $_[0] } 'got ' . readline $_[0] }, 2);
$p = start('listen', '-k', '--to', '127.0.0.1:' . $target->sockport, 0);
is exchange($p->port, $_), "got $_", "--to: half-close passes through: $_" for 1, 2;
$p->stop;
reap($peer);
misused 'listen', qr/cannot be used together/ => ['--echo --discard 0', '--echo 0 -- cat'];

# Which of 0 to 255 are open, asked with fcntl so that nothing is opened.
my $walk = 'use Fcntl; print join " ", grep { my $fd = $_; '
    . 'require POSIX; defined POSIX::dup2($fd, $fd) } 0 .. 255';
$p = start('listen', '-k', 0, '--', $^X, '-e', $walk);
my @held = map { tcp_client($p->port) } 1 .. 5;
is exchange($p->port, ''), '0 1 2', 'a program of listen has no other descriptor';
@held = ();
$p->stop;
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $pid = peer($l, sub { local $/; die unless readline($_[0]) eq '0 1 2' });
is run('connect', @to, '--', $^X, '-e', $walk)->{status}, 0, 'connect -- PROGRAM';
is reap($pid), 0, 'has no other descriptor either';
# What the shell has opened for sockt reaches the program.
for my $how (@recorded) {
    $p = start({ command => built('pty') }, "$dir/tty", '1', 100, sockt(), 'listen',
        @$how, 0, '-e', 'exec 2>&1; true < /dev/tty && echo held || echo free');
    like exchange($p->port, ''), qr/free\n\z/,
        "a program does not get the terminal, in which a shell would be stopped: @$how";
    $p->finish;
}
$p = start({ command => 'sh' }, '-c',
    'exec 5> "$1"; exec "$0" listen -4 0 -- sh -c "echo it has 5 >&5"',
    sockt(), "$dir/five");
exchange($p->port, '');
$p->finish;
is slurp("$dir/five"), "it has 5\n", 'a program inherits descriptor 5';

# Those of an outer server are removed for every program.
my $outer = { map { $_ => 'of an outer server' } qw(TCPREMOTEIP SSL_PROTOCOL
    SSL_CLIENT_S_DN UNIXREMOTEEUID) };
$pid = peer($l, sub { local $/; die if readline($_[0]) ne '.' }, 1);
is run({ env => $outer }, 'connect', @to, '-e',
    'printf %s "$SSL_CLIENT_S_DN$UNIXREMOTEEUID."')->{status}, 0, 'connect -e';
is reap($pid), 0, 'has no variable of an outer server';
exits run({ env => $outer }, 'connect', '--via',
    'cat; echo "$TCPREMOTEIP$SSL_CLIENT_S_DN."; : %h', 'h', 1), "0 .\n", 'nor has --via';
for my $host ('127.0.0.1', has_ipv6() ? '::1' : ()) {
    for my $record (@recorded) {
        $p = start({ env => $outer }, 'listen',
            '-k', @$record, '-e', 'echo $PROTO $TCPLOCALIP $TCPLOCALPORT '
            . '$TCPREMOTEIP $TCPREMOTEPORT $SSL_CLIENT_S_DN $UNIXREMOTEEUID', 0);
        $c = tcp_client($p->port, $host);
        is scalar(<$c>),
            join(' ', 'TCP', $host, $p->port, $host, $c->sockport) . "\n",
            "the UCSPI variables, $host @$record";
        $p->stop;
    }
}

# Its status is passed on, also 2, with nothing about sockt's own usage. One that
# is killed resets its client, which has connected before.
for my $case ([3, '-e', 'exit 3'], [137, '-e', 'read x; kill -9 $$'], [2, '-q', '-e', 'exit 2'],
    [2, '--', 'sh', '-c', 'exit 2']) {
    my ($status, @program) = @$case;
    $pid = peer($l, sub { });
    exits run('connect', @to, @program), $status, "connect @program", err => '';
    reap($pid);
    for my $how ([], ['-v', '--json', @{ $recorded[1] }]) {
        $p = start('listen', @$how, 0, grep { $_ ne '-q' } @program);
        # The reset of a killed program may precede the end of connecting.
        eval { tcp_client($p->port) };
        exits $p->finish, $status, "listen @$how, too", err => @$how
            ? [map { qr/"closed",\N*$_\b/ } '"connection":1', "\"status\":$status"]
            : [], no_err => qr/^(?!sockt listen: listening on |\{)|"error"/m;
    }
}
$pid = peer($l, sub { sleep 5 }, 4);
exits run('connect', '--json', '-e', 'exit 2', @to), 2, '--json: no error event',
    no_err => qr/^[^{]|"error"/m;
exits run('connect', @to, '--', '/no/such'), 127, 'a program that is not there',
    err => qr{cannot run /no/such: no such file};
exits run('connect', @to, '--', '/etc/passwd'), 126, 'one that is no program';
exits run('connect', '-m', '200ms', @to, '--', 'sleep', 60), 5, '-m ends a program';
kill 'KILL', $pid;
exits run('connect', '--nonsense', @to), 2, 'a usage error of ours is told as ever',
    err => qr/\n.*try 'sockt connect --help'\n/;
# The last one has a vfork(2) that is a fork(2), as in some C libraries.
for my $row ((map { [sockt(), @$_] } @recorded), [built('sockt-names')]) {
    my ($command, @record) = @$row;
    next if !-x $command;
    spew("$dir/gone", "#!/bin/sh\n");
    chmod 0755, "$dir/gone";
    $p = start({ command => $command }, 'listen', '-k', @record, 0, '--', "$dir/gone");
    $p->port;
    unlink "$dir/gone";
    ok is_reset($p->port), "a program that has gone: a reset @record";
    $p->expect(err => qr{127\.0\.0\.1 port \d+: .*cannot run \S+/gone: no such file});
    is $p->stop->{status}, 0, 'and the server goes on';
}
# With -q nothing has opened the terminal of the messages when it fails.
spew("$dir/bad", "#!/no/such/interpreter\n");
chmod 0755, "$dir/bad";
my $quiet = free_port();
$p = start({ command => built('pty') }, "$dir/tty", '2', 100, sockt(), 'listen', '-q',
    '-k', '--accept-timeout', 6, '127.0.0.1', $quiet, '--', "$dir/bad");
await_listener($quiet);
ok is_reset($quiet), "no message reaches client $_" for 1 .. 3;
$p->finish;
like slurp("$dir/tty"), qr/(?:cannot run.*){3}no connection within 6 s/s,
    'all of them reach the terminal';

SKIP: {
    skip 'needs root', 9 unless is_root() && defined getpwnam 'nobody';
    $p = start('listen', '-k', '--user', 'nobody', 0, '--', $^X, '-e',
        'my $was = "$< $> $( $)"; $> = 0; $< = 0; print "$was; $< $>"');
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    is exchange($p->port, ''), "$uid $uid $gid $gid $gid $gid; $uid $uid",
        '--user: user, group and groups, and no way back';
    is $p->stop->{status}, 0, 'stopped';
    # Whose path could not be removed at the end does not begin.
    chmod 0755, $dir;
    mkdir "$dir/$_" for qw(sticky shared own);
    chmod 01777, "$dir/sticky";
    chmod 0777, "$dir/shared";
    chown $uid, $gid, "$dir/own";
    exits run('listen', '--user', 'nobody', '--echo', "unix:$_/s"), 7,
        '--user: a path that only root may remove',
        err => qr/--user: 'nobody' may not remove unix:\Q$_\E\/s at the end/
        for $dir, "$dir/sticky";
    for my $folder (qw(own shared)) {
        $p = start('listen', '-kv', '--user', 'nobody', '--echo', "unix:$dir/$folder/s");
        $p->expect(err => qr/listening on/);
        is $p->stop->{status}, 0, "in a folder of the user, or of all, it ends well";
    }
    is join(' ', grep { -e } map { "$_/s" } $dir, glob "$dir/*"), '',
        'and no path is left';
    my $child = Sockt::fork_as($uid, undef, sub {
        my $o = run('listen', '--user', 'root', 0);
        die "$o->{status} $o->{err}" unless $o->{status} == 7
            && $o->{err} =~ /not permitted/;
    });
    is reap($child), 0, 'who is not root cannot become root: status 7';
}

# A program that is asked to end, by the end of its server or by --max-time,
# ends with what it has started, also when that does not listen and the program
# itself has gone at once. It tells its process group.
my $program = '(trap "" HUP INT TERM; while :; do sleep 1; done) & '
    . 'echo $$; wait';
sub grouped {
    $p = start('listen', '-k', @_, 0);
    $c = tcp_client($p->port);
    chomp(my $group = <$c>);
    return $group;
}
for my $row (['TERM'], ['HUP'], ['TERM', @{ $recorded[1] }]) {
    my ($signal, @record) = @$row;
    my $group = grouped(@record, '-e', $program);
    exits $p->stop($signal), $signal eq 'HUP' ? -1 : 0,
        "@$row: it takes its time, no more", within => 10;
    ok group_ends($group, 5), "$signal: nobody is left when the server has ended";
}
# Those who do listen cost no time.
my $group = grouped('-e', 'sleep 1000 & echo $$; wait');
my $start = time;
$p->stop;
my $took = time - $start;
ok group_ends($group, 5), 'a willing one has ended';
SKIP: {
    skip 'zombies cannot be told from others here', 1 unless $linux;
    cmp_ok $took, '<', 1.5, 'at once';
}
$group = grouped('-m', '1', '-e', $program);
ok group_ends($group, 5), '--max-time: nobody is left';
is scalar(<$c>), undef, 'and the connection has ended';
$p->expect(err => qr/the program took longer than allowed \(--max-time\)/);
is $p->stop->{status}, 0, 'the server went on';
$p = start('listen', '-k', '-m', '300ms', '-x', "$dir/dump", '-e',
    'trap "echo last words; exit 4" TERM; echo begun; while :; do sleep 0.01; done', 0);
is exchange($p->port, ''), "begun\nlast words\n",
    'what it says at last arrives, recorded too';
$p->stop;

# A program ends, and a process that it has started goes on with the
# connection: its bytes arrive. shutdown(2) would have ended the connection for
# every copy of the descriptor.
system('mkfifo', "$dir/go") == 0 or die;

# The first process ends at once, the second writes once it is let.
$program = "(cat $dir/go; echo late) 2>/dev/null & echo early";
sub let_go { open my $go, '>', "$dir/go" or die $!; close $go }

for my $keep ([], ['-k']) {
    $p = start('listen', '-v', @$keep, '-e', $program, 0);
    $c = tcp_client($p->port);
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
    skip 'this system does not tell of them', 3 unless $linux;
    my $l = tcp_listener();
    $p = start('connect', '-v', '-e', $program, '127.0.0.1', $l->sockport);
    $c = $l->accept;
    is scalar(<$c>), "early\n", 'connect: the program';
    exits $p->finish, 0, 'has ended, and this is told',
        err => qr/a process that it started keeps the connection\n/;
    let_go();
    is scalar(<$c>), "late\n", 'what it has left behind';
}

$p = start('listen', '-k', '-x', "$dir/dump", '-e',
    'exec 3<&0; (read line <&3; echo "later: $line") & exit 0', 0);
is exchange($p->port, "text\n"), "later: text\n", 'recorded, too';
$p->stop;

# Where nothing is left the end is an orderly one, with input unread too: the last
# words are not lost to a reset. A zombie that the program has not reaped is
# nobody who could go on.
for my $case (['echo', 'bye'], [$^X, '-e', 'fork or exit;'
    . 'select undef, undef, undef, 0.05; print "bye\n"'], ['-x', 'echo', 'bye']) {
    my ($record, @bye) = $case->[0] eq '-x' ? @$case : ('', @$case);
    $p = start('listen', '-kv', $record ? ('-x', "$dir/dump") : (), 0, '--', @bye);
    is join('', map { exchange($p->port, 'unread' x 5000) } 1 .. 20), "bye\n" x 20,
        "last words arrive although input was left unread $record";
    $p->expect(err => qr/\A(?>.*?: closed ){20}/s);
    # Portably, a zombie cannot be told from a process that goes on.
    is join('', grep { !/: (?:listening|accepted|closed) |keeps the conn/ }
        split /^/, $p->stop->{err}), '', 'which is no error';
}

# The FIN of a client is no byte, also if a reset follows, and the program has
# received both.
SKIP: {
    skip 'needs the counts of Linux', 2 if !$linux;
    for my $read ('read x; read y', 'true') {
        $p = start('listen', '-kv', 0, '-e', "$read; sleep 0.1; echo a; sleep 0.1; echo b; "
            . 'sleep 0.1; echo c');
        $c = tcp_client($p->port);
        print $c "12\n";
        shutdown $c, 1;
        close $c;
        $p->expect(err => qr/closed .*\n/);
        like $p->{err}, qr/received 3, .*reset/, "a FIN before a reset is not counted: $read";
        $p->stop;
    }
}

# A client that resets a recorded connection.
$p = start('listen', '-kv', '-x', "$dir/dump", 0, '--', 'cat');
$c = tcp_client($p->port);
setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'II', 1, 0;
print $c 'x';
sysread $c, my $back, 1;
close $c;
$p->expect(err => qr/closed .*received 1, in .*reset.* the peer/);
is $p->stop->{status}, 0, 'a reset of a recorded connection: the server goes on';

done_testing;
