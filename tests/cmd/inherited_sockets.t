# --fd: sockets that inetd or a service manager has opened, and a connection
# that it has accepted.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(AF_UNIX SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET);

sub both { return (stdin => $_[0], stdout => $_[0]) }

# Runs sockt as inetd does: the socket is descriptors 0, 1 and 2.
sub inetd { my $s = shift; return start({ both($s), stderr => $s }, @_) }

# The same with a stderr of its own.
sub nowait { my $s = shift; return start({ both($s) }, @_) }

# Runs sockt as systemd does: the sockets are descriptors from 3 on.
sub systemd {
    my ($sockets, $o, @args) = @_;
    my @fds = map { fcntl $_, 2, 0; fileno $_ } @$sockets;
    return start({ %$o, command => $^X, keep_fds => 1 }, '-MPOSIX', '-e', '
        my ($n, @fds) = splice @ARGV, 0, 1 + $ARGV[0];
        # Out of the way first.
        @fds = map { my $high; dup2($_, $high = 200 + $_); $high } @fds;
        dup2($fds[$_], 3 + $_) for 0 .. $#fds;
        POSIX::close($_) for @fds;
        @ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, $n, "x");
        exec @ARGV or die $!;', scalar @fds, @fds, sockt(), @args);
}

sub activated { my $s = shift; return systemd([$s], {}, @_, '--fd', 'systemd') }

sub rest { my ($h) = @_; local $/; return scalar(<$h>) // '' }

# Hands the accepted end of a TCP connection to a process, and sends text on the
# other: the process, what it answers, and the client's socket.
sub served {
    my ($how, $text, @args) = @_;
    my $l = tcp_listener();
    my $client = tcp_client($l->sockport);
    my $accepted = $l->accept;
    my $p = $how->($accepted, @args);
    close $accepted;
    print $client $text;
    shutdown $client, 1;
    return ($p, rest($client), $client, $l->sockport);
}

# inetd nowait.
my ($p, $got, $c) = served(\&inetd, "Ann\n", 'serve-hello', '--fd', 0, '-v');
is $got, "Welcome!Hello, Ann!\n",
    'inetd nowait: the conversation, and no message of sockt';
is $p->finish->{status}, 0, 'serve-hello ends with it';
($p, $got, $c, my $port) = served(\&nowait, "exit\n", 'serve-hello', '--fd', 0,
    '-v');
my $ours = $c->sockport;
exits $p->finish, 0, 'the addresses are those of the connection; nothing listens',
    err => [qr/^sockt serve-hello: accepted 127\.0\.0\.1 port $ours on 127\.0\.0\.1 port $port\n/,
    qr/closed 127\.0\.0\.1 port $ours /];
($p, $got, $c) = served(\&inetd, "x\n", 'listen', '--fd', 0, '-e',
    'echo $PROTO $TCPREMOTEPORT; cat; echo oops >&2; exit 3');
is $got, 'TCP ' . $c->sockport . "\nx\n", 'a program has it, and its addresses';
is $p->finish->{status}, 3, "its status is listen's";
my $target = tcp_listener();
my $pid = peer($target, sub { local $/; print { $_[0] } readline $_[0] });
for my $handler (['--echo'], ['--', 'cat'], ['--to', '127.0.0.1:' . $target->sockport]) {
    ($p, $got) = served(\&inetd, 'x' x 100_000, 'listen', '--fd', 0, @$handler);
    is length $got, 100_000, "@$handler serves it";
    is $p->finish->{status}, 0, 'to the end';
}
reap($pid);
# A non-blocking connection.
($p, $got) = served(sub { $_[0]->blocking(0); inetd(@_) }, 'late', 'listen', '--fd',
    0, '--', 'cat');
is $got, 'late', 'a program gets a blocking socket';
$p->finish;

# Without a handler the socket cannot be standard input as well.
($p) = served(\&nowait, '', 'listen', '--fd', 0);
exits $p->finish, 2, 'stdin and stdout cannot be relayed to themselves',
    err => qr/needs a handler/;
exits start({ stdin => scalar tcp_listener() }, 'listen', '--fd', 0)->finish, 2,
    'the same for a listening socket';

# systemd, Accept=yes.
($p, $got) = served(sub { systemd([shift], { stdin => 'from stdin' }, @_) },
    'to stdout', 'listen', '--fd', 'systemd');
is $got, 'from stdin', 'Accept=yes: stdin is relayed';
exits $p->finish, '0 to stdout', 'and stdout';
($p, $got) = served(\&activated, '', 'listen', '-e', 'env');
like $got, qr/^TCPREMOTEIP=127\.0\.0\.1$/m, 'a program has the connection';
unlike $got, qr/^LISTEN_/m, 'and not the variables of activation';
$p->finish;
($p) = served(sub { my $s = shift; systemd([$s, $s], {}, @_) }, '', 'listen',
    '--fd', 'systemd', '--echo');
exits $p->finish, 7, 'two connections are refused';
($p) = served(sub { my $s = shift; systemd([$s], { both($s) }, @_) }, '', 'listen',
    '--fd', 'systemd');
exits $p->finish, 2, 'stdin may not be the connection either';

# A unix connection.
{
    my ($client, $accepted) = IO::Socket->socketpair(AF_UNIX, SOCK_STREAM, 0);
    my $p = nowait($accepted, 'serve-hello', '--fd', 0);
    close $accepted;
    print $client "Bob\nexit\n";
    shutdown $client, 1;
    is rest($client), "Welcome!Hello, Bob!\n", 'a unix socket pair is served';
    is $p->finish->{status}, 0, 'well';
}

# Access rules.
for my $case (['--deny', '127.0.0.1', ''], ['--allow', '127.0.0.1', 'x']) {
    my ($option, $who, $expected) = @$case;
    ($p, $got) = served(\&nowait, 'x', 'listen', '-v', '--echo', '--fd', 0, $option,
        $who);
    is $got, $expected, "$option $who holds for it";
    exits $p->finish, 0, 'and is not a failure but told',
        err => $expected ? qr/accepted/ : qr/rejected \(--allow/;
}

# Options for several connections.
for my $case (['--keep-open', 'listen', '-k', '--echo'],
    ['--max-conns', 'serve-hello', '--max-conns', 3],
    ['--accept-timeout', 'listen', '--echo', '--accept-timeout', 1],
    ['--max-per-host', 'serve-hello', '--max-per-host', 1]) {
    my ($name, @command) = @$case;
    ($p) = served(\&nowait, '', @command, '--fd', 0);
    exits $p->finish, 2, "@command is refused for a connection",
        err => qr/$name is for a listening socket/;
}

# Its number is 1, for events and for %n.
my $dir = scratch();
($p, $got) = served(\&nowait, 'x', 'listen', '-v', '--json', '--echo', '--fd', 0,
    '-o', "$dir/%n");
is $got, 'x', 'a connection with a record is served';
exits $p->finish, 0, 'its number is 1', err => qr/"accepted",.*"connection":1\b/;
is slurp("$dir/1"), 'x', 'in names of files, too';

# A signal.
{
    my $l = tcp_listener();
    my $client = tcp_client($l->sockport);
    my $p = nowait(scalar $l->accept, 'serve-hello', '-v', '--fd', 0);
    $p->expect(err => qr/accepted/);
    sysread $client, my $greeting, 100;
    is $p->stop->{signal}, 15, 'SIGTERM ends the work as a signal';
}

# Listening sockets: serve-hello and inetd wait, and TCP with descriptor 0.
for my $n (0, 'systemd') {
    my $l = tcp_listener();
    my $p = $n ? activated($l, 'serve-hello') : inetd($l, 'serve-hello', '--fd', 0);
    is exchange($l->sockport, "exit\n"), 'Welcome!',
        "serve-hello --fd $n serves client $_" for 1, 2;
    is $p->stop->{status}, 0, 'and is stopped as always';
}

# Unix datagrams: what has no meaning for them, and a socket without a name.
for my $case (["$dir/dgram", 2, qr/--allow is for IP/],
    [undef, 7, qr/descriptor 0 is not bound to a path/]) {
    my ($path, $status, $line) = @$case;
    my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
        $path ? (Local => $path) : ());
    exits nowait($s, 'udp-serve', '--fd', 0, '--allow', '127.0.0.1')->finish,
        $status, 'udp-serve --allow with a unix socket', err => $line;
}

# Datagrams: inetd dgram wait, systemd.
for my $n (0, 'systemd') {
    my $s = udp_socket();
    my $c = udp_socket(peer => [ '127.0.0.1', $s->sockport ]);
    $c->send('early');
    my @o = ('udp-serve', '--idle-timeout', '300ms');
    my $p = $n ? activated($s, @o) : inetd($s, @o, '--fd', 0);
    $c->recv(my $answer, 100);
    is $answer, 'Hello, early!', "udp-serve --fd $n answers what waited";
    $c->send('late');
    $c->recv($answer, 100);
    is $answer, 'Hello, late!', 'and what follows';
    is $p->finish->{status}, $n eq '0' ? 5 : 0, 'the idle end';
}
{
    my $s = udp_socket(host => '0.0.0.0');
    my $c = udp_socket(peer => [ '127.0.0.9', $s->sockport ]);
    SKIP: {
        skip 'POSIX does not report where a datagram was sent to', 1
            unless run('--version')->{out} =~ /\(linux\)/;
        $c->send('x');
        my $p = inetd($s, 'udp-serve', '--fd', 0, '--echo');
        $c->recv(my $answer, 100);
        is $answer, 'x', 'from the address that a datagram was sent to';
        $p->stop;
    }
}
{
    my $path = scratch() . '/s';
    my $s = IO::Socket::UNIX->new(Local => $path, Type => SOCK_DGRAM) or die;
    my $c = IO::Socket::UNIX->new(Local => "$path.c", Peer => $path,
        Type => SOCK_DGRAM) or die;
    my $p = activated($s, 'udp-serve', '--echo');
    $c->send('unix');
    $c->recv(my $answer, 100);
    is $answer, 'unix', 'a unix datagram socket';
    $p->stop;
    ok -e $path, 'whose path is not removed: another process bound it';
    exits inetd(udp_socket(), 'udp-serve', '--print', '--fd', 0)->finish, 2,
        '--print needs another standard output';
}

# The idle end of an activated server.
{
    for my $case ([ 'listen', '-k', '--echo' ], [ 'listen', '--echo' ],
        [ 'serve-hello' ]) {
        my $l = tcp_listener();
        exits activated($l, @$case, '-v', '--accept-timeout', '100ms')->finish, 0,
            "@$case: --accept-timeout is a normal end, which -v tells",
            err => qr/no connection within .*normal end/;
        exits start({ stdin => $l }, @$case, '--fd', 0, '--accept-timeout',
            '100ms')->finish, 5, 'but not with another --fd';
    }
    exits activated(scalar tcp_listener(), 'listen', '-k', '-m', '100ms')->finish, 5,
        '--max-time is not a normal end';
}

# Other descriptors.
my $stream = tcp_listener();
my $dgram = udp_socket();
my ($a, $b) = IO::Socket->socketpair(AF_UNIX, SOCK_SEQPACKET, 0);
my $unbound = IO::Socket::INET->new(Proto => 'udp') or die;
socket my $idle, AF_UNIX, SOCK_STREAM, 0 or die;
my ($u1, $u2) = IO::Socket->socketpair(AF_UNIX, SOCK_DGRAM, 0);
for my $case (
    [ 'listen', $dgram, qr/is a datagram socket, which udp-serve takes/ ],
    [ 'serve-hello', $dgram, qr/is a datagram socket, which udp-serve/ ],
    [ 'udp-serve', $stream, qr/is a stream socket, which listen and serve/ ],
    [ 'listen', $a, qr/is a socket of another type/ ],
    [ 'udp-serve', $unbound, qr/is not bound to a port/ ],
    [ 'udp-serve', $u1, qr/is connected/ ],
    [ 'serve-hello', $idle, qr/is neither listening nor connected/ ],
    [ 'listen', undef, qr/is not a socket/ ]) {
    my ($command, $socket, $why) = @$case;
    exits start($socket ? { stdin => $socket } : {}, $command, '--fd',
        0)->finish, 7, "$command", err => $why;
}
for my $command ('listen', 'serve-hello', 'udp-serve') {
    exits run($command, '--fd', 99), 7, "$command: a closed descriptor",
        err => qr/descriptor 99 is not open/;
    exits run($command, '--fd', @$_), 2, "$command --fd @$_ is a usage error"
        for ['x'], [3, 80], [3, '--ttl', 9];
}

done_testing;
