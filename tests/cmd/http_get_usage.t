# What is refused before anything is attempted.
use Sockt;
use SocktHttp;
use POSIX ();

my $url = 'http://127.0.0.1:' . free_port() . '/x';
misused 'http-get', qr/missing operand/ => [[]],
    qr/only http:.* and https:/ => 'ftp://localhost/', qr/no host/ => 'http:///x',
    qr/port/ => ['http://localhost:0/', 'http://localhost:65536/',
        'http://localhost:80x/', 'http://::1/'],
    qr/space/ => [['http://localhost/a b']], qr/URL is empty/ => [['']],
    qr/control byte/ => [["http://localhost/a\r\nX: y"], ['-H', "A: b\r\nC: d", $url]],
    # A bad one after a good one.
    qr/only http/ => "$url ftp://x/",
    qr/'\d+' is not a URL: .* as in HOST:PORT\n/ => [map { "localhost $_" } 8081, 1, 99999],
    qr/HOST:PORT/ => '-o x localhost 80',
    qr/Name: value/ => ["-H Name $url", ['-H', 'A b: c', $url]],
    qr/body/ => [['-H', 'content-length: 5', $url]],
    qr/longer than 1023/ => '-u me:' . 'x' x 1021 . " $url",
    qr/USER:PASSWORD/ => "-u me $url", qr/names no file; --output FILE names one$/m => '-O http://localhost/a/',
    qr/together/ => "-o x -O $url", qr/2 URLs/ => "-o x $url $url",
    qr/number/ => "--max-redirs -1 $url";

# Own fields.
exits get(answer('200 OK', ''), '/', '-H', 'X-A: b', '-H', 'user-agent: c',
    '-H', 'Accept:', '-H', 'X-A: d'), 0, 'own fields: one of the same name takes its '
    . 'place, an empty one removes it', no_asked => [qr/sockt/, qr/\r\nAccept:/],
    asked => qr/\r\nX-A: b\r\nuser-agent: c\r\nX-A: d\r\n/;
for my $user (['me:s%65cret', 'bWU6c2VjcmV0'], ['me', 'bWU6']) {
    my $s = http_server(answer('200 OK', ''));
    run('http-get', "http://$user->[0]\@127.0.0.1:$s->{port}/");
    like slurp($s->{log}), qr/\r\nAuthorization: Basic $user->[1]\r\n/, $user->[0];
    like slurp($s->{log}), qr/\r\nHost: 127\.0\.0\.1:\d+\r\n/, 'is not in Host';
}

# Passwords are shown nowhere: not in messages, nor in a request or a header.
my $port = free_port();
sub hidden {
    my ($what, $r, $like) = @_;
    unlike $r->{err}, qr/secret|c2VjcmV0|bWU6/, "$what: no password"
        or diag $r->{err};
    like $r->{err}, $like, '  but what it is about';
}

# URLs.
for my $bad ('http://me:secret@h:99999/', 'http://me:secret@h:x/',
    'http://me:secret@h/a b', "http://me:secret\@h/\n", 'ftp://me:secret@h/',
    'me:secret@h:x/', 'http://me:secr@et@h/', 'http://me:secret@h\\x/',
    'http://me:secret@[::1/', 'http://me:sec/ret?secret@h/',
    'me:secret@h:x/?to=http://a:secret@b', 'http://me:secret@h:0/',
    'http://me:secret@local host/', 'http://me:secret@h/a b@c',
    'http://me:100%secret@h/') {
    hidden("URL $bad", run('http-get', $bad), qr/URL '.*\.\.\.@/);
}
exits run('http-get', "http://me:100%\@127.0.0.1:$port/"), 2,
    'a password that cannot be decoded is not left out', err => qr/malformed \(a percent sign is written as %25\)/;
hidden('no command', run('http://me:secret@h/'), qr{http://\.\.\.\@h});
hidden('connect', run('connect', 'http://me:secret@h'), qr{http://\.\.\.\@h});
hidden('refused', run('http-get', "http://me:secret\@127.0.0.1:$port/"),
    qr/refused/);
hidden('refused, as events', run('http-get', '--json',
    "http://me:secret\@127.0.0.1:$port/"), qr/refused/);

# Headers.
for my $bad ("Authorization: Basic secret\x01", 'Authorization secret',
    "Cookie: a=secret\n", 'Range: secret', 'Content-Length: secret') {
    my ($name) = $bad =~ /^([\w-]+)/;
    hidden("-H $name", run('http-get', '-H', $bad, 'http://h/'),
        qr/--header: '$name\b.*\.\.\.'/);
}

# Proxies.
for my $bad ('ftp://me:secret@h', 'http://me:secret@h:x', 'me:secret@h/x',
    'socks5://me:secret%zz@h', 'http://me:secret@', 'http://me:secret@[::1') {
    hidden("--proxy $bad", run('http-get', '--proxy', $bad, 'http://h/'),
        qr/--proxy: /);
    hidden("http_proxy $bad", run({ env => { http_proxy => $bad } },
        'http-get', 'http://h/'), qr/http_proxy/);
}

# What is sent and received.
my $to = 'http://me:secret@127.0.0.1:1/x';
for my $flags ([], ['-L'], ['--json'], ['-v', '--json'], ['-v', '-L'], ['-vv']) {
    my $r = get([answer('302 Go', '', "Location: $to")], '/', @$flags,
        '-u', 'me:secret', '-H', 'Cookie: a=secret', '-H',
        'Proxy-Authorization: secret');
    hidden("a redirect, @$flags", $r, qr/127\.0\.0\.1(?: port |:)1\b/);
    like $r->{asked}, qr/\r\nCookie: a=secret\r\n/, '  it is sent';
    like $r->{err}, qr{^Location: http://\.\.\.\@127\.0\.0\.1:1/x\r?$}m,
        '  the header is shown without it' if "@$flags" !~ /json/;
    like $r->{err}, qr/^> Authorization: \.\.\.$/m, '  and the request'
        if "@$flags" =~ /\A-v(?:v| -L)\z/;
}
# Fields and credentials from files, which ps does not show.
my $folder = scratch();
sub secret_file {
    my ($text, $mode) = @_;
    chmod $mode // 0600, spew("$folder/secrets", $text);
    return "\@$folder/secrets";
}
for my $text ("X-A: 1\nCookie: a=b\n", "X-A: 1\r\nCookie: a=b") {
    exits get(answer('200 OK', 'x'), '/', '-q', '-H', 'X-0: 0', '-H', secret_file($text),
        '-H', 'X-B: 2'), '0 x', '-H @FILE', err => '',
        asked => qr/\r\nX-0: 0\r\nX-A: 1\r\nCookie: a=b\r\nX-B: 2\r\n/;
}
exits get(answer('200 OK', 'x'), '/', '-q', '-u', secret_file("me:pw\nmore\n")), '0 x',
    '-u @FILE', err => '', asked => qr/\r\nAuthorization: Basic bWU6cHc=\r\n/;
for my $flag ('-H', '-u') {
    exits get(answer('200 OK', 'x'), '/', $flag, secret_file("A: b\n", 0644)), '0 x',
        "$flag: a file that others can read", err => qr/other users can read \S+secrets/;
    exits run('http-get', $flag, "\@$folder/none", 'http://h/'), 11, "$flag: there is no file",
        err => qr/: reading \S+none: no such file/;
    exits run('http-get', $flag, "\@$folder", 'http://h/'), 11, "$flag: a folder";
}
for my $case (["A: b\n\nC: d\n", qr/a line of \S+secrets is not/], ["\n", qr/a line of \S+secrets is not/],
    ['', qr/a line of \S+secrets is not/], ["A: b\0", qr/secrets is not a text: it has a NUL byte/], ["A: b\nsesame\n", qr/a line of/],
    ["A: b\rX: y\n", qr/control byte/], ['A: ' . 'x' x 70000, qr/the files of --header and --user have more than 65536 bytes/]) {
    my ($text, $why) = @$case;
    my $r = run('http-get', '-H', secret_file($text), 'http://h/');
    exits $r, 2, '-H @FILE, ' . substr($text, 0, 10) =~ s/\W/./gr . ' is wrong usage', err => $why,
        no_err => qr/sesame/;
}
exits run('http-get', '-u', secret_file($_), 'http://h/'), 2, '-u @FILE without a password',
    err => qr/--user: the password is missing/ for '', "\n", "me\n:pw\n";
POSIX::mkfifo("$folder/fifo", 0600) or die $!;
exits run('http-get', '-m', '0.2', '-H', "\@$folder/fifo", 'http://h/'), 5,
    '-H @FILE: a FIFO that nobody writes to', err => qr/stopped after 0\.2 s .*fifo/;
open my $fifo, '-|', 'echo me:pw' or die $!;
exits run({ stdin => $fifo, command => 'sh' }, '-c', "'" . sockt() . "' http-get -q -u \@/dev/stdin "
    . http_server(answer('200 OK', 'x'))->{url}), '0 x', '-u @FILE: a pipe';

# Credentials in the URLs of any field; what else there is stays.
for my $case (
    ['Content-Location: http://me:secret@h/x', 'Content-Location: http://...@h/x'],
    ['Content-Location: //me:secret@h/x', 'Content-Location: //...@h/x'],
    ['Refresh: 0; url=http://me:secret@h/?a=b', 'Refresh: 0; url=http://...@h/?a=b'],
    ['Refresh: 0;url=//me:secret@h/', 'Refresh: 0;url=//...@h/'],
    ['Link: <http://me:secret@h/a>; rel=next, <//u:secret@h/b>, <mailto:a@b>',
        'Link: <http://...@h/a>; rel=next, <//...@h/b>, <mailto:a@b>'],
    ['X-Odd: "ftp://me:secret@secret@h/" a@b', 'X-Odd: "ftp://...@h/" a@b'],
    ['Location: /login?to=http://me:secret@h/', 'Location: /login?to=http://...@h/'],
    ['Location: http:me:secret@h/', 'Location: ...@h/'],
    ['Location: http://me:secret secret@h/', 'Location: http://...@h/'],
    ['Location: /login?to=//me:secret@h/', 'Location: /login?to=//...@h/'],
    ['Refresh: 0; url=http:me:secret@h/', 'Refresh: 0; url=http:...@h/'],
    ['Refresh: 0; url=http://me:secret secret@h/', 'Refresh: 0; url=http://...@h/'],
    ['Refresh: 0; url=//me secret:secret@h/', 'Refresh: 0; url=//...@h/'],
    ['Link: <HTTPS:/me:secret@h/a>; rel=next, <http:h>, <mailto:a@b>',
        'Link: <HTTPS:/...@h/a>; rel=next, <http:h>, <mailto:a@b>'],
    ['Set-Cookie: id=visible; domain=a', 'Set-Cookie: id=visible; domain=a'],
    ['Set-Cookie: to=//me:secret@h/', 'Set-Cookie: to=//...@h/'],
    ['Empty: //@h//', 'Empty: //...@h//'],
) {
    my ($field, $shown) = @$case;
    my $r = get(answer('200 OK', 'x', $field), '/');
    like $r->{err}, qr/^\Q$shown\E\r$/m, "$field: its credentials are not shown";
    unlike $r->{err}, qr/secret/, '  anywhere';
}
like get(answer('200 OK', 'x'), '/', '-v', '-H', 'Referer: http://me:secret@h/')->{err},
    qr{^> Referer: http://\.\.\.\@h/$}m, 'nor those in a field of the request';
hidden('a malformed field', get("HTTP/1.1 200 OK\r\nLocation : http://me:secret\@h/\r\n\r\n",
    '/'), qr/whitespace in a field name: 'Location : \.\.\.'/);
like get(answer('200 OK', 'x', 'X-At: a@b', 'Location: /a@b'), '/', '-i')->{out},
    qr{\r\nX-At: a\@b\r\nLocation: /a\@b\r\n}, 'a result is as it came';

done_testing;
