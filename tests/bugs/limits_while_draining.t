# --max-time and Ctrl-C hold to the very end: while the peer's last
# acknowledgement is waited for, and while a connection is drained.
use Sockt;
use Socket qw(:all);

my $tells = run('--version')->{out} !~ /posix/;
my $l = tcp_listener();
setsockopt $l, SOL_SOCKET, SO_RCVBUF, 4096;
my @to = ('127.0.0.1', $l->sockport);
my $much = 'a' x 100_000;

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
    is $r->{status}, 5, 'confirming: --max-time is status 5';
    like $r->{err}, qr/--max-time/, '  and named';
    cmp_ok $r->{seconds}, '<', 1.9, '  in time';

    ($p, $c) = unconfirmed();
    $p->expect(err => qr/shutdown SHUT_WR/);
    $p->signal('INT');
    $r = $p->finish;
    is $r->{signal}, 2, 'confirming: Ctrl-C ends it by that signal';
    like $r->{err}, qr/closed 127\.0\.0\.1 /, '  and the summary is told';
    cmp_ok $r->{seconds}, '<', 1.9, '  at once';

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
    my $p = start('connect', @options, '-m', '300ms', @to);
    my $c = $l->accept;
    my $r = $p->finish;
    is $r->{status}, 0, "draining ($name): everything was said";
    cmp_ok $r->{seconds}, '<', 1.9, '  and --max-time ends it';

    $p = start('connect', @options, @to);
    $c = $l->accept;
    sysread $c, my $got, 1;
    $p->signal('TERM');
    $r = $p->finish;
    is $r->{signal}, 15, "draining ($name): a signal ends it by that signal";
    cmp_ok $r->{seconds}, '<', 1.9, '  at once';
}
my $p = start('connect', '-m', '300ms', @to, '--', 'true');
my $c = $l->accept;
cmp_ok $p->finish->{seconds}, '<', 1.9, "draining a program's connection";

# The same where it is us who serve.
for my $case (
    [ 'stdin and stdout', 'listen', '--on-eof', 'quit' ],
    [ 'a program', 'listen', 'PORT', '--', 'true' ],
) {
    my ($name, $command, @options) = @$case;
    my ($at) = grep { $options[$_] eq 'PORT' } 0 .. $#options;
    defined $at ? splice(@options, $at, 1, '-4', 0)
                : unshift @options, '-4', 0;
    $p = start($command, '-m', '300ms', @options);
    $c = tcp_client($p->port);
    cmp_ok $p->finish->{seconds}, '<', 1.9, "listen: $name";
}
$p = start('serve-hello', '-4', '--json', '-v', '--messages', 1, '-m',
    '300ms', 0);
$c = tcp_client($p->port);
syswrite $c, "x\n";
my ($seconds) = $p->expect(err => qr/"event":"closed".*"seconds":([\d.]+)/);
cmp_ok $seconds, '<', 1.9, 'serve-hello';
$p->stop;

done_testing;
