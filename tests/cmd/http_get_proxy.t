# By way of proxies: absolute-form for HTTP, SOCKS through a handshake, and
# what the environment says.
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

# SOCKS: the handshake byte for byte, then the request.
sub socks {
    my ($name, $scheme, $wanted, @answers) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        for my $want (@$wanted) {
            my $got = '';
            while (length $got < length $want) {
                sysread $c, $got, length($want) - length $got, length $got
                    or die 'short';
            }
            die "$name: got " . unpack 'H*', $got if $got ne $want;
            syswrite $c, shift @answers;
        }
        my $head = '';
        while ($head !~ /\r\n\r\n/) {
            sysread $c, $head, 4096, length $head or return;
        }
        die "$name: $head" if $head !~ m{\AGET /x HTTP};
        syswrite $c, $page;
    });
    my $url = $name =~ /v6/ ? 'http://[::1]:81/x'
        : $name =~ /number/ ? 'http://1.2.3.4:81/x' : 'http://name.test:81/x';
    is run('http-get', '-q', '--proxy', $scheme =~ s/PORT/$l->sockport/er,
        $url)->{out}, 'page', "$name: the page";
    is reap($pid), 0, "$name: byte for byte";
}
my $bound = "\5\0\0\1\0\0\0\0\0\0";
socks('SOCKS5 by name', 'socks5://127.0.0.1:PORT',
    ["\5\1\0", "\5\1\0\3\x{9}name.test\0\x51"], "\5\0", $bound);
socks('SOCKS5 by number', 'socks5h://127.0.0.1:PORT',
    ["\5\1\0", "\5\1\0\1\1\2\3\4\0\x51"], "\5\0", $bound);
socks('SOCKS5 v6', 'socks5://127.0.0.1:PORT',
    ["\5\1\0", "\5\1\0\4" . "\0" x 15 . "\1\0\x51"], "\5\0",
    "\5\0\0\3\4name\0\0");
socks('SOCKS5 with a password', 'socks5://me:secret@127.0.0.1:PORT',
    ["\5\2\0\2", "\1\2me\6secret", "\5\1\0\3\x{9}name.test\0\x51"],
    "\5\2", "\1\0", "\5\0\0\4" . "\0" x 18);
socks('SOCKS4a by name', 'socks4://me@127.0.0.1:PORT',
    ["\4\1\0\x51\0\0\0\1me\0name.test\0"], "\0\x5a" . "\0" x 6);
socks('SOCKS4 by number', 'socks4a://127.0.0.1:PORT',
    ["\4\1\0\x51\1\2\3\4\0"], "\0\x5a" . "\0" x 6);

# What a SOCKS proxy may answer instead.
sub declined {
    my ($name, $scheme, $status, $pattern, @answers) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        for my $bytes (@answers) {
            sysread $c, my $ask, 4096;
            syswrite $c, $bytes;
        }
        shutdown $c, 1;
        1 while sysread $c, my $rest, 4096;
    });
    exits run('http-get', '--proxy', "$scheme://127.0.0.1:" . $l->sockport,
        'http://name.test/'), $status, "$name", err => $pattern;
    reap($pid);
}
declined('SOCKS5 refused', 'socks5', 8,
    qr/name\.test port 80: the SOCKS5 proxy .*refused the conn/,
    "\5\0", "\5\5\0\1\0\0\0\0\0\0");
declined('SOCKS5 rules', 'socks5', 8, qr/rules/, "\5\0",
    "\5\2\0\1\0\0\0\0\0\0");
declined('SOCKS5 wants a password', 'socks5', 8, qr/wants a user/, "\5\xff");
declined('SOCKS5 says nonsense', 'socks5', 9, qr/malformed/, "HTTP/1.1 400");
declined('SOCKS5 hangs up', 'socks5', 8,
    qr/closed the connection without a reply \(it cannot reach the target/,
    "\5\0");
declined('SOCKS4 refused', 'socks4', 8, qr/rejected/, "\0\x5b" . "\0" x 6);
declined('SOCKS4 says nonsense', 'socks4', 9, qr/malformed/, 'x' x 8);

my $l = tcp_listener();
exits run('http-get', '-w', '0.2', '--proxy', 'socks5://127.0.0.1:'
    . $l->sockport, 'http://name.test/'), 5, 'a silent proxy is cut off by -w';
for my $bad ('', 'https://a', 'socks5://', 'http://a:0') {
    $r = run('http-get', '--proxy', $bad, 'http://a/');
    is $r->{status}, 2, "--proxy '$bad' is refused";
}

done_testing;
