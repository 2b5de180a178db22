# --fd: sockets that inetd or a service manager has opened, and a connection
# that it has accepted.
use Sockt;
use IO::Socket::UNIX;
use POSIX ();
use SocktTls ();
use Socket qw(AF_UNIX SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET SOL_SOCKET SO_LINGER);

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

my $target = tcp_listener();
my $pid = peer($target, sub { local $/; print { $_[0] } readline $_[0] });
my $dir = scratch();
my $much = 'x' x 100_000;
my $hello = ['serve-hello', '--fd', 0];
my $echo = ['listen', '-v', '--echo', '--fd', 0];
my $relay = ['listen', '--fd', 'systemd'];
my $nonblocking = sub { $_[0]->blocking(0); inetd(@_) };
my $with_stdin = sub { systemd([shift], { stdin => 'from stdin' }, @_) };
my $twice = sub { my $s = shift; systemd([$s, $s], {}, @_) };
my $both = sub { my $s = shift; systemd([$s], { both($s) }, @_) };

# How it gets a connection, its command, what a client sends and gets, how it ends.
for my $row (
    ['inetd nowait: the conversation, and no message of sockt', \&inetd,
        [@$hello, '-v'], "Ann\n", "Welcome!Hello, Ann!\n", 0],
    (map { ["@$_ serves it to the end", \&inetd, ['listen', '--fd', 0, @$_], $much, $much, 0] }
        ['--echo'], ['--', 'cat'], ['--to', '127.0.0.1:' . $target->sockport]),
    ['a program gets a blocking socket', $nonblocking, ['listen', '--fd', 0, '--', 'cat'],
        'late', 'late', 0],
    ['stdin and stdout cannot be relayed to themselves', \&nowait, ['listen', '--fd', 0],
        '', '', 2, err => qr/needs a handler/],
    ['Accept=yes: stdin is relayed, and stdout', $with_stdin, $relay, 'to stdout',
        'from stdin', '0 to stdout'],
    ['a program has the connection, and not the variables of activation', \&activated,
        ['listen', '-e', 'env | grep -e ^LISTEN_ -e ^TCPREMOTEIP'], '',
        "TCPREMOTEIP=127.0.0.1\n", 0],
    ['two connections are refused', $twice, [@$relay, '--echo'], '', '', 7],
    ['stdin may not be the connection either', $both, $relay, '', '', 2],
    ['--deny holds for it: status 1, told with -v', \&nowait,
        [@$echo, '--deny', '127.0.0.1'], 'x', '', 1, err => qr/denied \(--allow/],
    ['--allow, too', \&nowait, [@$echo, '--allow', '127.0.0.1'], 'x', 'x', 0,
        err => qr/accepted/],
    ['its number is 1', \&nowait, [@$echo, '--json', '-o', "$dir/%n"], 'x', 'x', 0,
        err => qr/"accepted",.*"connection":1\b/],
    (map {
        ["@$_[1 .. $#$_] is refused for a connection", \&nowait, [@$_[1 .. $#$_], '--fd', 0],
            '', '', 2, err => qr/$_->[0] is for a listening socket/]
    } ['--keep-open', 'listen', '-k', '--echo'], ['--max-conns', 'serve-hello', '--max-conns', 3],
        ['--accept-timeout', 'listen', '--echo', '--accept-timeout', 1],
        ['--max-per-host', 'serve-hello', '--max-per-host', 1]),
) {
    my ($name, $how, $command, $text, $answer, $end, %want) = @$row;
    my ($p, $got) = served($how, $text, @$command);
    ok $got eq $answer, "$name: its answer" or diag $got;
    exits $p->finish, $end, $name, %want;
}
reap($pid);
is slurp("$dir/1"), 'x', 'in names of files, too';

my ($p, $got, $c, $port) = served(\&nowait, "exit\n", @$hello, '-v');
my $ours = $c->sockport;
exits $p->finish, 0, 'the addresses are those of the connection; nothing listens',
    err => [qr/^sockt serve-hello: accepted 127\.0\.0\.1 port $ours on 127\.0\.0\.1 port $port\n/,
    qr/closed 127\.0\.0\.1 port $ours /];
($p, $got, $c) = served(\&inetd, "x\n", 'listen', '--fd', 0, '-e',
    'echo $PROTO $TCPREMOTEPORT; cat; echo oops >&2; exit 3');
is $got, 'TCP ' . $c->sockport . "\nx\n", 'a program has it, and its addresses';
is $p->finish->{status}, 3, "its status is listen's";

# Its address outlives it: --deny and --allow hold also after a reset.
for my $row (['--deny', '127.0.0.1', ': denied', 1], ['--allow', '127.0.0.2', ': denied', 1],
    ['--allow', '127.0.0.1', ' on', 10]) {
    my ($rule, $host, $end, $status) = @$row;
    my $fifo = scratch() . '/fifo';
    POSIX::mkfifo($fifo, 0600) or die $!;
    my $l = tcp_listener();
    my $client = tcp_client($l->sockport);
    my $ours = $client->sockport;
    my $p = nowait(scalar $l->accept, @$echo, $rule, $host, '-o', $fifo);
    select undef, undef, undef, 0.01 until is_asleep($p->{pid}) || !is_running($p->{pid});
    syswrite $client, 'x';
    setsockopt $client, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $client;
    open my $reader, '+<', $fifo or die $!;
    exits $p->finish, $status, "$rule $host applies to a connection that was reset before",
        err => qr/^sockt listen: (?:accepted )?127\.0\.0\.1 port $ours$end /;
}

# A unix connection.
{
    my ($client, $accepted) = IO::Socket->socketpair(AF_UNIX, SOCK_STREAM, 0);
    my $p = nowait($accepted, @$hello);
    close $accepted;
    print $client "Bob\nexit\n";
    shutdown $client, 1;
    is rest($client), "Welcome!Hello, Bob!\n", 'a Unix socket pair is served';
    is $p->finish->{status}, 0, 'well';
}

# A signal.
{
    my $l = tcp_listener();
    my $client = tcp_client($l->sockport);
    my $p = nowait(scalar $l->accept, @$hello, '-v');
    $p->expect(err => qr/accepted/);
    sysread $client, my $greeting, 100;
    is $p->stop->{signal}, 15, 'SIGTERM ends the work as a signal';
}

# Listening sockets: serve-hello and inetd wait, TCP with descriptor 0; and many.
for my $n (0, 'systemd') {
    my $l = tcp_listener();
    my $p = $n ? activated($l, 'serve-hello') : inetd($l, @$hello);
    is exchange($l->sockport, "exit\n"), 'Welcome!',
        "serve-hello --fd $n serves client $_" for 1, 2;
    is $p->stop->{status}, 0, 'and is stopped as always';
}
my @many = map { tcp_listener() } 1 .. 20;
$p = systemd(\@many, {}, 'listen', '-kv', '--echo', '--fd', 'systemd');
is exchange($_->sockport, 'x'), 'x', 'one of 20 is served' for @many[0, -1];
is $p->stop->{status}, 0, 'all of them';

# The only connection of a run is no listening socket that nobody uses.
SKIP: {
    skip 'no TLS', 1 if !SocktTls::tls_is_available();
    my $l = tcp_listener();
    my $silent = tcp_client($l->sockport);
    exits systemd([scalar $l->accept], {}, 'listen', '--fd', 'systemd', '--tls-self',
        '--echo', '--max-time', '500ms')->finish, 5, 'a handshake that is not done: status 5';
}

# Unix datagrams: what has no meaning for them, and a socket without a name.
for my $case (["$dir/dgram", 2, qr/--allow is for IP/],
    [undef, 7, qr/descriptor 0 is not bound to a path/]) {
    my ($path, $status, $line) = @$case;
    my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
        $path ? (Local => $path) : ());
    exits nowait($s, 'udp-serve', '--fd', 0, '--allow', '127.0.0.1')->finish,
        $status, 'udp-serve --allow with a Unix socket', err => $line;
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
SKIP: {
    skip 'POSIX does not report where a datagram was sent to', 1
        unless run('--version')->{out} =~ /\(linux\)/;
    my $s = udp_socket(host => '0.0.0.0');
    my $c = udp_socket(peer => [ '127.0.0.9', $s->sockport ]);
    $c->send('x');
    my $p = inetd($s, 'udp-serve', '--fd', 0, '--echo');
    $c->recv(my $answer, 100);
    is $answer, 'x', 'from the address that a datagram was sent to';
    $p->stop;
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

# Each of several sockets was taken for dual-stack if the last one was: a server
# of IPv4 and IPv6 then sent to itself for ever, and joined no IPv4 group.
SKIP: {
    skip 'no IPv6', 6 unless has_ipv6();
    skip 'the emulator does not know all options of groups', 6 if $ENV{SOCKT_SHORT};
    my @o = ({}, 'udp-serve', '-vv', '--fd', 'systemd', '--max-time', '0.1');
    for my $order ([0, 1], [1, 0]) {
        my @s = (IO::Socket::IP->new(LocalHost => '::', LocalPort => 0, V6Only => 0,
            Proto => 'udp'), udp_socket(host => '0.0.0.0'));
        my $port = $s[0]->sockport;
        exits systemd([@s[@$order]], @o, '--to', "127.0.0.1:$port")->finish, 2,
            'a target that is a dual-stack socket of this server',
            err => qr/is this server itself/;
        my $r = systemd([@s[@$order]], @o, '--join', '224.0.0.99%lo')->finish;
        is scalar(() = $r->{err} =~ /IP_ADD_MEMBERSHIP.*: ok/g), 2, 'both join an IPv4 group';
        exits systemd([@s[@$order]], @o, '--join', 'ff02::99%lo')->finish, 5,
            'the one that can joins an IPv6 group', err => [qr/IPV6_JOIN_GROUP.*: ok/,
            qr/every address, IPv4 and IPv6 \(::\), port $port /, qr/every IPv4 address/];
    }
}

# The idle end of an activated server.
for my $case (['listen', '-k', '--echo'], ['listen', '--echo'], ['serve-hello']) {
    my $l = tcp_listener();
    exits activated($l, @$case, '-v', '--accept-timeout', '100ms')->finish, 0,
        "@$case: --accept-timeout is a normal end, which -v tells",
        err => qr/no connection within .*normal end/;
    exits run({ stdin => $l }, @$case, '--fd', 0, '--accept-timeout', '100ms'), 5,
        'but not with another --fd';
}
exits activated(scalar tcp_listener(), 'listen', '-k', '-m', '100ms')->finish, 5,
    '--max-time is not a normal end';

# Other descriptors.
# A connection that its client has reset before, as a port scan does: no error of
# this machine.
for my $row (['--echo'], ['--', 'cat'], ['--to', '127.0.0.1:1'], ['--deny', '127.0.0.1', '--echo'],
    ['--discard', 'data'], ['--echo', 'data'], ['serve-hello']) {
    my $data = $row->[-1] eq 'data' ? pop @$row : '';
    my @args = "@$row" eq 'serve-hello' ? 'serve-hello' : ('listen', @$row);
    @args = ('listen', '--fd', 0, @$row) if $args[0] eq 'listen';
    push @args, '--fd', 0 if @args == 1;
    for my $host ('127.0.0.1', has_ipv6() ? '::1' : ()) {
        my $l = tcp_listener(host => $host);
        my $client = tcp_client($l->sockport, $host);
        my $accepted = $l->accept;
        syswrite $client, $data if $data;
        acknowledged($client);
        setsockopt $client, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        close $client;
        exits nowait($accepted, @args)->finish, 10, "@args: reset by its client, $host $data",
            err => qr/^sockt \S+: --fd: the connection was reset by the client before it was served\n\z/;
    }
}

my $stream = tcp_listener();
my $dgram = udp_socket();
my ($a, $b) = IO::Socket->socketpair(AF_UNIX, SOCK_SEQPACKET, 0);
my $unbound = IO::Socket::INET->new(Proto => 'udp') or die;
socket my $idle, AF_UNIX, SOCK_STREAM, 0 or die;
my ($u1, $u2) = IO::Socket->socketpair(AF_UNIX, SOCK_DGRAM, 0);
# AF_VSOCK, where there is one.
socket my $vsock, 40, SOCK_STREAM, 0;
my $has_vsock = $vsock && bind $vsock, pack 'S S L L x4', 40, 0, 0xffffffff, 0xffffffff;
$has_vsock &&= listen $vsock, 1;
for my $case (
    $has_vsock ? [ 'listen', $vsock, qr/is neither an IP socket nor a Unix socket/ ] : (),
    [ 'listen', $stream, qr/needs a handler/, 2 ],
    [ 'listen', $dgram, qr/is a datagram socket, which udp-serve takes/ ],
    [ 'serve-hello', $dgram, qr/is a datagram socket, which udp-serve/ ],
    [ 'udp-serve', $stream, qr/is a stream socket, which listen and serve/ ],
    [ 'listen', $a, qr/is a socket of another type/ ],
    [ 'udp-serve', $unbound, qr/is not bound to a port/ ],
    [ 'udp-serve', $u1, qr/is connected/ ],
    [ 'serve-hello', $idle, qr/is neither listening nor connected/ ],
    [ 'listen', undef, qr/is not a socket/ ]) {
    my ($command, $socket, $why, $status) = @$case;
    exits run($socket ? { stdin => $socket } : {}, $command, '--fd', 0),
        $status // 7, $command, err => $why;
}
for my $command ('listen', 'serve-hello', 'udp-serve') {
    exits run($command, '--fd', 99), 7, "$command: a closed descriptor",
        err => qr/descriptor 99 is not open/;
    exits run($command, '--fd', @$_), 2, "$command --fd @$_ is a usage error"
        for ['x'], [3, 80], [3, '--ttl', 9];
}

done_testing;
