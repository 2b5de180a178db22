# Messages and answers of every size around those that have room at once.
use Sockt;

# Everything that is answered to these bytes, sent in pieces of that size.
sub talk {
    my ($port, $bytes, $piece) = @_;
    my $c = tcp_client($port);
    my $pid = Sockt::fork_child(sub {
        print $c substr $bytes, 0, $piece, '' while length $bytes;
        shutdown $c, 1;
    });
    my $got = do { local $/; <$c> };
    reap($pid);
    return $got;
}

my $p = start('serve-hello', '-4', 0);
my $port = $p->port;
for my $size (1, 255, 500 .. 514, 1023 .. 1026, 4096, 8191, 8192) {
    my $name = 'x' x $size;
    is talk($port, "$name\n", $size), "Welcome!Hello, $name!\n",
        "a line of $size bytes";
}
for my $size (500, 511, 512, 513, 8192) {
    my $name = 'y' x $size;
    is talk($port, $name, $size), "Welcome!Hello, $name!",
        "$size bytes without a newline";
}
my @names = map { chr(97 + $_ % 26) x (($_ * 37) % 1400) } 1 .. 60;
my $want = join '', 'Welcome!', map { "Hello, $_!\r\n" } @names;
for my $piece (65536, 512, 511, 513, 100) {
    # Each message is told, so that one server's words fill a pipe.
    $p->stop;
    $p = start('serve-hello', '-4', 0);
    $port = $p->port;
    ok talk($port, join('', map { "$_\r\n" } @names), $piece) eq $want,
        "many lines of many sizes, in pieces of $piece";
}
is talk($port, 'z' x 8192 . "\r\n", 9000), 'Welcome!Hello, ' . 'z' x 8192 . "!\r\n",
    'the longest one with CRLF';
like talk($port, ('z' x 8193) . $_, 9000), qr/^Welcome!error: a message/,
    'one byte too many' for "\n", "\r\n", '';
$p->stop;

for my $times (1, 2, 50, 3276) {
    $p = start('serve-hello', '-4', '--reply', '%s' x $times, 0);
    is length talk($p->port, "0123456789\n", 11),
        length("Welcome!\n") + 10 * $times, "an answer of ${times}0 bytes";
    $p->stop;
}

# An answer that would be too long is an error of its client.
for my $http ([], ['--http']) {
    $p = start('serve-hello', '-4', @$http, '--reply', '%s' x 5_000, 0);
    talk($p->port, @$http ? 'GET /' . 'x' x 2_000 . " HTTP/1.0\r\n\r\n"
        : 'x' x 8_192 . "\n", 9_000);
    $p->expect(err => qr/answer by --reply is (?:too long|longer than \d+ bytes)/);
    pass "@$http: an answer that is too long";
    $p->stop;
}

done_testing;
