# serve-hello --http answers browsers, and anything that pretends to be one.
use Sockt;

my $p = start('serve-hello', '--http', '-4', '0');
my $port = $p->port;

# Sends a request and returns head and body of the answer.
sub ask {
    my ($request, $to) = @_;
    my $c = tcp_client($to // $port);
    $c->syswrite($request);
    my $all = do { local $/; <$c> } // '';
    return split /\r\n\r\n/, $all, 2;
}

my ($head, $body) = ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
like $head, qr{^HTTP/1\.1 200 OK\r\n(?=.*^Content-Length: 6\r?$)(?=.*^Connection: close\r?$).*^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r?$}ms,
    'it is 200, with the length, the date, and closes';
is $body, 'Hello!', 'the body';
$p->expect(err => qr/127\.0\.0\.1 port \d+ says: GET \/ HTTP\/1\.1\n/);
($head, $body) = ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
like $head, qr/^HTTP\/1\.1 200 OK\r\n.*Content-Length: 6/s, 'HEAD is the same';
is $body, '', 'without a body';

# A browser's head, in pieces.
my $c = tcp_client($port);
for ('GE', "T /index HTTP/1.1\r", "\nHost: x\r\nUser-Agent: Mozilla/5.0\r\n",
    "Accept: */*\r\n\r", "\n") {
    $c->syswrite($_);
    select undef, undef, undef, 0.01;
}
like do { local $/; <$c> }, qr/\r\n\r\nHello!\z/, 'a head in pieces';

# What is not served, in one line to both ends.
my $host = "Host: x\r\n";
for my $bad ('', 'nonsense', 'GET', 'GET /', "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\n$host$host", "GET  / HTTP/1.1\r\n$host",
    "GET / HTTP/1.1 \r\n$host", "GET / http/1.1\r\n$host",
    "GET / HTTP/1x1\r\n$host", "GET / HTTP/1.x\r\n$host",
    "GET / HTTP/2.0\r\n$host", "GET / HTTP/0.9\r\n$host",
    "GET /\x7f HTTP/1.1\r\n$host", "G\x01T / HTTP/1.1\r\n$host",
    "GET / HTTP/1.1\r\nHost : x\r\n", "GET / HTTP/1.1\r\n$host folded\r\n",
    "GET / HTTP/1.1\r\n${host}X\r\n", "\x16\x02\x01\r\n") {
    my ($head, $body) = ask($bad eq '' ? "\r\n \r\n\r\n" : "$bad\r\n\r\n");
    like $head, qr{^HTTP/1\.1 400 Bad Request\r\n}, "'$bad' is 400";
    is $body, "Bad Request\n", '  the client is told';
    $p->expect(err => qr/answered 400 Bad Request\n/);
}
for my $method ('POST', 'BREW', 'get', 'GETS') {
    ($head, $body) = ask("$method / HTTP/1.1\r\n${host}Content-Length: 3\r\n"
            . "\r\nabc");
    like $head, $method eq 'POST' ? qr/ 405 .*\r\nAllow: GET, HEAD\r\n/s : qr/ 501 /,
        "$method is 405 and says what is not, or unknown";
}
for my $good ("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.9\r\n$host\r\n",
    "\r\n\r\nGET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nhost:a\r\nLike: b\tc\r\n\r\n") {
    is +(ask($good))[1], 'Hello!', 'other forms are good';
}
like +(ask("GET / HTTP/1.1\r\nX: " . 'x' x 20_000))[0], qr/ 431 /,
    'a head without end is 431';
like exchange($port, "GET / HTTP/1.1\r\nHo"), qr/ 400 /, 'half a head is 400';
is $p->stop->{status}, 0, 'it ends well';

$p = start('serve-hello', '--http', '--idle-timeout', '0.1', '--reply',
    'asked for %s', '0');
$port = $p->port;
is +(ask("GET /a?b HTTP/1.0\r\n\r\n"))[1], 'asked for /a?b',
    'the reply may name the target';
like +(ask("GET / HT"))[0], qr/ 408 /, 'a slow head is 408';
is +(ask(''))[0], undef, 'who says nothing hears nothing';
$p->stop;

done_testing;
