# connect -z --count, --interval, --stats: round trips of connecting.
use Sockt;
use Events qw(event_table event_fault);
use JSON::PP qw(decode_json);

my $l = tcp_listener();
my $port = $l->sockport;
my $closed = free_port();
my $line = qr/127\.0\.0\.1 port $port: connected in [\d.]+ ms\n/;
my $times = qr/round trip min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\/([\d.]+)\/[\d.]+ ms\n/;

exits run('connect', '-z', '--count', 3, '127.0.0.1', $port), 0,
    '--count, a line for each', out => qr/\A$line{3}\z/, err => '';

my $r = run('connect', '-z', '--count', 4, '--interval', '100ms', '--stats',
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
my $p = start('connect', '-z', '--interval', '20ms', '--stats', '127.0.0.1',
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
my $other = tcp_listener();
$r = run('connect', '-z', '--count', 2, '--stats', "127.0.0.1:$port",
    '127.0.0.1', $other->sockport);
for ($port, $other->sockport) {
    is scalar(() = $r->{out} =~ /port $_: connected/g), 2, 'lines of each';
    like $r->{out}, qr/port $_: 2 attempts, 2 connected/, 'a summary of each';
}

# --json: events are the results.
my @table = event_table();
$r = run('connect', '-z', '--count', 2, '--json', "127.0.0.1:$port",
    "127.0.0.1:$closed");
my @events = split /\n/, $r->{out};
is join('', map { event_fault($_, 'connect', @table) } @events), '',
    '--json: events of the table';
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
my $proxy = tcp_listener();
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

# Misuse.
for my $case (
    [qr/--count is about testing ports: it needs --zero/, '--count', 2],
    [qr/--interval is about testing ports/, '--interval', 2],
    [qr/--stats is about testing ports/, '--stats'],
    [qr/--count: '0' is not a number of 1 or more/, '-z', '--count', 0],
    [qr/--interval: 'x' is not a duration/, '-z', '--interval', 'x'],
    [qr/--retry-for and --count cannot/, '-z', '--retry-for', 1, '--count', 1],
    [qr/--stats and --any cannot/, '-z', '--stats', '--any'],
    [qr/--count measures connections: the program of --via does not/, '-z',
        '--count', 2, '--via', 'nc %h %p'],
) {
    my ($why, @words) = @$case;
    exits run('connect', @words, '127.0.0.1', $port), 2,
        "connect @words is refused", err => $why;
}

done_testing;
