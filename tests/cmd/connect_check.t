# connect -z with several endpoints: all are tested at the same time, the status
# says whether all of them, or with --any one, is open. --retry-for and --until
# wait for that, --count measures it, and a program after -- runs then.
use Sockt;
use Errno qw(ECONNRESET);
use IO::Socket::UNIX;
use Sandbox ();
use JSON::PP qw(decode_json);
use Socket qw(SOCK_STREAM SOL_SOCKET SO_LINGER);
use TortureRun;

my ($one, $two) = (tcp_listener(), tcp_listener());
my ($port, $other_port) = map { $_->sockport } $one, $two;
my ($open, $other) = map { "127.0.0.1:$_" } $port, $other_port;
my ($closed, $shut) = map { '127.0.0.1:' . free_port() } 1, 2;
my ($open_at, $other_at, $closed_at) = map { s/:/ port /r } $open, $other, $closed;
my @here = ('127.0.0.1', $port);
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

# A listener whose queue is full, so that it answers no more.
sub silent {
    my ($l, @clients) = full_listener();
    return { at => '127.0.0.1:' . $l->sockport, held => [$l, @clients] };
}

# Rows: a name, how connect -z ends, its arguments, and what it says.
sub tests {
    for my $row (@_) {
        my ($name, $status, $args, %want) = @$row;
        exits run('connect', '-z', @$args), $status, $name, %want;
        drain($_) for $one, $two;
    }
}

my $r = run('connect', '-z', @here, $other, "unix:$dir/s");
is "$r->{status} $r->{out}$r->{err}", '0 ',
    'HOST PORT, HOST:PORT and unix:PATH are all open';
is join(' ', map { drain($_) } $one, $two, $unix), '1: 1: 1:',
    'each was connected to once, and received nothing';

my $named = qr/^sockt connect: 127\.0\.0\.1 port \d+: /;
my $until = ['--until', 'closed'];
tests(
    ['-v: a line for each', 0, ['-v', $open, '127.0.0.1', $other_port], err => [map {
        qr/^sockt connect: $_: connected in [\d.]+ ms$/m } $open_at, $other_at],
        no_err => qr/ (\d+: connected)(?s:.*) \1/],
    ['a step of a single endpoint does not name it', 0, ['-vv', $open],
        err => qr/^sockt connect: socket AF_INET/m],
    ['an error line for each that failed, which says why', 7,
        [$closed, $open, "unix:$dir/none", $shut], err => [
        qr/^sockt connect: $closed_at: refused \(/m, qr/unix:\Q$dir\E\/none: /,
        qr/\A(?:\N+\n){3}\z/]],
    ['--any: what failed is not told when one is open', 0,
        ['-w', 20, '--any', $closed, $open], err => ''],
    ['and is when none is', 4, ['--any', $closed, $shut],
        err => qr/refused.*\n.*refused/],
    ['--max-time holds for all', 5, ['-m', '0.2', '--retry-for', 20, $closed, $open],
        err => qr/stopped after 0\.2 s \(--max-time\)/],
    ['--until closed: nobody listens', 0, [@$until, $closed, $shut, "unix:$dir/none"],
        err => ''],
    ['one of them is open', 1, [@$until, $closed, $open],
        err => "sockt connect: $open_at is open\n"],
    ['--any: and the other is not', 0, [@$until, '--any', $closed, $open]],
    ['--retry-for: it stays open', 5, [@$until, '--retry-for', '0.3', @here],
        err => qr/not closed within 0\.3 s \(--retry-for\); $open_at is open$/],
    ['no answer is no end: a name', 3, [@$until, '-w', 20, 'no-such-name.invalid:1']],
    ['nor is a failure of this machine', 7, [@$until, '-p', 1, '-s', '192.0.2.1', $closed]],
    ['gives up, which limit, and the last cause', 5, ['--retry-for', '300ms', $closed],
        err => qr/no connection within 0\.3 s \(--retry-for\); $closed_at: refused/,
        within => 2.3],
    ['a whole-run limit ends it too', 5, ['--retry-for', 20, '-m', '200ms', $closed],
        err => qr/--max-time/],
    ['what cannot pass is not tried again', 7,
        ['--retry-for', 5, '-s', '127.0.0.1', '::1', 1]],
);

# The status of all is that of the worst failure, of --any that of the best.
for (
    [4, 4, $closed, $shut],
    [3, 4, $closed, 'no-such-name.invalid:1'],
    [7, 4, $closed, '[fe80::1%none]:1'],
    [4, 0, $closed, $open],
    [0, 0, $open],
    [4, 4, $closed],
) {
    my ($all, $any, @to) = @$_;
    tests(["@to: $all", $all, ['-w', 20, @to]],
        ["--any @to: $any", $any, ['-w', 20, '--any', @to]]);
}

# Silent servers. Ten of them take the time of one.
my @kept = map { silent() } 1 .. 3;
my @silent = map { $_->{at} } @kept;
SKIP: {
    $r = run('connect', '-z', '-w', '1', (@silent) x 3, $silent[0]);
    skip 'the system accepts more than it should', 5 if $r->{status} == 0;
    exits $r, 5, 'silent ones time out, at the same time', within => 5;
    is scalar(() = $r->{err} =~ /within 1 s \(--timeout\)/g), 10, 'each is told';
    exits run('connect', '-z', '--any', @silent, $open), 0,
        '--any does not wait for the others, and ends them', within => 10;
    tests(['silence is no end', 5, [@$until, '-w', '0.3', $silent[0]]]);
    # More of them than are in flight.
    $r = run('connect', '-z', '-m', '0.3', ($silent[0]) x 300);
    is scalar(() = $r->{err} =~ / no answer/g), 256,
        '--max-time with more than are in flight: those are told';
    exits $r, 5, 'and how many were not tested',
        err => qr/stopped after 0\.3 s \(--max-time\); 44 endpoints not tested\n\z/;
}

# The last attempt has no time for its second address.
if (has_ipv6()) {
    my @closed = map { 'localhost:' . free_port() } 1 .. 3;
    exits run('connect', '-qz', '--retry-for', '0.4', @closed), 5,
        'what an address answered before is its reason',
        err => qr/(?:.*refused \(\S+ and \S+ answered;.*\n){3}/, no_err => qr/no answer from/;
}

# --retry-for waits for all of them, --until closed for an end.
drain($_) for $one, $two;
my $late = free_port();
my $p = start('connect', '-z', '--retry-for', 20, "127.0.0.1:$late", $open);
$p->expect(err => qr/port $late: refused .*; trying again for 20 s\n/);
my $l = tcp_listener(port => $late);
exits $p->finish, 0, '--retry-for: the last one has opened';
is drain($one), '1:', 'the first was connected to once';
$p = start('connect', '-z', @$until, '--retry-for', 20, '127.0.0.1', $late, '--',
    'echo', 'gone');
$p->expect(err => qr/ $late is open; trying again for 20 s\n/);
close $l;
exits $p->finish, "0 gone\n", 'until it is closed';

$p = start('connect', '-z', '--retry-for', 20, $closed, $shut);
$p->expect(err => qr/trying again.*trying again/s);
exits $p->stop, -15, 'it dies by the signal, says nothing',
    no_err => qr/signal|interrupted/;

# What needs a process leaves none behind; one that was killed is a failure,
# not silence, and no success.
SKIP: {
    my @held = tcp_listener();
    my @slow = ('connect', '-z', '--proxy',
        'http://127.0.0.1:' . $held[0]->sockport, 'a.test:1', 'b.test:2');
    my @lookup = ('connect', '-z', @$until, 'n:1', 'n:2');
    for my $case ([TERM => @slow], [KILL => @slow], [KILL => @lookup]) {
        my ($signal, @args) = @$case;
        # A lookup is a process, too; what kills it does not close the port.
        my $is_lookup = @args == @lookup;
        next if $is_lookup && !-x built('sockt-names');
        $p = start($is_lookup ? { command => built('sockt-names'),
            env => { SOCKT_TEST_NAMES => 'n=hang' } } : {}, @args);
        my $end = time + 20;
        my @children;
        @children = children($p->{pid}) while @children < 2 && time < $end;
        skip 'no proc(5)', 1 unless @children;
        push @held, $held[0]->accept for $is_lookup ? () : (1, 2);
        kill $signal, $signal eq 'KILL' ? @children : $p->{pid};
        $r = $p->finish;
        if ($signal eq 'KILL') {
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

# --json.
$r = run('connect', '-z', '--json', $open, $closed);
my %tested = map { $_->{endpoint} => $_->{status} }
    grep { $_->{event} eq 'tested' } map { decode_json($_) } split /\n/, $r->{out};
is_deeply \%tested, { $open_at => 0, $closed_at => 4 }, 'an event for each';
is $r->{status}, 4, 'with the status';
my $event = qr/"event":"tested"/;
tests(['a single one has its event on stdout', 0, ['--json', $open], out => $event,
        err => ''],
    ['where a program has stdout they are on stderr', "0 hi\n",
        ['--json', $open, '--', 'echo', 'hi'], err => $event]);
exits run({ closed => [1] }, 'connect', '-z', @$_, @here), 11,
    "@$_: a closed stdout is status 11" for ['--json'], ['--count', 2];

# Each step names its endpoint. After sixteen texts it named something else.
$p = start('connect', '-z', '-vv', '--retry-for', 20, $closed, $shut);
$p->expect(err => qr/(?:: close the socket .*?){8}/s);
is join("\n", grep { !/$named/ }
    grep { /: (?:socket|connect|close) / } split /\n/, $p->stop->{err}), '',
    '-vv: each step names its endpoint';

# Through a proxy, which declines one of them, and through programs.
my $proxy = tcp_listener();
my $http = peer($proxy, sub {
    my ($c) = @_;
    my $first = <$c>;
    1 while (<$c> // "\r\n") ne "\r\n";
    print $c $first =~ /good/ ? "HTTP/1.1 200 OK\r\n\r\n"
        : "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
}, 4);
my @proxy = ('--proxy', 'http://127.0.0.1:' . $proxy->sockport);
my @via = ('-w', 2, '--via', "exec '" . sockt() . "' connect -q %h %p");
tests(
    ['a proxy that declines one of them: status 8, told', 8,
        [@proxy, 'good.test:80', 'bad.test:80'],
        err => qr/\A[^\n]*bad\.test port 80: [^\n]*403[^\n]*\n\z/],
    ['--any: and not the other', 0, ['--any', @proxy, 'bad.test:80', 'good.test:80']],
    ['--via: both are open', 0, [@via, $open, $other], err => ''],
    ['--via: one is not, which is told', 10, [@via, $open, $closed],
        err => qr/\A\N+ $closed_at: \N+\n\z/],
);
# With --any it may not have been asked a fourth time; it holds our listeners.
kill 'KILL', $http;
reap($http);

# More endpoints than descriptors: those that are left wait their turn.
my $wide = tcp_listener(backlog => 1024);
for my $limit (12, 256) {
    $r = run({ command => 'sh' }, '-c', "ulimit -n $limit; exec \"\$\@\"",
        'sh', sockt(), 'connect', '-zv', ('127.0.0.1:' . $wide->sockport) x 20,
        map { '127.0.0.1:' . free_port() } 1 .. 20);
    is scalar(() = $r->{err} =~ /: refused \(/g), 20, "ulimit -n $limit: each is told";
    exits $r, 4, 'and none failed for want of descriptors', no_err => qr/too many/;
}

# So does the last one, when no process can be started for it.
{
    my $l = tcp_listener();
    my $proxy = 'http://127.0.0.1:' . $l->sockport;
    my $pid = peer($l, sub {
        sysread $_[0], my $got, 4096;
        select undef, undef, undef, 0.1;
        print { $_[0] } "HTTP/1.1 403 No\r\n\r\n";
    }, 20);
    for my $limit (6 .. 9) {
        $r = run({ command => 'sh' }, '-c', "ulimit -n $limit; exec \"\$\@\"",
            'sh', sockt(), qw(connect -z -m 5 --proxy), $proxy, 'a:1', 'b:2');
        isnt $r->{status}, 5, "ulimit -n $limit: a process for each: ends"
            or diag $r->{err};
    }
    kill 'KILL', $pid;
    reap($pid);
}

misused 'connect',
    qr/--any goes with --zero/ => '--any h 1',
    qr/unexpected operand '2'\n/ => 'h 1 2',
    qr/missing port after 'b'/ => '-z a:1 b',
    qr/port 'b:1' is neither/ => '-z a b:1',
    qr/missing host before '81'/ => '-z h 80 81',
    qr/'h' is a name|look|numeric/ => '-zn 127.0.0.1:1 h:1',
    qr/--any and --count cannot/ => '-z --any --count 2 h:1',
    qr/--until goes with --zero/ => '--until closed h 1',
    qr/--until: 'shut' must be open or closed/ => '-z --until shut h:1',
    qr/--until and --via cannot/ => '-z --until closed --via nc h:1',
    qr/--until and --starttls cannot be used together/ =>
        '-z --until closed --starttls smtp h:1',
    qr/--count and a program cannot be used together/ => '-z --count 2 h:1 -- true',
    qr/--count goes with --zero/ => '--count 2 h 1',
    qr/--interval goes with --zero/ => '--interval 2 h 1',
    qr/--stats goes with --zero/ => '--stats h 1',
    qr/--count: '0' is not a number of 1 or more/ => '-z --count 0 h 1',
    qr/--interval: 'x' is not a duration/ => '-z --interval x h 1',
    qr/--retry-for and --count cannot/ => '-z --retry-for 1 --count 1 h 1',
    qr/--retry-for: 'x' is not a duration/ => '--retry-for x h 1',
    qr/--stats and --any cannot/ => '-z --stats --any h 1',
    qr/--stats measure connections: the program of --via does not/ =>
        [[qw(-z --count 2 --via), 'nc %h %p', 'h', 1]];

# connect -z ... -- CMD: once the endpoints are open, sockt becomes CMD, with its
# own streams and every signal at its default; nothing is run otherwise, and
# nothing reaches the server.
for my $to ([$open], [$open, $other], ['--any', $closed, $open], ['--retry-for', 1, $open]) {
    exits run({ stdin => 'in' }, 'connect', '-z', '-w', 20, @$to, '--', 'sh',
        '-c', 'cat; echo; echo err >&2; exit 7'), "7 in\n",
        "-z @$to: streams and status are the program's", err => "err\n";
    like drain($one), qr/^\d+:$/, 'and the server received nothing';
    tests(["-z -e @$to: the same", 9, ['-w', 20, '-e', 'exit 9', @$to]],
        ['it dies by its signal', -10, ['-w', 20, @$to, '--', 'sh', '-c', 'kill -USR1 $$']]);
    $p = start('connect', '-z', '-w', 20, @$to, '--', 'sh', '-c', 'echo $$; read x');
    my ($pid) = $p->expect(out => qr/(\d+)\n/);
    is $pid, $p->{pid}, 'it is the same process';
    $p->stop('KILL');
}
# The check of a command that begins with a word of the shell starts one.
SKIP: {
    skip 'no prctl(2) of x86', 1 unless run('--version')->{out} =~ /linux/
        && Sandbox::is_x86_64($^X);
    my $asks = 'my $n = pack "i", 0; syscall 157, 37, $n; print unpack "i", $n';
    exits run('connect', '-z', $open, '-e', "cd / && exec $^X -e '$asks'"), '0 0',
        'it does not adopt orphans';
}
# Without a slash, a file that cannot be executed; nothing is run.
tests(
    (map {
        my ($status, $program) = @$_;
        [$program, $status, [$open, $other, '--', $program, 'x'],
            err => qr/^sockt connect: cannot run \Q$program\E: /]
    } [127, 'no-such-program'], [126, '/etc/passwd'], [126, '/etc'],
        [127, '/no/such/program']),
    ['nothing is run when the port is closed, the line says so', '4 ',
        [$closed, '--', 'echo', 'hi'], err => qr/\A[^\n]*refused[^\n]*; echo was not run\n\z/],
    ['nor when one of several is, and a line says so', '4 ',
        [$closed, $open, '--', 'echo', 'hi'], err => qr/refused.*\n.*: echo was not run\n\z/],
    ['nor with --exec', 4, ['-e', 'echo hi', $closed],
        err => qr/; --exec's command was not run\n\z/],
    ['there is no connection, and no variable of one', "0 \n",
        [$open, '--', 'sh', '-c', 'echo $TCPREMOTEIP']],
);
exits run({ env => { PATH => '' } }, 'connect', '-z', $open, '--', 'true'), 127,
    'PATH is searched';
for my $opens (0, 1) {
    $p = start('connect', '-z', '--retry-for', 20, $closed, '--', 'echo', 'hi');
    $p->expect(err => qr/trying again/);
    $l = tcp_listener(port => $closed =~ /(\d+)$/) if $opens;
    exits $opens ? $p->finish : $p->stop, $opens ? "0 hi\n" : '-15 ',
        $opens ? 'but after --retry-for' : 'nor after a signal';
}
close $l;

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

# connect -z --count, --interval, --stats: round trips of connecting.
my $line = qr/$open_at: connected in [\d.]+ ms\n/;
my $times = qr/round trip min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\/([\d.]+)\/[\d.]+ ms\n/;

tests(
    ['--count, a line for each', 0, ['--count', 3, @here], out => qr/\A$line{3}\z/,
        err => ''],
    ['--stats alone: one attempt', 0, ['-q', '--stats', @here],
        out => qr/\A$line$open_at: 1 attempt, 1 connected, 0 failed/],
    ['a failed attempt is a failure', 4, ['--count', 2, '--stats', $closed],
        out => "$closed_at: 2 attempts, 0 connected, 2 failed (100%)\n",
        err => qr/\A(?:sockt connect: $closed_at: refused \N+\n){2}sockt connect: 2 of 2 attempts failed; the last one: $closed_at: refused \N+\n\z/],
    ['--max-time ends it with status 5', 5,
        ['--interval', '10ms', '-m', '300ms', '--stats', @here],
        err => qr/stopped after 0\.3 s \(--max-time\)\n\z/, out => qr/ 0 failed \(0%\)\n$times\z/],
    ['lines and a summary of each', 0, ['--count', 2, '--stats', $open, $other],
        out => [map { (qr/$_: connected(?s:.*)$_: connected/,
            qr/$_: 2 attempts, 2 connected/) } $open_at, $other_at]],
);
$r = run('connect', '-z', '--count', 4, '--interval', '100ms', '--stats', @here);
like $r->{out}, qr/\A$line{4}$open_at: 4 attempts, 4 connected, 0 failed \(0%\)\n$times\z/,
    '--stats: and a summary';
ok $r->{out} =~ $times && $1 <= $2 && $2 <= $3, 'whose times are in order';
cmp_ok $r->{seconds}, '>=', 0.3, '--interval lies between attempts';

# Some of them: a listener that goes away and returns.
$p = start('connect', '-z', '--interval', '20ms', '--stats', @here);
$p->expect(out => qr/($line){2}/);
close $one;
$p->expect(err => qr/$open_at: refused/);
$one = tcp_listener(port => $port);
my $before = () = $p->{out} =~ /$line/g;
$p->expect(out => qr/(?:$line){$before}$line/);
$r = $p->stop('INT');
is $r->{signal}, 2, 'without --count until a signal, by which it dies';
my ($attempts, $connected, $lost) = $r->{out} =~
    /$open_at: (\d+) attempts, (\d+) connected, (\d+) failed \([\d.]+%\)\n$times\z/
    or diag $r->{out};
ok $lost, 'the summary is printed all the same';
is $attempts, $connected + $lost, 'and adds up';
is $connected, scalar(() = $r->{out} =~ /$line/g), 'to the lines printed';

# --json: events are the results.
$r = run('connect', '-z', '--count', 2, '--json', $open, $closed);
like $r->{err}, qr/\A\N+attempts failed\N+\n\z/, 'on stdout, and the error';
my @summaries = grep { $_->{event} eq 'summary' } map { decode_json($_) }
    split /\n/, $r->{out};
is_deeply [map { [@$_{qw(endpoint attempts connected lost)}] } @summaries],
    [[$open_at, 2, 2, 0], [$closed_at, 2, 0, 2]], 'and the summaries';

# A reader that has seen enough.
$r = run({ command => 'sh' }, '-c', '"$@" 2>&1 | head -n 2', 'sh', sockt(),
    'connect', '-z', '--interval', '1ms', @here);
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
exits $r, 0, 'through a proxy, counted',
    out => qr/192\.0\.2\.1 port 81: 3 attempts, 3 connected/;
cmp_ok +($r->{out} =~ $times)[0], '>=', 50, 'with its handshake';
is reap($socks), 0, 'each a connection of its own';

# --trace is an action of its own; tests/netns/connect_trace.t has more.
misused 'connect', map({
    (qr/--[\w-]+ and --[\w-]+ cannot be used together/ => "$_ --trace h 1")
} '-z', '--tls', '--proxy socks5://h:1', '--via true', '-e true', '--ttl 3',
    '--source-port 99', '--retry-for 1'),
    qr/--trace and a program cannot/ => '--trace h 1 -- true',
    qr/--crlf .*does not apply with --trace/ => '--trace --crlf h 1',
    qr/--trace does not apply to a Unix socket/ => '--trace unix:x';
SKIP: {
    my $trace = run('connect', '--trace', @here);
    if (run('--version')->{out} =~ /posix/) {
        exits $trace, 1, '--trace needs Linux',
            err => qr/does not report who has sent an ICMP error/;
        skip 'only Linux reports who has sent an ICMP error', 1;
    }
    exits $trace, 0, '--trace on this machine',
        out => qr/\A1  127\.0\.0\.1  [\d.]+ ms  open\n\z/, err => '';
    exits run('connect', '--trace', split /:/, $closed), 4, '  of a closed port',
        out => qr/\A1  127\.0\.0\.1  [\d.]+ ms  refused\n\z/, err => qr/refused \(/;
    drain($one);
}

# A port that resets each connection at once has accepted it.
my $rude = tcp_listener();
my $resets = Sockt::fork_child(sub {
    while (my $c = $rude->accept) {
        setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        close $c;
    }
});
my @at_rude = ('127.0.0.1', $rude->sockport);
for my $row ([0, 'connect', '-z', @at_rude],
    [1, 'connect', '-z', '--until', 'closed', @at_rude],
    [0, 'portscan', '-q', @at_rude], [0, 'portscan', '--banner', @at_rude]) {
    my ($status, @args) = @$row;
    my %seen;
    $seen{run(@args)->{status}}++ for 1 .. 30;
    is_deeply \%seen, { $status => 30 },
        "a port that resets at once is open: @args[0 .. $#args - 2]";
}
kill 'KILL', $resets;

# TLS needs the connection: one that was reset is not used.
SKIP: {
    skip 'calls cannot be made to fail here', 1
        if sockt() =~ /sanitize/ || !TortureRun::has_library();
    # A path with a space is two for LD_PRELOAD.
    symlink built('inject.so'), "$dir/i" or die "symlink: $!";
    exits run({ env => { LD_PRELOAD => "$dir/i", TORTURE_TABLE => "$dir/table",
        TORTURE_PLAN => '1 connect 1 0 ' . ECONNRESET } },
        'connect', '-vz', '--tls', '127.0.0.1', free_port()), 10,
        'a connection that is reset at once is not for TLS',
        err => qr/^sockt connect: 127\.0\.0\.1 port \d+: connection reset \([^)]*\)\n\z/;
}

# --retry-for: waits for a port, then talks on that very connection.
$p = start({ stdin => 'hi' }, 'connect', '--retry-for', 20, '127.0.0.1', $late);
$p->expect(err => qr/$late: refused .*; trying again for 20 s\n/);
$l = tcp_listener(port => $late);
my $c = $l->accept;
is do { local $/; <$c> }, 'hi', 'talks on the connection that opened';
print $c 'there you are';
close $c;
exits $p->finish, '0 there you are', 'both ways; the same cause is told once',
    no_err => qr/refused(?s:.*)refused/;
is drain($l), '0:', 'no second connection was made';

done_testing;
