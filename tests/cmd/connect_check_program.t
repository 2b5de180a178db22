# connect -z ... -- CMD: once the endpoints are open, sockt becomes CMD, with its
# own streams and every signal at its default; nothing is run otherwise.
use Sockt;

my ($one, $two) = (tcp_listener(), tcp_listener());
my ($open, $other) = map { '127.0.0.1:' . $_->sockport } $one, $two;
my $closed = '127.0.0.1:' . free_port();

for my $to ([$open], [$open, $other], ['--any', $closed, $open]) {
    my $r = run({ stdin => 'in' }, 'connect', '-z', '-w', 20, @$to, '--', 'sh',
        '-c', 'cat; echo; echo err >&2; exit 7');
    is "$r->{status} $r->{out} $r->{err}", "7 in\n err\n",
        "-z @$to: streams and status are the program's";
    $r = run('connect', '-z', '-w', 20, '-e', 'exit 9', @$to);
    is $r->{status}, 9, "-z -e @$to: the same";
    exits run('connect', '-z', '-w', 20, @$to, '--', 'sh', '-c',
        'kill -USR1 $$'), -10, 'it dies by its signal';
    my $p = start('connect', '-z', '-w', 20, @$to, '--', 'sh', '-c',
        'echo $$; read x');
    my ($pid) = $p->expect(out => qr/(\d+)\n/);
    is $pid, $p->{pid}, 'it is the same process';
    kill 'KILL', $pid;
    $p->finish;
}

# Several endpoints, and without a slash, a file that cannot be executed.
for my $case ([127, 'no-such-program'], [126, '/etc/passwd'],
    [126, '/etc'], [127, '/no/such/program']) {
    my ($status, $program) = @$case;
    exits run('connect', '-z', $open, $other, '--', $program, 'x'), $status,
        "$program", err => qr/^sockt connect: cannot run \Q$program\E: /;
}
my $r = run({ env => { PATH => '' } }, 'connect', '-z', $open, '--', 'true');
is $r->{status}, 127, 'PATH is searched';

# Not run.
exits run('connect', '-z', $closed, '--', 'echo', 'hi'), '4 ',
    'nothing is run when the port is closed, the line says so',
    err => qr/\A[^\n]*refused[^\n]*; echo was not run\n\z/;
$r = run('connect', '-z', $closed, $open, '--', 'echo', 'hi');
is "$r->{status} $r->{out}", '4 ', 'nor when one of several is';
like $r->{err}, qr/refused.*\n.*: echo was not run\n\z/, 'and a line says so';
$r = run('connect', '-z', '-e', 'echo hi', $closed);
like $r->{err}, qr/; --exec's command was not run\n\z/, 'nor with --exec';
my $p = start('connect', '-z', '--retry-for', 20, $closed, '--', 'echo', 'hi');
$p->expect(err => qr/trying again/);
kill 'TERM', $p->{pid};
$r = $p->finish;
is "$r->{signal} $r->{out}", '15 ', 'nor after a signal';
$p = start('connect', '-z', '--retry-for', 20, $closed, '--', 'echo', 'hi');
$p->expect(err => qr/trying again/);
my $late = tcp_listener(port => $closed =~ /(\d+)$/);
is $p->finish->{out}, "hi\n", 'but after --retry-for';

SKIP: {
    skip 'no proc(5)', 3 unless -e '/proc/self/fd';
    # ls has its directory open as 3; what the test itself leaves open is 4 up.
    for my $to ([$open], [$open, $other]) {
        local $^F = 2;
        $r = run('connect', '-z', @$to, '--', 'ls', '/proc/self/fd');
        is $r->{out} =~ s/\n/ /gr, '0 1 2 3 ', 'no descriptor of sockt is open';
    }
    # Ignored and blocked signals of whoever started it.
    local $SIG{$_} = 'IGNORE' for qw(INT HUP USR2 CHLD PIPE);
    $r = run('connect', '-z', $open, $other, '--', 'grep', 'Sig[IB]',
        '/proc/self/status');
    # 32 and 33 are the C library's.
    is join(' ', map { hex(substr $_, 8) & 0x7fffffff }
        $r->{out} =~ /([0-9a-f]{16})/g), '0 0',
        'every signal has its default action, and none is blocked';
}
is run('connect', '-z', $open, '--', 'sh', '-c', 'echo $TCPREMOTEIP')->{out},
    "\n", 'there is no connection, and no variable of one';

# Misuse.
$r = run('connect', '-z', '--count', 2, $open, '--', 'true');
is $r->{status}, 2, 'what measures runs no program';
like $r->{err}, qr/measure connections: they do not run a program/, 'told';

# connect -z does not relay, and a program behind it was given the connection:
# 'connect -z db 5432 -- ./migrate' sent what it printed to the server. It has
# sockt's own stdin and stdout now, and nothing reaches the server.
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case ([ '-z', @to, '--', 'cat' ], [ '-z', '-e', 'cat', @to ],
    [ '--retry-for', 1, '-z', @to, '--', 'cat' ]) {
    my $r = run({ stdin => 'up' }, 'connect', @$case);
    is "$r->{status} $r->{out} $r->{err}", '0 up ',
        "connect @$case: the program has sockt's stdin and stdout";
    my $c = $l->accept;
    is do { local $/; <$c> } // '', '', 'and the server received nothing';
}

done_testing;
