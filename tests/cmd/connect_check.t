# connect -z with several endpoints: all are tested at the same time, the status
# says whether all of them, or with --any one, is open.
use Sockt;
use Events qw(event_table event_fault);
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
$r = run('connect', '-z', '-m', '0.2', '--retry-for', 20, "127.0.0.1:$closed",
    "127.0.0.1:$open");
is $r->{status}, 5, '--max-time holds for all';
like $r->{err}, qr/stopped after 0\.2 s \(--max-time\)/, 'and is named';

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
$r = $p->finish;
is $r->{status}, 0, '--retry-for: the last one has opened'
    or diag $r->{err};
is drain($one), '1:', 'the first was connected to once';

# A signal ends it, and leaves no process behind.
$p = start('connect', '-z', '--retry-for', 20, "127.0.0.1:$closed",
    "127.0.0.1:$shut");
$p->expect(err => qr/trying again.*trying again/s);
my @children = children($p->{pid});
kill 'TERM', $p->{pid};
$r = $p->finish;
is $r->{signal}, 15, 'it dies by the signal';
unlike $r->{err}, qr/signal|interrupted/, 'and says nothing';
is join(' ', grep { is_running($_) } @children), '', 'with its children';

# A child that was killed is a failure, not silence.
SKIP: {
    skip 'no proc(5)', 2 unless @children;
    $p = start('connect', '-z', '--retry-for', 20, "127.0.0.1:$closed",
        "127.0.0.1:$open");
    $p->expect(err => qr/trying again/);
    kill 'KILL', $_ for children($p->{pid});
    $r = $p->finish;
    is $r->{status}, 1, 'a child that was killed is a failure';
    like $r->{err}, qr/port $closed: the process that tests it ended early/,
        'and is told';
}

# --json.
my @table = event_table();
$r = run('connect', '-z', '--json', "127.0.0.1:$open", "127.0.0.1:$closed");
my @events = split /\n/, $r->{err};
is join('', map { event_fault($_, 'connect', @table) } @events), '',
    '--json: events of the table';
my %tested = map { $_->{endpoint} => $_ }
    grep { $_->{event} eq 'tested' } map { decode_json($_) } @events;
is $tested{"127.0.0.1 port $open"}{status}, 0, 'one for each: open';
is $tested{"127.0.0.1 port $closed"}{status}, 4, 'and not open';
is $r->{status}, 4, 'with the status';

# Each step names its endpoint. After sixteen texts it named something else.
{
    my $steps = run('connect', '-z', '-vv', '--retry-for', '0.3',
        "127.0.0.1:$closed", '127.0.0.1:' . free_port())->{err};
    my @steps = grep { /: (?:socket|connect|close) / } split /\n/, $steps;
    cmp_ok scalar @steps, '>', 20, 'more steps than texts are kept';
    is join("\n", grep { !/^sockt connect: 127\.0\.0\.1 port \d+: / } @steps),
        '', '-vv: each step names its endpoint';
}

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

# More endpoints than descriptors: an error line each, and no silence.
$r = run({ command => 'sh' }, '-c', 'ulimit -n 12; exec "$@"', 'sh', sockt(),
    'connect', '-z', ("127.0.0.1:$open") x 30);
is $r->{status}, 1, 'out of descriptors: status 1';
like $r->{err}, qr/^sockt connect: 127\.0\.0\.1 port $open: too many open/m,
    'and the reason';

# Misuse.
for my $case (
    [qr/--any is about testing ports: it needs --zero/, '--any', 'h', 1],
    [qr/unexpected operand '2'\n/, 'h', 1, 2],
    [qr/missing port after 'b'/, '-z', 'a:1', 'b'],
    [qr/port 'b:1' is neither/, '-z', 'a', 'b:1'],
    [qr/missing port after '81'/, '-z', 'h', 80, 81],
    [qr/'h' is a name|look|numeric/, '-zn', '127.0.0.1:1', 'h:1'],
    [qr/--any and --count cannot/, '-z', '--any', '--count', 2, 'h:1'],
) {
    my ($why, @words) = @$case;
    $r = run('connect', @words);
    is $r->{status}, 2, "connect @words is refused";
    like $r->{err}, $why, '  and says why';
}

done_testing;
