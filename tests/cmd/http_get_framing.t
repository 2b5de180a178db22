# How the end of a body is found, and what is said when it does not come.
use Sockt;
use SocktHttp;
use Socket qw(SOL_SOCKET SO_LINGER);

my $ok = "HTTP/1.1 200 OK\r\n";
my $chunked = $ok . "Transfer-Encoding: chunked\r\n\r\n";
for my $row (
    ['length', "${ok}Content-Length: 5\r\n\r\nhello"],
    ['until close', "$ok\r\nhello"],
    ['no body', "HTTP/1.1 204 No\r\n\r\n", '0 '],
    ['HTTP/1.0', "HTTP/1.0 200 OK\r\n\r\nhello"],
    ['chunks with extensions and a trailer',
        "${chunked}3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n"],
    ['interim answers', "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hint\r\nA: b\r\n\r\n"
        . "${ok}Content-Length: 5\r\n\r\nhello"],
    ['truncated', "${ok}Content-Length: 10\r\n\r\nhello", '9 hello',
        qr/truncated: .* after 5 of 10 bytes\n\z/],
    ['truncated within a chunk', "${chunked}a\r\nhello", '9 hello',
        qr/truncated: .* after 5 bytes, in a chunk that lacks another 5 bytes\n\z/],
    ['no last chunk', "${chunked}5\r\nhello\r\n", '9 hello',
        qr/truncated: .* after 5 bytes, before the last chunk\n\z/],
    ['truncated in the head', "HTTP/1.1 200 OK\r\nA: b", '9 ',
        qr/truncated: the connection ended in the head/],
    ['no answer', '', '9 ', qr/closed the connection without a response/],
    ['101', "HTTP/1.1 101 Switch\r\n\r\n", '9 ', qr/status 101/],
) {
    my ($name, $bytes, $want, $err) = @$row;
    exits get($bytes, '/', '-q'), $want // '0 hello', "$name, body", err => $err // '';
}
exits get("${ok}Content-Length: 2\r\n\r\nhello", '/'), '0 he',
    'bytes behind the end are no body, and are told of',
    err => qr/3 bytes after the end of the response ignored/;

# A transfer coding that was not asked for cannot be taken off the body: status
# 9, and no file. Empty elements of the list, and "identity", are none.
my $dir = scratch();

sub coded {
    my ($coding) = @_;
    return get("HTTP/1.1 200 OK\r\nTransfer-Encoding: $coding\r\n\r\n"
            . "5\r\nhello\r\n0\r\n\r\n", '/', '-q', '-o', "$dir/file");
}

for my $coding ('chunked, gzip', 'gzip, chunked', 'xchunked', "\x0bchunked",
    "x\e[1m") {
    exits coded($coding), 9, "a coding that was not asked for, and no file",
        err => qr/\Asockt[^\e]*transfer coding '[^\e]*not asked for\n\z/,
        file => ["$dir/file", undef];
}
for my $coding ('chunked,', ', chunked ,', 'chunked, identity',
    "identity,\r\nTransfer-Encoding: chunked") {
    exits coded($coding), 0, "'$coding': the chunks are taken off",
        file => ["$dir/file", 'hello'];
}
exits get("${ok}Transfer-Encoding: identity\r\nContent-Length: 9\r\n\r\nhello", '/',
    '-q'), 9, 'identity leaves the length in force';

# What is odd about an answer but no error is warned of; what breaks off is one.
for my $row (
    ['a coded body', answer('200 OK', 'x', 'Content-Encoding: gzip'),
        qr/the body is encoded \(gzip\) and is written as it is\n\z/],
    ['identity is none', answer('200 OK', 'x', 'Content-Encoding: identity'),
        qr/\r\n\r\n\z/],
    ['Transfer-Encoding with Content-Length', "${ok}Content-Length: 99\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        qr/contradicts itself about its length/]) {
    my ($name, $bytes, $warning) = @$row;
    exits get($bytes, '/'), '0 x', "$name, the body as it is", err => $warning;
}
like get("$ok\r\nabc", '/', '-v')->{err}, qr/whether it is whole cannot be checked/,
    'no declared end';
like get("HTTP/1.1 103 Hi\e[1m\r\n\r\n${ok}Content-Length: 0\r\n\r\n", '/', '-v')
    ->{err}, qr/interim response: 103 Hi\\x1b\[1m\n/, 'interim at -v';

# A folded line may be blank. A head of them needs no more time than another:
# all blanks before it are not looked at for each.
my $folds = http_server(("HTTP/1.1 103 Hint\r\nA:\r\n" . " \n" x 32_000 . "\r\n") x 30
    . "${ok}Content-Length: 5\r\n\r\nhello");
exits run({ command => 'sh' }, '-c', 'ulimit -t 2; exec "$@"', 'sh', sockt(),
    'http-get', '-q', $folds->{url}), '0 hello', 'heads of blank folded lines';

# A response that is followed by a reset, once the client has written out.
sub reset_after {
    my ($bytes, $out, @options) = @_;
    pipe my $read, my $write or die $!;
    my $s = http_server(sub {
        my ($c) = @_;
        syswrite $c, $bytes;
        sysread $read, my $go, 1;
        setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        close $c;
    });
    my $p = start('http-get', @options, "$s->{url}/");
    $p->expect(out => qr/^\Q$out\E/);
    syswrite $write, 'x';
    return $p->finish;
}
for my $case (
    ['until close',  "$ok\r\nhello", 10, 'hello', qr/after 5 bytes of the body/],
    ['with a length', "${ok}Content-Length: 9\r\n\r\nhello", 10, 'hello',
        qr/after 5 of 9 bytes of the body/],
    ['in the head', "${ok}A: b", 10, '', qr/waiting for the response/],
    ['behind the end is none of our business', "${ok}Content-Length: 5\r\n\r\nhello",
        0, 'hello', qr/\A\z/],
) {
    my ($name, $bytes, $status, $out, $pattern) = @$case;
    exits reset_after($bytes, $out, '-q'), $status,
        "reset $name, what came is written", out => $out, err => $pattern;
}

# An answer before the request was read to its end.
exits get(sub { my ($c) = @_; syswrite $c, answer('400 Bad', 'no') }, '/',
    '-q', '-H', 'X-Long: ' . 'x' x 50_000), 8, 'an early answer is read';
exits run('http-get', '-q', '-H', 'X-Long: ' . 'x' x 70_000,
    'http://127.0.0.1:' . free_port()), 2, 'a request that is too long is refused';

done_testing;
