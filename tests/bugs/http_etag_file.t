# --etag replaces a regular file and touches nothing else; the tag and the body
# never go to the same file.
use Sockt;
use POSIX qw(mkfifo);
use SocktHttp;

my $dir = scratch();
my $page = answer('200 OK', 'body', 'ETag: "new"');
my $url = 'http://127.0.0.1:' . free_port() . '/body';

mkfifo("$dir/fifo", 0600) or die $!;
mkdir "$dir/folder" or die $!;
symlink 'fifo', "$dir/to_fifo" or die $!;
symlink 'folder', "$dir/to_folder" or die $!;
symlink '/dev/null', "$dir/to_null" or die $!;
for my $name ('fifo', 'folder', 'to_fifo', 'to_folder', 'to_null') {
    my @before = lstat "$dir/$name";
    my $r = run({ timeout => 10 }, 'http-get', '-q', '--etag', "$dir/$name",
        $url);
    is $r->{status}, 11, "$name: exit status, with nothing asked for";
    like $r->{err}, qr/--etag: \S+$name is not a regular file/, 'why';
    my @after = lstat "$dir/$name";
    is $after[1], $before[1], 'it is as it was';
}

# A device, if it can be played with: a mount namespace of our own.
SKIP: {
    skip 'needs root and unshare(1)', 2
        unless is_root() && system('unshare -m true 2>/dev/null') == 0;
    for my $answer ($page, answer('200 OK', 'body')) {
        my $s = http_server($answer);
        my $r = run({ command => 'unshare' }, '-m', 'sh', '-c',
            'mount -t tmpfs none "$1" && mknod "$1/null" c 1 3 && '
                . '"$2" http-get -q --etag "$1/null" "$3"; '
                . 'rc=$?; test -c "$1/null" || exit 99; exit $rc',
            'sh', "$dir/folder", sockt(), "$s->{url}/");
        is $r->{status}, 11, 'a device stays one';
        kill 'KILL', $s->{pid};
    }
}

spew("$dir/old", '"old"');
symlink 'old', "$dir/link" or die $!;
my $r = get($page, '/', '-q', '--etag', "$dir/link");
is $r->{status}, 0, 'a link to a regular file: exit status';
is slurp("$dir/link"), '"new"', 'it is replaced by the tag';
is slurp("$dir/old"), '"old"', 'what it led to is as it was';
is_deeply [grep { /link/ } glob "$dir/*"], ["$dir/link"], 'nothing else is left';

# One file for both.
chdir $dir or die $!;
spew('both', '"old"');
link 'both', 'hard' or die $!;
symlink 'both', 'soft' or die $!;
for my $case (['both', 'both'], ['both', './both'], ["$dir/none", 'none'],
    ['hard', 'both'], ['soft', 'both'], ['x.part', 'x'],
    ['x.part.from', 'x'], ['x.error', 'x']) {
    my ($etag, $file) = @$case;
    $r = run('http-get', '-f', '--etag', $etag, '-o', $file, $url);
    is $r->{status}, 2, "--etag $etag -o $file: exit status";
    like $r->{err}, qr/--etag: \S+ is where the body goes/, 'what is said';
}
$r = run('http-get', '--etag', 'body', '-O', $url);
is $r->{status}, 2, '--etag with -O: exit status';
open my $stdout, '>', 'out' or die $!;
$r = run({ stdout => $stdout }, 'http-get', '--etag', 'out', $url);
is $r->{status}, 2, 'stdout leads to the file of --etag: exit status';
is slurp('both'), '"old"', 'nothing was touched';
$r = get(answer('200 OK', 'body', 'Content-Disposition: x; filename=tag'), '/',
    '-q', '-O', '--content-disposition', '--etag', 'tag');
is $r->{status}, 11, 'a response that names the file of --etag: exit status';
ok !-e 'tag', 'nothing was made';
chdir '/';
done_testing;
