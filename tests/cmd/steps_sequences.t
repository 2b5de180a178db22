# The steps of small runs, in their exact order: udp-send, udp-serve, http-get
# and portscan.
use Sockt;
use SocktHttp;

# The steps of -vv without numbers, times and notes, and without the options,
# of which some systems lack some.
sub steps {
    my ($text) = @_;
    my @steps;
    for (split /\n/, $text) {
        next unless s/^sockt [\w-]+: //;
        my ($step) = /^((?:socket|bind|listen|accept|connect|send|recv|sendmsg
            |recvmsg|shutdown|close|resolve)[ ].*?:[ ].*?),[ ][\d.]+[ ]\w+[ ]\(/x
            or next;
        # These depend on which end is faster.
        next if $step =~ /error queue|would block|recv .*: 0 bytes/;
        push @steps, $step =~ s/port \d+/port N/gr =~ s/fd \d+/fd N/gr
            =~ s/ = \d+/ = N/r =~ s/ of at most \d+//r;
    }
    return \@steps;
}

my $udp = 'the datagram socket (fd N)';
my $to = '127.0.0.1 port N';
my $open = 'AF_INET SOCK_DGRAM (IPv4 UDP) = N';

my $s = udp_socket();
my $pid = Sockt::fork_child(sub {
    for (1 .. 2) {
        my $from = $s->recv(my $x, 99);
        $s->send("Hello, $x!", 0, $from);
    }
});
my $r = run('udp-send', '-vv', '127.0.0.1', $s->sockport, 'Michael', 'Tracy');
is_deeply steps($r->{err}), [
    "socket $open: ok",
    "connect $udp to $to: ok",
    "sendmsg on $udp: 7 bytes",
    "recvmsg from $udp from $to: 15 bytes",
    "sendmsg on $udp: 5 bytes",
    "recvmsg from $udp from $to: 13 bytes",
    "close $udp: ok",
], 'udp-send' or diag $r->{err};
reap($pid);

my $p = start('udp-serve', '-vv', '-4', '--count', 2, 0);
my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
for my $text ('a', 'bc') {
    $c->send($text);
    $c->recv(my $got, 99);
    is $got, "Hello, $text!", 'udp-serve answers';
}
$r = $p->finish;
is_deeply steps($r->{err}), [
    "socket $open: ok",
    "bind the socket (fd N) to $to: ok",
    "recvmsg from $udp from $to: 1 byte",
    "sendmsg on $udp to $to: 9 bytes",
    "recvmsg from $udp from $to: 2 bytes",
    "sendmsg on $udp to $to: 10 bytes",
    "close $udp: ok",
], 'udp-serve' or diag $r->{err};

my $tcp = 'AF_INET SOCK_STREAM (IPv4 TCP) = N';
my $answer = answer('200 OK', 'body');
my $server = http_server($answer);
$r = run('http-get', '-vv', "$server->{url}/a");
my ($request) = requests($server);
my $connection = 'the connection (fd N)';
is_deeply steps($r->{err}), [
    "socket $tcp: ok",
    "connect the socket (fd N) to $to: ok",
    "send on $connection: " . length($request) . ' bytes',
    "recv from $connection: " . length($answer) . ' bytes',
    "close $connection: ok",
], 'http-get' or diag $r->{err};

my $l = tcp_listener();
my ($port, $closed) = ($l->sockport, free_port());
$r = run('portscan', '-vv', '127.0.0.1', "$port,$closed");
my @connects = grep { /^connect/ } map { s/, \d+ calls//r }
    @{ steps($r->{err} =~ s/port $port\b/port OPEN/gr
        =~ s/port $closed\b/port CLOSED/gr) };
is_deeply [sort @connects], [
    'connect the probe socket (fd N) to 127.0.0.1 port CLOSED: FAILED refused',
    'connect the probe socket (fd N) to 127.0.0.1 port OPEN: ok',
], 'portscan: one line per port' or diag $r->{err};
my @rest = grep { !/^(?:connect|bind)/ } @{ steps($r->{err}) };
is scalar(grep { /^socket/ } @rest), scalar(grep { /^close/ } @rest),
    'what is opened is closed';

done_testing;
