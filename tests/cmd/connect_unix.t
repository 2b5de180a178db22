# Unix sockets, by path and abstract, as client and as server: who makes, replaces
# and removes a path, and with which mode.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM SOCK_DGRAM);

my $dir = scratch();
my $path = "$dir/s";
my @names = ($path, $^O eq 'linux' ? '@sockt-test-' . $$ : ());

# A socket that the test binds to a path, listening if it is a stream.
sub bound {
    my ($at, $type) = @_;
    return IO::Socket::UNIX->new(Local => $at, Type => $type // SOCK_STREAM,
        ($type // 0) == SOCK_DGRAM ? () : (Listen => 1)) || die "$at: $!";
}

sub client {
    my ($at) = @_;
    return IO::Socket::UNIX->new(Peer => $at, Type => SOCK_STREAM) || die "$at: $!";
}

# A server on the path that has announced itself.
sub serve {
    my ($command, @o) = @_;
    my $p = start($command, '-v', "unix:$path", @o);
    $p->expect(err => qr/ing on unix:/);
    return $p;
}

for my $name (@names) {
    my $at = $name =~ s/^@/\0/r;
    my $l = bound($at);
    my $peer = peer($l,
        sub { my ($c) = @_; local $/; my $x = <$c>; print $c uc $x });
    exits run({ stdin => 'abc' }, 'connect', "unix:$name"), '0 ABC',
        "connect unix:$name";
    reap($peer);    # it has the listening socket, too
    close $l;
    unlink $path;

    my $p = start({ stdin => '' }, 'listen', '-v', "unix:$name");
    $p->expect(err => qr/listening on unix:\Q$name\E\n/);
    my $c = client($at);
    print $c 'to the server';
    close $c;
    exits $p->finish, '0 to the server', "listen unix:$name";
    ok !-e $path, 'no path is left behind';
}

my $p = serve('listen', '-k', '--echo');
exits run('listen', '--echo', "unix:$path"), 7, 'a path in use is status 7';
ok -S $path, 'and is left alone';
$p->stop('KILL');
ok -S $path, 'a killed server leaves its path';
$p = serve('listen', '-k', '--echo', '--mode', 606);
is sprintf('%o', (stat $path)[2] & 07777), '606', 'which the next one takes over';
is run({ stdin => 'x' }, 'connect', "unix:$path")->{out}, 'x', 'and serves';
$p->stop;

exits run('connect', "unix:$dir/none"), 7, 'a path that nobody has bound',
    err => qr/no program has bound a socket there/;
misused 'connect', qr/./ => ['unix:' . 'x' x 200, 'unix:', "unix:$path 80"];

# What a peer on a Unix socket had not read yet counted as not delivered, in
# other units than bytes: status 10 for a transfer that was whole.
{
    my $l = bound("$dir/u");
    my $p = start({ keep_stdin => 1 }, 'connect', "unix:$dir/u");
    my $c = $l->accept or die "accept: $!";
    shutdown $c, 1;
    $p->send_line('x' x 5000);
    $p->close_stdin;
    exits $p->finish, 0, 'what the peer holds is delivered', err => '';
    is do { local $/; <$c> }, 'x' x 5000, 'and it has everything';
}

# Who removes a path: the server that bound it, while it is still that server's.
for my $case (['listen', SOCK_STREAM, '-k', '--echo'], ['serve-hello', SOCK_STREAM],
    ['udp-serve', SOCK_DGRAM]) {
    my ($command, $type, @options) = @$case;
    for my $row (
        ['the path that is another server\'s by now stays', 1,
            sub { unlink $path; bound($path, $type) }],
        ['a file put there stays', 1, sub { unlink $path; spew($path, 'precious') }],
        ['a path whose mode was changed is still its own', 0, sub { chmod 0600, $path }],
    ) {
        my ($name, $stays, $change) = @$row;
        my $p = serve($command, @options);
        my $other = $change->() or die "$path: $!";
        is $p->stop->{status}, 0, "$command is stopped";
        is -e $path ? 1 : 0, $stays, $name;
        is slurp($path), 'precious', 'as it is' if -f $path;
        unlink $path;
    }
}

# What is in the way and not stale is "address in use", whatever the test of
# it met: a file, another type of socket, and a full queue, which for a client is
# a refusal that is tried again. It was "resource temporarily unavailable".
for my $make (sub { spew($path, 'precious') }, sub { bound($path, SOCK_DGRAM) }) {
    my $it = $make->();
    exits run('listen', "unix:$path"), 7, 'a file, or a socket of another type',
        err => qr/address in use/;
    ok -S $path || slurp($path) eq 'precious', 'and stays';
    unlink $path;
}
if ($^O eq 'linux') {    # the others have no such queue
    my $l = bound($path);
    # listen(2) with 1 holds two.
    my @fill = map { client($path) } 1 .. 2;
    exits run('listen', "unix:$path"), 7, 'a server whose queue is full',
        err => qr/address in use/;
    ok -S $path, 'and keeps its path';
    exits run('connect', '-z', "unix:$path"), 4, 'a full queue is status 4',
        err => qr/refused \(the listener's queue is full\)/;
    my $p = start('connect', '-z', '--retry-for', 20, "unix:$path");
    $p->expect(err => qr/trying again/);
    $l->accept for 1 .. 2;
    is $p->finish->{status}, 0, 'it is tried again';
    unlink $path;
}

# --mode: who may use the path of a Unix socket.
umask 027;
for my $command ('listen', 'serve-hello', 'udp-serve') {
    for my $case (['660', '--mode', '660'], ['777', '--mode', '0777'],
        ['0', '--mode', '0'], ['2', '--mode', '02'], ['750']) {
        my ($mode, @given) = @$case;
        my $p = serve($command, @given);
        is sprintf('%o', (stat $path)[2] & 07777), $mode, "$command @given";
        $p->stop;
        ok !-e $path, 'the path is removed as always';
    }
    misused $command, qr/octal/ => [map { "unix:$path --mode=$_" } '888', '7777', '',
        'rw', '-1', '00660', '+60'], qr/./ => [map { "$_ --mode 600" } '0',
        '127.0.0.1 0', 'unix:@sockt-test', '--fd 3'];
    ok !-e $path, 'and nothing was attempted';
}

# Between bind and chmod the path is not open wider.
SKIP: {
    my $log = "$dir/log";
    run({ command => 'strace' }, '-o', $log, 'true');
    skip 'strace(1) cannot trace here', 2 unless -s $log;
    run({ command => 'strace', env => { ASAN_OPTIONS => 'detect_leaks=0' } },
        '-o', $log, '-e', 'trace=umask,bind,listen,file', sockt(), 'listen',
        '--accept-timeout', '50ms', '--mode', 640, "unix:$path");
    my $calls = slurp($log);
    my ($before) = $calls =~ /^(.*?)bind\(/s;
    is +($before =~ /umask\((\w+)\)/g)[-1], '0137', 'the umask during bind';
    like $calls, qr/bind\(.*chmod.*listen\(/s,
        'the final mode is set before clients can connect';
}

done_testing;
