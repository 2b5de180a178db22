# unix sockets, by path and abstract, as client and as server.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);
use Socket qw(SOCK_STREAM SOCK_DGRAM);

my $dir = scratch();
my @names = ("$dir/s");
push @names, '@sockt-test-' . $$ if $^O eq 'linux';

for my $name (@names) {
    my $path = $name =~ s/^@/\0/r;
    my $l = IO::Socket::UNIX->new(
        Local => $path, Listen => 1, Type => SOCK_STREAM) or die "$!";
    my $peer = peer($l,
        sub { my ($c) = @_; local $/; my $x = <$c>; print $c uc $x });
    my $r = run({ stdin => 'abc' }, 'connect', "unix:$name");
    reap($peer);    # it has the listening socket, too
    is "$r->{status} $r->{out}", '0 ABC', "connect unix:$name";
    close $l;
    unlink "$dir/s";

    my $p = start({ stdin => '' }, 'listen', '-v', "unix:$name");
    $p->expect(err => qr/listening on unix:\Q$name\E\n/);
    my $c = IO::Socket::UNIX->new(Peer => $path, Type => SOCK_STREAM)
        or die "$!";
    print $c 'to the server';
    close $c;
    exits $p->finish, '0 to the server', "listen unix:$name";
    ok !-e "$dir/s", 'no path is left behind';
}

# A server that is stopped, and one that was killed.
my $p = start('listen', '-v', '-k', '--echo', "unix:$dir/t");
$p->expect(err => qr/listening/);
exits run('listen', '--echo', "unix:$dir/t"), 7, 'a path in use is status 7';
ok -S "$dir/t", 'and is left alone';
is $p->stop->{status}, 0, 'stopped';
ok !-e "$dir/t", 'its path is gone';

$p = start('listen', '-v', '-k', '--echo', "unix:$dir/t");
$p->expect(err => qr/listening/);
$p->stop('KILL');
ok -S "$dir/t", 'a killed server leaves its path';
$p = start('listen', '-v', '-k', '--echo', "unix:$dir/t");
$p->expect(err => qr/listening/);
is run({ stdin => 'x' }, 'connect', "unix:$dir/t")->{out}, 'x',
    'which the next one takes over';
$p->stop;

spew("$dir/file", 'precious');
is run('listen', "unix:$dir/file")->{status}, 7, 'a file is no stale socket';
is slurp("$dir/file"), 'precious', 'and stays';

my $r = run('connect', "unix:$dir/none");
is $r->{status}, 7, 'a path that nobody has bound is status 7';
like $r->{err}, qr/no program has bound a socket there/, 'and told';
is run('connect', 'unix:' . 'x' x 200)->{status}, 2, 'a path too long';
is run('connect', 'unix:')->{status}, 2, 'no path';
is run('connect', "unix:$dir/s", 80)->{status}, 2, 'a path and a port';

# What a peer on a unix socket had not read yet counted as not delivered, in
# other units than bytes: status 10 for a transfer that was whole.
my $path = "$dir/u";
my $l = IO::Socket::UNIX->new(
    Local => $path, Listen => 1, Type => SOCK_STREAM) or die "$!";
$p = start({ keep_stdin => 1 }, 'connect', "unix:$path");
my $c = $l->accept or die "accept: $!";
shutdown $c, 1;
$p->send_line('x' x 5000);
$p->close_stdin;
exits $p->finish, 0, 'what the peer holds is delivered', err => '';
my $got = '';
1 while sysread $c, $got, 65536, length $got;
is $got, 'x' x 5000, 'and it has everything';

# A unix socket whose queue is full was "resource temporarily unavailable",
# status 1, and not tried again.
done_testing, exit if $^O ne 'linux';    # the others have no such queue
$path = "$dir/v";
$l = IO::Socket::UNIX->new(
    Local => $path, Listen => 1, Type => SOCK_STREAM) or die "$!";
# listen(2) with 1 holds two.
my @fill = map { IO::Socket::UNIX->new(
    Peer => $path, Type => SOCK_STREAM) or die "$!" } 1 .. 2;
exits run('connect', '-z', "unix:$path"), 4, 'a full queue is status 4',
    err => qr/refused \(the listener's queue is full\)/;

$p = start('connect', '-z', '--retry-for', 20, "unix:$path");
$p->expect(err => qr/trying again/);
$l->accept for 1 .. 2;
is $p->finish->{status}, 0, 'it is tried again';

# Who removes a unix socket's path: the server that bound it, while it is still
# that server's; and who replaces one that a dead server left, never one that
# somebody lives behind.
$dir = scratch();
$path = "$dir/s";

sub unix_server {
    my ($type) = @_;
    return IO::Socket::UNIX->new(Local => $path, Type => $type,
        $type == SOCK_STREAM ? (Listen => 1) : ()) || die "$path: $!";
}

my @servers = (
    [ 'listen', SOCK_STREAM, 'listen', '-k', '--echo' ],
    [ 'serve-hello', SOCK_STREAM, 'serve-hello' ],
    [ 'udp-serve', SOCK_DGRAM, 'udp-serve' ],
);
for my $case (@servers) {
    my ($name, $type, @command) = @$case;
    my $p = start(@command, "-v", "unix:$path");
    $p->expect(err => qr/ing on/);
    unlink $path or die "$path: $!";
    my $other = unix_server($type);
    is $p->stop->{status}, 0, "$name is stopped";
    ok -S $path, 'the path that is another server\'s by now stays';
    close $other;
    unlink $path;

    $p = start(@command, "-v", "unix:$path");
    $p->expect(err => qr/ing on/);
    unlink $path or die "$path: $!";
    spew($path, 'precious');
    is $p->stop->{status}, 0, "$name is stopped";
    ok -f $path && slurp($path) eq 'precious', 'a file put there stays';
    unlink $path;

    $p = start(@command, "-v", "unix:$path");
    $p->expect(err => qr/ing on/);
    chmod 0600, $path or die "$path: $!";
    $p->stop;
    ok !-e $path, 'a path whose mode was changed is still its own';
}

# What is in the way and not stale is "address in use", whatever the test of
# it met: a full queue, another type of socket.
my $full = unix_server(SOCK_STREAM);
@fill = ();
while (@fill < 100) {
    my $c = IO::Socket::UNIX->new(Type => SOCK_STREAM, Blocking => 0) or die;
    last unless connect $c, Socket::pack_sockaddr_un($path);
    push @fill, $c;
}
exits run('listen', "unix:$path"), 7, 'a server whose queue is full',
    err => qr/address in use/;
ok -S $path, 'and keeps its path';
@fill = ();
close $full;
unlink $path;
my $dgram = unix_server(SOCK_DGRAM);
exits run('listen', "unix:$path"), 7, 'a socket of another type',
    err => qr/address in use/;
close $dgram;
unlink $path;

# --mode: who may use the path of a unix socket.
my $folder = scratch();
$path = "$folder/s";
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
    misused $command, qr/octal/ => [map { "unix:$path --mode=$_" } '888', '7777', '',
        'rw', '-1', '00660', '+60'], qr/./ => [map { "$_ --mode 600" } '0',
        '127.0.0.1 0', 'unix:@sockt-test', '--fd 3'];
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
