# Several URLs share a connection where both sides can keep it.
use Sockt;
use SocktHttp;
use JSON::PP;

sub paths { return map { m{\A\w+ (\S+)} } requests($_[0]) }

# Two URLs of one server, which plays the connections given.
sub two {
    my (@connections) = @_;
    my $s = http_server(@connections);
    my $r = run('http-get', '-v', "$s->{url}/1", "$s->{url}/2");
    $r->{server} = $s;
    $r->{connections} = () = $r->{err} =~ /: connected to /g;
    return $r;
}
my $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "3\r\none\r\n0\r\n\r\n";
for my $first (answer('200 OK', 'one'), $chunked,
    answer('200 OK', 'one') =~ s{1\.1}{1.0}r
        =~ s/\r\n/\r\nConnection: keep-alive\r\n/r) {
    my $r = two([$first, answer('200 OK', 'two')]);
    exits $r, 0, 'exit status, both bodies', out => 'onetwo';
    is $r->{connections}, 1, 'one connection';
    my @requests = requests($r->{server});
    like $requests[0], qr/\r\nConnection: keep-alive\r\n/, 'the first keeps';
    like $requests[1], qr/\r\nConnection: close\r\n/, 'the last closes';
}
for my $first ("HTTP/1.1 200 OK\r\n\r\none",
    answer('200 OK', 'one', 'Connection: close'),
    answer('200 OK', 'one') =~ s{1\.1}{1.0}r, answer('200 OK', 'one') . 'x',
    $chunked =~ s/\r\n/\r\nContent-Length: 3\r\n/r) {
    my $r = two($first, answer('200 OK', 'two'));
    exits $r, 0, 'exit status, both bodies', out => 'onetwo';
    is $r->{connections}, 2, 'two connections';
}

# The server drops the kept connection just when it is used again.
my $r = two([answer('200 OK', 'one'), sub { }], answer('200 OK', 'two'));
exits $r, 0, 'dropped, asked again, once', out => 'onetwo';
is_deeply [paths($r->{server})], ['/1', '/2', '/2'], 'on a new connection';
$r = two([answer('200 OK', 'one'), sub { syswrite $_[0], 'HTTP/1.1 2' }],
    answer('200 OK', 'two'));
is $r->{status}, 9, 'an answer that has begun is not asked for again';

# Errors do not end the run; the first one is its status.
my $s = http_server([answer('404 No', 'no'), answer('200 OK', 'two'),
    answer('500 Oh', 'oh')]);
$r = run('http-get', '--fail-with-body', map { "$s->{url}/$_" } 1 .. 3);
exits $r, 8, 'all are fetched', out => 'notwooh';
is scalar(() = $r->{err} =~ /the server answered (?:404|500)/g), 2,
    'each is told';
my $port = free_port();
$s = http_server(answer('404 No', 'no'));
$r = run('http-get', "http://127.0.0.1:$port/", "$s->{url}/");
is $r->{status}, 4, 'whatever follows';

# Redirects and ranges on one connection.
$s = http_server([answer('302 Go', 'x' x 1000, 'Location: /b'),
    answer('200 OK', 'yes')]);
$r = run('http-get', '-L', '-v', "$s->{url}/a");
is $r->{out}, 'yes', 'a redirect stays on its connection';
$s = http_server(answer('302 Go', 'x' x 1_000_000, 'Location: /b'),
    answer('200 OK', 'yes'));
$r = run('http-get', '-L', "$s->{url}/a");
is $r->{out}, 'yes', 'a long body is not waited for';

# Several URLs: an error says of which one it is, what is left of one response
# is not taken for the next, and nothing is asked for that cannot be written.
$s = http_server(answer('200 OK', 'one'), "HTTP/1.1 200 OK\r\nA: b",
    answer('200 OK', 'three'));
exits run('http-get', '-q', map { "$s->{url}/$_" } 1 .. 3), 9,
    'one of three is cut off, the others are fetched', out => 'onethree',
    err => qr{^sockt http-get: \Q$s->{url}\E/2: truncated: };

$s = http_server([answer('302 Go', 'no', 'Location: /x'),
    answer('200 OK', 'yes')]);
$r = run('http-get', '-q', '-L', '--max-redirs', 0, map { "$s->{url}/$_" } 1, 2);
is $r->{out}, 'yes', 'the body of a redirect that is not followed is dropped';

pipe my $reader, my $writer or die $!;
close $reader;
$s = http_server([map { answer('200 OK', 'x' x 10_000) } 1 .. 3]);
$r = run({ stdout => $writer }, 'http-get', '-q', map { "$s->{url}/$_" } 1 .. 3);
is $r->{status}, 11, 'stdout has lost its reader: exit status';
is scalar(requests($s)), 1, 'nothing else is asked for';

# A server that gives up an idle connection just as it is used again.
$s = http_server([answer('200 OK', 'one'), answer('408 Late', 'late',
    'Connection: close')], answer('200 OK', 'two'));
exits run('http-get', '-q', map { "$s->{url}/$_" } 1, 2), 0,
    '408 on a connection that was kept', out => 'onetwo';
$r = get(answer('408 Late', 'late'), '/', '-q');
is $r->{status}, 8, 'on a new one it is the answer';

# --timing and --json: how long the phases took, for each hop.
sub slow_page {
    my ($c) = @_;
    select undef, undef, undef, 0.1;
    syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    select undef, undef, undef, 0.1;
    syswrite $c, 'hello';
}
my @hops = ([answer('302 Go', 'no', 'Location: /b'), \&slow_page]);

$r = get(@hops, '/a', '-L', '--json');
is $r->{out}, 'hellohello', 'the body is on stdout';
my @events = map { decode_json($_) } split /\n/, $r->{err};
my @responses = grep { $_->{event} eq 'response' } @events;
is scalar @responses, 2, 'an event for each hop';
is $responses[0]{status}, 302, 'its status';
is $responses[1]{url}, "$r->{server}{url}/b", 'its URL';
is $responses[1]{bytes}, 10, 'its bytes';
ok $responses[1]{reused}, 'on the same connection';
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

$r = get(answer('404 No', 'no'), '/', '--json');
@events = map { decode_json($_) } split /\n/, $r->{err};
is $events[-1]{event}, 'error', 'an error is an event';
is $events[-1]{status}, 8, 'with its status';
is $events[-1]{kind}, 'peer', 'and kind';

$r = get(@hops, '/a', '-L', '--timing');
is scalar(() = $r->{err} =~ /: status \d+/g), 2, '--timing: a chart for a hop';
like $r->{err}, qr/wait for an answer +\d+\.\d ms \| *#+ *\|/, 'with bars';
like $r->{err}, qr/total +\d\S+ m?s  10 B, \d+ B\/s/, 'and a total';

$r = get(answer('200 OK', 'x'), '/', '-q', '--timing');
like $r->{err}, qr{\Ahttp://\S+/: status 200\n.*total}s,
    '--timing is shown with -q, and nothing else';

# The response is told of before the end of its connection.
my $same = "HTTP/1.1 304 Same\r\n\r\n";
for my $case ([$same, '--if-modified-since', '2000-01-01'],
    [answer('200 OK', 'x')], [answer('404 No', 'no')]) {
    my ($bytes, @args) = @$case;
    $r = get($bytes, '/', '-v', @args);
    like $r->{err}, qr/: response \d+ from .*: \S+ port \d+ closed|: response \d+ from .*: closed/s,
        'the response comes before the close';
}

done_testing;
