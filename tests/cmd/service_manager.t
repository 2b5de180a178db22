# NOTIFY_SOCKET: READY=1 once a server serves, STOPPING=1 when it ends.
use Sockt;
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);

my $folder = scratch();

# A service manager's socket; abstract if the name begins with '@'.
sub manager {
    my ($name) = @_;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die $!;
    bind $s, pack_sockaddr_un($name =~ s/^@/\0/r) or die "$name: $!";
    return $s;
}

# The next message, or '' if there is none in time.
sub message {
    my ($s, $seconds) = @_;
    IO::Select->new($s)->can_read($seconds // 20) or return '';
    recv $s, my $text, 100, 0;
    return $text;
}

my @kinds = ("$folder/notify");
push @kinds, "\@sockt-test-$$" if $^O eq 'linux';
for my $name (@kinds) {
    for my $case ([ 'listen', '-k', '--', 'sh', '-c', 'echo "<$NOTIFY_SOCKET>"' ],
        [ 'listen', '--echo' ], [ 'serve-hello' ],
        [ 'udp-serve', '--', 'sh', '-c', 'echo "<$NOTIFY_SOCKET>"' ]) {
        my ($command, @o) = @$case;
        my $s = manager($name);
        my $p = start({ env => { NOTIFY_SOCKET => $name } }, $command, '-4', 0,
            @o);
        is message($s), 'READY=1', "@$case: $name gets READY=1";
        my $port = $p->port;
        if ($command eq 'udp-serve') {
            my $c = udp_socket(peer => [ '127.0.0.1', $port ]);
            $c->send('x');
            $c->recv(my $got, 100);
            is $got, "<>\n", 'a program does not have NOTIFY_SOCKET';
        } elsif (@o && $o[-1] =~ /NOTIFY/) {
            is do { local $/; readline tcp_client($port) }, "<>\n",
                'a program does not have NOTIFY_SOCKET';
        }
        $p->stop;
        is message($s), 'STOPPING=1', 'and STOPPING=1 at the end';
        is message($s, 0), '', 'and nothing else';
        unlink $name;
    }
}

# READY=1 follows the announcement, and nothing is sent if binding failed.
{
    my $s = manager("$folder/order");
    my @env = (env => { NOTIFY_SOCKET => "$folder/order" });
    my $l = tcp_listener();
    is run({@env}, 'listen', '-k', '--echo', '127.0.0.1', $l->sockport)
        ->{status}, 7, 'a server that cannot bind';
    is message($s, 0), '', 'is never ready';
    my $p = start({@env}, 'serve-hello', '-vv', '-4', 0);
    message($s);
    like $p->stop->{err}, qr/listening on .*\n(?:.*\n)*?.*send on the socket of the service manager .* 7 bytes/,
        'the steps show it, after the announcement';
}

# Errors are never fatal, and told at -v.
spew("$folder/file", '');
for my $case ([ "$folder/none", qr/no such path/ ],
    [ "$folder/file", qr/refused/ ],
    [ 'vsock:2:1', qr/NOTIFY_SOCKET is neither a path nor \@NAME/ ],
    [ '/' . 'x' x 200, qr/NOTIFY_SOCKET: / ]) {
    my ($name, $why) = @$case;
    for my $v ('-v', '-q') {
        my $p = start({ env => { NOTIFY_SOCKET => $name } }, 'listen', '-k',
            '--echo', $v, "unix:$folder/s");
        my $c;
        select undef, undef, undef, 0.01
            until $c = IO::Socket::UNIX->new("$folder/s");
        print $c 'x';
        shutdown $c, 1;
        is do { local $/; <$c> }, 'x', 'a manager that is not there: served';
        my $r = $p->stop;
        is $r->{status}, 0, 'well';
        $v eq '-v' ? like $r->{err}, $why, 'and told'
            : is $r->{err}, '', 'silently with -q';
    }
}

# A full queue does not hold the server up for long.
{
    my $s = manager("$folder/full");
    socket my $c, AF_UNIX, SOCK_DGRAM, 0 or die $!;
    $c->blocking(0);
    my $to = pack_sockaddr_un("$folder/full");
    1 while defined send $c, 'x', 0, $to;
    my $p = start({ env => { NOTIFY_SOCKET => "$folder/full" } }, 'serve-hello',
        '-v', '-4', 0);
    $p->expect(err => qr/was not notified: timed out/);
    my $client = tcp_client($p->port);
    print $client "exit\n";
    is do { local $/; <$client> }, 'Welcome!', 'a full queue: still served';
    $p->stop;
}

done_testing;
