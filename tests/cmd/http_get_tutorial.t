# The HTTP client of the tutorials: GET with Host and Connection: close, the
# header to stderr, the body byte for byte to stdout or to a file.
use Sockt;
use SocktHttp;
use Cwd qw(getcwd);

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

# http-get -v shows the request as it is sent, line by line, escaped.
# The lines "> ..." of a run.
sub shown {
    my ($r) = @_;
    return join "\r\n", map({ /^> (.*)/ ? $1 : () } split /\n/, $r->{err}), '';
}

$r = get(answer('200 OK', 'body'), '/a?b', '-v', '-H', 'X-Test: yes');
is $r->{out}, 'body', 'the body is on stdout';
is shown($r), (requests($r->{server}))[0], 'the request is shown as it is sent';
like $r->{err}, qr/^> GET \/a\?b HTTP\/1\.1\n/m, 'its first line';
like $r->{err}, qr/^> \nHTTP\/1\.1 200 OK\r?\n/m, 'its end, then the response';
$r = get(answer('200 OK', 'body'), '/', '-v', '-H', "X-Test: \xc2\x9b");
like $r->{err}, qr/^> X-Test: \\xc2\\x9b\n/m, 'control characters are escaped';
$r = get([answer('302 Found', '', 'Location: /b'), answer('200 OK', 'x')], '/',
    '-vL');
is join(' ', $r->{err} =~ /^> GET (\S+)/mg), '/ /b', 'each request';
for my $options ([], ['-q'], ['-v', '--json']) {
    $r = get(answer('200 OK', 'body'), '/', @$options);
    unlike $r->{err}, qr/^>/m, "not with '@$options'";
}

# Names: what -O may call a file, and where it lands.
my $home = getcwd;
$dir = scratch();
chdir $dir or die $!;

# Fetches and returns the names of the files that came into being.
sub names {
    my ($path, $fields, @args) = @_;
    unlink glob '{*,.??*}';
    my $r = get(answer('200 OK', 'x', @$fields), $path, '-q', '-O', @args);
    is $r->{status}, 0, "$path: exit status" or diag $r->{err};
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

unlink glob '*';
symlink 'elsewhere', 'link.part' or die $!;
$r = get(answer('200 OK', 'x'), '/link', '-q', '-O');
is $r->{status}, 11, 'a link that was laid in its way is not followed';
ok !-e 'elsewhere', 'nothing is written there';

chdir $home;

done_testing;
