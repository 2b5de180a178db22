# A connection's process answers signals as any other does, and its end is
# nobody else's.
use Sockt;
use POSIX ();

plan skip_all => 'needs /proc' unless -e '/proc/self/stat';

my $target = tcp_listener();
my $to = '127.0.0.1:' . $target->sockport;
for my $command (['serve-hello'], ['listen', '-k', '--echo'],
    ['listen', '-k', '--to', $to]) {
    for my $signal (qw(TERM INT)) {
        my $p = start(@$command, '-v', 0);
        my $c = tcp_client($p->port);
        sysread $c, my $greeting, 8 if @$command == 1;
        accept my $held, $target if @$command == 4;
        my $child = await_child($p->{pid});
        ok $child && kill($signal, $child), "@$command: its process gets $signal";
        ok !sysread($c, my $rest, 1), 'and ends: its connection does too';
        ok tcp_client($p->port), 'the server goes on';
        close $c;
        is $p->stop->{status}, 0, 'and stops when it is told to';
    }
}

# It has the connection alone: no listening socket, which would keep the port
# when the server has ended.
for my $command (['serve-hello'], ['listen', '-k', '--echo'],
    ['listen', '-k', '-e', 'cat']) {
    my $p = start(@$command, '127.0.0.1', 0);
    my $port = $p->port;
    my $c = tcp_client($port);
    print $c 'x';
    $c->flush;
    sysread $c, my $said, 1;
    my ($inode) = slurp('/proc/net/tcp') =~
        sprintf('0100007F:%04X 00000000:0000 0A (?:\S+ +){5}(\d+) ', $port);
    my @links = map { readlink // () } map { glob "/proc/$_/fd/*" }
        children($p->{pid});
    is scalar(grep { $_ eq "socket:[$inode]" } @links), 0,
        "@$command: a connection's process does not listen" or diag "@links";
    cmp_ok scalar(@links), '>', 0, '  as its descriptors show';
    close $c;
    $p->stop;
}

# With the signals blocked that stop a server it could not be stopped.
my $set = POSIX::SigSet->new(POSIX::SIGTERM(), POSIX::SIGINT());
my $old = POSIX::SigSet->new;
POSIX::sigprocmask(POSIX::SIG_BLOCK(), $set, $old);
my $p = start('listen', '-k', '--echo', 0);
POSIX::sigprocmask(POSIX::SIG_SETMASK(), $old);
is exchange($p->port, 'x'), 'x', 'started with TERM and INT blocked: it serves';
is $p->stop->{status}, 0, 'and can be stopped';

# With SIGCHLD blocked a program never seemed to end.
$set = POSIX::SigSet->new(POSIX::SIGCHLD());
for my $command (['listen', '-k', 0, '--', 'cat'], ['listen', '-e', 'cat', 0]) {
    POSIX::sigprocmask(POSIX::SIG_BLOCK(), $set, $old);
    $p = start($command->[0], '-4', @$command[1 .. $#$command]);
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), $old);
    is exchange($p->port, 'x'), 'x', "started with CHLD blocked: @$command serves";
    is $p->stop->{status}, 0, '  and ends';
}

# A child that the shell left behind ends while listen relays: its signal does
# not end the relay.
my $dir = scratch();
system('mkfifo', "$dir/go") == 0 or die;
$p = start({ command => '/bin/sh' }, '-c',
    '(cat "$1"; echo gone) & exec "$2" listen -4 0', 'sh', "$dir/go", sockt());
my $client = tcp_client($p->port);
syswrite $client, "one\n";
$p->expect(out => qr/one/);
open my $go, '>', "$dir/go" or die $!;
close $go;
$p->expect(out => qr/gone/);
syswrite $client, "two\n";
close $client;
exits $p->finish, 0, 'everything came', out => "one\ngone\ntwo\n";

# Whatever ends sockt, its children end too: a process that looks a name up,
# where the name server is silent, and those of connections when the server is
# killed.
my $names = built('sockt-names');
my $follows = run('--version')->{out} =~ /linux/;

# A zombie that nobody has reaped is no process that stays.
sub is_gone {
    my ($pid) = @_;
    for (1 .. 1000) {
        open my $f, '<', "/proc/$pid/stat" or return 1;
        return 1 if (<$f> // '') =~ /^\d+ .*\) [ZX] /;
        select undef, undef, undef, 0.005;
    }
    return 0;
}

for my $command (['listen'], ['listen', '-k', '--echo'], ['serve-hello'],
    ['udp-serve'], ['connect']) {
    for my $signal (qw(TERM INT HUP), $follows ? 'KILL' : ()) {
        my $p = start({ command => $names, keep_stdin => 1,
            env => { SOCKT_TEST_NAMES => 'silent.test=hang' } }, @$command,
            'silent.test', 1);
        my $child = await_child($p->{pid});
        ok $child, "@$command: a process looks the name up";
        my $r = $p->stop($signal);
        ok is_gone($child), "and ends with it, by $signal";
        is $r->{err} =~ s/^.*: no answer yet\n//r, '', 'in silence';
    }
}

SKIP: {
    skip 'this system does not tell children', 1 unless $follows;
    for my $case (['listen', '-k', '--echo', 0], ['serve-hello', 0],
        ['listen', '-k', 0, '--', 'cat'], ['listen', 0, '--', 'cat']) {
        my $p = start(@$case);
        my $c = tcp_client($p->port);
        syswrite $c, "x\n";
        sysread $c, my $answer, 1;
        my $child = await_child($p->{pid});
        ok $child, "@$case: a process serves";
        $p->stop('KILL');
        ok is_gone($child), 'and ends when the server is killed';
    }
}

# What is ignored by whoever starts a server: its children are reaped anyhow,
# and its programs start with every signal at its default and none blocked.
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

for my $row (['x', 0, '--echo', 0], ['x', 0, 0, '--', 'cat'],
    ['', 3, 0, '--', 'sh', '-c', 'exit 3']) {
    my ($answer, $status, @options) = @$row;
    $p = start_ignoring('listen', @options);
    is exchange($p->port, 'x'), $answer, "listen @options: its answer, and its end";
    is $p->finish->{status}, $status, 'and the end of listen, with its status';
}

for my $case ([ 'listen', '-k', '--echo' ], ['serve-hello']) {
    $p = start_ignoring(@$case, '--max-conns', 2, 0);
    my $port = $p->port;
    my $served = grep { exchange($port, "x\n") =~ /x!?\n/ } 1 .. 5;
    is $served, 5, "@$case --max-conns 2: all five are served";
    is $p->stop->{status}, 0, 'stopped';
}

my $l = tcp_listener();
peer($l, sub { });
is start_ignoring('connect', '-e', 'exit 3', '127.0.0.1', $l->sockport)->finish
    ->{status}, 3, 'connect knows it too';

# sockt itself ignores PIPE, so that one is asked for in the program.
my $tell = 'use POSIX; my $old = POSIX::SigSet->new;'
    . 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new, $old);'
    . 'print join " ", (map { $SIG{$_} // "DEFAULT" }'
    . ' qw(CHLD PIPE HUP INT QUIT USR2 TERM)),'
    . ' map { $old->ismember($_) } SIGUSR1, SIGCHLD, SIGTERM, SIGINT';
my $defaults = join ' ', ('DEFAULT') x 7, (0) x 4;
$p = start_ignoring('listen', '-k', 0, '--', $^X, '-e', $tell);
is exchange($p->port, ''), $defaults, "a program has the defaults, $_" for 1, 2;
$p->stop;
$p = start_ignoring('udp-serve', '127.0.0.1', 0, '--', $^X, '-e', $tell);
my $u = udp_socket(peer => [ '127.0.0.1', $p->port ]);
syswrite $u, 'x';
sysread $u, my $answer, 1000;
is $answer, $defaults, 'one of udp-serve too';
$p->stop;

done_testing;
