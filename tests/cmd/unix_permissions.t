# --mode: who may use the path of a unix socket.
use Sockt;
use IO::Socket::UNIX;

my $folder = scratch();
my $path = "$folder/s";
my %announcement = ('udp-serve' => qr/receiving on/);

# Starts a server on the path; returns it and the mode, without the type.
sub serve {
    my ($command, @o) = @_;
    my $p = start($command, "-v", "unix:$path", @o);
    $p->expect(err => $announcement{$command} // qr/listening on/);
    return ($p, sprintf('%o', (stat $path)[2] & 07777));
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
        exits run($command, "unix:$path", "--mode=$bad"), 2,
            "--mode '$bad' is a usage error", err => qr/octal/;
    }
    for my $where ([0], [ '127.0.0.1', 0 ], [ 'unix:@sockt-test' ],
        [ '--fd', 3 ]) {
        my $r = run($command, @$where, '--mode', 600);
        is $r->{status}, 2, "--mode with @$where is a usage error";
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

# Between bind and chmod the path is not open wider.
SKIP: {
    my $log = "$folder/log";
    run({ command => 'strace' }, '-o', $log, 'true');
    skip 'strace(1) cannot trace here', 2 unless -s $log;
    run({ command => 'strace', env => { ASAN_OPTIONS => 'detect_leaks=0' } },
        '-o', $log, '-e', 'trace=umask,bind,listen,file', sockt(), 'listen',
        '--accept-timeout', '50ms', '--mode', 640, "unix:$path");
    my $calls = slurp($log);
    my ($before) = $calls =~ /^(.*?)bind\(/s;
    my @masks = $before =~ /umask\((\w+)\)/g;
    is $masks[-1], '0137', 'the umask during bind';
    like $calls, qr/bind\(.*chmod.*listen\(/s,
        'the final mode is set before clients can connect';
}

done_testing;
