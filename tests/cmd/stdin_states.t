# What each command does without a stdin that somebody types into: the table in
# sockt(1), Half-close.
use Sockt;

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

done_testing;
