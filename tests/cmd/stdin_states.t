# What each command does without a stdin that somebody types into: the table in
# sockt(1), Half-close.
use Sockt;
use Socket;

my $sockt = sockt();

# How a shell starts it, and the status of those that need stdin.
my @rows = (
    ['</dev/null', 'echo pid $$ >&2; exec %s </dev/null', 0],
    ['an empty here-document', "echo pid \$\$ >&2; exec %s <<EOF\nEOF", 0],
    ['a background job', '%s & echo pid $! >&2; wait $!', 0],
    ['nohup', 'echo pid $$ >&2; exec nohup %s </dev/null', 0],
    ['setsid', 'echo pid $$ >&2; exec setsid %s </dev/null', 0],
    ['a closed stdin', 'echo pid $$ >&2; exec %s <&-', 11],
);
for my $row (@rows) {
    my ($how, $shell, $status) = @$row;
    my $begin = sub {
        my $p = start({ command => 'sh' }, '-c', sprintf $shell, "'$sockt' @_");
        return ($p, $p->expect(err => qr/pid (\d+)\n/));
    };
    my $l = tcp_listener();
    my ($p, $pid) = $begin->('connect 127.0.0.1', $l->sockport);
    if ($status == 0) {
        my $c = $l->accept;
        is sysread($c, my $got, 1), 0, "$how, connect: a FIN at once";
        syswrite $c, "word\n";
    }
    exits $p->finish, $status ? "$status " : "0 word\n", "$how, connect";

    for my $keep ('', '-k ') {
        ($p, $pid) = $begin->("listen -4 ${keep}0");
        for my $n (1 .. ($status ? 0 : $keep ? 2 : 1)) {
            my $c = tcp_client($p->port);
            is sysread($c, my $got, 1), 0, "$how, listen $keep: a FIN at once";
            syswrite $c, "word $n\n";
            close $c;
            $p->expect(out => qr/word $n\n/);
        }
        kill 'TERM', $pid if $keep && !$status;
        is $p->finish->{status}, $status, "$how, listen $keep: status $status";
    }

    ($p, $pid) = $begin->('udp-send 127.0.0.1 9');
    is $p->finish->{status}, $status, "$how, udp-send: status $status";

    ($p, $pid) = $begin->('udp-serve -4 0');
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send('word');
    $c->recv(my $answer, 100);
    is $answer, 'Hello, word!', "$how, udp-serve: does not read it";
    kill 'TERM', $pid;
    is $p->finish->{status}, 0, "$how, udp-serve: status 0";
}

# A background job of a terminal is not stopped while nobody types.
my $log = scratch() . '/log';
my $l = tcp_listener();
my $p = start({ command => built('pty'), keep_stdin => 1 }, $log, '012', 200, 'sh', '-c',
    'set -m; "$0" connect 127.0.0.1 "$1" & wait $!; echo status $?', $sockt,
    $l->sockport);
my $c = $l->accept;
syswrite $c, "word\n";
close $c;
$p->finish;
like slurp($log), qr/word\r?\n(?:.*\n)*status 0/,
    'a job in the background of a terminal: status 0';

# Several processes share stdin: one reads what poll(2) reported to all. The
# others were caught in read(2), where no limit ended them.
for my $command (['connect', '-m', 1, '127.0.0.1', $l->sockport],
    ['udp-send', '-m', 1, '127.0.0.1', udp_socket()->sockport],
    ['portscan', '-m', 1, '--targets', '-', 9]) {
    pipe my $in, my $out or die "pipe: $!";
    my @sharing = map { start({ stdin => $in }, @$command) } 1 .. 4;
    select(undef, undef, undef, 0.05), syswrite $out, "# word\n" for 1 .. 15;
    my @statuses = map { $_->finish->{status} } @sharing;
    is "@statuses", '5 5 5 5', "$command->[0] ends although another process read its stdin";
}

# A message of a socket that is longer than the space for it was cut off.
for my $row ([SOCK_SEQPACKET, 50_000, 0], [SOCK_DGRAM, 50_000, 0],
    [SOCK_SEQPACKET, 150_000, 11], [SOCK_DGRAM, 150_000, 11]) {
    my ($type, $size, $status) = @$row;
    socketpair my $in, my $out, AF_UNIX, $type, 0 or die "socketpair: $!";
    setsockopt $out, SOL_SOCKET, SO_SNDBUF, 1_000_000;
    my $receiver = tcp_listener();
    my $p = start({ stdin => $in }, 'connect', '127.0.0.1', $receiver->sockport);
    my $c = $receiver->accept;
    my $pid = Sockt::fork_child(sub {
        send $out, 'x' x $size, 0 for 1 .. 4;
        send $out, '', 0;
    });
    close $out;
    my $got = 0;
    while (my $n = sysread $c, my $bytes, 30_000) {
        $got += $n;
        select undef, undef, undef, 0.01;
    }
    close $c;
    is $got, 4 * $size, "messages of $size bytes on a socket as stdin arrive" if !$status;
    exits $p->finish, $status, "messages of $size bytes: status $status",
        $status ? (err => qr/stdin: .*too long/) : ();
    kill 'KILL', $pid;
    reap($pid);
}

done_testing;
