# FILE.error and FILE.part obey the rule of FILE: what is there and was not left
# by an earlier run is not overwritten without --force, and no link is followed.
use Sockt;
use SocktHttp;

my $dir = scratch();
my $gone = answer('404 Gone', 'gone');
my $whole = answer('200 OK', 'whole');

spew("$dir/a.error", 'precious');
my $r = get($gone, '/', '-q', '-o', "$dir/a");
is $r->{status}, 8, 'FILE.error exists: exit status';
is slurp("$dir/a.error"), 'precious', 'it is as it was';
like $r->{err}, qr/404 Gone; its body is dropped, since \S+a\.error exists \(--force overwrites it\)\n\z/,
    'what is said';
$r = get($gone, '/', '-q', '-f', '-o', "$dir/a");
is slurp("$dir/a.error"), 'gone', '--force overwrites it';

spew("$dir/target", 'precious');
symlink 'target', "$dir/b.error" or die $!;
symlink 'nowhere', "$dir/c.error" or die $!;
for my $name ('b', 'c') {
    get($gone, '/', '-q', '-o', "$dir/$name");
    ok -l "$dir/$name.error", "FILE.error is a link: it stays";
    get($gone, '/', '-q', '-f', '-o', "$dir/$name");
    is slurp("$dir/target"), 'precious', 'with --force it is not followed';
    ok !-e "$dir/nowhere", 'nor made';
    ok !-l "$dir/$name.error", 'but replaced';
}
mkdir "$dir/d.error" or die $!;
$r = get($gone, '/', '-q', '-f', '-o', "$dir/d");
is $r->{status}, 8, 'FILE.error is a folder: exit status';

my $s = http_server("HTTP/1.1 404 Gone\r\nContent-Length: 9\r\n\r\ngone");
$r = run('http-get', '-q', '-o', "$dir/e", "$s->{url}/");
is $r->{status}, 9, 'an error that is cut off: exit status';
ok !-e "$dir/e.error", 'is not kept';

# FILE.part.
spew("$dir/f.part", 'precious');
for my $flags ([], ['-c']) {
    $r = get($whole, '/', '-q', @$flags, '-o', "$dir/f");
    is $r->{status}, 11, "a foreign FILE.part, @$flags: exit status";
    is slurp("$dir/f.part"), 'precious', 'it is as it was';
    like $r->{err}, qr/f\.part exists and was not left by an earlier run \(--force/,
        'what is said';
}
$r = get($whole, '/', '-q', '-f', '-o', "$dir/f");
is slurp("$dir/f"), 'whole', '--force overwrites it';
is_deeply [glob "$dir/f*"], ["$dir/f"], 'nothing else is left';
$r = get("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", '/', '-q', '-o',
    "$dir/g");
is -s "$dir/g.part", 5, 'one that an earlier run has left, without a validator';
$r = get($whole, '/', '-q', '-o', "$dir/g");
is slurp("$dir/g"), 'whole', 'is begun anew';
is_deeply [glob "$dir/g*"], ["$dir/g"], 'nothing else is left';

# Another name of stdout is written as it is, whatever stdout is.
spew("$dir/out", 'before ');
open my $out, '>>', "$dir/out" or die $!;
$r = get($whole, '/', { stdout => $out }, '-q', '-o', '/dev/stdout');
is $r->{status}, 0, '-o /dev/stdout, which is a regular file: exit status';
is slurp("$dir/out"), 'before whole', 'it is appended to';
done_testing;
