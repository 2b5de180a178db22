# --fd: sockets that inetd or a service manager has opened, and a connection
# that it has accepted.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(AF_UNIX SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET);

# Both ends of a TCP connection: the client's and the accepted one.
sub connection {
    my $l = tcp_listener();
    my $client = tcp_client($l->sockport);
    return ($client, scalar $l->accept);
}

sub both { return (stdin => $_[0], stdout => $_[0]) }

# Runs sockt as inetd does: the socket is descriptors 0, 1 and 2.
sub inetd { my $s = shift; return start({ both($s), stderr => $s }, @_) }

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

sub rest { my ($h) = @_; local $/; return scalar(<$h>) // '' }

# inetd nowait.
{
    my ($client, $accepted) = connection();
    my ($port, $ours) = ($accepted->sockport, $client->sockport);
    my $p = inetd($accepted, 'serve-hello', '--fd', 0, '-v');
    close $accepted;
    print $client "Ann\n";
    shutdown $client, 1;
    is rest($client), "Welcome!Hello, Ann!\n",
        'inetd nowait: the conversation, and no message of sockt';
    is $p->finish->{status}, 0, 'serve-hello ends with it';
}
{
    my ($client, $accepted) = connection();
    my ($port, $ours) = ($accepted->sockport, $client->sockport);
    my $p = start({ both($accepted) }, 'serve-hello', '--fd', 0, '-v');
    close $accepted;
    print $client "exit\n";
    shutdown $client, 1;
    rest($client);
    my $r = $p->finish;
    like $r->{err}, qr/^sockt serve-hello: accepted 127\.0\.0\.1 port $ours on 127\.0\.0\.1 port $port\n/,
        'the addresses are those of the connection; nothing listens';
    like $r->{err}, qr/closed 127\.0\.0\.1 port $ours /, 'and its end is told';
}
{
    my ($client, $accepted) = connection();
    my $port = $client->sockport;
    my $p = inetd($accepted, 'listen', '--fd', 0, '-e',
        'echo $PROTO $TCPREMOTEPORT; cat; echo oops >&2; exit 3');
    close $accepted;
    print $client "x\n";
    shutdown $client, 1;
    is rest($client), "TCP $port\nx\n", 'a program has it, and its addresses';
    is $p->finish->{status}, 3, "its status is listen's";
}
for my $case ([ '--echo' ], [ '--', 'cat' ]) {
    my ($client, $accepted) = connection();
    my $p = inetd($accepted, 'listen', '--fd', 0, @$case);
    close $accepted;
    syswrite $client, 'x' x 100_000;
    shutdown $client, 1;
    is length rest($client), 100_000, "@$case serves it";
    is $p->finish->{status}, 0, 'to the end';
}
{
    my ($client, $accepted) = connection();
    my $target = tcp_listener();
    my $pid = peer($target, sub { my $c = shift; print $c 'target' });
    my $p = inetd($accepted, 'listen', '--fd', 0, '--to',
        '127.0.0.1:' . $target->sockport);
    close $accepted;
    is rest($client), 'target', '--to serves it';
    close $client;
    is $p->finish->{status}, 0, 'to the end';
    reap $pid;
}

# Without a handler the socket cannot be standard input as well.
{
    my ($client, $accepted) = connection();
    my $r = start({ both($accepted) }, 'listen', '--fd', 0)->finish;
    is $r->{status}, 2, 'stdin and stdout cannot be relayed to themselves';
    like $r->{err}, qr/needs a handler/, 'and what is needed is told';
    my $l = tcp_listener();
    $r = start({ stdin => $l }, 'listen', '--fd', 0)->finish;
    is $r->{status}, 2, 'the same for a listening socket';
}

# systemd, Accept=yes.
{
    my ($client, $accepted) = connection();
    my $p = systemd([$accepted], { stdin => 'from stdin' }, 'listen', '--fd',
        'systemd');
    close $accepted;
    print $client 'to stdout';
    shutdown $client, 1;
    is rest($client), 'from stdin', 'Accept=yes: stdin is relayed';
    exits $p->finish, 0, 'and stdout', out => 'to stdout';
}
{
    my ($client, $accepted) = connection();
    my $p = systemd([$accepted], {}, 'listen', '--fd', 'systemd', '--',
        'sh', '-c', 'env');
    close $accepted;
    shutdown $client, 1;
    my $env = rest($client);
    like $env, qr/^TCPREMOTEIP=127\.0\.0\.1$/m, 'a program has the connection';
    unlike $env, qr/^LISTEN_/m, 'and not the variables of activation';
    $p->finish;
    my @two = (connection(), connection());
    exits systemd([ @two[1, 3] ], {}, 'listen', '--fd', 'systemd',
        '--echo')->finish, 7, 'two connections are refused';
    exits systemd([ $two[1] ], { both($two[1]) }, 'listen', '--fd',
        'systemd')->finish, 2, 'stdin may not be the connection either';
}

# A non-blocking connection.
{
    my ($client, $accepted) = connection();
    $accepted->blocking(0);
    my $p = inetd($accepted, 'listen', '--fd', 0, '--', 'cat');
    close $accepted;
    print $client 'late';
    shutdown $client, 1;
    is rest($client), 'late', 'a program gets a blocking socket';
    $p->finish;
}

# A unix connection.
{
    my ($client, $accepted) = IO::Socket->socketpair(AF_UNIX, SOCK_STREAM, 0);
    my $p = start({ both($accepted) }, 'serve-hello', '--fd', 0);
    close $accepted;
    print $client "Bob\nexit\n";
    shutdown $client, 1;
    is rest($client), "Welcome!Hello, Bob!\n", 'a unix socket pair is served';
    is $p->finish->{status}, 0, 'well';
}

# Access rules.
for my $case ([ '--deny', '127.0.0.1', '' ], [ '--allow', '127.0.0.1', 'x' ]) {
    my $expected = pop @$case;
    my ($client, $accepted) = connection();
    my $p = start({ both($accepted) }, 'listen', '-v', '--echo', '--fd', 0,
        @$case);
    close $accepted;
    print $client 'x';
    shutdown $client, 1;
    is rest($client), $expected, "@$case holds for it";
    my $r = $p->finish;
    is $r->{status}, 0, 'and is not a failure';
    like $r->{err}, qr/rejected \(--allow/, 'but told' if $expected eq '';
}

# Options for several connections.
for my $case ([ 'listen', '-k', '--echo' ], [ 'serve-hello', '--max-conns', 3 ],
    [ 'listen', '--echo', '--accept-timeout', 1 ],
    [ 'serve-hello', '--max-per-host', 1 ]) {
    my ($client, $accepted) = connection();
    my $r = start({ both($accepted) }, @$case, '--fd', 0)->finish;
    is $r->{status}, 2, "@$case is refused for a connection";
    like $r->{err}, qr/--$_ is for a listening socket/, 'and named'
        for grep { s/^-k$/keep-open/ || s/^--(?=[am])// } @$case;
}

# Its number is 1, for events and for %n.
{
    my ($client, $accepted) = connection();
    my $dir = scratch();
    my $p = start({ both($accepted) }, 'listen', '-v', '--json', '--echo',
        '--fd', 0, '-o', "$dir/%n");
    close $accepted;
    print $client 'x';
    shutdown $client, 1;
    is rest($client), 'x', 'a connection with a record is served';
    like $p->finish->{err}, qr/"accepted",.*"connection":1\b/, 'its number is 1';
    is slurp("$dir/1"), 'x', 'in names of files, too';
}

# A signal.
{
    my ($client, $accepted) = connection();
    my $p = start({ both($accepted) }, 'serve-hello', '-v', '--fd', 0);
    close $accepted;
    $p->expect(err => qr/accepted/);
    sysread $client, my $greeting, 100;
    is $p->stop->{signal}, 15, 'SIGTERM ends the work as a signal';
}

# Listening sockets: serve-hello and inetd wait, and TCP with descriptor 0.
for my $how (\&inetd, sub { my $s = shift; systemd([$s], {}, @_) }) {
    my $l = tcp_listener();
    my $n = $how == \&inetd ? 0 : 'systemd';
    my $p = $how->($l, 'serve-hello', '--fd', $n);
    for (1, 2) {
        my $c = tcp_client($l->sockport);
        print $c "exit\n";
        shutdown $c, 1;
        is rest($c), "Welcome!", "serve-hello --fd $n serves client $_";
    }
    is $p->stop->{status}, 0, 'and is stopped as always';
}

# Datagrams: inetd dgram wait, systemd.
for my $n (0, 'systemd') {
    my $s = udp_socket();
    my $c = udp_socket(peer => [ '127.0.0.1', $s->sockport ]);
    $c->send('early');
    my @o = ('udp-serve', '--fd', $n, '--idle-timeout', '300ms');
    my $p = $n eq '0' ? inetd($s, @o) : systemd([$s], {}, @o);
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
    my $p = systemd([$s], {}, 'udp-serve', '--echo', '--fd', 'systemd');
    $c->send('unix');
    $c->recv(my $answer, 100);
    is $answer, 'unix', 'a unix datagram socket';
    $p->stop;
    ok -e $path, 'whose path is not removed: another process bound it';
    my $r = inetd(udp_socket(), 'udp-serve', '--print', '--fd', 0)->finish;
    is $r->{status}, 2, '--print needs another standard output';
}

# The idle end of an activated server.
{
    for my $case ([ 'listen', '-k', '--echo' ], [ 'listen', '--echo' ],
        [ 'serve-hello' ]) {
        my $l = tcp_listener();
        my $r = systemd([$l], {}, @$case, '-v', '--fd', 'systemd',
            '--accept-timeout', '100ms')->finish;
        is $r->{status}, 0, "@$case: --accept-timeout is a normal end";
        like $r->{err}, qr/no connection within .*normal end/, 'which -v tells';
        exits start({ stdin => $l }, @$case, '--fd', 0, '--accept-timeout',
            '100ms')->finish, 5, 'but not with another --fd';
    }
    my $l = tcp_listener();
    my $p = systemd([$l], {}, 'listen', '-k', '--fd', 'systemd', '-m', '100ms');
    is $p->finish->{status}, 5, '--max-time is not a normal end';
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
    is run($command, '--fd', 'x')->{status}, 2, 'a word is a usage error';
    is run($command, '--fd', 3, 80)->{status}, 2, 'and so is an address';
    is run($command, '--fd', 3, '--ttl', 9)->{status}, 2, 'and an option';
}

done_testing;
