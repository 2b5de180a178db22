# What is odd about an answer but no error is warned of; what breaks off is one.
use Sockt;
use SocktHttp;

use Socket qw(SOL_SOCKET SO_LINGER);
my $ok = "HTTP/1.1 200 OK\r\n";

sub warns {
    my ($name, $bytes, $out, $pattern) = @_;
    exits get($bytes, '/'), 0, "$name, the body as it is", out => $out,
        err => $pattern;
}
warns('a coded body', answer('200 OK', 'zipped', 'Content-Encoding: gzip'),
    'zipped', qr/the body is encoded \(gzip\) and is written as it is\n\z/);
warns('identity is none', answer('200 OK', 'x', 'Content-Encoding: identity'),
    'x', qr/\r\n\r\n\z/);
warns('Transfer-Encoding with Content-Length',
    "${ok}Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
        . "1\r\nx\r\n0\r\n\r\n", 'x', qr/contradicts itself about its length/);
my $r = get("$ok\r\nabc", '/', '-v');
like $r->{err}, qr/whether it is whole cannot be checked/, 'no declared end';
$r = get("HTTP/1.1 103 Hi\e[1m\r\n\r\n${ok}Content-Length: 0\r\n\r\n", '/', '-v');
like $r->{err}, qr/interim response: 103 Hi\\x1b\[1m\n/, 'interim at -v';

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
) {
    my ($name, $bytes, $status, $out, $pattern) = @$case;
    exits reset_after($bytes, $out, '-q'), $status,
        "reset $name, what came is written", out => $out, err => $pattern;
}
$r = reset_after("${ok}Content-Length: 5\r\n\r\nhello", 'hello');
is $r->{status}, 0, 'a reset behind the end is none of our business';

# An answer before the request was read to its end.
exits get(sub { my ($c) = @_; syswrite $c, answer('400 Bad', 'no') }, '/',
    '-q', '-H', 'X-Long: ' . 'x' x 50_000), 8, 'an early answer is read';
$r = run('http-get', '-q', '-H', 'X-Long: ' . 'x' x 70_000,
    'http://127.0.0.1:' . free_port());
is $r->{status}, 2, 'a request that is too long is refused';

done_testing;
