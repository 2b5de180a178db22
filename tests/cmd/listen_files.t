# listen --files serves a folder over HTTP/1.1: what is found, conditions and
# ranges, listings, and that a bad request, a silent client, a link out of the
# folder, a FIFO or a file that shrinks does no harm.
use Sockt;
use Events ();
use JSON::PP qw(decode_json);
use IO::Socket::UNIX;
use POSIX ();
use Sandbox ();
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF SO_SNDBUF);
use SocktTls;
use Time::HiRes qw(time);
use TortureRun;

my $dir = scratch();
my $folder = "$dir/www";
mkdir "$folder$_" or die $! for '', '/sub', '/sub/inner', '/site', '/.git';
spew("$folder/a.txt", 'hello');
spew("$folder/empty", '');
spew("$folder/.secret", 'no');
spew("$folder/.git/config", 'no');
spew("$folder/site/index.html", '<p>site');
spew("$dir/outside", 'outside');
my $odd = "<b>&\"' %?#\\\xe2\x80\xae\n";
spew("$folder/sub/$odd", 'odd');
spew("$folder/sub/\xff", 'ff');
my $big = join '', map { pack 'N', $_ } 1 .. 100_000;
spew("$folder/big.bin", $big);
symlink 'a.txt', "$folder/link";
symlink '../a.txt', "$folder/sub/up";
symlink "$dir/outside", "$folder/absolute";
symlink '../../outside', "$folder/sub/out";
symlink '/etc', "$folder/etc";
symlink 'fifo', "$folder/tofifo";
symlink '/proc/self/root', "$folder/root";
POSIX::mkfifo("$folder/fifo", 0600) or die $!;

my $p = start('listen', '-v', '--files', $folder, 0);
my $port = $p->port;

# Sends text and returns all that comes until the end.
sub raw {
    my ($text, $to) = @_;
    my $c = tcp_client($to // $port);
    print $c $text;
    $c->flush;
    local $/;
    return scalar(<$c>) // '';
}

# The status, the fields by their names, and the body.
sub get {
    my ($target, $fields, $method) = @_;
    my $all = raw(($method // 'GET') . " $target HTTP/1.1\r\nHost: x\r\n"
            . 'Connection: close' . "\r\n" . ($fields // '') . "\r\n");
    my ($status, $head, $body) = $all =~ m{\AHTTP/1\.1 (\d+) [^\r]+\r\n(.*?\r\n)\r\n(.*)\z}s
        or return (0, {}, $all);
    return ($status, { map { /^([^:]+): (.*)\r\n/ ? (lc $1 => $2) : () } $head =~ /(.*?\n)/sg },
        $body);
}

# Found, and not found.
my $follows = run('--version')->{out} =~ /linux/ && Sandbox::is_x86_64(sockt());
for my $row (['/a.txt', 200, 'hello'], ['/a.txt?x=y', 200, 'hello'], ['/%61.txt', 200, 'hello'],
    ['http://other/a.txt', 200, 'hello'], ['/empty', 200, ''], ['/big.bin', 200, $big],
    ['/site/', 200, '<p>site'], ['/site', 301], ['/sub?a', 301], ['/nothing', 404],
    ['/a.txt/', 404], ['/a.txt/b', 404], ['//a.txt', 404], ['/sub//inner/', 404],
    ['/.secret', 404], ['/%2esecret', 404], ['/.git/config', 404], ['/./a.txt', 404],
    ['/../outside', 404], ['/sub/../a.txt', 404], ['/%2e%2e/outside', 404],
    ['/..%2foutside', 404], ['/sub%2f..%2fa.txt', 404], ['/..\\outside', 404],
    ['/%5c..%5coutside', 404], ['/absolute', 404], ['/sub/out', 404], ['/etc/passwd', 404],
    ['/root/etc/passwd', 404], ['/fifo', 404], ['/' . 'n' x 300, 404], ['/' . 'n/' x 3000, 414],
    ['/a%00', 400], ['/a%', 400], ['/%zz', 400], ['/a#b', 400], ['*', 400], ['a.txt', 400],
    ['x:80', 400], ['ftp://x/a.txt', 400], ['http:/a.txt', 400],
    $follows ? (['/link', 200, 'hello'], ['/sub/up', 200, 'hello']) : ()) {
    my ($target, $status, $body) = @$row;
    my ($got, $fields, $text) = get($target);
    my $name = length $target > 40 ? substr($target, 0, 40) . '...' : $target;
    is $got, $status, "$name is $status";
    ok $text eq $body, '  with its body' if defined $body;
    like $text, qr/\A$status [A-Z][^\n]+\n\z/, '  which its body says in a line'
        if $status >= 400;
    is $fields->{'content-length'}, length $text, '  its length';
}
is +(get('/sub?a'))[1]{location}, '/sub/?a', 'a redirect keeps the query';
is +(get('/a.txt'))[1]{'content-type'}, 'text/plain; charset=utf-8', 'a type that is known';
is +(get('/big.bin'))[1]{'content-type'}, 'application/octet-stream', 'and one that is not';
my ($status, $fields, $body) = get('/a.txt', '', 'HEAD');
is "$status $fields->{'content-length'} $body", '200 5 ', 'HEAD: the length and no body';

# Conditions and ranges.
my ($tag, $date) = @{ (get('/a.txt'))[1] }{qw(etag last-modified)};
like $tag, qr/^"[^"]+"$/, 'a strong ETag';
utime 1e9, 1e9, "$folder/a.txt";
isnt +(get('/a.txt'))[1]{etag}, $tag, 'of another time: another';
($tag, $date) = @{ (get('/a.txt'))[1] }{qw(etag last-modified)};
is $date, 'Sun, 09 Sep 2001 01:46:40 GMT', 'Last-Modified';
for my $row (["If-None-Match: $tag", 304, ''], ["If-None-Match: \"x\", W/$tag", 304, ''],
    ['If-None-Match: *', 304, ''], ['If-None-Match: "x"', 200, 'hello'],
    ["If-Modified-Since: $date", 304, ''],
    ['If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT', 200, 'hello'],
    ["If-None-Match: \"x\"\r\nIf-Modified-Since: $date", 200, 'hello'],
    ['If-Modified-Since: never', 200, 'hello'], ['Range: bytes=1-3', 206, 'ell'],
    ['Range: bytes=3-', 206, 'lo'], ['Range: bytes=-2', 206, 'lo'],
    ['Range: bytes=-99', 206, 'hello'], ['Range: bytes=0-99', 206, 'hello'],
    ['Range: bytes=4-4', 206, 'o'], ['Range: bytes=5-', 416], ['Range: bytes=-0', 416],
    ['Range: bytes=9-10', 416], ['Range: bytes=3-1', 200, 'hello'],
    ['Range: bytes=0-0,2-3', 200, 'hello'], ['Range: lines=0-1', 200, 'hello'],
    ['Range: bytes=1-99999999999999999999', 200, 'hello'],
    ["If-Match: \"x\", $tag", 200, 'hello'], ['If-Match: *', 200, 'hello'],
    ["If-Match: \"x\"\r\nRange: bytes=1-3", 412], ["If-Match: W/$tag", 412],
    ["If-Match: \"x\"\r\nIf-None-Match: $tag", 412],
    ["If-Unmodified-Since: $date\r\nRange: bytes=1-3", 206, 'ell'],
    ['If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT', 412],
    ["If-Match: $tag\r\nIf-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT", 200, 'hello'],
    ['If-Unmodified-Since: never', 200, 'hello'],
    ["Range: bytes=1-3\r\nIf-Range: $tag", 206, 'ell'],
    ["Range: bytes=1-3\r\nIf-Range: W/$tag", 200, 'hello'],
    ["Range: bytes=1-3\r\nIf-Range: \"x\"", 200, 'hello'],
    ["Range: bytes=1-3\r\nIf-Range: $date", 206, 'ell'],
    ["Range: bytes=1-3\r\nIf-Range: Sun, 09 Sep 2001 01:46:41 GMT", 200, 'hello']) {
    my ($asks, $want, $text) = @$row;
    ($status, $fields, $body) = get('/a.txt', "$asks\r\n");
    is $status, $want, $asks =~ s/\r\n/, /r;
    is $body, $text, '  its body' if defined $text;
    is $fields->{'content-range'}, $want == 416 ? 'bytes */5'
        : 'bytes ' . index('hello', $text) . '-' . (index('hello', $text) + length($text) - 1)
        . '/5', '  its place' if $want == 206 && $text ne 'l' || $want == 416;
}
is +(get('/empty', "Range: bytes=0-\r\n"))[0], 416, 'nothing has no range';
utime 4e9, 4e9, "$folder/empty";
($status, $fields) = get('/empty');
unlike $fields->{'last-modified'}, qr/ 2096 /, 'a time to come is not one of a change';
is +(get('/big.bin', "Range: bytes=399990-\r\n"))[2], substr($big, 399990), 'the end of a file';

# Listings.
($status, $fields, $body) = get('/');
is $fields->{'content-type'}, 'text/html; charset=utf-8', 'a listing is HTML';
like $body, qr/"sub\/".*"a\.txt".*>5 B</s, 'folders first, with sizes';
unlike $body, qr/secret|\.git|fifo|absolute|etc|<script/, 'and nothing that is not served';
like $body, $follows ? qr/"link"/ : qr/"a\.txt"/, 'a link that stays inside is listed';
($status, $fields, $body) = get('/sub/');
like $body, qr{<a href="\.\./">}, 'a way back';
my ($link) = $body =~ /href="(%3C[^"]+)"/;
is +(get("/sub/$link"))[2], 'odd', 'the link of an odd name finds it';
is +(get('/sub/%FF'))[2], 'ff', 'also of one that is no UTF-8';
like $body, qr/&#60;b&#62;&#38;&#34;&#39; %\?#/, 'the name is escaped';
unlike $body, qr/<b>|\xe2\x80\xae|\xff/, 'and shows nothing hidden';
for my $how (['/sub/?json', ''], ['/sub/', "Accept: application/json\r\n"]) {
    ($status, $fields, $body) = get(@$how);
    my $list = decode_json($body);
    is join(' ', map { $_->{type} } @$list[0, 1]), 'folder file', "JSON: @$how";
    like $list->[1]{modified}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, '  a time';
    is $list->[1]{size}, 3, '  and a size';
}
is decode_json((get('/site/?json'))[2])->[0]{name}, 'index.html', 'JSON in spite of an index';
is +(get($_))[1]{vary}, 'Accept', "$_ depends on Accept" for '/site/', '/sub/';
is +(get('/a.txt'))[1]{vary}, undef, 'a file does not';

# A folder that could not be read was sent as if it were a file.
SKIP: {
    skip 'calls cannot be made to fail here', 2
        if sockt() =~ /sanitize/ || !TortureRun::has_library();
    symlink built('inject.so'), "$dir/i" or die "symlink: $!";
    my $q = start({ env => { LD_PRELOAD => "$dir/i", TORTURE_TABLE => "$dir/table",
        TORTURE_PLAN => '1 fdopendir 1 0 12' } }, 'listen', '--files', $folder, 0);
    is raw("GET / HTTP/1.0\r\n\r\n", $q->port), '', 'a folder that cannot be read';
    ok $q->expect(err => qr/the listing: out of memory/), '  has an error, no listing';
    $q->stop;
}

# What is no request, or not one for files: a status and the end.
my $host = "Host: x\r\n";
for my $row (
    ['nonsense', 400, "nonsense\r\n\r\n"], ['TLS', 400, "\x16\x03\x01\x02\x00\x01\x00"],
    ['HTTP/9.9', 400, "GET / HTTP/9.9\r\n$host\r\n"], ['HTTP/2', 400, "PRI * HTTP/2.0\r\n\r\n"],
    ['no Host', 400, "GET / HTTP/1.1\r\n\r\n"], ['two', 400, "GET / HTTP/1.1\r\n$host$host\r\n"],
    ['two lengths', 400,
        "GET / HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"],
    ['a list of lengths', 400, "GET / HTTP/1.1\r\n${host}Content-Length: 5, 5\r\n\r\nhello"],
    ['a length with chunks', 400, "GET / HTTP/1.1\r\n${host}Content-Length: 5\r\n"
        . "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ['chunks of HTTP/1.0', 400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ['another coding', 501, "GET / HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n"],
    ['a folded field', 400, "GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n"],
    ['a bare CR', 400, "GET / HTTP/1.1\r\n${host}X: a\rb: c\r\n\r\n"],
    ['a NUL', 400, "GET / HTTP/1.1\r\n${host}X: a\x00b\r\n\r\n"],
    ['a space before the colon', 400, "GET / HTTP/1.1\r\n${host}X : a\r\n\r\n"],
    ['POST', 405, "POST / HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi"],
    ['CONNECT', 405, "CONNECT x:80 HTTP/1.1\r\n$host\r\n"],
    ['OPTIONS *', 405, "OPTIONS * HTTP/1.1\r\n$host" . "Connection: close\r\n\r\n"],
    ['an unknown method', 501, "BREW / HTTP/1.1\r\n$host\r\n"],
    ['10,000 fields', 431, "GET / HTTP/1.1\r\n$host" . "X: y\r\n" x 10_000 . "\r\n"],
    ['a target without end', 414, 'GET /' . 'x' x 20_000],
) {
    my ($name, $want, $text) = @$row;
    $text =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/ if $want == 405 && $text !~ /close|hi\z/;
    my $all = raw($text);
    like $all, qr{\AHTTP/1\.1 $want [^\n]+\n}, "$name is $want";
    is scalar(() = $all =~ m{HTTP/1\.1 }g), 1, '  and nothing more';
}

# A connection is kept, and requests may follow each other at once.
my $ask = "GET /a.txt HTTP/1.1\r\n$host\r\n";
my $all = raw("$ask$ask" . $ask =~ s/Host/Connection: close\r\nHost/r . $ask);
is scalar(() = $all =~ /hello/g), 3, 'three requests, and none after "close"';
is scalar(() = raw("GET /a.txt HTTP/1.0\r\n\r\n$ask") =~ /hello/g), 1, 'HTTP/1.0: one';
is scalar(() = raw("GET /nothing HTTP/1.1\r\n$host\r\n" . $ask =~ s/Host/Connection: close\r\nHost/r)
        =~ /hello/g), 1, 'a 404 does not end it';
like raw("GET /a.txt HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\nGET $ask"),
    qr/Connection: close\r\n.*hello\z/s, 'a body is no next request';

# Empty lines before a request are none of it (RFC 9112 2.2).
for my $row (["\r\n\n$ask", 1, 'before'], ["$ask\r\n$ask\r\n", 2, 'after'], ["\r\n", 0, 'alone']) {
    my $c = tcp_client($port);
    print $c $row->[0];
    $c->flush;
    shutdown $c, 1;
    is join(' ', do { local $/; <$c> // '' } =~ m{HTTP/1\.1 (\d+)}g), join(' ', (200) x $row->[1]),
        "an empty line $row->[2] is no request";
}

my $long = 'q' x 13_000;
ok raw("GET /sub?$long HTTP/1.1\r\n$host\r\n" . $ask =~ s/Host/Connection: close\r\nHost/r) =~
    m{\AHTTP/1\.1 301 .*\r\nLocation: /sub/\?$long\r\n.*\r\n\r\n301 [^\n]+\nHTTP/1\.1 200 .*hello\z}s,
    'the longest redirect is whole, and so is what follows it';

# A FIFO is not opened: whoever waits for its reader would write to nobody.
pipe my $ready, my $is_ready or die $!;
my $writer = fork // die $!;
if ($writer == 0) {
    syswrite $is_ready, 'x';
    open my $out, '>', "$folder/fifo" or POSIX::_exit(1);
    syswrite $out, 'still here';
    POSIX::_exit(0);
}
sysread $ready, my $go, 1;
for (1 .. 20) {
    get('/fifo');
    get('/');
}
{
    local $SIG{ALRM} = sub { die "nobody writes\n" };
    alarm 5;
    my $got = eval { open my $in, '<', "$folder/fifo" or die $!; <$in> };
    alarm 0;
    is $got, 'still here', 'the writer of a FIFO goes on waiting';
}
kill 'KILL', $writer;
waitpid $writer, 0;

# What clients send is escaped; the server has one line per request.
raw("GET /\x1b[31m\xe2\x80\xae HTTP/1.1\r\n$host\r\n");
raw("GET /\xe2\x80\xae HTTP/1.0\r\n\r\n");
$p->expect(err => qr/GET \/\\xe2\\x80\\xae: 404, 14 bytes in /);
unlike $p->{err}, qr/\x1b|\xe2\x80\xae/, 'targets are escaped in messages';
like $p->{err}, qr/: 127\.0\.0\.1 port \d+: GET \/a\.txt: 206, 3 bytes in /, 'a line for each';
like $p->{err}, qr/serving \S+; \N*Landlock/, '-v says whether Landlock confines';
is $p->stop->{status}, 0, 'stopped';

$p = start('listen', '--json', '--files', $folder, 0);
$port = $p->port;
get('/a.txt');
my ($line) = $p->expect(err => qr/(\{"event":"request"\N+\n)/);
is Events::event_fault($line, 'listen', Events::event_table()), '', 'the event request';
$p->stop;

# A response that cannot be whole is a reset: the file shrinks, a limit passes,
# the server ends. A client that does not read holds nobody else up.
my $huge = "$folder/huge";
sub huge { open my $h, '>', $huge or die $!; truncate $h, 100_000_000; return $h }
sub slow_client {
    my $c = tcp_client($p->port);
    setsockopt $c, SOL_SOCKET, SO_RCVBUF, $_[0] if $_[0];
    print $c "GET /huge HTTP/1.1\r\nHost: x\r\n\r\n";
    $c->flush;
    sysread $c, my $head, 1 or die $!;
    return $c;
}

sub drain {
    my ($c) = @_;
    my ($n, $bytes) = (0, 0);
    $bytes += $n while $n = sysread $c, my $piece, 1 << 20;
    return defined $n ? "FIN after $bytes" : $!{ECONNRESET} ? 'reset' : "$!";
}
for my $row (['the file has become shorter', [], sub { truncate $huge, 10 }],
    ['-m has passed', ['-m', '500ms'], sub { select undef, undef, undef, 0.7 }],
    ['-w has passed', ['-w', '300ms'], sub { select undef, undef, undef, 0.7 }],
    ['the server has ended', [], sub { $p->stop }]) {
    my ($name, $options, $then) = @$row;
    huge();
    $p = start('listen', '--sndbuf', 4096, @$options, '--files', $folder, 0);
    my $c = slow_client(4096);
    $port = $p->port;
    is +(get('/a.txt'))[2], 'hello', 'another client is served meanwhile';
    $then->();
    is drain($c), 'reset', "a reset, since $name";
    ok $p->expect(err => qr/: the file has become shorter\n/),
        'which is the cause named' if $name =~ /shorter/;
    $p->stop if $name !~ /ended/;
}
$p = start('listen', '--files', $folder, 0);
my $h = huge();
my $c = slow_client();
truncate $h, 200_000_000;
shutdown $c, 1;
like drain($c), qr/^FIN after 1000002\d\d$/, 'a file that grows: as long as was promised';

# An event "request" has the bytes of the body, also if the client leaves.
$p->stop;
$p = start('listen', '--json', '--files', $folder, 0);
close slow_client();
my ($log) = $p->expect(err => qr/(\{"event":"request"\N+\n.*"event":"closed"\N+)\n/s);
my ($body_bytes) = $log =~ /"bytes":(\d+)/;
my ($all_bytes) = $log =~ /"closed".*"sent":(\d+)/;
cmp_ok $all_bytes - $body_bytes, '>', 100, 'the head is not counted as a part of the body';
unlink $huge;

# Who resets a connection that is kept has what it asked for.
$p->stop;
$p = start('listen', '--files', $folder, 0);
$c = tcp_client($p->port);
print $c $ask;
$c->flush;
sysread $c, my $first, 1000;
setsockopt $c, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
close $c;
$port = $p->port;
get('/a.txt');
$p->stop;
unlike $p->{err}, qr/reset|lost/, 'a reset after an answer is no error';

# Silence: the server lets a client go, and goes on.
$p = start('listen', '-w', '400ms', '--files', $folder, 0);
$port = $p->port;
my $start = time;
is raw(''), '', 'who says nothing is let go';
is raw("\r\n"), '', 'and who sends an empty line';
like raw("GET / HT"), qr{^HTTP/1\.1 408 }, 'who stops in a request is told';
$c = tcp_client($port);
for (1 .. 20) {
    syswrite $c, substr($ask, $_, 1) or last;
    select undef, undef, undef, 0.1;
}
like do { local $/; <$c> }, qr{^HTTP/1\.1 408 }, 'a byte now and then is not enough';
like raw($ask), qr/hello\z/, 'a kept connection ends with a FIN';
cmp_ok time - $start, '<', 10, 'all of it in time';
is $p->stop->{status}, 0, 'the server has gone on';

# The rest of listen holds for it.
SKIP: {
    skip 'no TLS', 2 unless tls_is_available();
    my $ca = tls_authority("$dir/ca");
    my $cert = tls_certificate($ca, 'localhost', 'DNS:localhost');
    $p = start('listen', '--tls-cert', $cert->{cert}, '--tls-key', $cert->{key}, '--files',
        $folder, 0);
    my $r = run('http-get', '-q', '--tls-ca', "$dir/ca/ca.pem",
        "https://localhost:@{[$p->port]}/big.bin");
    ok $r->{out} eq $big, 'TLS: a file arrives whole';
    is $r->{status}, 0, '  status 0';
    $p->stop;
}
my $path = "unix:$dir/s";
$p = start('listen', '-v', '--files', $folder, $path);
$p->expect(err => qr/listening/);
my $u = IO::Socket::UNIX->new(Peer => "$dir/s") or die $!;
print $u $ask =~ s/Host/Connection: close\r\nHost/r;
like do { local $/; <$u> }, qr/hello\z/, 'a Unix socket';
$p->stop;
for my $row (["$dir/nothing", 11, qr/--files \S+nothing: no such file/],
    ["$folder/a.txt", 11, qr/--files \S+a\.txt: not a directory/]) {
    exits run('listen', '--files', $row->[0], 0), $row->[1], "$row->[0] is no folder",
        err => $row->[2], no_err => qr/listening/;
}
misused 'listen', qr/--files/ => ["--files $folder --echo 0", "--files $folder -o x 0",
    "--files $folder --recv-only 0", "--files $folder 0 -- cat", "--files $folder -x x 0"];

done_testing;
