# Redirects: which are followed, whereto, how many, and what is not sent there.
use Sockt;
use MIME::Base64 qw(encode_base64);
use SocktHttp;

sub to { my ($status, $where) = @_; return answer("$status Go", 'no', "Location: $where") }

for my $status (301, 302, 303, 307, 308) {
    my $r = get([to($status, '/b'), answer('200 OK', 'yes')], '/a', '-L');
    exits $r, 0, "$status, only the last body is written", out => 'yes';
    my @requests = requests($r->{server});
    like $requests[1], qr{\AGET /b }, "$status: a GET stays one";
}
for my $status (300, 304, 305) {
    my $r = get([to($status, '/b')], '/a', '-L', '-q');
    is scalar(requests($r->{server})), 1, "$status is not followed";
}
exits get([to(301, '/b')], '/a'), 8,
    'without -L a redirect is not what was asked for', out => '';
my $r = get([to(301, '/b')], '/a', '--fail-with-body');
is $r->{out}, 'no', 'but with --fail-with-body';
is scalar(requests($r->{server})), 1, 'and nothing else is asked for';
like $r->{err}, qr{/a: redirected to http://\S+/b \(301\); not followed \(--location follows it\)\n\z},
    'where it leads';
my $dir = scratch();
$r = get([to(301, '/b')], '/a', '-o', "$dir/file");
is $r->{status}, 8, '-o: it is not what was asked for';
ok !-e "$dir/file", '-o: and not the file';
is_deeply [glob "$dir/*"], [], '-o: nothing is left';

$r = get([to(302, '../c?d#e'), answer('200 OK', 'yes')], '/x/y/z', '-L');
like +(requests($r->{server}))[1], qr{\AGET /x/c\?d }, 'a relative one';
$r = get([to(302, '?q'), answer('200 OK', 'yes')], '/x/y', '-L');
like +(requests($r->{server}))[1], qr{\AGET /x/y\?q }, 'a query alone';

# The limit.
exits get([map { to(302, "/$_") } 1 .. 4], '/', '-L', '--max-redirs', 3, '-q'),
    9, 'too many', err => qr{redirected more than 3 times; .*/4\n};
$r = get([to(302, '/b')], '/a', '-L', '--max-redirs', 0, '-q');
is $r->{status}, 9, 'none at all';

# The server names what only fits without the user's own fields.
$r = get([to(302, '/' . 'b' x 8000), 'unused'], '/a', '-L', '-q', '-H',
    'X: ' . 'x' x 58_000);
exits $r, 1, 'to a URL that makes the request too long: status',
    err => qr{/b+\S*: the request is longer than 65536 bytes\n\z};
is scalar(requests($r->{server})), 1, 'it is not sent';
$r = get([], '/' . 'b' x 8000, '-q', '-H', 'X: ' . 'x' x 58_000);
is $r->{status}, 2, 'which is wrong usage where the user names it';

# To another origin.
my $other = http_server([answer('200 OK', 'yes')]);
$r = get([to(302, "$other->{url}/b")], '/a', '-L', '-u', 'me:secret',
    '-H', 'Cookie: a=b', '-H', 'X-Own: c');
is $r->{out}, 'yes', 'another origin';
my ($first) = requests($r->{server});
like $first, qr/\r\nAuthorization: Basic bWU6c2VjcmV0\r\n/, 'credentials';
like $first, qr/\r\nCookie: a=b\r\nX-Own: c\r\n/, 'own fields';
my ($second) = requests($other);
unlike $second, qr/Authorization|Cookie|X-Own/, 'neither is sent there';
like $second, qr/\r\nHost: 127\.0\.0\.1:$other->{port}\r\n/, 'its own Host';

$r = get([to(302, '/b'), answer('200 OK', 'yes')], '/a', '-L',
    '-u', 'me:secret');
like +(requests($r->{server}))[1], qr/Authorization/, 'the same origin';

$r = get([to(302, 'ftp://localhost/')], '/', '-L', '-q');
is $r->{status}, 1, 'another scheme has a status of its own';
like $r->{err}, qr/redirected: .*only http/, 'what is said';
exits get([to(302, 'file://me:secret@/etc/passwd')], '/', '-q'), 8,
    'another scheme, without -L',
    err => qr{: redirected to \Qfile://...@/etc/passwd\E \(302\); not foll};
$r = get([to(302, 'file:///etc/passwd')], '/', '-q');
like $r->{err}, qr{: redirected to file:///etc/passwd \(302\)}, 'as it came';
$r = get([to(302, 'file:///etc/passwd')], '/', '-q', '-L');
like $r->{err}, qr{URL 'file:///etc/passwd': only http}, '  with -L, too';
$r = get([to(302, "http://a\0b/")], '/', '-L', '-q');
is $r->{status}, 9, 'a malformed Location';
exits get([answer('302 Go', 'no')], '/', '-L', '-q'), 8,
    'without a Location, no body', out => '';
my $long = 'http://127.0.0.1/' . 'b' x 9000;
for my $flags ([], ['-L'], ['-L', '-I']) {
    exits get([to(301, $long) =~ s/no\z//r], '/', '-q', @$flags), 8,
        "a Location that is too long, @$flags",
        err => qr/the server answered 301 Go; its Location is too long\n\z/;
}
for my $status (300, 301, 304, 307) {
    $r = get("HTTP/1.1 $status Odd\r\n\r\n", '/', '-q', '-L', '-I');
    is $r->{status}, 8, "-L -I: $status that leads nowhere: exit status";
}
for my $status ('300 Choose', '302 Go', '304 Same', '399 Odd') {
    for my $file ([], ['-o', "$dir/3xx"]) {
        $r = get("HTTP/1.1 $status\r\n\r\n", '/', '-L', '-q', @$file);
        is $r->{status}, 8, "$status that leads nowhere, @$file: exit status";
        like $r->{err}, qr{/: the server answered $status\n\z}, '  what is said';
    }
}
ok !-e "$dir/3xx", 'there is no file';
$r = get([to(302, '/b')], '/a', '-I', '-q');
is $r->{status}, 0, 'with -I the header is what was asked for';

# Credentials belong to an origin: those of the first URL go nowhere else, and
# those in a Location are the ones that it is asked with.
# The credentials of each request of a server, '-' for none.
sub users {
    return join ' ', map {
        /^Authorization: Basic (\S+)/m ? MIME::Base64::decode($1) : '-'
    } requests($_[0]);
}

# A URL of the server with credentials in it.
sub with { my ($s, $user, $path) = @_; return $s->{url} =~ s{//}{//$user@}r . $path }

$second = http_server([answer('200 OK', 'yes')]);
$r = get([to(302, with($second, 'b:2', '/x'))], '/', '-q', '-L', '-u', 'a:1');
is $r->{out}, 'yes', 'another origin';
is users($r->{server}), 'a:1', 'the first is asked with its own';
is users($second), 'b:2', 'the second with those of the Location';

$second = http_server([to(302, '/y'), answer('200 OK', 'yes')]);
$r = get([to(302, with($second, 'b:2', '/x'))], '/', '-q', '-L', '-u', 'a:1');
is users($second), 'b:2 b:2', 'which its own origin is asked with again';

my $third = http_server([answer('200 OK', 'yes')]);
$second = http_server(to(302, "$third->{url}/z"));
$r = get([to(302, with($second, 'b:2', '/x'))], '/', '-q', '-L', '-u', 'a:1');
is users($third), '-', 'and no other one';

my $s = http_server(sub {
        my ($c, $head) = @_;
        my ($host) = $head =~ /^Host: (\S+)/m;
        syswrite $c, to(302, "http://b:2\@$host/x");
    }, answer('200 OK', 'yes'));
$r = run('http-get', '-q', '-L', with($s, 'a:1', '/'));
is $r->{out}, 'yes', 'the same origin';
is users($s), 'a:1 b:2', 'those of the Location there too';

$r = get([to(302, '/b'), answer('200 OK', 'yes')], '/', '-q', '-L', '-u', 'a:1');
is users($r->{server}), 'a:1 a:1', 'a Location without any keeps them';
$s = http_server([to(302, '/b'), answer('200 OK', 'yes')]);
$r = run('http-get', '-q', '-L', '-u', 'c:3', with($s, 'a:1', '/'));
is users($s), 'c:3 c:3', '--user stands in for those in the URL throughout';

# HTTP proxies are sent the absolute form; what the environment says. SOCKS and
# handshakes are rows of connect_proxy.
my $page = answer('200 OK', 'page');

# An HTTP proxy is sent the request itself.
$s = http_server($page);
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
$r = run('http-get', '--proxy', "http://me:wrong\@127.0.0.1:$s->{port}",
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
