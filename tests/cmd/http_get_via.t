# --via: a program carries the requests, and how it ends counts where the body
# ends with the connection.
use Sockt;
use SocktHttp;
use IO::Socket::UNIX;

delete @ENV{qw(http_proxy no_proxy NO_PROXY)};
my $page = answer('200 OK', 'page');
my $open = "HTTP/1.1 200 OK\r\n\r\nhello";
my $connect = "'" . sockt() . "' connect -q --on-peer-eof quit %h %p";

my $r = get($page, '/x', '-q', '--via', $connect);
exits $r, '0 page', 'exit status, body and request',
    asked => qr{\AGET /x HTTP/1\.1\r\nHost: 127\.0\.0\.1:$r->{server}{port}\r\n};
$r = get([$page, $page], ['/', '/'], '-v', '--via', $connect);
exits $r, '0 pagepage', 'two files';
is scalar(() = $r->{err} =~ /the connection is kept/g), 1, 'one connection';
exits get([answer('302 Go', '', 'Location: /n'), $page], '/', '-q', '-L', '--via',
    $connect), '0 page', 'a redirect';
exits get($page, '/', { env => { http_proxy => 'http://127.0.0.1:9' } }, '-q',
    '--via', $connect), '0 page', 'http_proxy is not used with it';

# The host that a redirect names reaches a shell, and ssh(1) a second one.
my $marked = scratch() . '/PWNED';
my $run = 'touch$IFS$()$MARK';
for my $via ($connect, "sh -c \"$connect # %h\"", "$connect # sh -c '%h'") {
    for my $where ("http://a\$($run)/x", "http://a&$run&/x", "http://[::1%25&$run&]/",
        "//a\$($run)/", "https://a;$run;/", "http://me:pw\@a';$run;'/",
        'http://-oProxyCommand=x/', '//-v/', 'http://u@-v/', "http://a'&$run&'b/",
        'http://2130706433/', 'http://~/', 'http://a!b/', 'http://a*/') {
        exits get([answer('302 Go', '', "Location: $where")], '/',
            { env => { MARK => $marked } }, '-q', '-L', '--via', $via),
            1, "redirected to $where, with $via",
            err => qr/for an option|meaning to a shell|a number and not a host/;
    }
}
ok !-e $marked, 'nothing of all this was run';
exits get([answer('302 Go', '', 'Location: /b'), answer('302 Go', '', 'Location: //-x/')],
    '/', '-q', '-L', '--via', $connect), 1, 'after another redirect',
    err => qr/would take the host '-x' for an option/;

# How the program ends.
exits get($open, '/', '-q', '--via', $connect), '0 hello', 'a body without a length';
exits get($open, '/', '-q', '--via', "$connect; echo too bad >&2; exit 3"),
    '10 hello', 'a program that fails then, its reason',
    err => qr/after 5 bytes of the body: .*too bad/;
exits get($page, '/', '-q', '--via', "$connect; exit 3"), '0 page',
    'which a declared length outweighs';
exits run('http-get', '-q', '--via', 'echo no route >&2; exit 1',
    'http://name.test/'), 10, 'a program that fails at once, and its reason',
    err => qr/\Asockt http-get: http:\/\/name\.test\/: .*no route/;
exits get_from(['', $page], '/', '-q', '--retry-for', 20, '--via', $connect),
    '0 page', '--retry-for';

# HTTP over a Unix socket, and -R.
my $dir = scratch();
my $l = IO::Socket::UNIX->new(Local => "$dir/s", Listen => 5) or die $!;
my $pid = Sockt::fork_child(sub {
    SocktHttp::play(scalar $l->accept, "$dir/log", $_)
        for answer('302 Go', '', 'Location: http://other.test/b'),
        answer('200 OK', 'yes');
});
exits run('http-get', '-q', '-L', '--unix', "$dir/s", 'http://docker.test/a'),
    0, '--unix, the body', out => 'yes';
like slurp("$dir/log"), qr{\AGET /a .*\r\nHost: docker\.test\r\n.*^GET /b .*Host: other\.test\r\n}ms,
    '  the requests';
misused 'http-get', qr/./ => [map { "--unix $dir/s $_" } 'https://h/',
    '--proxy p http://h/', '--unix ' . 'x' x 200 . ' http://h/'];
kill 'KILL', $pid;

my $dated = answer('200 OK', 'x', 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT');
get($dated, '/', '-q', '-R', '-o', "$dir/file");
is +(stat "$dir/file")[9], 784111777, '-R: the time of the file';
get($dated, '/', '-q', '-o', "$dir/file");
cmp_ok +(stat "$dir/file")[9], '>', 784111777, 'without it, now';

# The options that http-get shares with other commands reach its sockets.
my $peer;
sub from {
    my (@args) = @_;
    my $file = scratch() . '/peer';
    exits get(sub {my ($c) = @_; spew($file, $c->peerhost . ' '
        . $c->peerport); syswrite $c, answer('200 OK', 'x'); }, '/', '-q',
        @args), 0, "@args";
    return slurp($file);
}
like from('-s', '127.0.0.2'), qr/\A127\.0\.0\.2 /, '--source';
$l = tcp_listener();
my $port = $l->sockport;
close $l;
is from('-p', $port), "127.0.0.1 $port", '--source-port';
like from('--keepalive'), qr/127/, '--keepalive';
exits get(answer('200 OK', 'x'), '/', '-vv', '-4'), 0, '-4';

my $s = http_server(answer('200 OK', 'x'));
isnt run('http-get', '-6', "$s->{url}/")->{status}, 0,
    '-6 does not reach an IPv4 address';
sub named {
    my ($address, @args) = @_;
    return run({ command => built('sockt-names'),
        env => { SOCKT_TEST_NAMES => "name.test=$address" } }, 'http-get', @args);
}
exits named('hang', '-w', '0.2', 'http://name.test/'), 5,
    '--timeout covers the look-up';
exits named('127.0.0.1', "http://name.test:$s->{port}/"), '0 x', 'a name';
like slurp($s->{log}), qr/\r\nHost: name\.test:$s->{port}\r\n/, 'is the Host';

# --retry-for: the server comes later.
$port = free_port();
my $p = start('http-get', '--retry-for', '20', "http://127.0.0.1:$port/");
$p->expect(err => qr/trying again/);
$s = http_server({ port => $port }, answer('200 OK', 'late'));
exits $p->finish, 0, '--retry-for, it is served', out => 'late';

misused 'http-get', qr/./ => [map { "$_ http://a/" } '-w x', '-m -1',
    '--idle-timeout=', '-s x', '-p 0', '-4 -6', '--retry-for x', '-n'],
    qr/./ => [['--via', 'cat %x', 'http://localhost/'], map { "--via cat $_ http://h/" }
        '--proxy socks5://127.0.0.1', '-4', '-s 127.0.0.1', '--keepalive'];

done_testing;
