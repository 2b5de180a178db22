# -vv: the calls of the socket tutorials, in their order, with the result and the
# meaning of each, and nothing besides.
use Sockt;
use SocktHttp;
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);

# The messages of a run, without times and numbers that differ. With
# $steps_only, the steps alone: "call subject: result".
sub messages {
    my ($err, $steps_only) = @_;
    my @messages;
    for my $line (split /\n/, $err) {
        next unless $line =~ s/^sockt [\w-]+: //;
        my $is_step = $line
            =~ s/^((?:resolve|socket|bind|listen|accept|queue|connect|fork|send
            |recv|sendmsg|recvmsg|shutdown|close|setsockopt)[ ].*?:[ ].*?)
            (?:,[ ][\d.]+[ ]\w+)?[ ]\(.*\)$/$1/x;
        next if $steps_only && !$is_step;
        $line =~ s/port \d+/port N/g;
        $line =~ s/ \(fd \d+\)//g;
        $line =~ s/= \d+: ok$/= N: ok/;
        $line =~ s/process \d+/process N/;
        $line =~ s/backlog .*?:/backlog N:/;
        $line =~ s/ in [\d.]+ m?s\b/ in T/;
        push @messages, $line;
    }
    return @messages;
}

sub steps { return [messages($_[0], 1)] }

my $tcp = 'AF_INET SOCK_STREAM (IPv4 TCP) = N: ok';
my @open = ("socket $tcp",
    'connect the socket to 127.0.0.1 port N: waiting',
    'connect the socket to 127.0.0.1 port N: ok');

# A hello conversation: two more messages for each further name, and nothing
# else is printed.
{
    my $s = start('serve-hello', '-vv', '-4', 0);
    my $p = start({ keep_stdin => 1 }, 'connect', '-4', '-vv', 'localhost',
        $s->port);
    $p->expect(out => qr/Welcome!/);
    for my $name ('Michael', 'Tracy') {
        $p->send_line("$name\n");
        $p->expect(out => qr/Hello, $name!/);
    }
    $p->send_line("exit\n");
    $p->expect(err => qr/recv from the connection \(fd \d+\): 0 bytes/);
    $p->close_stdin;
    my $r = $p->finish;
    my @got = grep { !/^the peer has finished; waiting/ } messages($r->{err});
    is_deeply \@got, [
        'resolve localhost to 127.0.0.1: ok',
        @open,
        'connected to 127.0.0.1 port N from 127.0.0.1 port N in T',
        'recv from the connection: 8 bytes',
        'send on the connection: 8 bytes',
        'recv from the connection: 16 bytes',
        'send on the connection: 6 bytes',
        'recv from the connection: 14 bytes',
        'send on the connection: 5 bytes',
        'recv from the connection: 0 bytes',
        'shutdown SHUT_WR of the connection: ok',
        'close the connection: ok',
        'closed 127.0.0.1 port N from 127.0.0.1 port N: sent 19 bytes, '
            . 'received 38, in T; the peer finished first',
    ], 'a hello conversation' or diag $r->{err};
    # Its process says so when the client may have learned of it already.
    $s->expect(err => qr/shutdown SHUT_WR of connection 1/);
    my $err = $s->stop->{err};
    # The purpose of the last close was "(null)".
    unlike $err, qr/\(null\)/, 'every step has a purpose';
    my @server = @{ steps($err) };
    is_deeply [ @server[0 .. 5] ], [
        "socket $tcp",
        'setsockopt SO_REUSEADDR = 1 on the socket: ok',
        'bind the socket to 127.0.0.1 port N: ok',
        'listen on the socket, backlog N: ok',
        'accept on the listening socket: waiting',
        'accept on the listening socket from 127.0.0.1 port N = N: ok',
    ], 'a server: up to its client' or diag "@server";
    # Two processes print the rest.
    my ($fork) = grep { /^fork/ } @server;
    is $fork, 'fork process N serves connection 1: ok', 'a process for it';
    is join(', ', grep { /^(?:recv|send|shutdown)/ && !/: 0 bytes$/ } @server),
        join(', ', map { "$_->[0] connection 1: $_->[1]" }
        ['send on', '8 bytes'], ['recv from', '8 bytes'],
        ['send on', '16 bytes'], ['recv from', '6 bytes'],
        ['send on', '14 bytes'], ['recv from', '5 bytes'],
        ['shutdown SHUT_WR of', 'ok']),
        'which serves it';
}

# The end of input, and of a server that accepts once.
{
    my $s = start({ stdin => '' }, 'listen', '-vv', '-4', '--echo', 0);
    my $r = run({ stdin => "hello\n" }, 'connect', '-vv', '127.0.0.1', $s->port);
    is_deeply steps($r->{err}), [
        @open,
        'send on the connection: 6 bytes',
        'shutdown SHUT_WR of the connection: ok',
        'recv from the connection: 6 bytes',
        'recv from the connection: 0 bytes',
        'close the connection: ok',
    ], 'a client that has one line';
    like $s->finish->{err},
        qr/close the listening .*\(no more .*: -k was not given\)/,
        'a server that closes its listening socket says why';
}

# Datagrams.
my $udp = 'the datagram socket';
my $to = '127.0.0.1 port N';
my $open = 'socket AF_INET SOCK_DGRAM (IPv4 UDP) = N: ok';
{
    my $s = udp_socket();
    my $pid = Sockt::fork_child(sub {
        for (1 .. 2) {
            my $from = $s->recv(my $x, 99);
            $s->send("Hello, $x!", 0, $from);
        }
    });
    my $r = run('udp-send', '-vv', '127.0.0.1', $s->sockport, 'Michael', 'Tracy');
    is_deeply steps($r->{err}), [
        $open,
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
        $open,
        "bind the socket to $to: ok",
        "recvmsg from $udp from $to: 1 byte",
        "sendmsg on $udp to $to: 9 bytes",
        "recvmsg from $udp from $to: 2 bytes",
        "sendmsg on $udp to $to: 10 bytes",
        "close $udp: ok",
    ], 'udp-serve' or diag $r->{err};

    # A step that equals the last one, before the line that follows from it.
    $p = start('udp-serve', '-vv', '-4', '--discard', '--count', 2, 0);
    $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send('a');
    $p->expect(err => qr/says: a\n/);
    $c->send('bc');
    like $p->finish->{err}, qr/says: a\n\N+recvmsg \N+: 2 bytes\N+\n\N+says: bc\n/,
        'a line comes after its step';
}

# A download, and a scan.
{
    my $answer = answer('200 OK', 'body');
    my $server = http_server($answer);
    my $r = run('http-get', '-vv', "$server->{url}/a");
    my ($request) = requests($server);
    # Which end closes first depends on which is faster.
    is_deeply [ grep { !/: 0 bytes$/ } @{ steps($r->{err}) } ], [
        @open,
        'send on the connection: ' . length($request) . ' bytes',
        'recv from the connection: ' . length($answer) . ' bytes',
        'close the connection: ok',
    ], 'http-get' or diag $r->{err};

    my $l = tcp_listener();
    my ($port, $closed) = ($l->sockport, free_port());
    $r = run('portscan', '-vv', '127.0.0.1', "$port,$closed");
    my @connects = grep { /^connect/ } map { s/, \d+ calls//r }
        @{ steps($r->{err} =~ s/port $port\b/port OPEN/gr
            =~ s/port $closed\b/port CLOSED/gr) };
    is_deeply [sort @connects], [
        'connect the probe socket to 127.0.0.1 port CLOSED: FAILED refused',
        'connect the probe socket to 127.0.0.1 port OPEN: ok',
    ], 'portscan: one line per port' or diag $r->{err};
    my @rest = grep { !/^(?:connect|bind)/ } @{ steps($r->{err}) };
    is scalar(grep { /^socket/ } @rest), scalar(grep { /^close/ } @rest),
        'what is opened is closed';
    $r = run('portscan', '-vv', '127.255.255.255', $closed);
    is join(' ', map { /^(\w+)/ } @{ steps($r->{err}) }), 'socket connect close',
        'a broadcast address: no other socket';
    unlike $r->{err}, qr/RST/, '  and no reset of what never connected';
}

# Socket options that the user asked for are steps.
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $r = run('connect', '-z', '-vv', '--keepalive', '--tos', 16, '--sndbuf', '8k', @to);
is join(' ', map { /^setsockopt (\S+)/ } @{ steps($r->{err}) }),
    'SO_SNDBUF SO_KEEPALIVE IP_TOS', 'options of the command line';
$l->accept;

# Failures have notes of their own.
for my $row (
    [4, qr/port \d+: FAILED refused, .*\(the host answered; nothing listens/,
        'connect', '127.0.0.1', free_port()],
    [7, qr/bind .*: FAILED address in use, \S+ ms \(another socket holds/, 'listen', @to],
    [7, qr/bind .*: FAILED .*\(it is not an address of this machine\)/,
        'listen', '192.0.2.1', 0],
) {
    my ($status, $note, $command, @args) = @$row;
    exits run($command, '-vv', @args), $status, "$command @args", err => $note;
}

# A peer that does not read.
my $p = start({ stdin => 'x' x 400_000 }, 'connect', '-vv', '--sndbuf', '8k', @to);
my $c = $l->accept;
ok $p->expect(err => qr/send on .*: accepted \d+ of \d+ bytes, .*the peer does not read/),
    'a send that takes a part says why';
$p->stop;

# Of many sends and receives eight are shown, of each, when they happen.
my $s = start('listen', '-vv', '-4', '--echo', 0);
$r = run({ stdin => 'x' x 8_000_000 }, 'connect', '-vv', '127.0.0.1', $s->port);
for my $err ($r->{err}, $s->finish->{err}) {
    my @steps = @{ steps($err) };
    cmp_ok scalar(grep { /^$_ .*: [1-9]|^$_ .*: accepted/ } @steps), '<=', 24,
        "$_ of a bulk transfer, with two pauses: eight are shown"
        for qw(send recv);
    like $err, qr/^sockt \w+: $_ \N+: further ones are not shown \(the totals are/m,
        '  and then one line' for qw(send recv);
    is scalar(grep { /^recv .*: 0 bytes/ } @steps), 1, '  and the end';
}
like $r->{err}, qr/closed .*: sent 8000000 bytes, received 8000000/, 'the totals';

# A server's step was held back until the next one, which the client awaits.
$s = start('serve-hello', '-vv', '-4', 0);
$c = tcp_client($s->port);
for my $name ('a', 'bb', 'ccc') {
    my $n = length "Hello, $name!\n";
    print $c "$name\n";
    ok $s->expect(err => qr/send on connection 1 .*: $n bytes/),
        "a step is shown when it happens: $name";
}
$s->stop;

# After a pause they are shown again.
$p = start({ keep_stdin => 1 }, 'connect', '-vv', @to);
$c = $l->accept;
for my $n (1 .. 12) {
    print $c "$n\n";
    $p->expect(out => qr/^$n$/m);
}
$p->expect(err => qr/recv .*further ones are not shown/);
select undef, undef, undef, 1.1;
print $c "the thirteenth\n";
ok $p->expect(err => qr/recv .*: 15 bytes/), 'after a pause they are shown again';
$p->stop;

# A file that was moved to the connection through a pipe was reported as sent
# twice: on its way into the pipe, which is no call on the socket, and out of it.
my $file = spew(scratch() . '/file', 'x' x 3_000_000);
my $pid = peer($l, sub { 1 while sysread $_[0], my $got, 1 << 20 });
open my $in, '<', $file or die;
$r = run({ stdin => $in }, 'connect', '-vv', @to);
is $r->{status}, 0, 'exit status';
my $sent = 0;
$sent += $_ for $r->{err}
    =~ /(?:send|splice) on the connection \N*?(\d+) bytes,/g;
# Without splice there are more sends than are shown.
if (run('--version')->{out} =~ /posix/) {
    cmp_ok $sent, '<=', 3_000_000, 'the steps send no byte twice';
} else {
    is $sent, 3_000_000, 'the steps send each byte once' or diag $r->{err};
    like $r->{err}, qr/\(moved inside the system, without a copy\)/, '  most uncopied';
}

# Endpoints that are tested at once: each step names its own.
my $other = tcp_listener();
$r = run('connect', '-z', '-vv', @to, '127.0.0.1', $other->sockport);
like $r->{err}, qr/^sockt connect: (\N+ port $_): connect \N+ to \1: ok/m,
    'one of two endpoints: its last step' for $l->sockport, $other->sockport;

# A socket that is only stdin or stdout makes no steps; with --json each was the
# echo of writing the one before.
for my $row (['connect', '-vv'], ['connect', '-z', '-vv', '--json']) {
    my $l = tcp_listener();
    my $pid = peer($l, sub { my ($c) = @_; print $c "hello\n"; 1 while <$c> });
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die;
    my $p = start({ stdin => $theirs, stdout => $theirs }, @$row, '127.0.0.1',
        $l->sockport);
    close $theirs;
    $ours->autoflush(1); print $ours "question\n";
    shutdown $ours, 1;
    my $out = join '', <$ours>;
    my $r = $p->finish;
    is $r->{status}, 0, "@$row with a socket as stdin and stdout";
    unlike "$out$r->{err}", qr/fd [012]\b/, '  no step is on it';
    like "$out$r->{err}", qr/connect the socket|"call":"connect"/, '  but on the connection';
    kill 'KILL', $pid;
}

done_testing;
