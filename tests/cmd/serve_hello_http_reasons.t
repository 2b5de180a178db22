# serve-hello --http says why it does not serve a request, to both ends.
use Sockt;

my $p = start('serve-hello', '--http', '-4', 0);
my $port = $p->port;
my $host = "Host: x\r\n";
for my $case (
    ["GET / HTTP/1.1\r\n", '400 Bad Request', 'HTTP/1.1 needs a Host field'],
    ["GET / HTTP/1.1\r\n$host$host", '400 Bad Request',
        'there is more than one Host field'],
    ["GET /\r\n", '400 Bad Request',
        "the first line is not like 'GET /path HTTP/1.1'"],
    ["\x16\x02\x01\r\n", '400 Bad Request',
        "the first line is not like 'GET /path HTTP/1.1'"],
    ["GET / HTTP/1.1\r\n${host}X\r\n", '400 Bad Request',
        "a header line is not like 'Name: value'"],
    ["GET / HTTP/2.0\r\n$host", '505 HTTP Version Not Supported',
        'only HTTP/1.0 and HTTP/1.1 are served'],
    ["POST / HTTP/1.1\r\n$host", '405 Method Not Allowed',
        'only GET and HEAD are served'],
    ["BREW / HTTP/1.1\r\n$host", '501 Not Implemented',
        'the method is unknown'],
) {
    my ($head, $status, $reason) = @$case;
    my $c = tcp_client($port);
    print $c "$head\r\n";
    $c->flush;
    my $got = do { local $/; <$c> };
    close $c;
    my ($phrase) = $status =~ /^\d+ (.*)/;
    like $got, qr/^HTTP\/1\.1 $status\r\n/, $status;
    like $got, qr/\r\n\r\n\Q$phrase: $reason\E\n\z/, 'the client gets the reason';
    $p->expect(err => qr/answered \Q$status: $reason\E\n/);
}
my $c = tcp_client($port);
print $c 'GET / HT';
shutdown $c, 1;
like do { local $/; <$c> }, qr/the connection ended within the head\n/,
    'half a request';
is $p->stop->{status}, 0, 'the server goes on until it is stopped';

done_testing;
