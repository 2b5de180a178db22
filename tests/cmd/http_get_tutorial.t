# The HTTP client of the tutorials: GET with Host and Connection: close, the
# header to stderr, the body byte for byte to stdout or to a file.
use Sockt;
use SocktHttp;
use Cwd qw(getcwd);

my $body = join '', map { chr } 0 .. 255, reverse 0 .. 255;
my $head = "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\nContent-Length: 512\r\n\r\n";
my $dir = scratch();

my $r = get($head . $body, '/a/b?c=d#e');
exits $r, 0, 'the body goes to stdout byte for byte, the header to stderr as it came',
    out => $body, err => $head,
    asked => [qr{\AGET /a/b\?c=d HTTP/1\.1\r\n},
    qr{\r\nHost: 127\.0\.0\.1:$r->{server}{port}\r\n},
    qr{\r\nConnection: close\r\n}, qr{\r\nAccept-Encoding: identity\r\n}];
exits get($head . $body, '/', '-o', "$dir/file"), '0 ',
    '-o, nothing on stdout, the body is in the file', err => $head,
    file => ["$dir/file", $body];
exits get($head . $body, '/', '-i', '-q'), 0,
    '-i: the header is in front of the body, -i -q: nothing on stderr',
    out => $head . $body, err => '';
exits get("HTTP/1.0 200 OK\r\nA: b\r\n  c\r\nD: e\r\n\r\nbody", '/', '-iq'),
    "0 HTTP/1.0 200 OK\r\nA: b c\r\nD: e\r\n\r\nbody", 'a folded line is printed joined';
exits get($head, '/', '-I'), "0 $head",
    '-I: a header is a whole answer, it goes to stdout', asked => qr{\AHEAD / HTTP};
exits get($head . $body, '/', '-o', '-'), "0 $body", '-o - is stdout';

if (has_ipv6()) {
    my $s = http_server({ host => '::1' }, $head . $body);
    exits run('http-get', "$s->{url}/"), 0, 'IPv6';
    like slurp($s->{log}), qr{\r\nHost: \[::1\]:$s->{port}\r\n}, 'Host in brackets';
}

my $s = http_server($head . $body);
exits run('http-get', "127.0.0.1:$s->{port}"), 0, 'http:// may be left out';

# http-get -v shows the request as it is sent, line by line, escaped.
# The lines "> ..." of a run.
sub shown {
    my ($r) = @_;
    return join "\r\n", map({ /^> (.*)/ ? $1 : () } split /\n/, $r->{err}), '';
}

my $page = answer('200 OK', 'body');
$r = get($page, '/a?b', '-v', '-H', 'X-Test: yes');
exits $r, '0 body', 'its first line; its end, then the response',
    err => [qr/^> GET \/a\?b HTTP\/1\.1\n/m, qr/^> \nHTTP\/1\.1 200 OK\r?\n/m];
is shown($r), $r->{asked}, 'the request is shown as it is sent';
exits get($page, '/', '-v', '-H', "X-Test: \xc2\x9b"), 0,
    'control characters are escaped', err => qr/^> X-Test: \\xc2\\x9b\n/m;
is join(' ', get([answer('302 Found', '', 'Location: /b'), $page], '/', '-vL')->{err}
    =~ /^> GET (\S+)/mg), '/ /b', 'each request';
exits get($page, '/', @$_), 0, "not with '@$_'", no_err => qr/^>/m
    for [], ['-q'], ['-v', '--json'];

# Names: what -O may call a file, and where it lands.
my $home = getcwd;
$dir = scratch();
chdir $dir or die $!;

# Fetches and returns the names of the files that came into being.
sub names {
    my ($path, $fields, @args) = @_;
    unlink glob '{*,.??*}';
    my $r = get(answer('200 OK', 'x', @$fields), $path, '-q', '-O', @args);
    exits $r, 0, $path;
    opendir my $d, '.' or die $!;
    return join ' ', sort grep { !/^\.\.?$/ } readdir $d;
}

for my $case (
    ['/a/b.txt'       => 'b.txt'], ['/b.txt?c=/d#e' => 'b.txt'],
    ['/a%20b'         => 'a b'],   ['/a%2Fb'        => 'a_b'],
    ['/..%2f..%2fetc' => '_._.._etc'],
    ['/.bashrc'       => '_bashrc'], ['/%2e%2e'     => '_.'],
    ['/-rf'           => '_rf'],   ['/a%1b%5bb'     => 'a_[b'],
    ['/%c3%a4'        => "\xc3\xa4"], ['/%ff'       => '_'],
    ['/a%e2%80%aegpj.exe' => 'a_gpj.exe'],
    ['/%c2%9bx'       => '_x'],    ['/a%5cb'        => 'a_b'],
    ['/' . 'n' x 300  => 'n' x 239],
) {
    is names($case->[0], []), $case->[1],
        'its name';
}

is names('/url', ['Content-Disposition: attachment; filename="b"']), 'url',
    'the response names nothing';

chdir $home;

done_testing;
