# Outputs that cannot be written are status 11, and nothing is lost silently.
use Sockt;
use Fcntl qw(O_WRONLY);
use SocktHttp;

my $dir = scratch();
my $page = answer('200 OK', 'x' x 100_000);

# Nothing is asked for when it is known beforehand.
for my $case (
    ["$dir/none/file", qr/no such file/], ["$dir", qr/[Ii]s a directory/],
) {
    exits run('http-get', '-o', $case->[0], 'http://127.0.0.1:' . free_port()),
        11, "-o $case->[0]", err => $case->[1];
}

spew("$dir/there", 'precious');
my $r = run('http-get', '-o', "$dir/there", 'http://127.0.0.1:' . free_port());
is $r->{status}, 4, '-o of a file that exists: refused';
is slurp("$dir/there"), 'precious', 'it is as it was';
chdir $dir or die $!;
$r = run('http-get', '-O', 'http://127.0.0.1:' . free_port() . '/there');
is $r->{status}, 2, '-O: a file that exists is not overwritten';
like $r->{err}, qr/there exists \(--force overwrites it\)/, 'what is said';
is slurp("$dir/there"), 'precious', 'it is as it was';
$r = get(answer('200 OK', 'new'), '/there', '-q', '--force', '-O');
is $r->{status}, 0, '-O --force: exit status';
is slurp("$dir/there"), 'new', 'it is overwritten';
chdir '/';
symlink 'nowhere', "$dir/link" or die $!;
$r = run('http-get', '-o', "$dir/link", 'http://127.0.0.1:' . free_port());
is $r->{status}, 11, 'a link to no file is not replaced either';
like $r->{err}, qr/link exists \(--force overwrites it\)/, 'what is said';
exits get($page, '/', '--force', '-o', "$dir/link"), 0, '-f';
is -s "$dir/link", 100_000, '-f: it is replaced';

# -o replaces FILE as a whole, with the mode it has; a link leads to it.
for my $mode (0600, 0644, 0666, 0750) {
    chmod $mode, spew("$dir/old", 'old');
    my $inode = (stat "$dir/old")[1];
    $r = get($page, '/', '-q', '-o', "$dir/old");
    is $r->{status}, 0, sprintf '-o of a file with mode %o: exit status', $mode;
    is -s "$dir/old", 100_000, '  it is replaced';
    is +(stat "$dir/old")[2] & 07777, $mode, '  with its mode';
    isnt +(stat "$dir/old")[1], $inode, '  by another file';
}
for my $mode (0600, 0640, 0666) {
    chmod $mode, spew("$dir/old", 'old');
    exits get("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", '/', '-q',
        '-o', "$dir/old"), 9, '-o of a file, and a truncated body';
    is slurp("$dir/old"), 'old', '  it is as it was';
    is +(stat)[2] & 077 & ~$mode, 0, sprintf '  %s, of mode %o: no other reads it',
        $_, $mode for glob "$dir/old.part*";
    unlink glob "$dir/old.*";
}
unlink glob "$dir/old*";
mkdir "$dir/sub" or die $!;
spew("$dir/sub/real", 'old');
symlink 'sub/real', "$dir/way" or die $!;
exits get($page, '/', '-q', '-o', "$dir/way"), 0, '-o of a link';
ok -l "$dir/way", '  it is one still';
is -s "$dir/sub/real", 100_000, '  what it points to is replaced';
is_deeply [glob "$dir/sub/*"], ["$dir/sub/real"], '  nothing else is left';
$r = get($page, '/', '-q', '-o', "$dir/new");
is +(stat "$dir/new")[2] & 07777, 0666 & ~umask, 'a new file has the mode of one';
SKIP: {
    skip 'needs another user', 1 unless is_root();
    chown 1, 2, spew("$dir/owned", 'old');
    $r = get($page, '/', '-q', '-o', "$dir/owned");
    is join(' ', (stat "$dir/owned")[4, 5]), '1 2', '-o keeps the owner';
}
SKIP: {
    my @alone = ('unshare', '-m', 'sh', '-c',
        'mount --bind "$1" "$2" && exec "$3" http-get -q -o "$2" "$4"', 'sh',
        spew("$dir/other", 'other'), spew("$dir/alone", 'under'), sockt());
    skip 'no mount namespace', 3
        if system("unshare -m mount --bind $dir/other $dir/alone 2>/dev/null") != 0;
    my $s = http_server($page);
    $r = run({ command => shift @alone }, @alone, "$s->{url}/");
    is $r->{status}, 11, '-o of a file mounted alone: exit status';
    like $r->{err}, qr/replacing \S+alone: .*it is mounted by itself/, '  and why';
    is slurp("$dir/other") . slurp("$dir/alone"), 'otherunder', '  it is untouched';
}

SKIP: {
    skip 'no /dev/full', 5 unless -c '/dev/full';
    exits get($page, '/', '-o', '/dev/full'), 11, '-o /dev/full',
        err => qr/no space left/;
    ok -c '/dev/full', 'it is still a device';
    sysopen my $full, '/dev/full', O_WRONLY or die $!;
    exits get($page, '/', { stdout => $full }), 11, 'stdout is /dev/full';
    $r = get($page, '/', { stdout => $full }, '-i');
    is $r->{status}, 11, '  which not even the header fits on';
}
exits get($page, '/', '-o', '/dev/null'), 0, '-o /dev/null';
ok -c '/dev/null', 'it is still a device';

exits run({ closed => [1] }, 'http-get', 'http://127.0.0.1:' . free_port()),
    11, 'stdout is closed', err => qr/stdout is closed/;
$r = get($page, '/', { closed => [1] }, '-o', "$dir/closed");
is $r->{status}, 0, 'which does not matter with -o';

# A descriptor is written to, not replaced, whatever it is.
for my $case (['stdout', '/dev/fd/1'], ['stdout', '/proc/self/fd/1'],
    ['stderr', '/dev/stderr']) {
    my ($stream, $name) = @$case;
    SKIP: {
        skip "no $name", 2 unless -e $name;
        open my $f, '>>', spew("$dir/stream", 'before ') or die $!;
        exits get(answer('200 OK', 'page'), '/', { $stream => $f }, '-q', '-o',
            $name), 0, "-o $name, a file";
        is slurp("$dir/stream"), 'before page', '  it goes on';
    }
}

# A name that is as long as a path can be, if nothing is appended to it.
chdir $dir or die $!;
for my $case (
    [4090, qr{^sockt http-get: writing (?:\./)+\S*: file name too long$}m],
    [4091, qr{^sockt http-get: writing (?:\./)+\S*: file name too long$}m],
    [4095, qr{file name too long$}m],
) {
    my ($length, $why) = @$case;
    my $name = './' x (($length - 4) / 2) . 'long' . 'g' x ($length % 2);
    exits get($page, '/', '-q', '-o', $name), 11, "-o with $length bytes",
        err => $why;
    is_deeply [glob 'long*'], [], '  and no file';
}
chdir '/';

pipe my $reader, my $writer or die $!;
close $reader;
exits get($page, '/', { stdout => $writer }, '-q'), 11,
    'stdout lost its reader, quietly', err => '';

# FILE.part obeys the rule of FILE: what is there and was not left by an earlier
# run is not overwritten without --force.
my $whole = answer('200 OK', 'whole');

spew("$dir/f.part", 'precious');
for my $flags ([], ['-c']) {
    my $r = get($whole, '/', '-q', @$flags, '-o', "$dir/f");
    is $r->{status}, 11, "a foreign FILE.part, @$flags: exit status";
    is slurp("$dir/f.part"), 'precious', 'it is as it was';
    like $r->{err}, qr/f\.part exists and was not left by an earlier run \(--force/,
        'what is said';
}
$r = get($whole, '/', '-q', '--force', '-o', "$dir/f");
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
open $out, '>', "$dir/out" or die $!;
syswrite $out, 'before ';
$r = get($whole, '/', { stdout => $out }, '-q', '-o', '/dev/fd/1');
syswrite $out, ' after';
is slurp("$dir/out"), 'before whole after', 'or written to where it is';

done_testing;
