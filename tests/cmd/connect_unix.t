# unix sockets, by path and abstract, as client and as server.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

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

done_testing;
