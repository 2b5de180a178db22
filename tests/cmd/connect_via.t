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

my @to = ('127.0.0.1', $port);

# What becomes of the command. A program that exits before stdin ends is an error.
for my $case (
    ['printf "%%s:" %h %p',   ['db.test', 5432], 'db.test:5432:'],
    ['echo 100%%',            ['db.test', 5432], "100%\n"],
    ['printf %%s, %h %p',     ['[::1]:80'], '::1,80,'],
    ['printf %%s, %h',        ["unix:$dir/x"], "$dir/x,"],
    ['printf %%s, %h',        ['fe80::1%eth0', 1], 'fe80::1%eth0,'],
    ['printf %%s "%h"',       ['db.test', 1], 'db.test'],
) {
    my ($command, $endpoint, $out) = @$case;
    exits via($command, '--recv-only', @$endpoint), "0 $out", "$command for @$endpoint";
}
misused 'connect',
    qr/--via: '%x': there are %h \(host\), %p \(port\)/ => [['--via', 'cat %h %x', 'h', 1]],
    qr/'%': there are/ => [['--via', 'cat %h 5%', 'h', 1]],
    qr/the command is empty/ => [['--via', ' ', 'h', 1]],
    qr/a Unix socket has no port for %p/ => [['--via', 'cat %h %p', "unix:$dir/s"]],
    qr/would take the host '-oProxy' for an opt/ =>
        [['--via', 'cat %h %p', '--', '-oProxy', 1]],
    # Two shells may read it: ssh hands its words to another one.
    qr/the host '.*' has characters with a meaning to a shell/ => [map {
        my $host = $_;
        map { ['--via', $_, $host, 1] } 'cat %h', "cat '%h'", 'cat "%h"'
    } 'a b', 'a;b', 'a$(b)', '~', 'a&b', "a'b", 'a|b', '`a`', 'a#b', 'a*', '::1%a;b', "a\nb"],
    qr/the host .* has characters/ => [['--via', 'cat %h', "unix:$dir/x y"]],
    # A command line that is wrong needs no program.
    qr/unexpected operand 'x'/ => '--via nosuch-program h 1 x',
    qr/port '99999'/ => '--via nosuch-program h 99999',
    qr/--count, --interval and --stats/ => '-z --count 2 --via nosuch-program h 1',
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
    # ssh exits with 255; only 129 to 128 + 64 can be a signal.
    ['exit 255', 10, qr/failed with status 255$/],
    ['exit 200', 10, qr/failed with status 200$/],
    ['exit 128', 10, qr/failed with status 128$/],
    ['echo one >&2; echo two >&2; echo >&2; exit 1', 10, qr/status 1: two$/],
) {
    my ($command, $status, $error) = @$case;
    # Without --timeout -z waits one second for a failure.
    my @zero = ('-z', '-w', 20);
    for my $zero (['--recv-only'], [@zero], [@zero, '127.0.0.1', $port]) {
        my $has_two = @$zero > @zero;
        next if $has_two && $command ne 'exit 7';
        my $r = via($command, @$zero, '127.0.0.1', $closed);
        exits $r, $status, "@$zero $command", err => $error;
        is scalar(() = $r->{err} =~ /\n/g), $has_two ? 2 : 1, '  in one line';
    }
}

my $flood = "$^X -e 'print STDERR \"y\" x 99, \"\\n\" for 1 .. 1e5; "
    . "print while <STDIN>; exit 4'";
for my $row (
    ['a program relays', "0 HELLO\n", "hello\n", [$via, @to], err => ''],
    ['also one that replaces the shell', "0 HELLO\n", "hello\n", ["exec $via", "127.0.0.1:$port"]],
    ['with input, the reason of the program comes first', 10, "hello\n",
        [$via, '127.0.0.1', $closed],
        err => qr/cannot connect; the connection was lost after/],
    ['output, then a failure', '10 hel', "hello\n", ['head -c 3; exit 3', 'h', 1],
        err => qr/failed with status 3/],
    ['all of a large input is taken', "0 done\n", 'x' x 1e6,
        ['cat >/dev/null; echo done', 'h', 1]],
    ['a program that reads only a part: status 10, is told', 10, 'x' x 1e6,
        ['head -c 5', 'h', 1], err => qr/of stdin not delivered|stdin was still open/],
    ['stderr of one that works is not shown', '0 X', 'x',
        ["echo warning >&2; $via", @to], err => ''],
    ['  but with -v, escaped, after what is run', '0 X', 'x',
        ["printf 'a\\033]0;b\\n' >&2; $via", '-v', @to], no_err => qr/\e/,
        err => qr/running printf .* \(--via\)\n.*: --via says: a\\x1b\]0;b$/ms],
    ['a flood on stderr blocks nothing, and gives a reason of one line', "10 end\n",
        "end\n", [$flood, 'h', 1], err => qr/status 4: y{99}$/],
    ['a program whose writes to stderr must succeed', "0 done\n", '',
        ['head -c 300000 /dev/zero >&2 && cat && echo done', 'h', 1], err => ''],
    ['  and one that opens it anew', "0 done\n", '',
        ['head -c 300000 /dev/zero | tee /dev/stderr >/dev/null && cat && echo done',
        'h', 1]],
    ['a flood of what it has left does not hide its end', 10, 'x',
        ['(exec yes 3>&1 >&2) & cat >/dev/null; sleep 0.3; exit 5', '--send-only', '-m', 20,
        'h', 1], err => qr/failed with status 5/, within => 15],
    ['--send-only waits for the program', '0 ', 'x' x 3e6, [$via, '--send-only', @to],
        err => ''],
    ['--send-only: the program fails after the end of stdin', 10, 'x',
        ["cat >$dir/slow; sleep 1; exit 5", '--send-only', 'h', 1]],
    ['  a limit ends one that never exits', 10, 'x',
        ['cat >&2; sleep 600 >/dev/null', '--send-only', '-m', 1, 'h', 1],
        err => qr/did not exit after the connection was closed/],
    ['closes the connection, never exits, after the grace period', 10, '',
        ['exec sleep 600 <&- >&-', '--recv-only', 'h', 1], within => 10],
    ['--done ends a program that stays', "0 hi\n", '',
        ['echo hi; exec sleep 600', '--expect', 'hi', '--done', 'h', 1]],
    ['the program of connect uses it', 0, '',
        [$via, @to, '--', 'sh', '-c', 'echo abc; read x; echo "got $x" >&2'],
        err => "got ABC\n"],
    ['the "closed" event has counts and the status', '0 X', 'x', [$via, '--json', @to],
        err => qr/"event":"closed".*"sent":1,"received":1.*"status":0\}/],
    ['  and that of a failure', 10, '', ['exit 3', '--json', 'h', 1],
        err => qr/"event":"closed".*"status":10\}/],
    # The addresses of a socket pair say nothing.
    ['the closed line of its connection', '0 text', 'text', ['cat', '-v', 'host', 80],
        err => qr/closed the socket pair: sent 4 bytes, received 4, in /],
    # In a second it may fail. One that needs more counted as a connection,
    # whatever --timeout was.
    ['-z: it exits with status 0', 0, '', ['exit 0', '-z', 'h', 1]],
    ['-z: a failure within --timeout', 10, '',
        ['sleep 1.5; exit 3', '-z', '-w', 20, 'h', 1],
        err => qr/the program of --via failed with status 3$/m],
    ['-z: of two that cannot be run the first', 126, '',
        ['exit %p', '-z', '-w', 20, 'h', 126, 'h', 127]],
    # On a busy machine it takes more than a second to fail.
    ['--retry-for runs it again, and says so', "0 ready\nagain", 'again',
        ["test -e $dir/go && echo ready && exec cat; touch $dir/go; exit 1",
        '-w', 20, '--retry-for', 30, 'h', 1],
        err => qr/failed with status 1; trying again for 30 s/],
    ['  but not one that does not exist', 127, '', ['nosuch-program', '--retry-for', 10, 'h', 1]],
) {
    my ($name, $end, $stdin, $args, %want) = @$row;
    my ($command, @args) = @$args;
    exits via($command, { stdin => $stdin }, @args), $end, $name, %want;
}

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
# stderr is shown while the program runs.
my $early = start({ %mark, keep_stdin => 1 }, 'connect', '-v', '--via',
    'echo early >&2; cat', 'h', 1);
$early->expect(err => qr/--via says: early\n/);
$early->close_stdin;
exits $early->finish, 0, '-v shows a line of stderr when it comes';

# Stopping sockt, or killing it, stops the program, also a pipeline.
for my $command ('exec sleep 600', 'sleep 600 | sleep 600 | cat') {
    for my $signal (qw(INT TERM HUP KILL)) {
        next if $signal eq 'KILL' && ($command =~ /\|/ || $portable);
        my $p = start({ %mark, keep_stdin => 1 }, 'connect', '-v', '--via',
            $command, 'h', 1);
        $p->expect(err => qr/running sleep|running exec/);
        $p->signal($signal);
        exits $p->finish, { INT => -2, TERM => -15, HUP => -1, KILL => -9 }->{$signal},
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

done_testing;
