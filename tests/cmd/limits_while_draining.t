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

# Ends it by a signal: its result, and how long that took.
sub told {
    my ($p, $signal) = @_;
    my $start = time;
    my $r = $p->stop($signal);
    return ($r, time - $start);
}

# A peer that finishes and takes nothing: what is sent stays unacknowledged.
sub unconfirmed {
    my $p = start({ stdin => $much }, 'connect', '-vv', @_, @to);
    my $c = $l->accept;
    shutdown $c, SHUT_WR;
    return ($p, $c);
}

SKIP: {
    skip 'the system does not tell what is acknowledged', 8 unless $tells;
    my ($p, $c) = unconfirmed('-m', '300ms');
    my $r = $p->finish;
    exits $r, 5, 'confirming: --max-time is status 5', err => qr/--max-time/;
    cmp_ok seconds($r), '<', 1.9, '  in time';

    ($p, $c) = unconfirmed();
    $p->expect(err => qr/shutdown SHUT_WR/);
    ($r, my $took) = told($p, 'INT');
    is $r->{signal}, 2, 'confirming: Ctrl-C ends it by that signal';
    like $r->{err}, qr/closed 127\.0\.0\.1 /, '  and the summary is told';
    cmp_ok $took, '<', 1.9, '  at once';

    ($p, $c) = unconfirmed();
    $p->expect(err => qr/shutdown SHUT_WR/);
    1 while sysread $c, my $bytes, 65536;
    $r = $p->finish;
    is "$r->{status} $r->{signal}", '0 0',
        'without either it waits until the peer has taken everything';
    like $r->{err}, qr/closed .*: sent 100000 bytes/, '  and all of it is counted';
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
    ($r, my $took) = told($p, 'TERM');
    is $r->{signal}, 15, "draining ($name): a signal ends it by that signal";
    cmp_ok $took, '<', 1.9, '  at once';
}
my $p = start('connect', '-v', '-m', '300ms', @to, '--', 'true');
my $c = $l->accept;
cmp_ok seconds($p->finish), '<', 1.9, "draining a program's connection";

# The same where it is us who serve.
for my $case ([ '--on-eof', 'quit', '-4', 0 ], [ '-4', 0, '--', 'true' ]) {
    $p = start('listen', '-v', '-m', '300ms', @$case);
    $c = tcp_client($p->port);
    cmp_ok seconds($p->finish), '<', 1.9, "listen @$case";
}
$p = start('serve-hello', '-4', '--json', '-v', '--messages', 1, '-m',
    '300ms', 0);
$c = tcp_client($p->port);
syswrite $c, "x\n";
my ($seconds) = $p->expect(err => qr/"event":"closed".*"seconds":([\d.]+)/);
cmp_ok $seconds, '<', 1.9, 'serve-hello';
$p->stop;

done_testing;
