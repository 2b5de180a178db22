# A file appears when its body is whole, and nothing else with it; what a killed
# run left is no file.
use Sockt;
use SocktHttp;
use Digest::SHA;
use IO::Socket::UNIX;
use POSIX ();

my $dir = scratch();
my $whole = answer('200 OK', 'whole', 'ETag: "1"');

sub left { return join ' ', map { s{.*/}{}r } sort glob "$dir/$_[0]*" }

exits get($whole, '/', '-q', '-o', "$dir/a"), 0, 'a whole body',
    file => ["$dir/a", 'whole'];
exits get($whole, '/', '-q', '-i', '-o', "$dir/a"), 0,
    '-i: a file that exists is replaced, its head is there too',
    file => ["$dir/a", $whole];

# A run was killed while it wrote its note.
for my $flag ('-q', '-c') {
    spew("$dir/b.part", '');
    spew("$dir/b.part.from", $flag eq '-c' ? '' : "sockt partial download 1\ninode 1\nurl http://127.0.0.1/b\nvalidator \"1\"\ntot");
    exits get($whole, '/', $flag, '-o', "$dir/b"), 0,
        "after a killed run, $flag: the file is the new body",
        file => ["$dir/b", 'whole'];
    unlink "$dir/b";
}

# A link in its place is not followed.
spew("$dir/target", 'precious');
symlink 'target', "$dir/c.part.from" or die $!;
exits get($whole, '/', '-q', '-o', "$dir/c"), 11, 'FILE.part.from is a link';
exits get($whole, '/', '-q', '--force', '-o', "$dir/c"), 0, '--force: the file',
    file => ["$dir/c", 'whole'];
ok !-l "$dir/c", 'is a file';
is slurp("$dir/target"), 'precious', 'the target of the link is as it was';

# The name of -O is taken while the response is awaited.
my $s = http_server(sub {
    my ($c) = @_;
    spew("$dir/d", 'newer');
    SocktHttp::put($c, $whole);
});
chdir $dir or die $!;
exits run('http-get', '-q', '-O', "$s->{url}/d"), 11, 'a file appears meanwhile';
chdir '/';
is slurp("$dir/d"), 'newer', 'it is not replaced';
is left('d'), 'd d.part d.part.from', 'the body is kept';

# There is no space for the body.
$s = http_server(answer('200 OK', 'x' x 8192));
exits run({ command => 'sh' }, '-c', 'trap "" XFSZ; ulimit -f 2; exec "$@"',
    'sh', sockt(), 'http-get', '-q', '-o', "$dir/e", "$s->{url}/"), 11,
    'the file may not grow';
is left('e'), 'e.part e.part.from', 'what fits is kept';

# What close(2) of the file reports counts, as some file systems tell only then
# that there is no space: each close of a run fails in its turn.
SKIP: {
    my $library = "$dir/inject.so";
    skip 'calls cannot be made to fail here', 1
        if sockt() =~ /sanitize/ || !-e built('inject.so');
    # A path with a space is two for LD_PRELOAD.
    symlink built('inject.so'), $library or die $!;
    my @told;
    for my $n (1 .. 40) {
        my $r = get($whole, '/', { env => { LD_PRELOAD => $library,
            TORTURE_TABLE => "$dir/g.table", TORTURE_PLAN => "0 close $n 0 28" } },
            '-q', '-o', "$dir/g");
        push @told, $r->{err} if $r->{status} == 11 && !-e "$dir/g";
        unlink glob "$dir/g*";
    }
    is scalar(grep { m{g\.part: no space left \(the disk is full\)$} } @told), 1,
        'the error of its close: status 11, and no file' or diag "@told";
}

# While a body is received, its file alone is open: not the note about it.
SKIP: {
    skip 'no /proc', 2 unless -d '/proc/self/fd';
    my $l = tcp_listener();
    my $head = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 5\r\n\r\n";
    for my $flag ('-q', '-c') {
        my $p = start('http-get', $flag, '-o', "$dir/h",
            'http://127.0.0.1:' . $l->sockport . '/h');
        my $c = $l->accept;
        SocktHttp::read_head($c);
        my $from = $flag eq '-q' ? 0 : 3;
        syswrite $c, $from ? "HTTP/1.1 206 Part\r\nETag: \"1\"\r\n"
            . "Content-Range: bytes 3-4/5\r\nContent-Length: 2\r\n\r\n"
            : "${head}who";
        # It reads the note before it asks, and has asked.
        select undef, undef, undef, 0.01
            while $flag eq '-q' && (-s "$dir/h.part" // 0) < 3;
        is scalar(grep { (readlink // '') =~ /h\.part\.from/ }
            glob "/proc/$p->{pid}/fd/*"), 0, "$flag: the note is closed";
        $p->stop('KILL');
    }
}

# What a server or another user could have put in the place of FILE.part or its
# note is neither resumed, nor followed, nor waited for.
$dir  = scratch();
my $body = join '', map { pack 'N', $_ } 1 .. 1000;
my $page = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4000\r\n\r\n";
my $rest = "HTTP/1.1 206 Part\r\nETag: \"v1\"\r\nContent-Length: 3000\r\n"
    . "Content-Range: bytes 1000-3999/4000\r\n\r\n" . substr $body, 1000;

# Names of partial files are not taken from a URL.
chdir $dir or die $!;
misused 'http-get', qr/names the file of a partial download; --output/ =>
    [map { "-q -O http://127.0.0.1/$_" } qw(f.part f.part.from f.PART %66.part/../f.part)];
chdir '/';

# The file, and the result of -c after a run that broke off and what another did
# then.
my $count = 0;
sub after {
    my ($what, @options) = @_;
    my $s = http_server($page . substr($body, 0, 1000), sub {
        my ($c, $head) = @_;
        syswrite $c, $head =~ /^Range: bytes=1000-/m ? $rest : $page . $body;
    });
    my $file = "$dir/after" . ++$count;
    run('http-get', '-q', '-o', $file, "$s->{url}/f");
    $what->($file);
    return ($file, run({ timeout => 20 }, 'http-get', '-c', @options, '-o', $file,
        "$s->{url}/f"));
}

my ($file, $r) = after(sub { });
exits $r, 0, 'a partial file of sockt is resumed', file => [$file, $body];

# A copy has another inode, as what another program fetched would have.
my $copy = sub {
    my ($file) = @_;
    my ($part, $old) = (slurp("$file.part"), (stat "$file.part")[1]);
    rename "$file.part", "$file.was" or die $!;
    spew("$file.part", 'x' x length $part);
};
my %planted = (
    'a part file that another program wrote' => [$copy,
        qr/part is not the file that its \.part\.from is about \(--force overwrites/],
    'a note without our first line' => [sub {
        spew("$_[0].part.from", slurp("$_[0].part.from") =~ s/\A.*\n//r);
    }, qr/part\.from was not left by an earlier run \(--force overwrites it/],
    'a part file with another name' => [sub { link "$_[0].part", "$_[0].was" or die $! },
        qr/part has 2 names, which are hard links \(--force removes this one/],
    'a note with another name' => [sub { link "$_[0].part.from", "$_[0].was" or die $! },
        qr/part\.from has 2 names, which are hard links \(--force removes this one/],
    map({ my $end = $_; ("a link as *$end" => [sub {
            rename "$_[0]$end", "$_[0].was" or die $!;
            symlink "$_[0].was", "$_[0]$end" or die $!;
        }, qr/\Q$end\E is a symbolic link \(--force removes it/],
        "a FIFO as *$end" => [sub {
            unlink "$_[0]$end";
            POSIX::mkfifo("$_[0]$end", 0600) or die $!;
        }, qr/\Q$end\E is a FIFO \(--force removes it/],
        "a socket as *$end" => [sub {
            unlink "$_[0]$end";
            IO::Socket::UNIX->new(Local => "$_[0]$end", Listen => 1) or die $!;
        }, qr/\Q$end\E is not a regular file \(--force removes it/]) } '.part', '.part.from'),
);
for my $name (sort keys %planted) {
    my ($plant, $why) = @{ $planted{$name} };
    for my $limit ([], ['-m', 10]) {
        my ($file, $r) = after($plant, @$limit);
        exits $r, 11, "$name, @$limit", err => $why;
        ok !-e $file, '  there is no file';
    }
    my ($file, $r) = after($plant, '--force');
    exits $r, 0, "$name, --force";
    ok slurp($file) eq $body && !-l $file, '  it is fetched anew, into a file';
}

# One that others can write to may not be what sockt wrote.
($file, $r) = after(sub { chmod 0666, "$_[0].part" });
exits $r, 0, 'a part file that others can write to: it is fetched anew, and that is told',
    file => [$file, $body], err => qr/other users can write to \S+\.part; beginning anew/;
is +(stat $file)[2] & 07777, 0666 & ~umask, '  with the mode of a new file';

SKIP: {
    skip 'needs another user', 1 unless is_root();
    my $owned = sub { chown 1, -1, "$_[0].part" };
    (undef, $r) = after($owned);
    exits $r, 11, 'a part file of another user',
        err => qr/part belongs to another user \(--force replaces it, if this user may remove it/;
    ($file, $r) = after($owned, '--force');
    exits $r, 0, '  --force: it is fetched anew', file => [$file, $body];
}

# What a URL names is no device, and no way to another place.
chdir $dir or die $!;
POSIX::mkfifo("$dir/pipe", 0600) or die $!;
symlink 'elsewhere', "$dir/link" or die $!;
spew("$dir/real", 'precious');
symlink 'real', "$dir/linked" or die $!;
for my $name (qw(pipe link linked)) {
    misused 'http-get', qr/$name exists and is not a regular file/ =>
        [map { "-O$_ http://127.0.0.1/$name" } '', ' -m 10', ' --force'];
}
is slurp("$dir/real"), 'precious', '  nothing is written';
ok !-e "$dir/elsewhere", '  nor elsewhere';
chdir '/';

# --limit-rate: a body that is copied, one that is parsed, and one with a digest.
my $limited = 'x' x 400_000;
for my $case ([answer('200 OK', $limited)], ["HTTP/1.1 200 OK\r\n\r\n$limited"],
    [answer('200 OK', $limited), '--sha256', Digest::SHA::sha256_hex($limited)]) {
    my ($bytes, @args) = @$case;
    my $r = get($bytes, '/', '-q', '--limit-rate', 200_000, @args);
    exits $r, "0 $limited", '--limit-rate';
    cmp_ok $r->{seconds}, '>', 1.9, '  takes its time';
    cmp_ok $r->{seconds}, '<', 6, '  and no more';
}
exits get(answer('200 OK', $limited), '/', '-q', '--limit-rate', '10k', '-m', '0.5'), 5,
    '--max-time holds';
exits get(answer('200 OK', $limited), '/', '-q', '--limit-rate', '700', '-m', '0.51', '-o',
    "$dir/slow"), 5, '  and does not blame a reader for the pause',
    err => qr/bytes of the body: stopped after 0.51 s/, no_err => qr/reader|the server/;
misused 'http-get', qr/--limit-rate/ => ['--limit-rate 0 http://h/', '--limit-rate x http://h/'];

done_testing;
