# HTTP proxies are sent the absolute form; what the environment says. SOCKS and
# handshakes are rows of connect_proxy.
use Sockt;
use SocktHttp;

my $page = answer('200 OK', 'page');

# An HTTP proxy is sent the request itself.
my $s = http_server($page);
my $proxy = "http://127.0.0.1:$s->{port}";
exits run('http-get', '--proxy', $proxy, 'http://name.test:81/a?b#c'), 0,
    'HTTP proxy, body', out => 'page';
my ($request) = requests($s);
like $request, qr{\AGET http://name\.test:81/a\?b HTTP/1\.1\r\n},
    'absolute form';
like $request, qr{\r\nHost: name\.test:81\r\n}, 'Host is the target';
unlike $request, qr/Proxy-Authorization/, 'no credentials';

$s = http_server($page);
run('http-get', '--proxy', "http://me:secret\@127.0.0.1:$s->{port}",
    'http://name.test/');
($request) = requests($s);
like $request, qr{\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n},
    'credentials';

$s = http_server(answer('407 Auth', 'who?', 'Proxy-Authenticate: Basic'));
exits run('http-get', '--proxy', "http://127.0.0.1:$s->{port}",
    'http://name.test/'), 8, '407, it is the proxy that wants a password',
    err => qr/the HTTP proxy 127\.0\.0\.1 port \d+ \(--proxy\): declined: 407/;
$s = http_server(answer('407 Auth', 'who?', 'Proxy-Authenticate: Basic'));
my $r = run('http-get', '--proxy', "http://me:wrong\@127.0.0.1:$s->{port}",
    'http://name.test/');
like $r->{err}, qr/declined: 407, it wants another user and password$/,
    'another one than it was sent';

my $port = free_port();
$r = run('http-get', '--proxy', "127.0.0.1:$port", 'http://name.test/');
is $r->{status}, 4, 'no proxy there';
like $r->{err}, qr/reaching the HTTP proxy|127\.0\.0\.1 port $port/, 'named';

# The environment.
sub by_env {
    my ($env, $url, $name) = @_;
    my $server = http_server($page);
    $_ =~ s/PORT/$server->{port}/g for values %$env, $url;
    exits run({ env => $env }, 'http-get', $url), 0, "$name";
    my ($got) = requests($server);
    return $got;
}
like by_env({ http_proxy => 'http://127.0.0.1:PORT' }, 'http://name.test/',
    'http_proxy'), qr{\AGET http://name\.test/}, 'http_proxy is used';
like by_env({ HTTP_PROXY => 'http://127.0.0.1:9' }, 'http://127.0.0.1:PORT/',
    'HTTP_PROXY'), qr{\AGET / }, 'HTTP_PROXY is not';
for my $list ('*', '127.0.0.1', 'x, 127.0.0.0/8', '127.0.0.1:PORT') {
    like by_env({ http_proxy => 'http://127.0.0.1:9', NO_PROXY => $list },
        'http://127.0.0.1:PORT/', "NO_PROXY=$list"), qr{\AGET / },
        "NO_PROXY=$list counts likewise";
    like by_env({ http_proxy => 'http://127.0.0.1:9', no_proxy => $list },
        'http://127.0.0.1:PORT/', "no_proxy=$list"), qr{\AGET / },
        'it is asked directly';
}
$r = run({ env => { http_proxy => 'x y://' } }, 'http-get', 'http://a/');
is $r->{status}, 2, 'a malformed http_proxy';

misused 'http-get', qr/--proxy/ => [map { ['--proxy', $_, 'http://a/'] } '', 'https://a',
    'socks5://', 'http://a:0'];

done_testing;
