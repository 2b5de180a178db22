# Who removes a unix socket's path: the server that bound it, while it is still
# that server's; and who replaces one that a dead server left, never one that
# somebody lives behind.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM SOCK_DGRAM);
use Time::HiRes qw(time);

my $dir = scratch();
my $path = "$dir/s";
my $slow = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/sockt-names';

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
    my $p = start(@command, "unix:$path");
    $p->expect(err => qr/ing on/);
    unlink $path or die "$path: $!";
    my $other = unix_server($type);
    is $p->stop->{status}, 0, "$name is stopped";
    ok -S $path, 'the path that is another server\'s by now stays';
    close $other;
    unlink $path;

    $p = start(@command, "unix:$path");
    $p->expect(err => qr/ing on/);
    unlink $path or die "$path: $!";
    spew($path, 'precious');
    is $p->stop->{status}, 0, "$name is stopped";
    ok -f $path && slurp($path) eq 'precious', 'a file put there stays';
    unlink $path;

    $p = start(@command, "unix:$path");
    $p->expect(err => qr/ing on/);
    chmod 0600, $path or die "$path: $!";
    $p->stop;
    ok !-e $path, 'a path whose mode was changed is still its own';
}

# What is in the way and not stale is "address in use", whatever the test of
# it met: a full queue, another type of socket.
my $full = unix_server(SOCK_STREAM);
my @fill;
while (@fill < 100) {
    my $c = IO::Socket::UNIX->new(Type => SOCK_STREAM, Blocking => 0) or die;
    last unless connect $c, Socket::pack_sockaddr_un($path);
    push @fill, $c;
}
my $r = run('listen', "unix:$path");
is $r->{status}, 7, 'a server whose queue is full';
like $r->{err}, qr/address in use/, 'is told as such';
ok -S $path, 'and keeps its path';
@fill = ();
close $full;
unlink $path;
my $dgram = unix_server(SOCK_DGRAM);
$r = run('listen', "unix:$path");
is $r->{status}, 7, 'a socket of another type';
like $r->{err}, qr/address in use/, 'is told as such';
close $dgram;
unlink $path;

# Two servers that start at the same time: the second one waits while the
# first one stands between two of its calls.
for my $call ('unlink', 'listen') {
    SKIP: {
        skip "$slow is not built", 3 unless -x $slow;
        my $mark = "$dir/mark";
        if ($call eq 'unlink') {
            my $dead = unix_server(SOCK_STREAM);
            close $dead;
        }
        my $first = start({ command => $slow,
                env => { SOCKT_TEST_PAUSE => "$call:$mark" } },
            'listen', '-k', '--echo', "unix:$path");
        my $until = time + $Sockt::PATIENCE;
        select undef, undef, undef, 0.001 until -e $mark || time > $until;
        ok -e $mark, "the first one is in $call(2)";
        my $second = start('listen', '-k', '--discard', "unix:$path");
        # It must not get there meanwhile; half a second to try.
        eval { $second->expect(err => qr/\n/, 0.5) };
        unlink $mark;
        $first->expect(err => qr/ing on unix:/);
        $r = $second->finish;
        is $r->{status}, 7, 'the second one finds the path in use';
        is run({ stdin => 'x', timeout => 5 }, 'connect', "unix:$path")->{out},
            'x', 'and the first one is there';
        stop_slow($first, $mark);
    }
}

# Stops a server whose last unlink(2) may wait as well.
sub stop_slow {
    my ($p, $mark) = @_;
    $p->signal('TERM');
    my $until = time + $Sockt::PATIENCE;
    do { unlink $mark }
        until defined reap($p->{pid}, 0.01) || time > $until;
}

done_testing;
