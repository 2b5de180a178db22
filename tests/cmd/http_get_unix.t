# HTTP over a Unix socket, and -R.
use Sockt;
use IO::Socket::UNIX;
use SocktHttp;

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
exits run('http-get', '--unix', "$dir/none", 'http://h/'), run('connect',
    "unix:$dir/none")->{status}, 'no such socket: the exit status of connect',
    err => qr/none/;
for my $args (['https://h/'], ['--proxy', 'p', 'http://h/'], ['--unix', 'x' x 200, 'http://h/']) {
    is run('http-get', '--unix', "$dir/s", @$args)->{status}, 2, "@$args is refused";
}
kill 'KILL', $pid;

my $dated = answer('200 OK', 'x', 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT');
my $r = get($dated, '/', '-q', '-R', '-o', "$dir/file");
is +(stat "$dir/file")[9], 784111777, '-R: the time of the file';
$r = get($dated, '/', '-q', '-o', "$dir/file");
cmp_ok +(stat "$dir/file")[9], '>', 784111777, 'without it, now';

done_testing;
