# Who removes a unix socket's path: the server that bound it, while it is still
# that server's; and who replaces one that a dead server left, never one that
# somebody lives behind.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM SOCK_DGRAM);

my $dir = scratch();
my $path = "$dir/s";

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
my @fill;
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

done_testing;
