# --via: a program carries the requests, and how it ends counts where the body
# ends with the connection.
use Sockt;
use SocktHttp;

delete @ENV{qw(http_proxy no_proxy NO_PROXY)};
my $page = answer('200 OK', 'page');
my $open = "HTTP/1.1 200 OK\r\n\r\nhello";
my $connect = "'" . sockt() . "' connect -q --on-peer-eof quit %h %p";

my $s = http_server($page);
my $r = run('http-get', '-q', '--via', $connect, "$s->{url}/x");
is "$r->{status} $r->{out}", '0 page', 'exit status and body';
like +(requests($s))[0], qr{\AGET /x HTTP/1\.1\r\nHost: 127\.0\.0\.1:$s->{port}\r\n},
    'the request';
$s = http_server([$page, $page]);
$r = run('http-get', '-v', '--via', $connect, $s->{url}, $s->{url});
is "$r->{status} $r->{out}", '0 pagepage', 'two files';
is scalar(() = $r->{err} =~ /the connection is kept/g), 1, 'one connection';
$s = http_server([answer('302 Go', '', 'Location: /n'), $page]);
$r = run('http-get', '-q', '-L', '--via', $connect, $s->{url});
is $r->{out}, 'page', 'a redirect';
$s = http_server($page);
$r = run({ env => { http_proxy => 'http://127.0.0.1:9' } }, 'http-get', '-q',
    '--via', $connect, $s->{url});
is $r->{out}, 'page', 'http_proxy is not used with it';

# How the program ends.
$s = http_server($open);
$r = run('http-get', '-q', '--via', $connect, $s->{url});
is "$r->{status} $r->{out}", '0 hello', 'a body without a length';
$s = http_server($open);
exits run('http-get', '-q', '--via', "$connect; echo too bad >&2; exit 3",
    $s->{url}), '10 hello', 'a program that fails then, its reason',
    err => qr/after 5 bytes of the body: .*too bad/;
$s = http_server($page);
$r = run('http-get', '-q', '--via', "$connect; exit 3", $s->{url});
is "$r->{status} $r->{out}", '0 page', 'which a declared length outweighs';
$r = run('http-get', '-q', '--via', 'echo no route >&2; exit 1',
    'http://name.test/');
isnt $r->{status}, 0, 'a program that fails at once';
like $r->{err}, qr/\Asockt http-get: http:\/\/name\.test\/: .*no route/,
    'and its reason';
$s = http_server('', $page);
$r = run('http-get', '-q', '--retry-for', 20, '--via', $connect, $s->{url});
is $r->{out}, 'page', '--retry-for';

for (['--proxy', 'socks5://127.0.0.1'], ['-4'], ['-s', '127.0.0.1'],
    ['--keepalive']) {
    $r = run('http-get', '--via', $connect, @$_, 'http://localhost/');
    is $r->{status}, 2, "--via and $_->[0]";
}
$r = run('http-get', '--via', 'cat %x', 'http://localhost/');
is $r->{status}, 2, 'a percent sign that means nothing';

done_testing;
