# The end of this side, which many proxies and servers of TLS answer by dropping
# what they had to send: it is held back until the connection is quiet, for stdin
# and for the client of a forwarder, by one rule.
use Sockt;
use IO::Select;
use SocktCarriers;
use SocktTls;
use Time::HiRes qw(sleep time);

my $dir = scratch();
my $proxy = dropping_proxy();

# Reads a line, and answers it in pieces, each after its pause; then reads until
# the end.
sub answering {
    my @pieces = @_;
    return forking_server(sub {
        my ($c) = @_;
        my @left = @pieces;
        sysread $c, my $line, 1000;
        while (my ($pause, $piece) = splice @left, 0, 2) {
            sleep $pause;
            syswrite $c, $piece;
        }
        1 while sysread $c, my $rest, 65536;
    });
}

# A run that takes less than that; on a busy machine it is tried again.
sub quickly {
    my ($seconds, @run) = @_;
    my $r;
    for (1 .. 10) {
        $r = run(@run);
        last if $r->{seconds} < $seconds;
    }
    return $r;
}

my $dropped = qr/the peer ended .* stdin had ended, and sent nothing; it may have dropped/;

# What a client through a proxy gets; seconds that it takes at least and at most.
for my $row (
    ['an answer', [0.05, "one\n"], "0 one\n", 1],
    ['whose second part comes 600 ms later', [0, 'one ', 0.6, "two\n"], "0 one two\n", 1.5],
) {
    my ($name, $pieces, $end, $min) = @$row;
    my $r = run({ stdin => "q\n" }, 'connect', '--proxy', $proxy, '127.0.0.1',
        answering(@$pieces));
    exits $r, $end, "connect --proxy: $name", within => 12, err => '';
    cmp_ok $r->{seconds}, '>=', $min, '  and the end is held back';
}
exits run({ stdin => "q\n" }, 'connect', '--proxy', $proxy, '127.0.0.1',
    answering(3, "late\n")), '0 ', 'an answer that is later than that: a line', err => $dropped;
my @silent = (forking_server(sub { 1 while sysread $_[0], my $x, 65536 }));
exits run({ stdin => 'x' x 300_000 }, 'connect', '--proxy', $proxy, '127.0.0.1', @silent),
    '0 ', 'an upload to a silent receiver: the same', err => $dropped;
exits run({ stdin => '' }, 'connect', '--proxy', $proxy, '127.0.0.1', @silent), '0 ',
    'nothing was sent: no line', err => '';
exits run({ stdin => "q\n" }, 'connect', '--send-only', '--proxy', $proxy, '127.0.0.1', @silent),
    '0 ', '--send-only expects no answer', err => '';
exits quickly(0.9, { stdin => "q\n" }, 'connect', '--on-eof', 'fin', '--proxy', $proxy, '127.0.0.1',
    answering(0.3, "late\n")), '0 ', '--on-eof fin: at once', err => $dropped, within => 0.9;
# --linger begins with the FIN.
exits run({ stdin => "q\n" }, 'connect', '--linger', '1s', '--proxy', $proxy, '127.0.0.1',
    answering(0.05, "one\n")), "0 one\n", '--linger runs from the FIN on', no_err => qr/within/;
# An idle limit does not count the time for which this side holds its end back.
exits run({ stdin => "q\n" }, 'connect', '--idle-timeout', '700ms', '--proxy', $proxy,
    '127.0.0.1', answering(0.05, "one\n")), "0 one\n", '--idle-timeout: a shorter one';
exits run({ stdin => '' }, 'connect', '--idle-timeout', '500ms', '--on-eof', 'keep', '--proxy',
    $proxy, '127.0.0.1', @silent), '5 ', '  it still counts silence', within => 8;

# An answer that has arrived, but is not read, is no quiet.
{
    my $size = 3_000_000;
    my $port = forking_server(sub {
        my ($c) = @_;
        sysread $c, my $line, 1000;
        print $c 'x' x $size;
        $c->flush;
        1 while sysread $c, my $rest, 65536;
    });
    pipe my $r, my $w or die;
    my $p = start({ stdin => "q\n", stdout => $w }, 'connect', '--proxy', $proxy,
        '127.0.0.1', $port);
    close $w;
    sleep 2.5;
    my $got = 0;
    while (my $n = sysread $r, my $bytes, 65536) { $got += $n }
    is $got, $size, 'a slow reader of stdout gets the whole answer';
    is $p->finish->{status}, 0, '  and status 0';
}

# The client of a forwarder that half-closes.
sub ask {
    my ($port, $text) = @_;
    my $c = tcp_client($port);
    syswrite $c, $text;
    shutdown $c, 1;
    return until_end($c);
}
my $f = start('listen', '-4k', '--proxy', $proxy, '--to',
    '127.0.0.1:' . answering(0.05, "answer\n"), 0);
is ask($f->port, "q\n"), "answer\n fin", 'listen --to --proxy: the client gets its answer';
exits $f->stop, 0, '  and no line', no_err => qr/dropped/;
$f = start('listen', '-4kv', '--proxy', $proxy, '--to',
    '127.0.0.1:' . answering(3, "late\n"), 0);
is ask($f->port, "q\n"), ' fin', 'one that is too late';
ok $f->expect(err => qr/port \d+: the target ended .* may have dropped/), '  is told';
$f->stop;
$f = start('listen', '-4k', '--to', '127.0.0.1:' . answering(0.05, "answer\n"), 0);
my ($got, $took);
for (1 .. 10) {
    my $begun = time;
    $got = ask($f->port, "q\n");
    $took = time - $begun;
    last if $took < 0.9;
}
is $got, "answer\n fin", 'without a proxy';
cmp_ok $took, '<', 0.9, '  its end is passed on at once';
$f->stop;

$f = start('listen', '-4', '--idle-timeout', '700ms', '--proxy', $proxy, '--to',
    '127.0.0.1:' . answering(0.05, "answer\n"), 0);
is ask($f->port, "q\n"), "answer\n fin", 'and with a shorter --idle-timeout';
is $f->finish->{status}, 0, '  which has not passed';

# A program that only receives may end only after its input: it gets that end when
# the peer has finished, as /proc shows.
my $nc = small_nc($dir) . ' waits';
my $once = forking_server(sub { print { $_[0] } "hello\n" });
my $pauses = forking_server(sub {
    my ($c) = @_;
    for (1 .. 3) { syswrite $c, "$_\n"; sleep 1.5 }
});
for my $row (["$nc; :", $once, "0 hello\n", 'is seen beneath a shell'],
    [$nc, $pauses, "0 1\n2\n3\n", 'is not there while it pauses']) {
    my ($via, $port, $end, $name) = @$row;
    SKIP: {
        skip 'no /proc', 1 if $^O ne 'linux';
        exits run({ timeout => 30 }, 'connect', '--recv-only', '--via', $via, '127.0.0.1', $port),
            $end, "--recv-only --via: the peer's end $name", err => '';
    }
}
exits run('connect', '--recv-only', '--done', '--expect', 'ready', '--send', 'x\n', '--expect',
    'got', '--via', 'sleep 2; echo ready; read x; echo "got $x"', 'h', 1), "0 ready\ngot x\n",
    '  nor while a script talks to it', err => '';

# A reader that does not read is looked at every second, not every millisecond.
SKIP: {
    skip 'no /proc', 1 if !-r "/proc/$$/status";
    pipe my $r, my $w or die;
    my $p = start({ stdout => $w }, 'connect', '--recv-only', '--via',
        'head -c 3000000 /dev/zero; cat >/dev/null', 'h', 1);
    close $w;
    sleep 1.5;
    my $switches = sub {
        return (slurp("/proc/$p->{pid}/status") =~ /^voluntary_ctxt_switches:\s*(\d+)/m)[0];
    };
    my $before = $switches->();
    sleep 0.5;
    cmp_ok $switches->() - $before, '<', 50, '--recv-only --via: a blocked stdout is waited for';
    $p->signal('TERM');
    $p->finish;
}

# What a target has not read when its proxy ends both directions is lost, too.
{
    my $got = "$dir/slow";
    my $slow = forking_server(sub {
        my ($c) = @_;
        my $n = 0;
        while (sysread $c, my $bytes, 20_000) {
            $n += length $bytes;
            sleep 0.01;
            syswrite $c, "ok\n";
        }
        spew($got, $n);
    });
    for my $options (['--send-only'], ['--on-peer-eof', 'quit'], ['--send', 'x\n', '--done']) {
        unlink $got;
        exits run({ stdin => 'x' x 400_000 }, 'connect', @$options, '--proxy', $proxy,
            '127.0.0.1', $slow), 0, "@$options: a slow receiver";
        for (1 .. 500) { last if -s $got; sleep 0.01 }
        cmp_ok slurp($got), '==', "@$options" =~ /done/ ? 2 : 400_000, '  gets everything';
    }
}

done_testing, exit if !tls_is_available();

# A server of TLS that drops its answer when the end comes first.
my $cert = tls_self_signed("$dir/self", 'IP:127.0.0.1');
my $drops = tls_front($cert, forking_server(sub {
    my ($c) = @_;
    sysread $c, my $line, 1000;
    syswrite $c, "answer\n" unless IO::Select->new($c)->can_read(0.05);
}));
$f = start('listen', '-4k', '--tls', '--tls-insecure', '--to', '127.0.0.1:' . $drops->port, 0);
is ask($f->port, "q\n"), "answer\n fin", 'listen --to --tls: the client gets its answer';
$f->stop;
my $s = tls_serve($cert, '-rev');

# Through a proxy with TLS requested in the protocol, the end was never passed on.
my $plain = forking_server(pop3_front($s->{port}));
exits run({ stdin => "hello\n", timeout => 10 }, 'connect', '--starttls', 'pop3',
    '--tls-insecure', '--proxy', $proxy, '127.0.0.1', $plain), "0 olleh\n",
    'connect --starttls --proxy: the end of stdin is passed on', within => 10;

# A server that goes on sending is never quiet: --linger ends that.
my $ticks = tls_front($cert, forking_server(sub {
    my ($c) = @_;
    my $until = time + 20;
    sleep 0.05 while time < $until && syswrite $c, "tick\n";
}));
exits run({ stdin => "q\n" }, 'connect', '--linger', '500ms', '--tls', '--tls-insecure',
    '127.0.0.1', $ticks->port), 5, '--linger ends a server that is never quiet', within => 8,
    err => qr/did not finish within 0\.5 s/;

# Through a proxy, a FIN behind close_notify made it drop that of the server.
exits run({ stdin => "hello\n" }, 'connect', '--tls', '--tls-insecure', '--proxy', $proxy,
    '127.0.0.1', $s->{port}), "0 olleh\n", 'connect --tls --proxy: FIN waits for close_notify',
    err => '', within => 10;

done_testing;
