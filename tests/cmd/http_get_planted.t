# What a server or another user could have put in the place of FILE.part or its
# note is neither resumed, nor followed, nor waited for.
use Sockt;
use POSIX ();
use SocktHttp;

my $dir  = scratch();
my $body = join '', map { pack 'N', $_ } 1 .. 1000;
my $page = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4000\r\n\r\n";
my $rest = "HTTP/1.1 206 Part\r\nETag: \"v1\"\r\nContent-Length: 3000\r\n"
    . "Content-Range: bytes 1000-3999/4000\r\n\r\n" . substr $body, 1000;

# Names of partial files are not taken from a URL.
chdir $dir or die $!;
for my $name (qw(f.part f.part.from f.PART %66.part/../f.part)) {
    my $r = run('http-get', '-q', '-O', 'http://127.0.0.1:' . free_port() . "/$name");
    is $r->{status}, 2, "-O of $name: exit status";
    like $r->{err}, qr/names no file, or that of a partial download/, '  and why';
}
chdir '/';

# The result of -c after a run that broke off and what another did then.
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
    my $r = run({ timeout => 20 }, 'http-get', '-c', @options, '-o', $file,
        "$s->{url}/f");
    $r->{file} = $file;
    return $r;
}

my $r = after(sub { });
is $r->{status}, 0, 'a partial file of sockt: exit status';
ok slurp($r->{file}) eq $body, '  it is resumed';

# A copy has another inode, as what another program fetched would have.
my $copy = sub {
    my ($file) = @_;
    my ($part, $old) = (slurp("$file.part"), (stat "$file.part")[1]);
    rename "$file.part", "$file.was" or die $!;
    spew("$file.part", 'x' x length $part);
};
my %planted = (
    'a part file that another program wrote' => $copy,
    'a note without our first line' => sub {
        spew("$_[0].part.from", slurp("$_[0].part.from") =~ s/\A.*\n//r);
    },
    'a part file with another name' => sub { link "$_[0].part", "$_[0].was" or die $! },
    'a note with another name' => sub { link "$_[0].part.from", "$_[0].was" or die $! },
    'a link to a part file' => sub {
        rename "$_[0].part", "$_[0].was" or die $!;
        symlink "$_[0].was", "$_[0].part" or die $!;
    },
    'a link to a note' => sub {
        rename "$_[0].part.from", "$_[0].was" or die $!;
        symlink "$_[0].was", "$_[0].part.from" or die $!;
    },
    'a FIFO as part file' => sub {
        unlink "$_[0].part";
        POSIX::mkfifo("$_[0].part", 0600) or die $!;
    },
    'a FIFO as note' => sub {
        unlink "$_[0].part.from";
        POSIX::mkfifo("$_[0].part.from", 0600) or die $!;
    },
);
for my $name (sort keys %planted) {
    for my $limit ([], ['-m', 10]) {
        $r = after($planted{$name}, @$limit);
        exits $r, 11, "$name, @$limit",
            err => qr/is not a regular file|was not left by an earlier run|has another name/;
        ok !-e $r->{file}, '  there is no file';
    }
    $r = after($planted{$name}, '--force');
    is $r->{status}, 0, "$name, --force: exit status";
    ok slurp($r->{file}) eq $body, '  it is fetched anew';
    ok !-l $r->{file}, '  into a file';
}

# One that others can write to may not be what sockt wrote.
my $inode;
$r = after(sub { chmod 0666, "$_[0].part"; $inode = (stat "$_[0].part")[1] });
is $r->{status}, 0, 'a part file that others can write to: exit status';
ok slurp($r->{file}) eq $body, '  it is fetched anew';
is +(stat $r->{file})[2] & 07777, 0666 & ~umask, '  with the mode of a new file';

SKIP: {
    skip 'needs another user', 2 unless is_root();
    exits after(sub { chown 1, -1, "$_[0].part" }), 11,
        'a part file of another user', err => qr/belongs to another user/;
}

# What a URL names is no device, and no way to another place.
chdir $dir or die $!;
POSIX::mkfifo("$dir/pipe", 0600) or die $!;
symlink 'elsewhere', "$dir/link" or die $!;
spew("$dir/real", 'precious');
symlink 'real', "$dir/linked" or die $!;
for my $name (qw(pipe link linked)) {
    for my $flags ([], ['-m', 10], ['--force']) {
        $r = run({ timeout => 20 }, 'http-get', '-O', @$flags,
            'http://127.0.0.1:' . free_port() . "/$name");
        is $r->{status}, 2, "-O, and a $name is there, @$flags: exit status";
        like $r->{err}, qr/$name exists and is not a regular file/, '  and why';
    }
}
is slurp("$dir/real"), 'precious', '  nothing is written';
ok !-e "$dir/elsewhere", '  nor elsewhere';
chdir '/';

done_testing;
