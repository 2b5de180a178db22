# Outputs that cannot be written are status 11, and nothing is lost silently.
use Sockt;
use Fcntl qw(O_WRONLY);
use SocktHttp;

my $dir = scratch();
my $page = answer('200 OK', 'x' x 100_000);
my $whole = answer('200 OK', 'whole');
my $short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
my $nobody = 'http://127.0.0.1:' . free_port();

# Nothing is asked for when it is known beforehand.
exits run('http-get', '-o', "$dir/none/file", $nobody), 11, '-o of no folder',
    err => qr/no such file/;
exits run('http-get', '-o', $dir, $nobody), 11, '-o of a folder',
    err => qr/[Ii]s a directory/;

spew("$dir/there", 'precious');
my @kept = (file => ["$dir/there", 'precious']);
exits run('http-get', '-o', "$dir/there", $nobody), 4,
    '-o of a file that exists: refused, it is as it was', @kept;
chdir $dir or die $!;
exits run('http-get', '-O', "$nobody/there"), 2,
    '-O: a file that exists is not overwritten', @kept,
    err => qr/there exists \(--force overwrites it\)/;
exits get(answer('200 OK', 'new'), '/there', '-q', '--force', '-O'), 0,
    '-O --force: it is overwritten', file => ["$dir/there", 'new'];
chdir '/';
symlink 'nowhere', "$dir/link" or die $!;
exits run('http-get', '-o', "$dir/link", $nobody), 11,
    'a link to no file is not replaced either',
    err => qr/link is a symbolic link that leads to no file \(--force replaces it\)/;
exits get($whole, '/', '--force', '-o', "$dir/link"), 0, '-f: it is replaced',
    file => ["$dir/link", 'whole'];

# -o replaces FILE as a whole, with the mode it has; a link leads to it.
for my $mode (0600, 0644, 0666, 0750) {
    chmod $mode, spew("$dir/old", 'old');
    my $inode = (stat "$dir/old")[1];
    exits get($whole, '/', '-q', '-o', "$dir/old"), 0,
        sprintf('-o of a file with mode %o: it is replaced', $mode),
        file => ["$dir/old", 'whole'];
    is +(stat "$dir/old")[2] & 07777, $mode, '  with its mode';
    isnt +(stat "$dir/old")[1], $inode, '  by another file';
}
for my $mode (0600, 0640, 0666) {
    chmod $mode, spew("$dir/old", 'old');
    exits get($short, '/', '-q', '-o', "$dir/old"), 9,
        '-o of a file, and a truncated body';
    is slurp("$dir/old"), 'old', '  it is as it was';
    is +(stat)[2] & 077 & ~$mode, 0, sprintf '  %s, of mode %o: no other reads it',
        $_, $mode for glob "$dir/old.part*";
    unlink glob "$dir/old.*";
}
mkdir "$dir/sub" or die $!;
spew("$dir/sub/real", 'old');
symlink 'sub/real', "$dir/way" or die $!;
exits get($whole, '/', '-q', '-o', "$dir/way"), 0, '-o of a link',
    file => ["$dir/way", 'whole'];
ok -l "$dir/way", '  it is one still';
is_deeply [glob "$dir/sub/*"], ["$dir/sub/real"], '  nothing else is left';
get($page, '/', '-q', '-o', "$dir/new");
is +(stat "$dir/new")[2] & 07777, 0666 & ~umask, 'a new file has the mode of one';
SKIP: {
    skip 'needs another user', 1 unless is_root();
    chown 1, 2, spew("$dir/owned", 'old');
    get($page, '/', '-q', '-o', "$dir/owned");
    is join(' ', (stat "$dir/owned")[4, 5]), '1 2', '-o keeps the owner';
}
SKIP: {
    skip 'root reads every file', 1 unless is_root();
    my $theirs = scratch();
    chmod 0, spew("$theirs/x.part.from", 'a note');
    chown 65534, -1, $theirs, "$theirs/x.part.from";
    reap(Sockt::fork_as(65534, undef, sub {
        spew("$theirs/err", run('http-get', '-q', '-o', "$theirs/x", 'http://127.0.0.1:1/')->{err});
    }));
    like slurp("$theirs/err"),
        qr{x\.part\.from cannot be read: permission denied \(--force overwrites it\)\n\z},
        'a note that cannot be read: why';
}
SKIP: {
    my @alone = ('-m', 'sh', '-c',
        'mount --bind "$1" "$2" && exec "$3" http-get -q -o "$2" "$4"', 'sh',
        spew("$dir/other", 'other'), spew("$dir/alone", 'under'), sockt());
    skip 'no mount namespace', 2
        if system("unshare -m mount --bind $dir/other $dir/alone 2>/dev/null") != 0;
    exits run({ command => 'unshare' }, @alone, http_server($page)->{url} . '/'), 11,
        '-o of a file mounted alone, and why',
        err => qr/replacing \S+alone: .*it is mounted by itself/;
    is slurp("$dir/other") . slurp("$dir/alone"), 'otherunder', '  it is untouched';
}

SKIP: {
    skip 'no /dev/full', 4 unless -c '/dev/full';
    exits get($page, '/', '-o', '/dev/full'), 11, '-o /dev/full',
        err => qr/no space left/;
    ok -c '/dev/full', 'it is still a device';
    sysopen my $full, '/dev/full', O_WRONLY or die $!;
    exits get($page, '/', { stdout => $full }), 11, 'stdout is /dev/full';
    exits get($page, '/', { stdout => $full }, '-i'), 11,
        '  which not even the header fits on';
}
exits get($page, '/', '-o', '/dev/null'), 0, '-o /dev/null';
ok -c '/dev/null', 'it is still a device';

exits run({ closed => [1] }, 'http-get', $nobody), 11, 'stdout is closed',
    err => qr/stdout is closed/;
exits get($page, '/', { closed => [1] }, '-o', "$dir/closed"), 0,
    'which does not matter with -o';

# A descriptor is written to, not replaced, whatever it is.
for my $case (['stdout', '/dev/fd/1'], ['stdout', '/proc/self/fd/1'],
    ['stdout', '/dev/stdout'], ['stderr', '/dev/stderr']) {
    my ($stream, $name) = @$case;
    SKIP: {
        skip "no $name", 1 unless -e $name;
        open my $f, '>>', spew("$dir/stream", 'before ') or die $!;
        exits get($whole, '/', { $stream => $f }, '-q', '-o', $name), 0,
            "-o $name, a file: it goes on", file => ["$dir/stream", 'before whole'];
    }
}
open my $out, '>', "$dir/out" or die $!;
syswrite $out, 'before ';
get($whole, '/', { stdout => $out }, '-q', '-o', '/dev/fd/1');
syswrite $out, ' after';
is slurp("$dir/out"), 'before whole after', 'it is written to where it is';

# A name that is as long as a path can be, if nothing is appended to it.
chdir $dir or die $!;
for my $length (4090, 4091, 4095) {
    my $name = './' x (($length - 4) / 2) . 'long' . 'g' x ($length % 2);
    exits get($page, '/', '-q', '-o', $name), 11, "-o with $length bytes",
        err => $length == 4095 ? qr{file name too long$}m
        : qr{^sockt http-get: writing (?:\./)+\S*: file name too long$}m;
    is_deeply [glob 'long*'], [], '  and no file';
}
chdir '/';

pipe my $reader, my $writer or die $!;
close $reader;
exits get($page, '/', { stdout => $writer }, '-q'), 11,
    'stdout lost its reader, quietly', err => '';

# FILE.part obeys the rule of FILE: what is there and was not left by an earlier
# run is not overwritten without --force.
spew("$dir/f.part", 'precious');
for my $flags ([], ['-c']) {
    exits get($whole, '/', '-q', @$flags, '-o', "$dir/f"), 11,
        "a foreign FILE.part, @$flags",
        err => qr/f\.part was not left by an earlier run, which writes a \.part\.from \(--force/;
    is slurp("$dir/f.part"), 'precious', 'it is as it was';
}
exits get($whole, '/', '-q', '--force', '-o', "$dir/f"), 0, '--force overwrites it',
    file => ["$dir/f", 'whole'];
# A directory in the place of either is not overwritten by --force, either.
for my $name ('d.part', 'd.part.from') {
    mkdir "$dir/$name" or die $!;
    exits get($whole, '/', '-q', '-o', "$dir/d"), 11, "$name is a directory",
        err => qr/\Q$name\E is a directory \(remove it, or choose another name\)\n\z/;
    exits get($whole, '/', '-q', '--force', '-o', "$dir/d"), 11, '  with --force, too',
        err => qr/\Q$name\E: is a directory/;
    rmdir "$dir/$name" or die $!;
    unlink glob "$dir/d.*";
}
get($short, '/', '-q', '-o', "$dir/g");
is -s "$dir/g.part", 5, 'one that an earlier run has left, without a validator';
exits get($whole, '/', '-q', '-o', "$dir/g"), 0, 'is begun anew',
    file => ["$dir/g", 'whole'];

done_testing;
