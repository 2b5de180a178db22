# serve-hello --http answers browsers, and anything that pretends to be one.
use Sockt;

my $p = start('serve-hello', '--http', '-4', '0');
my $port = $p->port;

# Sends a request and returns head and body of the answer.
sub ask {
    my ($request, $to) = @_;
    my $c = tcp_client($to // $port);
    local $SIG{PIPE} = 'IGNORE';
    $c->syswrite($request);
    my $all = do { local $/; <$c> } // '';
    return split /\r\n\r\n/, $all, 2;
}

my ($head, $body) = ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
like $head, qr{^HTTP/1\.1 200 OK\r\n}, 'it is 200';
like $head, qr/\r\nContent-Length: 6(\r\n|\z)/, 'the length';
like $head, qr/\r\nConnection: close(\r\n|\z)/, 'closes';
like $head, qr/\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT(\r\n|\z)/,
    'the date';
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

like +(ask("nonsense\r\n\r\n"))[0], qr/^HTTP\/1\.1 400 /, 'garbage is 400';
like +(ask("GET / HTTP/1.1\r\n\r\n"))[0], qr/ 400 /, 'no Host is 400';
like +(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"))[0],
    qr/ 405 .*\r\nAllow: GET, HEAD\r\n/s, 'POST is 405 and says what is not';
like +(ask("GET / HTTP/1.1\r\nX: " . 'x' x 20_000))[0], qr/ 431 /,
    'a head without end is 431';
$c = tcp_client($port);
$c->syswrite("GET / HTTP/1.1\r\nHo");
shutdown $c, 1;
like do { local $/; <$c> }, qr/ 400 /, 'half a head is 400';
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
