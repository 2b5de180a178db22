# What happened on the wire: -v, -vv and --json of connect and listen.
use Sockt;
use JSON::PP;

sub against {
    my (@options) = @_;
    my $l = tcp_listener();
    peer($l, sub { my ($c) = @_; local $/; my $x = <$c>; print $c 'abc' });
    my $r = run({ stdin => '12345' }, 'connect', @options, '127.0.0.1',
        $l->sockport);
    return ($r, $l->sockport);
}

my ($r, $port) = against('-v');
like $r->{err}, qr/\A
    sockt[ ]connect:[ ]connected[ ]to[ ]127\.0\.0\.1[ ]port[ ]$port[ ]
    from[ ]127\.0\.0\.1[ ]port[ ](\d+)[ ]in[ ][\d.]+[ ]ms\n
    sockt[ ]connect:[ ]closed[ ]127\.0\.0\.1[ ]port[ ]$port[ ]
    from[ ]127\.0\.0\.1[ ]port[ ]\1:[ ]sent[ ]5[ ]bytes,[ ]received[ ]3,[ ]
    in[ ][\d.]+[ ]ms;[ ]this[ ]side[ ]finished[ ]first\n\z/x, '-v: milestones';

($r, $port) = against('--json', '-vv');
my @events = map { decode_json($_) } split /\n/, $r->{err};
my ($connected, $closed, @others) = grep { $_->{event} ne 'step' } @events;
is "$connected->{event} $closed->{event} @others", 'connected closed ',
    '--json: one object a line';
is_deeply $connected->{remote}, { ip => '127.0.0.1', port => $port },
    'addresses are objects, ports numbers';
is "$closed->{sent} $closed->{received} $closed->{first} $closed->{how}",
    '5 3 us fin', 'the close summary';
is_deeply $closed->{local}, $connected->{local}, 'both addresses';
ok !(grep { !defined $_->{time} } @events), 'every event has a time';
my @calls = map { $_->{call} } grep { $_->{event} eq 'step' } @events;
like "@calls", qr/^socket connect .*connect .*send .*shutdown .*close$/,
    'steps in the order they come';

my $refused = free_port();
$r = run('connect', '--json', '127.0.0.1', $refused);
my $error = decode_json($r->{err});
is "$error->{event} $error->{status} $error->{kind}", 'error 4 refused',
    'an error is an event';
like $error->{text}, qr/^127\.0\.0\.1 port $refused: refused/, 'with its text';

$r = run('connect', '-q', '127.0.0.1', $refused);
like $r->{err}, qr/refused/, '-q still tells errors';

# listen
my $p = start({ stdin => '' }, 'listen', '--json', 0);
my $c = tcp_client($p->port);
print $c 'hi';
close $c;
$r = $p->finish;
@events = map { decode_json($_) } split /\n/, $r->{err};
is join(' ', grep { $_ ne 'listening' } map { $_->{event} } @events),
    'accepted closed', 'listen --json';
is $events[-1]{received}, 2, 'with byte counts';

# Programs: the kernel has counted.
SKIP: {
    skip 'only Linux counts', 2
        unless run('--version')->{out} =~ /linux/;
    $p = start('listen', '-k', '--json', 0, '--', 'cat');
    is exchange($p->port, 'hello'), 'hello', 'a program answers';
    my ($line) = $p->expect(err => qr/(.*"closed".*)\n/);
    $closed = decode_json($line);
    is "$closed->{sent} $closed->{received} $closed->{status}", '5 5 0',
        'its bytes and status';
    $p->stop;
}

$port = free_port();
$p = start({ stdin => '' }, 'listen', '-q', '-4', $port);
until ($c = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port)) {
    select undef, undef, undef, 0.002;
}
close $c;
is $p->finish->{err}, '', '-q: no announcement';

# A reset: both ends of one connection say whose it was, in words and in events.
for my $words (0, 1) {
    my @form = $words ? '-v' : '--json';
    $p = start({ stdin => '' }, 'listen', '-4', @form, 0);
    # Its input cannot be delivered whole: it resets the connection.
    pipe my $in, my $out or die;
    my $client = start({ stdin => $in }, 'connect', @form, '-m', '0.2',
        '127.0.0.1', $p->port);
    my ($mine, $theirs) = ($client->finish->{err}, $p->finish->{err});
    like $mine, $words ? qr/closed .*, reset by this side, status 5$/m
        : qr/"closed".*"how":"reset","by":"us"/, "@form: by this side";
    like $theirs, $words ? qr/closed .*, reset by the peer, status 10$/m
        : qr/"closed".*"how":"reset","by":"peer"/, "@form: by the peer";
    close $out;
}

# Who finished first: both ends of a connection say the same, whatever the
# order in which they finish. (If two FINs cross, each says that it was first:
# no test of that race.) SOCKT_RUNS: how often each order is tried. What is first,
# the client's input and options, and the server's.
my $runs = $ENV{SOCKT_RUNS} || 5;
my $says_first = qr/"event":"closed"\N*"first":"(\w+)"/;
my @orders = (
    ['the client, to an echo', 'us peer', "hello\n", [], '', '--echo'],
    ['the server, with a client that goes on', 'peer us', undef, ['--recv-only'], "answer\n"],
    ['the client, to a program', 'us peer', "hello\n", [], '', '-e', 'cat'],
    ['the client, by --done', 'us peer', '',
        ['--send', 'x\n', '--expect', 'x', '--done'], '', '--echo'],
    ['the server, by a program', 'peer us', undef, ['--recv-only'], '', '-e', 'echo x'],
    ['the client, in bulk', 'us peer', 'x' x 3_000_000, [], '', '--discard'],
);
# The portable twin does not know what a program did with its connection.
@orders = grep { $_->[0] !~ /program/ } @orders
    if run('--version')->{out} =~ /posix/;
for my $order (@orders) {
    my ($name, $expected, $input, $client, $server_input, @server) = @$order;
    my %stories;
    for (1 .. $runs) {
        my $s = start({ stdin => $server_input }, 'listen', '-v', '--json', '-4',
            @server, 0);
        my $c = start({ stdin => $input }, 'connect', '-v', '--json', @$client,
            '127.0.0.1', $s->port);
        $stories{ join ' ', map { $_->finish->{err} =~ $says_first } $c, $s }++;
    }
    is_deeply \%stories, { $expected => $runs }, "$name: both say the same";
}

# When a record cannot be written, the peer has not finished first.
done_testing, exit unless -c '/dev/full';
my $l = tcp_listener();
$p = start({ keep_stdin => 1 }, 'connect', '--json', '-o', '/dev/full',
    '127.0.0.1', $l->sockport);
$c = $l->accept;
syswrite $c, "hello\n";
is $p->expect(err => $says_first), 'us',
    'this side ended it';
is $p->finish->{status}, 11, 'the file is full';

done_testing;
