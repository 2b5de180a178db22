# --max-time and Ctrl-C hold to the very end: while the peer's last
# acknowledgement is waited for, and while a connection is drained, which takes
# 2 s otherwise.
use Sockt;
use Socket qw(:all);
use Time::HiRes qw(time);

my $tells = run('--version')->{out} !~ /posix/;
my $l = tcp_listener();
setsockopt $l, SOL_SOCKET, SO_RCVBUF, 4096;
my @to = ('127.0.0.1', $l->sockport);
my $much = 'a' x 100_000;

# How long the connection of a run with -v was open, which a busy machine that
# is slow to start it does not change.
sub seconds {
    my ($r) = @_;
    my ($n, $unit) = $r->{err} =~ /closed .*[,:] in ([\d.]+) (m?s)\b/ or return 99;
    return $unit eq 's' ? $n : $n / 1000;
}

# A peer that finishes and takes nothing: what is sent stays unacknowledged.
sub unconfirmed {
    my $p = start({ stdin => $much }, 'connect', '-vv', @_, @to);
    my $c = $l->accept;
    shutdown $c, SHUT_WR;
    return ($p, $c);
}

SKIP: {
    skip 'the system does not tell what is acknowledged', 10 unless $tells;
    my ($p, $c) = unconfirmed('-m', '300ms');
    my $r = $p->finish;
    exits $r, 5, 'confirming: --max-time is status 5', err => qr/--max-time/;
    cmp_ok seconds($r), '<', 1.9, '  in time';

    $p = start({ stdin => $much }, 'connect', '-v', '--idle-timeout', '1s', @to);
    $c = $l->accept;
    $r = $p->finish;
    exits $r, 5, 'confirming: an idle limit is status 5', err => qr/--idle-timeout/;
    cmp_ok seconds($r), '<', 1.9, '  and does not begin again';

    for my $takes (0, 1) {
        ($p, $c) = unconfirmed();
        $p->expect(err => qr/shutdown SHUT_WR/);
        my $start = time;
        $p->signal('INT') if !$takes;
        1 while $takes && sysread $c, my $bytes, 65536;
        exits $p->finish, $takes ? 0 : -2, $takes
            ? 'without either it waits until the peer has taken everything'
            : 'confirming: Ctrl-C ends it by that signal, and the summary is told',
            err => $takes ? qr/closed .*: sent 100000 bytes/ : qr/closed 127\.0\.0\.1 /;
        cmp_ok time - $start, '<', 1.9, '  at once' if !$takes;
    }
}

# A peer that does not finish.
for my $case ([ 'quit', '--on-eof', 'quit' ], [ 'send-only', '--send-only' ]) {
    my ($name, @options) = @$case;
    my $p = start('connect', '-v', @options, '-m', '1s', @to);
    my $c = $l->accept;
    my $r = $p->finish;
    is $r->{status}, 0, "draining ($name): everything was said";
    cmp_ok seconds($r), '<', 1.9, '  and --max-time ends it';

    $p = start('connect', @options, @to);
    $c = $l->accept;
    sysread $c, my $got, 1;
    my $start = time;
    exits $p->stop, -15, "draining ($name): a signal ends it by that signal";
    cmp_ok time - $start, '<', 1.9, '  at once';
}
my $p = start('connect', '-v', '-m', '300ms', @to, '--', 'true');
my $c = $l->accept;
cmp_ok seconds($p->finish), '<', 1.9, "draining a program's connection";

# The same where it is us who serve.
for my $case (['listen', '--on-eof', 'quit', '-4', 0], ['listen', '-4', 0, '--', 'true'],
    ['serve-hello', '-4', '--messages', 1, 0]) {
    my ($command, @args) = @$case;
    $p = start($command, '-v', '-m', '300ms', @args);
    $c = tcp_client($p->port);
    syswrite $c, "x\n";
    $p->expect(err => qr/: closed .*\n/);
    my $r = $p->stop;
    cmp_ok seconds($r), '<', 1.9, "@$case" or diag $r->{err};
}

done_testing;
