# Several URLs share a connection where both sides can keep it.
use Sockt;
use SocktHttp;

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

done_testing;
