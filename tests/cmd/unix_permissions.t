# --mode and --owner: who may use the path of a unix socket.
use Sockt;
use IO::Socket::UNIX;
use Strace;

my $folder = scratch();
my $path = "$folder/s";
my %announcement = ('udp-serve' => qr/receiving on/);

# Starts a server on the path; returns it and what stat says, without the type.
sub serve {
    my ($command, @o) = @_;
    my $p = start($command, "unix:$path", @o);
    $p->expect(err => $announcement{$command} // qr/listening on/);
    my @st = stat $path;
    return ($p, sprintf('%o', $st[2] & 07777), @st[4, 5]);
}

umask 027;
for my $command ('listen', 'serve-hello', 'udp-serve') {
    for my $case ([ '660', '660' ], [ '0777', '777' ], [ '0', '0' ],
        [ '02', '2' ], [ undef, '750' ]) {
        my ($given, $expected) = @$case;
        my ($p, $mode) = serve($command, defined $given ? ('--mode', $given)
            : ());
        is $mode, $expected, "$command --mode " . ($given // 'is not given');
        $p->stop;
        ok !-e $path, 'the path is removed as always';
    }
    for my $bad ('888', '7777', '', 'rw', '-1', '00660', '+60') {
        my $r = run($command, "unix:$path", "--mode=$bad");
        is $r->{status}, 2, "--mode '$bad' is a usage error";
        like $r->{err}, qr/octal/, 'which says what is expected';
    }
    for my $where ([0], [ '127.0.0.1', 0 ], [ 'unix:@sockt-test' ],
        [ '--fd', 3 ]) {
        for my $o ([ '--mode', 600 ], [ '--owner', $> ]) {
            my $r = run($command, @$where, @$o);
            is $r->{status}, 2, "@$o with @$where is a usage error";
        }
    }
    for my $bad ('no-such-user', ":no-such-group", "$>:", "$>:no-such-group",
        '4294967295', '-1') {
        my $r = run($command, "unix:$path", "--owner=$bad");
        is $r->{status}, 2, "--owner $bad is a usage error";
        like $r->{err}, qr/--owner: there is no (user|group) '/, 'which says so';
    }
    ok !-e $path, 'and nothing was attempted';
}

# A stale path is replaced, with the new permissions.
{
    my $stale = IO::Socket::UNIX->new(Local => $path, Listen => 1);
    close $stale;
    my ($p, $mode) = serve('listen', '--echo', '-k', '--mode', 606);
    is $mode, '606', 'a stale path gets the mode too';
    my $c = IO::Socket::UNIX->new($path);
    print $c 'x';
    shutdown $c, 1;
    is do { local $/; <$c> }, 'x', 'and is served';
    $p->stop;
}

# Oneself is always permitted.
{
    my ($group) = split ' ', $);
    my ($p, $mode, $uid, $gid) = serve('serve-hello', '--owner', "$>:$group");
    is "$uid $gid $mode", "$> $group 750", 'numbers, and the umask';
    $p->stop;
    my $name = getpwuid $>;
    if (defined $name) {
        ($p, $mode, $uid) = serve('udp-serve', '--owner', $name, '--mode', 700);
        is "$uid $mode", "$> 700", 'a name';
        $p->stop;
    }
}

# Between bind and chmod the path is not open wider.
SKIP: {
    my $lacks = strace_lacks();
    skip $lacks, 4 if $lacks;
    for my $case ([ [ '--mode', 640 ], '0137' ],
        [ [ '--owner', "$>", '--mode', 666 ], '0777' ]) {
        my ($o, $mask) = @$case;
        my $log = "$folder/log";
        run({ command => 'strace', env => { ASAN_OPTIONS => 'detect_leaks=0' } },
            '-o', $log, '-e', 'trace=umask,bind,listen,file', sockt(), 'listen',
            '--accept-timeout', '50ms', @$o, "unix:$path");
        my $calls = slurp($log);
        my ($before) = $calls =~ /^(.*?)bind\(/s;
        my @masks = $before =~ /umask\((\w+)\)/g;
        is $masks[-1], $mask, "@$o: the umask during bind";
        like $calls, qr/bind\(.*chmod.*listen\(/s,
            'the final mode is set before clients can connect';
    }
}

SKIP: {
    skip 'only root can give files away', 6 unless is_root();
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my $group = getgrgid $gid;
    my ($p, $mode, @ids) = serve('listen', '--echo', '--owner',
        "nobody:$group", '--mode', 600);
    is "@ids $mode", "$uid $gid 600", 'root gives it to a user and a group';
    $p->stop;
    ($p, $mode, @ids) = serve('listen', '--echo', '--owner', 'nobody');
    is "@ids", "$uid 0", 'or to a user alone';
    $p->stop;
    ($p, $mode, @ids) = serve('serve-hello', '--owner', ":$group");
    is "@ids", "0 $gid", 'or to a group alone';
    $p->stop;
    chmod 0777, $folder;
    ($p, $mode, @ids) = serve('listen', '-k', '--echo', '--user', 'nobody',
        '--owner', '0:0', '--mode', 606);
    is "@ids $mode", '0 0 606', 'before --user takes effect';
    $p->stop;
    chmod 0755, $folder;
    unlink $path;
    my $here = scratch();
    chown $uid, $gid, $here;
    my $child = Sockt::fork_as($uid, "$gid $gid", sub {
        my $r = run('listen', "unix:$here/s", '--owner', 'root');
        die "$r->{status} $r->{err}" unless $r->{status} == 7
            && $r->{err} =~ m{cannot listen on unix:\S+/s: not permitted \(only root may give}
            && !-e "$here/s";
    });
    is reap($child), 0, 'others cannot: status 7, and no file is left';
    ok !-e $path, 'none here either';
}

done_testing;
