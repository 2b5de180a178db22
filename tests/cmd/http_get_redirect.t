# Redirects: which are followed, whereto, how many, and what is not sent there.
use Sockt;
use MIME::Base64 qw(encode_base64);
use SocktHttp;

sub to { my ($status, $where) = @_; return answer("$status Go", 'no', "Location: $where") }

for my $status (301, 302, 303, 307, 308) {
    exits get([to($status, '/b'), answer('200 OK', 'yes')], '/a', '-L'), '0 yes',
        "$status, only the last body is written, a GET stays one",
        asked => qr{\r\n\r\nGET /b };
}
for my $status (300, 304, 305) {
    exits get([to($status, '/b')], '/a', '-L', '-q'), 8, "$status is not followed",
        no_asked => qr/GET .*GET /s;
}
exits get([to(301, '/b')], '/a'), 8,
    'without -L a redirect is not what was asked for', out => '';
exits get([to(301, '/b')], '/a', '--fail-with-body'), '8 no',
    'but with --fail-with-body, and nothing else is asked for; where it leads',
    no_asked => qr/GET .*GET /s,
    err => qr{/a: redirected to http://\S+/b \(301\); not followed \(--location follows it\)\n\z};
my $dir = scratch();
exits get([to(301, '/b')], '/a', '-o', "$dir/file"), 8,
    '-o: it is not what was asked for, and not the file', file => ["$dir/file", undef];

exits get([to(302, '../c?d#e'), answer('200 OK', 'yes')], '/x/y/z', '-L'), '0 yes',
    'a relative one', asked => qr{\r\n\r\nGET /x/c\?d };
exits get([to(302, '?q'), answer('200 OK', 'yes')], '/x/y', '-L'), '0 yes',
    'a query alone', asked => qr{\r\n\r\nGET /x/y\?q };

# The limit.
exits get([map { to(302, "/$_") } 1 .. 4], '/', '-L', '--max-redirs', 3, '-q'),
    9, 'too many', err => qr{redirected more than 3 times; .*/4\n};
exits get([to(302, '/b')], '/a', '-L', '--max-redirs', 0, '-q'), 9, 'none at all';

# The server names what only fits without the user's own fields.
my @long = ('-q', '-H', 'X: ' . 'x' x 58_000);
exits get([to(302, '/' . 'b' x 8000), 'unused'], '/a', '-L', @long), 1,
    'to a URL that makes the request too long: it is not sent',
    err => qr{/b+\S*: the request is longer than 65536 bytes\n\z},
    no_asked => qr/GET .*GET /s;
exits get([], '/' . 'b' x 8000, @long), 2,
    'which is wrong usage where the user names it';

# To another origin.
my $other = http_server([answer('200 OK', 'yes')]);
exits get([to(302, "$other->{url}/b")], '/a', '-L', '-u', 'me:secret',
    '-H', 'Cookie: a=b', '-H', 'X-Own: c'), '0 yes',
    'another origin; credentials and own fields of the first',
    asked => [qr/\r\nAuthorization: Basic bWU6c2VjcmV0\r\n/,
    qr/\r\nCookie: a=b\r\nX-Own: c\r\n/];
my ($second) = requests($other);
unlike $second, qr/Authorization|Cookie|X-Own/, 'neither is sent there';
like $second, qr/\r\nHost: 127\.0\.0\.1:$other->{port}\r\n/, 'its own Host';

for my $case (
    ['another scheme has a status of its own', 1, 'ftp://localhost/', ['-L'],
        qr/the Location it redirects to: .*only http/],
    ['another scheme, without -L', 8, 'file://me:secret@/etc/passwd', [],
        qr{: redirected to \Qfile://...@/etc/passwd\E \(302\); not foll}],
    ['as it came', 8, 'file:///etc/passwd', [],
        qr{: redirected to file:///etc/passwd \(302\)}],
    ['  with -L, too', 1, 'file:///etc/passwd', ['-L'],
        qr{URL 'file:///etc/passwd': only http}],
    ['a malformed Location', 9, "http://a\0b/", ['-L'], qr/./]) {
    my ($name, $status, $where, $flags, $why) = @$case;
    exits get([to(302, $where)], '/', '-q', @$flags), $status, $name, err => $why;
}
exits get([answer('302 Go', 'no')], '/', '-L', '-q'), 8,
    'without a Location, no body', out => '';
my $long = 'http://127.0.0.1/' . 'b' x 9000;
for my $flags ([], ['-L'], ['-L', '-I']) {
    exits get([to(301, $long) =~ s/no\z//r], '/', '-q', @$flags), 8,
        "a Location that is too long, @$flags",
        err => qr/the server answered 301 Go; its Location is too long\n\z/;
}
for my $status ('300 Choose', '302 Go', '304 Same', '307 Odd', '399 Odd') {
    exits get("HTTP/1.1 $status\r\n\r\n", '/', '-L', '-q', @$_), 8,
        "$status that leads nowhere, @$_", file => ["$dir/3xx", undef],
        err => qr{/: the server answered $status\n\z} for [], ['-I'], ['-o', "$dir/3xx"];
}
exits get([to(302, '/b')], '/a', '-I', '-q'), 0,
    'with -I the header is what was asked for';

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

my $third = http_server(answer('200 OK', 'yes'));
$second = http_server([to(302, '/y'), to(302, "$third->{url}/z")]);
my $r = get(to(302, with($second, 'b:2', '/x')), '/', '-q', '-L', '-u', 'a:1');
is $r->{out}, 'yes', 'another origin';
is users($r->{server}), 'a:1', 'the first is asked with its own';
is users($second), 'b:2 b:2',
    'the second with those of the Location, which it is asked with again';
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

# Credentials without "//", or with a blank, are neither shown nor sent elsewhere.
for my $flags (['-v'], ['-vv'], ['--json', '-v'], ['-v', '-I']) {
    for my $location ('http:me:sesame@127.0.0.1:1/', 'me_too:sesame@127.0.0.1:1/',
        'me too:sesame@127.0.0.1:1/', '\\\\me:sesame@127.0.0.1:1/') {
        my $r = get(to(302, $location), '/', '-L', @$flags);
        exits $r, 9, "@$flags -L, $location", err => qr/the Location it redirects to/,
            no_err => qr/sesame/;
        is scalar(requests($r->{server})), 1, '  it is not followed';
    }
    for my $form ('http://b:sesame 2@', '//b:sesame 2@') {
        my $last = http_server(answer('200 OK', 'yes'));
        my $next = http_server(to(302, "$last->{url}/z"));
        my $r = get(to(302, "${form}127.0.0.1:$next->{port}/x"), '/', '-L', '-u', 'a:1', @$flags);
        exits $r, 0, "@$flags -L, $form", no_err => qr/sesame/;
        is join(', ', map { users($_) } $r->{server}, $next, $last), 'a:1, b:sesame 2, -',
            '  each origin is sent what is its own';
    }
}

# --connect-to: another server for the origin of the URL.
sub connect_to { return ('--connect-to', "127.0.0.1:$_[0]{port}") }
my $kept = http_server([to(302, '/n'), answer('200 OK', 'yes')]);
exits run('http-get', '-q', '-L', connect_to($kept), 'http://name.test:81/a'), '0 yes',
    '--connect-to: the URL and a redirect to its origin';
is join(' ', map { join ' ', m{^GET (\S+)}, m{^Host: (\S+)}m } requests($kept)),
    '/a name.test:81 /n name.test:81', '  on one connection, with its Host';
my $next = http_server(answer('200 OK', 'next'));
my $moved = http_server(to(302, "$next->{url}/n"));
exits run('http-get', '-q', '-L', connect_to($moved), 'http://name.test/'), '0 next',
    '  another origin is connected to as it says';
$moved = http_server(to(302, 'http://127.0.0.1:' . free_port() . '/'));
exits run('http-get', '-q', '-L', connect_to($moved), 'http://name.test/'), 4, '  whatever it is';
my $two = http_server(answer('200 OK', 'a'), answer('200 OK', 'b'));
exits run('http-get', '-q', connect_to($two), 'http://a.test/', 'http://b.test/'), '0 ab',
    '  two origins have a connection each';
my $asked = http_server(answer('502 No', ''));
run('http-get', '-q', '--proxy', $asked->{url}, connect_to($kept), 'http://name.test/');
like slurp($asked->{log}), qr{\ACONNECT 127\.0\.0\.1:$kept->{port} HTTP/1\.1\r\n},
    '  an HTTP proxy is asked to connect there';
$two = http_server(answer('200 OK', 'v'));
exits run('http-get', '-q', connect_to($two), '--via', "'" . sockt() . "' connect %h %p",
    'http://name.test/'), '0 v', '  and so is a program';
misused 'http-get', qr/--connect-to/ => [map { ['--connect-to', $_, 'http://a/'] } '', 'a', 'a:0',
    'unix:/x', '[a]:1', 'a:b:1'], qr/--unix/ => '--connect-to a:1 --unix /x http://a/';

# HTTP proxies are sent the absolute form; what the environment says. SOCKS and
# handshakes are rows of connect_proxy.
my $page = answer('200 OK', 'page');

# An HTTP proxy is sent the request itself.
sub by_proxy {
    my ($answer, $user) = @_;
    my $s = http_server($answer);
    my $r = run('http-get', '--proxy', with($s, $user, '') =~ s{//@}{//}r,
        'http://name.test:81/a?b#c');
    return { %$r, asked => slurp($s->{log}) };
}
exits by_proxy($page, ''), '0 page',
    'HTTP proxy, body: absolute form, Host is the target, no credentials',
    asked => [qr{\AGET http://name\.test:81/a\?b HTTP/1\.1\r\n},
    qr{\r\nHost: name\.test:81\r\n}], no_asked => qr/Proxy-Authorization/;
exits by_proxy($page, 'me:secret'), '0 page', 'credentials',
    asked => qr{\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n};
my $who = answer('407 Auth', 'who?', 'Proxy-Authenticate: Basic');
exits by_proxy($who, ''), 8, '407, it is the proxy that wants a password',
    err => qr/the HTTP proxy 127\.0\.0\.1 port \d+ \(--proxy\): declined: 407/;
exits by_proxy($who, 'me:wrong'), 8, 'another one than it was sent',
    err => qr/declined: 407, it wants another user and password$/;

# The environment.
sub by_env {
    my ($env, $url, $name) = @_;
    my $server = http_server($page);
    $_ =~ s/PORT/$server->{port}/g for values %$env, $url;
    exits run({ env => $env }, 'http-get', $url), 0, $name;
    return slurp($server->{log});
}
like by_env({ http_proxy => 'http://127.0.0.1:PORT' }, 'http://name.test/',
    'http_proxy'), qr{\AGET http://name\.test/}, 'http_proxy is used';
like by_env({ HTTP_PROXY => 'http://127.0.0.1:9' }, 'http://127.0.0.1:PORT/',
    'HTTP_PROXY'), qr{\AGET / }, 'HTTP_PROXY is not';
for my $list ('*', '127.0.0.1', 'x, 127.0.0.0/8', '127.0.0.1:PORT') {
    like by_env({ http_proxy => 'http://127.0.0.1:9', $_ => $list },
        'http://127.0.0.1:PORT/', "$_=$list"), qr{\AGET / }, 'it is asked directly'
        for 'NO_PROXY', 'no_proxy';
}
exits run({ env => { http_proxy => 'x y://' } }, 'http-get', 'http://a/'), 2,
    'a malformed http_proxy';

# What is in no_proxy: the error says who was connected to. Nobody listens.
sub reached {
    my ($url, %env) = @_;
    my $r = run({ env => \%env }, 'http-get', '-q', '--connect-to', '127.0.0.1:9', $url);
    return $r->{err} =~ /127\.0\.0\.2/ ? 'the proxy' : $r->{err} =~ /127\.0\.0\.1/ ? 'it' : $r->{err};
}
my $none = 'http://127.0.0.2:9';
my $unread = '0' x 390;
for (['it', '*', 'a'], ['it', 'a', 'a'], ['it', 'A.b', 'a.B'], ['the proxy', '', 'a'],
    ['the proxy', 'a', 'ba'], ['the proxy', 'a', 'a.b'], ['it', 'b', 'a.b'], ['it', '.b', 'a.b'],
    ['it', '.b', 'b'], ['it', 'b', 'a.b.'], ['the proxy', '.', 'a'], ['it', 'x,,y  a', 'a'],
    ['it', "$unread,a", 'a'], ['the proxy', 'a:81', 'a'], ['it', 'a:80', 'a'],
    ['it', '127.0.0.1', '127.0.0.1'], ['it', '127.0.0.0/8', '127.1.2.3'],
    ['the proxy', '127.0.0.0/8', '128.1.2.3'], ['the proxy', '127.0.0.0/8', 'a'],
    ['it', '::1', '[::1]'], ['it', '[::1]:80', '[::1]'], ['the proxy', '[::1]:81', '[::1]'],
    ['it', 'fe80::/10', '[fe80::5]'], ['it', '0:0::1', '[::1]'],
    ['it', '127.0.0.0/8', '[::ffff:127.0.0.1]'], ['it', '::ffff:127.0.0.0/104', '127.0.0.1'],
    ['it', '::ffff:127.0.0.1', '127.0.0.1'], ['the proxy', '@/etc/passwd', '127.0.0.1']) {
    my ($want, $list, $host) = @$_;
    is reached("http://$host/", http_proxy => $none, no_proxy => $list), $want,
        "no_proxy '" . substr($list, 0, 30) . "': $want is connected to for $host";
}
my %both = (http_proxy => $none, https_proxy => 'https://b', no_proxy => 'direct');
is reached('http://x/', %both), 'the proxy', 'a malformed https_proxy is not needed for http';
SKIP: {
    skip 'no libssl', 2 if run('--version')->{out} =~ /TLS: not available/;
    is reached('https://direct/', %both), 'it', 'nor where no_proxy applies';
    is reached('https://x/', %both, https_proxy => ''), 'it', 'an empty https_proxy';
}
is reached('http://x/', %both, http_proxy => '', https_proxy => $none), 'it',
    'an empty http_proxy';

misused 'http-get', qr/--proxy/ => [map { ['--proxy', $_, 'http://a/'] } '', 'https://a',
    'socks5://', 'http://a:0'];

done_testing;
