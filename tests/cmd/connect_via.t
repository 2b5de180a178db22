# connect --via: a program is the connection. How it gets the host and the port,
# how its end and its failures are reported, and that nothing of it is left.
use Sockt;
use List::Util qw(min);

my $dir = scratch();
# Without Linux's own calls a process is not told that sockt was killed.
my $portable = run('--version')->{out} =~ /posix/;
my %mark = (env => { TMPDIR => $dir });

# A small nc: connects, relays until the peer has finished.
my $nc = spew("$dir/nc", <<'END');
use IO::Socket::IP;
my ($host, $port) = @ARGV;
my $c = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port)
    or die "nc: \e[31mcannot connect\n";
if (!fork) {
    while (sysread STDIN, my $bytes, 65536) { syswrite $c, $bytes }
    shutdown $c, 1;
    exit;
}
while (sysread $c, my $bytes, 65536) { syswrite STDOUT, $bytes }
wait;
END
my $via = "$^X $nc %h %p";

sub via {
    my ($command, @args) = @_;
    my %o = (%mark, ref $args[0] eq 'HASH' ? %{ shift @args } : ());
    return run(\%o, 'connect', '--via', $command, @args);
}

# Echoes in upper case until the end, for any number of clients.
sub upper {
    my $l = tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        while (sysread $c, my $bytes, 65536) { syswrite $c, uc $bytes }
    }, 1000);
    return $l->sockport;
}
my $port = upper();

my $r = via($via, { stdin => "hello\n" }, '127.0.0.1', $port);
is "$r->{status} $r->{out} $r->{err}", "0 HELLO\n ", 'a program relays';
$r = via("exec $via", { stdin => "hello\n" }, "127.0.0.1:$port");
is "$r->{status} $r->{out}", "0 HELLO\n", 'also one that replaces the shell';

# What becomes of the command.
for my $case (
    ['printf "%%s:" %h %p',   ['db.test', 5432], 'db.test:5432:'],
    ['echo 100%%',            ['db.test', 5432], "100%\n"],
    ['printf %%s: %h %h',     ['a b;c$(d)\'e', 1], 'a b;c$(d)\'e:a b;c$(d)\'e:'],
    ['printf %%s, %h %p',     ['[::1]:80'], '::1,80,'],
    ['printf %%s, %h',        ["unix:$dir/x y"], "$dir/x y,"],
    ['printf %%s "%h"',       ['db.test', 1], 'db.test'],
) {
    my ($command, $endpoint, $out) = @$case;
    # A program that exits before stdin ends is an error.
    $r = via($command, '--recv-only', @$endpoint);
    is "$r->{status} $r->{out}", "0 $out", "$command for @$endpoint";
}
misused 'connect',
    qr/--via: '%x': there are %h \(host\), %p \(port\)/ => [['--via', 'cat %h %x', 'h', 1]],
    qr/'%': there are/ => [['--via', 'cat %h 5%', 'h', 1]],
    qr/the command is empty/ => [['--via', ' ', 'h', 1]],
    qr/a unix socket has no port for %p/ => [['--via', 'cat %h %p', "unix:$dir/s"]],
    qr/would take the host '-oProxy' for an opt/ =>
        [['--via', 'cat %h %p', '--', '-oProxy', 1]],
    qr/quotes of its own, and the host 'a;b'/ => [['--via', "cat '%h'", 'a;b', 1]],
    qr/quotes of its own/ => [['--via', 'cat "%h"', 'a$(b)', 1]],
    qr/does not apply with --via: its program makes the conn/ => [map {
        "--via cat $_ h 1" } '-4', '-6', '-n', '-s 127.0.0.1', '-p 9', '--proxy h',
        '--keepalive', '--tos 1', '--ttl 1', '--rcvbuf 1', '--sndbuf 1'];

# Programs that fail.
my $closed = free_port();
for my $case (
    [$via, 10, qr/^sockt connect: 127\.0\.0\.1 port $closed: the program of --via failed with status \d+: nc: \\x1b\[31mcannot connect$/],
    ['/nosuch/nc %h', 127, qr/^sockt connect: --via: cannot run \/nosuch\/nc: no such file/],
    ["$dir/nc %h", 126, qr/^sockt connect: --via: cannot run \S+: permission denied/i],
    ['exit 7', 10, qr/failed with status 7$/],
    ['kill -9 $$', 10, qr/was killed by signal 9$/],
    ['echo one >&2; echo two >&2; echo >&2; exit 1', 10, qr/status 1: two$/],
) {
    my ($command, $status, $error) = @$case;
    # Without --timeout -z waits one second for a failure.
    my @zero = ('-z', '-w', 20);
    for my $zero (['--recv-only'], [@zero], [@zero, '127.0.0.1', $port]) {
        my $has_two = @$zero > @zero;
        next if $has_two && $command ne 'exit 7';
        $r = via($command, @$zero, '127.0.0.1', $closed);
        exits $r, $status, "@$zero $command", err => $error;
        is scalar(() = $r->{err} =~ /\n/g), $has_two ? 2 : 1, '  in one line';
    }
}
exits via($via, { stdin => "hello\n" }, '127.0.0.1', $closed), 10,
    'with input, the reason of the program comes first',
    err => qr/cannot connect; the connection was lost after/;
exits via('head -c 3; exit 3', { stdin => "hello\n" }, 'h', 1), '10 hel',
    'output, then a failure', err => qr/failed with status 3/;
$r = via('cat >/dev/null; echo done', { stdin => 'x' x 1e6 }, 'h', 1);
is "$r->{status} $r->{out}", "0 done\n", 'all of a large input is taken';
$r = via('head -c 5', { stdin => 'x' x 1e6 }, 'h', 1);
is $r->{status}, 10, 'a program that reads only a part: status 10';
like $r->{err}, qr/of stdin not delivered|stdin was still open/, '  is told';

# Its stderr.
$r = via("echo warning >&2; $via", { stdin => 'x' }, '127.0.0.1', $port);
is "$r->{status} $r->{out} $r->{err}", '0 X ', 'stderr of one that works is not shown';
$r = via("printf 'a\\033]0;b\\n' >&2; $via", { stdin => 'x' }, '-v',
    '127.0.0.1', $port);
like $r->{err}, qr/: --via says: a\\x1b\]0;b$/m, '  but with -v, escaped';
like $r->{err}, qr/running printf .* \(--via\)$/m, '  after what is run';
unlike $r->{err}, qr/\e/, '  nothing of it is raw';
$r = via("$^X -e 'print STDERR \"y\" x 99, \"\\n\" for 1 .. 1e5; "
    . "print while <STDIN>; exit 4'", { stdin => "end\n" }, 'h', 1);
is "$r->{status} $r->{out}", "10 end\n", 'a flood on stderr blocks nothing';
like $r->{err}, qr/status 4: y{99}$/, '  and gives a reason of one line';

# The end of the input and of the run.
$r = via($via, { stdin => 'x' x 3e6 }, '--send-only', '127.0.0.1', $port);
is "$r->{status} $r->{out}$r->{err}", '0 ', '--send-only waits for the program';
exits via("cat >$dir/slow; sleep 1; exit 5", { stdin => 'x' }, '--send-only',
    'h', 1), 10, '--send-only: the program fails after the end of stdin';
exits via('cat >&2; sleep 600 >/dev/null', { stdin => 'x' }, '--send-only',
    '-m', 1, 'h', 1), 10, '  a limit ends one that never exits',
    err => qr/did not exit after the connection was closed/;
exits via('exec sleep 600 <&- >&-', '--recv-only', 'h', 1), 10,
    'closes the connection, never exits, after the grace period', within => 10;
$r = via('echo hi; exec sleep 600', '--expect', 'hi', '--done', 'h', 1);
is "$r->{status} $r->{out}", "0 hi\n", '--done ends a program that stays';
$r = via($via, '127.0.0.1', $port, '--', 'sh', '-c',
    'echo abc; read x; echo "got $x" >&2');
is "$r->{status} $r->{err}", "0 got ABC\n", 'the program of connect uses it';

# -z: a second in which it may fail.
exits via('exit 0', '-z', 'h', 1), 0, '-z: it exits with status 0';
# How long it took from its start, as sockt has it.
sub tested_in {
    my $r = via($_[0], '-z', '--json', @_[1 .. $#_], 'h', 1);
    return $r->{status} == 0 && $r->{out} =~ /"seconds":([\d.]+)/ ? $1 : 999;
}
cmp_ok tested_in('echo ready; sleep 600', '-w', 20), '<', 10,
    '  it sends data: at once';
cmp_ok tested_in('sleep 600'), '>=', 0.9, '  it runs for a second';
# Of several tries: a busy machine may be late by more than the difference.
my $least = 999;
for (1 .. 20) {
    $least = min($least, tested_in('sleep 600', '-w', 0.05));
    last if $least < 0.9;
}
cmp_ok $least, '<', 0.9, '  or for --timeout, if that is less';
# On a busy machine it takes more than a second to fail.
$r = via("test -e $dir/go && echo ready && exec cat; touch $dir/go; exit 1",
    { stdin => 'again' }, '-w', 20, '--retry-for', 30, 'h', 1);
is "$r->{status} $r->{out}", "0 ready\nagain", '--retry-for runs it again';
like $r->{err}, qr/failed with status 1; trying again for 30 s/, '  and says so';
$r = via('nosuch-program', '--retry-for', 10, 'h', 1);
is $r->{status}, 127, '  but not one that does not exist';

# Events.
$r = via($via, { stdin => 'x' }, '--json', '127.0.0.1', $port);
like $r->{err}, qr/"event":"closed".*"sent":1,"received":1.*"status":0\}/,
    'the "closed" event has counts and the status';
$r = via('exit 3', '--json', 'h', 1);
like $r->{err}, qr/"event":"closed".*"status":10\}/, '  and that of a failure';

# Stopping sockt, or killing it, stops the program, also a pipeline.
for my $command ('exec sleep 600', 'sleep 600 | sleep 600 | cat') {
    for my $signal (qw(INT TERM HUP KILL)) {
        next if $signal eq 'KILL' && ($command =~ /\|/ || $portable);
        my $p = start({ %mark, keep_stdin => 1 }, 'connect', '-v', '--via',
            $command, 'h', 1);
        $p->expect(err => qr/running sleep|running exec/);
        $p->signal($signal);
        $r = $p->finish;
        is $r->{signal}, { INT => 2, TERM => 15, HUP => 1, KILL => 9 }->{$signal},
            "$signal with $command: dies by it";
        is join(' ', left_behind($dir)), '', '  and leaves no process';
    }
}
my $p = start({ %mark, keep_stdin => 1 }, 'connect', '--via',
    "trap '' TERM; echo on; while :; do sleep 0.1; done", 'h', 1);
$p->expect(out => qr/on/);
$p->signal('TERM');
is $p->finish->{signal}, 15, 'a program that ignores TERM is killed';
is join(' ', left_behind($dir)), '', 'no process is left by any of these';
is join(' ', glob "$dir/sockt-*"), '', 'and no directory';

# The addresses of a socket pair say nothing.
$r = run({ stdin => 'text' }, 'connect', '-v', '--via', 'cat', 'host', 80);
is $r->{out}, 'text', 'what the program sends';
like $r->{err}, qr/closed the socket pair: sent 4 bytes, received 4, in /,
    'the closed line of its connection';

# A program of --via that needs more than a second to fail counted as a
# connection, whatever --timeout was.
$r = run('connect', '-z', '-w', 20, '--via', 'sleep 1.5; exit 3', 'h', 1);
is $r->{status}, 10, '-z: a failure within --timeout';
like $r->{err}, qr/the program of --via failed with status 3$/, '  is reported';

done_testing;
