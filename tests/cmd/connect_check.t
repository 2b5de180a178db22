# connect -z with several endpoints: all are tested at the same time, the status
# says whether all of them, or with --any one, is open.
use Sockt;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(time);

my ($one, $two) = (tcp_listener(), tcp_listener());
my ($open, $other) = map { $_->sockport } $one, $two;
my ($closed, $shut) = (free_port(), free_port());
my $dir = scratch();
my $unix = IO::Socket::UNIX->new(Local => "$dir/s", Listen => 5)
    // die "unix: $!";

# Accepts what waits, and returns how many there were and what they had sent.
sub drain {
    my ($l) = @_;
    my ($count, $sent) = (0, '');
    vec(my $bits = '', fileno $l, 1) = 1;
    while (select my $ready = $bits, undef, undef, 0) {
        my $c = $l->accept;
        $count++;
        $sent .= do { local $/; <$c> } // '';
    }
    return "$count:$sent";
}

my $r = run('connect', '-z', '127.0.0.1', $open, "127.0.0.1:$other",
    "unix:$dir/s");
is "$r->{status} $r->{out}$r->{err}", '0 ',
    'HOST PORT, HOST:PORT and unix:PATH are all open';
is join(' ', map { drain($_) } $one, $two, $unix), '1: 1: 1:',
    'each was connected to once, and received nothing';

# Their steps are those of several processes.
$r = run('connect', '-zvv', "127.0.0.1:$open", "127.0.0.1:$other");
drain($_) for $one, $two;
is_deeply [sort $r->{err} =~ /^sockt connect: (.*): socket AF_INET /mg],
    [sort map { "127.0.0.1 port $_" } $open, $other],
    'a step of several names its endpoint';
unlike run('connect', '-zvv', "127.0.0.1:$open")->{err},
    qr/port \d+: socket AF_INET/, 'one of a single endpoint does not';
drain($one);

$r = run('connect', '-zv', "127.0.0.1:$open", '127.0.0.1', $other);
for my $port ($open, $other) {
    my $told = () = $r->{err}
        =~ /^sockt connect: 127\.0\.0\.1 port $port: connected in [\d.]+ ms$/mg;
    is $told, 1, '-v: a line for each';
}

$r = run('connect', '-z', "127.0.0.1:$closed", "127.0.0.1:$open",
    "unix:$dir/none", "127.0.0.1:$shut");
my @lines = sort split /\n/, $r->{err};
is scalar @lines, 3, 'an error line for each that failed';
like $lines[0], qr/^sockt connect: 127\.0\.0\.1 port \d+: refused \(/,
    'that says why';
like $lines[2], qr/unix:\Q$dir\E\/none: /, 'and which';
isnt $r->{status}, 0, 'one failure suffices';

# The status of all is that of the worst failure, of --any that of the best.
my @cases = (
    [4, 4, "127.0.0.1:$closed", "127.0.0.1:$shut"],
    [3, 4, "127.0.0.1:$closed", 'no-such-name.invalid:1'],
    [7, 4, "127.0.0.1:$closed", '[fe80::1%none]:1'],
    [4, 0, "127.0.0.1:$closed", "127.0.0.1:$open"],
    [0, 0, "127.0.0.1:$open"],
    [4, 4, "127.0.0.1:$closed"],
);
for (@cases) {
    my ($all, $any, @to) = @$_;
    is run('connect', '-z', '-w', 20, @to)->{status}, $all, "@to: $all";
    is run('connect', '-z', '-w', 20, '--any', @to)->{status}, $any,
        "--any @to: $any";
}
$r = run('connect', '-z', '-w', 20, '--any', "127.0.0.1:$closed",
    "127.0.0.1:$open");
is $r->{err}, '', '--any: what failed is not told when one is open';
$r = run('connect', '-z', '--any', "127.0.0.1:$closed", "127.0.0.1:$shut");
is scalar(() = $r->{err} =~ /refused/g), 2, 'and is when none is';
exits run('connect', '-z', '-m', '0.2', '--retry-for', 20, "127.0.0.1:$closed",
    "127.0.0.1:$open"), 5, '--max-time holds for all',
    err => qr/stopped after 0\.2 s \(--max-time\)/;

# Silent servers: their queues are full. Ten of them take the time of one.
my @silent = map { silent() } 1 .. 3;
my $start = time;
$r = run('connect', '-z', '-w', '1', map { "127.0.0.1:" . $_->{port} }
    @silent[(0, 1, 2) x 3, 0]);
SKIP: {
    skip 'the system accepts more than it should', 3 if $r->{status} == 0;
    is $r->{status}, 5, 'silent ones time out';
    is scalar(() = $r->{err} =~ /within 1 s \(--timeout\)/g), 10,
        'each is told';
    cmp_ok time - $start, '<', 5, 'at the same time';
    $start = time;
    is run('connect', '-z', '--any', map { "127.0.0.1:$_" } (map { $_->{port} }
        @silent), $open)->{status}, 0, '--any does not wait for the others';
    cmp_ok time - $start, '<', 10, 'and ends them';
}

# A listener whose queue is full, so that it answers no more.
sub silent {
    my $l = tcp_listener(backlog => 0);
    my @waiting;
    for (1 .. 8) {
        push @waiting, IO::Socket::IP->new(PeerHost => '127.0.0.1',
            PeerPort => $l->sockport, Type => SOCK_STREAM, Blocking => 0);
    }
    return { port => $l->sockport, held => [$l, @waiting] };
}

# --retry-for waits for all of them.
drain($_) for $one, $two;
my $late = free_port();
my $p = start('connect', '-z', '--retry-for', 20, "127.0.0.1:$late",
    "127.0.0.1:$open");
$p->expect(err => qr/port $late: refused .*; trying again for 20 s\n/);
my $l = tcp_listener(port => $late);
exits $p->finish, 0, '--retry-for: the last one has opened';
is drain($one), '1:', 'the first was connected to once';

# A signal ends it.
$p = start('connect', '-z', '--retry-for', 20, "127.0.0.1:$closed",
    "127.0.0.1:$shut");
$p->expect(err => qr/trying again.*trying again/s);
kill 'TERM', $p->{pid};
exits $p->finish, -15, 'it dies by the signal, says nothing',
    no_err => qr/signal|interrupted/;

# What needs a process leaves none behind; one that was killed is a failure,
# not silence, and no success.
SKIP: {
    my @held = tcp_listener();
    my @slow = ('connect', '-z', '--proxy',
        'http://127.0.0.1:' . $held[0]->sockport, 'a.test:1', 'b.test:2');
    for my $case ([TERM => 0, @slow], [KILL => 1, @slow],
        [KILL => 1, '--until', 'closed']) {
        my ($signal, $kills_children, @args) = @$case;
        # A lookup is a process, too; what kills it does not close the port.
        my ($program, $names) = @args == @slow
            ? ({}, '') : ({ command => built('sockt-names'),
            env => { SOCKT_TEST_NAMES => 'n=hang' } }, 'n');
        next if $names && !-x built('sockt-names');
        @args = ('connect', '-z', @args, map { "$names:$_" } 1, 2) if $names;
        $p = start($program, @args);
        my $until = time + 20;
        my @children;
        @children = children($p->{pid}) while @children < 2 && time < $until;
        skip 'no proc(5)', 1 unless @children;
        if (!$names) {
            push @held, $held[0]->accept for 1, 2;
        }
        kill $signal, $kills_children ? @children : $p->{pid};
        $r = $p->finish;
        if ($kills_children) {
            isnt $r->{status}, 0, "killed children are no success: @args";
            is scalar(() = $r->{err} =~ /ended early|lookup process died/g), 2,
                'and are told' or diag $r->{err};
        } else {
            is $r->{signal}, 15, 'it dies by the signal';
            is join(' ', grep { is_running($_) } @children), '',
                'with its children';
        }
    }
}

# --until closed: an end is waited for as a start is.
$r = run('connect', '-z', '--until', 'closed', "127.0.0.1:$closed",
    "127.0.0.1:$shut", "unix:$dir/none");
is "$r->{status} $r->{err}", '0 ', '--until closed: nobody listens';
$r = run('connect', '-z', '--until', 'closed', "127.0.0.1:$closed",
    "127.0.0.1:$open");
is "$r->{status} $r->{err}", "1 sockt connect: 127.0.0.1 port $open is open\n",
    'one of them is open';
is run('connect', '-z', '--until', 'closed', '--any', "127.0.0.1:$closed",
    "127.0.0.1:$open")->{status}, 0, '--any: and the other is not';
exits run('connect', '-z', '--until', 'closed', '--retry-for', '0.3',
    '127.0.0.1', $open), 5, '--retry-for: it stays open',
    err => qr/not closed within 0\.3 s \(--retry-for\); \N+ $open is open$/;
{
    my $ends = tcp_listener();
    my $port = $ends->sockport;
    $p = start('connect', '-z', '--until', 'closed', '--retry-for', 20,
        '127.0.0.1', $port, '--', 'echo', 'gone');
    $p->expect(err => qr/ $port is open; trying again for 20 s\n/);
    close $ends;
    exits $p->finish, "0 gone\n", 'until it is closed';
}
isnt run('connect', '-z', '--until', 'closed', '-w', 20,
    'no-such-name.invalid:1')->{status}, 0, 'no answer is no end: a name';
isnt run('connect', '-z', '--until', 'closed', '-p', 1, '-s', '192.0.2.1',
    "127.0.0.1:$closed")->{status}, 0, 'nor is a failure of this machine';
SKIP: {
    my $silent = silent();
    $r = run('connect', '-z', '--until', 'closed', '-w', '0.3', '127.0.0.1',
        $silent->{port});
    skip 'the system accepts more than it should', 1 if $r->{status} == 1;
    is $r->{status}, 5, 'nor is silence';
}

# --json.
$r = run('connect', '-z', '--json', "127.0.0.1:$open", "127.0.0.1:$closed");
my @events = split /\n/, $r->{out};
my %tested = map { $_->{endpoint} => $_ }
    grep { $_->{event} eq 'tested' } map { decode_json($_) } @events;
is $tested{"127.0.0.1 port $open"}{status}, 0, 'one for each: open';
is $tested{"127.0.0.1 port $closed"}{status}, 4, 'and not open';
is $r->{status}, 4, 'with the status';
$r = run('connect', '-z', '--json', "127.0.0.1:$open");
like $r->{out}, qr/"event":"tested"/, 'a single one has its event on stdout';
is $r->{err}, '', 'too';
$r = run('connect', '-z', '--json', "127.0.0.1:$open", '--', 'echo', 'hi');
is $r->{out}, "hi\n", 'where a program has stdout';
like $r->{err}, qr/"event":"tested"/, 'they are on stderr';
is run({ closed => [1] }, 'connect', '-z', '--json', "127.0.0.1:$open")
    ->{status}, 11, 'a closed stdout is status 11';
drain($_) for $one, $two;

# Each step names its endpoint. After sixteen texts it named something else.
$p = start('connect', '-z', '-vv', '--retry-for', 20, "127.0.0.1:$closed",
    '127.0.0.1:' . free_port());
$p->expect(err => qr/(?:: close the socket .*?){8}/s);
is join("\n", grep { !/^sockt connect: 127\.0\.0\.1 port \d+: / }
    grep { /: (?:socket|connect|close) / } split /\n/, $p->stop->{err}), '',
    '-vv: each step names its endpoint';

# Through a proxy, which declines one of them.
my $proxy = tcp_listener();
my $http = peer($proxy, sub {
    my ($c) = @_;
    my $first = <$c>;
    1 while (<$c> // "\r\n") ne "\r\n";
    print $c $first =~ /good/ ? "HTTP/1.1 200 OK\r\n\r\n"
        : "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
}, 4);
my @via = ('--proxy', 'http://127.0.0.1:' . $proxy->sockport);
$r = run('connect', '-z', @via, 'good.test:80', 'bad.test:80');
is $r->{status}, 8, 'a proxy that declines one of them: status 8';
like $r->{err}, qr/\A[^\n]*bad\.test port 80: [^\n]*403[^\n]*\n\z/, 'told';
is run('connect', '-z', '--any', @via, 'bad.test:80', 'good.test:80')
    ->{status}, 0, '--any: and not the other';
reap($http);

# Through programs, one for each endpoint.
@via = ('--via', "exec '" . sockt() . "' connect -q %h %p");
$r = run('connect', '-z', '-w', 2, @via, "127.0.0.1:$open",
    "127.0.0.1:$other");
is "$r->{status} $r->{err}", '0 ', '--via: both are open';
$r = run('connect', '-z', '-w', 2, @via, "127.0.0.1:$open",
    "127.0.0.1:$closed");
isnt $r->{status}, 0, '--via: one is not';
like $r->{err}, qr/\A\N+ port $closed: \N+\n\z/, 'which is told';

# More endpoints than descriptors: those that are left wait their turn.
{
    my $l = tcp_listener(backlog => 1024);
    for my $limit (12, 256) {
        $r = run({ command => 'sh' }, '-c', "ulimit -n $limit; exec \"\$\@\"",
            'sh', sockt(), 'connect', '-zv',
            ('127.0.0.1:' . $l->sockport) x 20,
            map { '127.0.0.1:' . free_port() } 1 .. 20);
        is $r->{status}, 4, "ulimit -n $limit: the status is that of the ports";
        is scalar(() = $r->{err} =~ /: refused \(/g), 20, 'each is told';
        unlike $r->{err}, qr/too many/, 'and none failed for want of descriptors';
    }
}

# More of them than are in flight, each once; what --max-time leaves out is
# told.
SKIP: {
    my $silent = silent();
    $r = run('connect', '-z', '-m', '0.3', ("127.0.0.1:$silent->{port}") x 300);
    skip 'the system accepts more than it should', 3 if $r->{status} == 0;
    is $r->{status}, 5, '--max-time with more than are in flight';
    is scalar(() = $r->{err} =~ / no answer/g), 256, 'those are told';
    like $r->{err}, qr/stopped after 0\.3 s \(--max-time\); 44 endpoints not tested\n\z/,
        'and how many were not tested';
}

# Misuse.
misused 'connect',
    qr/--any is about testing ports: it needs --zero/ => '--any h 1',
    qr/unexpected operand '2'\n/ => 'h 1 2',
    qr/missing port after 'b'/ => '-z a:1 b',
    qr/port 'b:1' is neither/ => '-z a b:1',
    qr/missing host before '81'/ => '-z h 80 81',
    qr/'h' is a name|look|numeric/ => '-zn 127.0.0.1:1 h:1',
    qr/--any and --count cannot/ => '-z --any --count 2 h:1',
    qr/--until is about testing ports: it needs --zero/ => '--until closed h 1',
    qr/--until: 'shut' must be open or closed/ => '-z --until shut h:1',
    qr/--until and --via cannot/ => '-z --until closed --via nc h:1',
    qr/measure connections: they do not run a program/ => '-z --count 2 h:1 -- true',
    qr/--count is about testing ports: it needs --zero/ => '--count 2 h 1',
    qr/--interval is about testing ports/ => '--interval 2 h 1',
    qr/--stats is about testing ports/ => '--stats h 1',
    qr/--count: '0' is not a number of 1 or more/ => '-z --count 0 h 1',
    qr/--interval: 'x' is not a duration/ => '-z --interval x h 1',
    qr/--retry-for and --count cannot/ => '-z --retry-for 1 --count 1 h 1',
    qr/--retry-for: 'x' is not a duration/ => '--retry-for x h 1',
    qr/--stats and --any cannot/ => '-z --stats --any h 1',
    qr/--count measures connections: the program of --via does not/ =>
        [[qw(-z --count 2 --via), 'nc %h %p', 'h', 1]];

# connect -z ... -- CMD: once the endpoints are open, sockt becomes CMD, with its
# own streams and every signal at its default; nothing is run otherwise.
($one, $two) = (tcp_listener(), tcp_listener());
($open, $other) = map { '127.0.0.1:' . $_->sockport } $one, $two;
$closed = '127.0.0.1:' . free_port();

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
$r = run({ env => { PATH => '' } }, 'connect', '-z', $open, '--', 'true');
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
$p = start('connect', '-z', '--retry-for', 20, $closed, '--', 'echo', 'hi');
$p->expect(err => qr/trying again/);
kill 'TERM', $p->{pid};
$r = $p->finish;
is "$r->{signal} $r->{out}", '15 ', 'nor after a signal';
$p = start('connect', '-z', '--retry-for', 20, $closed, '--', 'echo', 'hi');
$p->expect(err => qr/trying again/);
$late = tcp_listener(port => $closed =~ /(\d+)$/);
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

# connect -z does not relay, and a program behind it was given the connection:
# 'connect -z db 5432 -- ./migrate' sent what it printed to the server. It has
# sockt's own stdin and stdout now, and nothing reaches the server.
$l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case ([ '-z', @to, '--', 'cat' ], [ '-z', '-e', 'cat', @to ],
    [ '--retry-for', 1, '-z', @to, '--', 'cat' ]) {
    my $r = run({ stdin => 'up' }, 'connect', @$case);
    is "$r->{status} $r->{out} $r->{err}", '0 up ',
        "connect @$case: the program has sockt's stdin and stdout";
    my $c = $l->accept;
    is do { local $/; <$c> } // '', '', 'and the server received nothing';
}

# connect -z --count, --interval, --stats: round trips of connecting.
$l = tcp_listener();
my $port = $l->sockport;
$closed = free_port();
my $line = qr/127\.0\.0\.1 port $port: connected in [\d.]+ ms\n/;
my $times = qr/round trip min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\/([\d.]+)\/[\d.]+ ms\n/;

exits run('connect', '-z', '--count', 3, '127.0.0.1', $port), 0,
    '--count, a line for each', out => qr/\A$line{3}\z/, err => '';

$r = run('connect', '-z', '--count', 4, '--interval', '100ms', '--stats',
    '127.0.0.1', $port);
like $r->{out}, qr/\A$line{4}127\.0\.0\.1[ ]port[ ]$port:[ ]4[ ]attempts,[ ]
    4[ ]connected,[ ]0[ ]lost[ ]\(0%\)\n$times\z/x, '--stats: and a summary';
ok $r->{out} =~ $times && $1 <= $2 && $2 <= $3, 'whose times are in order';
cmp_ok $r->{seconds}, '>=', 0.3, '--interval lies between attempts';

$r = run('connect', '-zq', '--stats', '127.0.0.1', $port);
like $r->{out}, qr/\A${line}127\.\S+ port $port: 1 attempt, 1 connected, 0 lost/,
    '--stats alone: one attempt';

exits run('connect', '-z', '--count', 2, '--stats', '127.0.0.1', $closed), 4,
    'a failed attempt is a failure',
    out => "127.0.0.1 port $closed: 2 attempts, 0 connected, 2 lost (100%)\n",
    err => qr/\A(?:sockt[ ]connect:[ ]127\.0\.0\.1[ ]port[ ]$closed:[ ]refused[ ]\N+\n){2}
    sockt[ ]connect:[ ]2[ ]of[ ]2[ ]attempts[ ]failed;[ ]the[ ]last[ ]one:[ ]
    127\.0\.0\.1[ ]port[ ]$closed:[ ]refused[ ]\N+\n\z/x;

# Some of them: a listener that goes away and returns.
$p = start('connect', '-z', '--interval', '20ms', '--stats', '127.0.0.1',
    $port);
$p->expect(out => qr/($line){2}/);
close $l;
$p->expect(err => qr/port $port: refused/);
$l = tcp_listener(port => $port);
$p->expect(out => qr/$line/);
kill 'INT', $p->{pid};
$r = $p->finish;
is $r->{signal}, 2, 'without --count until a signal, by which it dies';
my ($attempts, $connected, $lost) = $r->{out} =~
    /port $port: (\d+) attempts, (\d+) connected, (\d+) lost \([\d.]+%\)\n$times\z/
    or diag $r->{out};
ok $lost, 'the summary is printed all the same';
is $attempts, $connected + $lost, 'and adds up';
is $connected, scalar(() = $r->{out} =~ /$line/g), 'to the lines printed';

exits run('connect', '-z', '--interval', '10ms', '-m', '300ms', '--stats',
    '127.0.0.1', $port), 5, '--max-time ends it with status 5',
    err => qr/stopped after 0\.3 s \(--max-time\)\n\z/,
    out => qr/ 0 lost \(0%\)\n$times\z/;

# Several endpoints.
$other = tcp_listener();
$r = run('connect', '-z', '--count', 2, '--stats', "127.0.0.1:$port",
    '127.0.0.1', $other->sockport);
for ($port, $other->sockport) {
    is scalar(() = $r->{out} =~ /port $_: connected/g), 2, 'lines of each';
    like $r->{out}, qr/port $_: 2 attempts, 2 connected/, 'a summary of each';
}

# --json: events are the results.
$r = run('connect', '-z', '--count', 2, '--json', "127.0.0.1:$port",
    "127.0.0.1:$closed");
@events = split /\n/, $r->{out};
like $r->{err}, qr/\A\N+attempts failed\N+\n\z/, 'on stdout, and the error';
my @summaries = grep { $_->{event} eq 'summary' } map { decode_json($_) }
    @events;
is_deeply [map { [@$_{qw(endpoint attempts connected lost)}] } @summaries],
    [["127.0.0.1 port $port", 2, 2, 0], ["127.0.0.1 port $closed", 2, 0, 2]],
    'and the summaries';

# stdout that is closed, or full.
$r = run({ closed => [1] }, 'connect', '-z', '--count', 2, '127.0.0.1', $port);
is $r->{status}, 11, 'a closed stdout is status 11';

# A reader that has seen enough.
$r = run({ command => 'sh' }, '-c', '"$@" 2>&1 | head -n 2', 'sh', sockt(),
    'connect', '-z', '--interval', '1ms', '127.0.0.1', $port);
like $r->{out}, qr/\A$line{2}\z/, 'a closed pipe ends it, without a word';

# Through a proxy: its handshake is part of the round trip.
$proxy = tcp_listener();
my $socks = peer($proxy, sub {
    my ($c) = @_;
    sysread $c, my $bytes, 3;
    syswrite $c, "\5\0";
    sysread $c, $bytes, 10;
    select undef, undef, undef, 0.05;
    syswrite $c, "\5\0\0\1\0\0\0\0\0\0";
    sysread $c, $bytes, 1;
}, 3);
$r = run('connect', '-z', '--count', 3, '--stats', '--proxy',
    'socks5://127.0.0.1:' . $proxy->sockport, '192.0.2.1', 81);
is $r->{status}, 0, 'through a proxy';
like $r->{out}, qr/192\.0\.2\.1 port 81: 3 attempts, 3 connected/, 'counted';
cmp_ok +($r->{out} =~ $times)[0], '>=', 50, 'with its handshake';
is reap($socks), 0, 'each a connection of its own';

# --retry-for: waits for a port, then talks on that very connection.
$port = free_port();
$p = start({ stdin => 'hi' }, 'connect', '--retry-for', 20, '127.0.0.1',
    $port);
my ($why) = $p->expect(err => qr/(.*trying again for.*)\n/);
like $why, qr/127\.0\.0\.1 port $port: refused .*; trying again for 20 s/,
    'the cause is told';
$l = tcp_listener(port => $port);
my $c = $l->accept;
my $got = do { local $/; <$c> };
print $c 'there you are';
close $c;
$r = $p->finish;
is $got, 'hi', 'talks on the connection that opened';
is "$r->{status} $r->{out}", '0 there you are', 'both ways';
my $told = () = $r->{err} =~ /refused/g;
is $told, 1, 'the same cause is told once';
vec(my $bits = '', fileno $l, 1) = 1;
is select($bits, undef, undef, 0), 0, 'no second connection was made';
close $l;

$r = run('connect', '-z', '--retry-for', '300ms', '127.0.0.1', $port);
exits $r, 5, 'gives up, which limit, and the last cause',
    err => qr/no connection within 0\.3 s \(--retry-for\); 127\.0\.0\.1 port $port: refused/;
cmp_ok $r->{seconds}, '>=', 0.3, 'not before';
cmp_ok $r->{seconds}, '<', 2, 'nor long after';

exits run('connect', '-z', '--retry-for', 20, '-m', '200ms', '127.0.0.1',
    $port), 5, 'a whole-run limit ends it too', err => qr/--max-time/;

$r = run('connect', '--retry-for', 5, '-s', '127.0.0.1', '::1', 1);
is $r->{status}, 7, 'what cannot pass is not tried again';

done_testing;
