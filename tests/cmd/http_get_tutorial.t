# The HTTP client of the tutorials: GET with Host and Connection: close, the
# header to stderr, the body byte for byte to stdout or to a file.
use Sockt;
use SocktHttp;

my $body = join '', map { chr } 0 .. 255, reverse 0 .. 255;
my $head = "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\nContent-Length: 512\r\n\r\n";
my $dir = scratch();

my $r = get($head . $body, '/a/b?c=d#e');
exits $r, 0, 'exit status, the header goes to stderr as it came', err => $head;
ok $r->{out} eq $body, 'the body goes to stdout byte for byte';
my ($request) = requests($r->{server});
like $request, qr{\AGET /a/b\?c=d HTTP/1\.1\r\n}, 'the request line';
like $request, qr{\r\nHost: 127\.0\.0\.1:$r->{server}{port}\r\n}, 'Host';
like $request, qr{\r\nConnection: close\r\n}, 'Connection: close';
like $request, qr{\r\nAccept-Encoding: identity\r\n}, 'nothing compressed';

exits get($head . $body, '/', '-o', "$dir/file"), 0, '-o, nothing on stdout',
    out => '', err => $head;
ok slurp("$dir/file") eq $body, '-o: the body is in the file';
is_deeply [glob "$dir/*"], ["$dir/file"], '-o: and nothing else is left';

$r = get($head . $body, '/', '-i', '-q');
ok $r->{out} eq $head . $body, '-i: the header is in front of the body';
is $r->{err}, '', '-i -q: nothing on stderr';
$r = get("HTTP/1.0 200 OK\r\nA: b\r\n  c\r\nD: e\r\n\r\nbody", '/', '-iq');
is $r->{out}, "HTTP/1.0 200 OK\r\nA: b c\r\nD: e\r\n\r\nbody",
    'a folded line is printed joined';

$r = get($head, '/', '-I');
exits $r, 0, '-I: a header is a whole answer, it goes to stdout', out => $head;
($request) = requests($r->{server});
like $request, qr{\AHEAD / HTTP}, '-I: the method';

$r = get($head . $body, '/', '-o', '-');
ok $r->{out} eq $body, '-o - is stdout';

if (has_ipv6()) {
    my $s = http_server({ host => '::1' }, $head . $body);
    exits run('http-get', "$s->{url}/"), 0, 'IPv6';
    ($request) = requests($s);
    like $request, qr{\r\nHost: \[::1\]:$s->{port}\r\n}, 'Host in brackets';
}

my $s = http_server($head . $body);
exits run('http-get', "127.0.0.1:$s->{port}"), 0, 'http:// may be left out';

$r = run('http-get', 'http://127.0.0.1:' . free_port() . '/');
is $r->{status}, 4, 'a refused connection';

done_testing;
