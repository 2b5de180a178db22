# Several URLs share a connection where both sides can keep it.
use Sockt;
use SocktHttp;
use JSON::PP;

my $two = answer('200 OK', 'two');
my @both = ('/1', '/2');
my $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "3\r\none\r\n0\r\n\r\n";
for my $first (answer('200 OK', 'one'), $chunked,
    answer('200 OK', 'one') =~ s{1\.1}{1.0}r
        =~ s/\r\n/\r\nConnection: keep-alive\r\n/r) {
    exits get([$first, $two], \@both, '-v'), '0 onetwo',
        'both bodies, one connection: the first keeps, the last closes',
        no_err => qr/: connected to .*: connected to /s,
        asked => qr/\r\nConnection: keep-alive\r\n.*\r\nConnection: close\r\n/s;
}
for my $first ("HTTP/1.1 200 OK\r\n\r\none",
    answer('200 OK', 'one', 'Connection: close'),
    answer('200 OK', 'one') =~ s{1\.1}{1.0}r, answer('200 OK', 'one') . 'x',
    $chunked =~ s/\r\n/\r\nContent-Length: 3\r\n/r) {
    exits get_from([$first, $two], \@both, '-v'), '0 onetwo',
        'both bodies, two connections', err => qr/: connected to .*: connected to /s;
}

# The server drops the kept connection just when it is used again.
my $one = answer('200 OK', 'one');
exits get_from([[$one, sub { }], $two], \@both), '0 onetwo',
    'dropped, asked again, once, on a new connection',
    asked => qr{\AGET /1(?:(?!GET).)*GET /2(?:(?!GET).)*GET /2(?:(?!GET).)*\z}s;
exits get_from([[$one, sub { syswrite $_[0], 'HTTP/1.1 2' }], $two], \@both), 9,
    'an answer that has begun is not asked for again';

# Errors do not end the run; the first one is its status.
exits get([answer('404 No', 'no'), $two, answer('500 Oh', 'oh')],
    [@both, '/3'], '--fail-with-body'), '8 notwooh', 'all are fetched, each is told',
    err => qr/the server answered 404.*the server answered 500/s;
exits get(answer('404 No', 'no'), '/', 'http://127.0.0.1:' . free_port() . '/'), 4,
    'whatever follows';

# Redirects on one connection.
sub to { return answer('302 Go', 'x' x $_[0], 'Location: /b') }
exits get([to(1000), $two], '/a', '-L'), '0 two', 'a redirect stays on its connection';
exits get_from([to(1_000_000), $two], '/a', '-L'), '0 two',
    'a long body is not waited for';

# Several URLs: an error says of which one it is, what is left of one response
# is not taken for the next, and nothing is asked for that cannot be written.
exits get_from([$one, "HTTP/1.1 200 OK\r\nA: b", $two], [@both, '/3'], '-q'),
    '9 onetwo', 'one of three is cut off, the others are fetched',
    err => qr{^sockt http-get: http://\S+:\d+/2: truncated: };
exits get([to(2), $two], \@both, '-q', '-L', '--max-redirs', 0), '9 two',
    'the body of a redirect that is not followed is dropped';
pipe my $reader, my $writer or die $!;
close $reader;
exits get([(answer('200 OK', 'x' x 10_000)) x 3], [@both, '/3'],
    { stdout => $writer }, '-q'), 11,
    'stdout has lost its reader: nothing else is asked for', no_asked => qr/GET.*GET/s;

# A server that gives up an idle connection just as it is used again.
my $late = answer('408 Late', 'late', 'Connection: close');
exits get_from([[$one, $late], $two], \@both, '-q'), '0 onetwo',
    '408 on a connection that was kept';
exits get($late, '/', '-q'), 8, 'on a new one it is the answer';

# --timing and --json: how long the phases took, for each hop.
sub slow_page {
    my ($c) = @_;
    select undef, undef, undef, 0.1;
    syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    select undef, undef, undef, 0.1;
    syswrite $c, 'hello';
}
my @hops = ([answer('302 Go', 'no', 'Location: /b'), \&slow_page]);

my $r = get(@hops, '/a', '-L', '--json');
exits $r, '0 hellohello', 'the body is on stdout';
my @events = map { decode_json($_) } split /\n/, $r->{err};
my @responses = grep { $_->{event} eq 'response' } @events;
is join(' ', map { $_->{status} } @responses), '302 200', 'an event for each hop';
is_deeply [@{ $responses[1] }{qw(url bytes reused)}],
    ["$r->{server}{url}/b", 10, JSON::PP::true],
    'its URL and bytes, on the same connection';
my $p = $responses[1]{phases};
my $last = 0;
for my $phase (qw(resolve connect sent first_byte total)) {
    cmp_ok $p->{$phase}, '>=', $last, "$phase is not before the one before";
    $last = $p->{$phase};
}
cmp_ok $p->{first_byte}, '>=', 0.1, 'the first byte is waited for';
cmp_ok $p->{sent}, '<', $p->{first_byte}, 'the request is sent before';
cmp_ok $p->{total}, '>=', 0.2, 'and so is the last one';
cmp_ok $responses[1]{rate}, '>', 0, 'bytes a second';
is_deeply [map { $_->{event} } @events],
    [qw(connected response response closed)], 'nothing else';

my ($error) = map { decode_json($_) }
    get(answer('404 No', 'no'), '/', '--json')->{err} =~ /([^\n]*)\n\z/;
is_deeply [@{$error}{qw(event status kind)}], ['error', 8, 'peer'],
    'an error is an event, with its status and kind';

exits get(@hops, '/a', '-L', '--timing'), 0,
    '--timing: a chart for a hop, with bars and a total',
    err => [qr/(?:: status \d+.*){2}/s,
    qr/wait for an answer +\d+\.\d ms \| *#+ *\|/, qr/total +\d\S+ m?s  10 B, \d+ B\/s/];
exits get($one, '/', '-q', '--timing'), 0,
    '--timing is shown with -q, and nothing else',
    err => qr{\Ahttp://\S+/: status 200\n.*total}s;

# The response is told of before the end of its connection.
my $same = "HTTP/1.1 304 Same\r\n\r\n";
like get(shift @$_, '/', '-v', @$_)->{err},
    qr/: response \d+ from .*: (?:\S+ port \d+ )?closed/s,
    'the response comes before the close'
    for [$same, '--if-modified-since', '2000-01-01'], [$one], [answer('404 No', 'no')];

# A proxy that --connect-to names, too: a connection on which it forwards is not
# one that leads through it.
my $tunnel = "HTTP/1.1 200 OK\r\n\r\n";
my $proxy = http_server(
    [$tunnel, answer('302 Found', '', 'Location: http://b.test/')],
    [answer('200 OK', 'x'), answer('200 OK', 'wrong')], [$tunnel, answer('200 OK', 'y')]);
exits run('http-get', '-L', '--proxy', "127.0.0.1:$proxy->{port}", '--connect-to',
    "127.0.0.1:$proxy->{port}", 'http://a.test/', 'http://b.test/'), '0 xy',
    'a proxy and a target that are one server have two connections';

done_testing;
