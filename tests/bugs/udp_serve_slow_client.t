# A client of a unix socket that did not read its answers stopped the server,
# which asked the same socket for room without end.
use Sockt;
use IO::Select;
use Socket;

alarm 60;
my $dir = scratch();

sub unix_socket {
    my ($path) = @_;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($path) or die "bind: $!";
    return $s;
}

# The answers that come within a while.
sub answers {
    my ($s) = @_;
    my @got;
    while (IO::Select->new($s)->can_read(0.3)) {
        recv $s, my $x, 1000, 0;
        push @got, $x;
    }
    return @got;
}

my $p = start('udp-serve', '-v', '--echo', "unix:$dir/server");
$p->expect(err => qr/receiving on/);
my $to = pack_sockaddr_un("$dir/server");
my ($stuck, $good) = map { unix_socket("$dir/$_") } 'stuck', 'good';
my @before = times;
for my $n (1 .. 700) {
    send $stuck, "stuck $n", 0, $to or die "send: $!";
    $p->_pump(0);
}
send $good, 'good', 0, $to;
ok(IO::Select->new($good)->can_read(10), 'others are answered');
recv $good, my $x, 1000, 0;
is $x, 'good', 'with what is theirs';
$p->expect(err => qr/stuck: ignored: no answer was sent: the client does not read/);

# How many a socket holds that nobody reads.
my $held  = 0;
my $other = unix_socket("$dir/other");
$held++ while send $good, 'x', MSG_DONTWAIT, pack_sockaddr_un("$dir/other");

# All that wait for it are dropped after a second.
my $until = time + 20;
my $told = 0;
while ($told < 700 - $held && time < $until) {
    $p->_pump(0.3);
    $told = () = $p->{err} =~ /does not read/g;
}
my @got = answers($stuck);
is scalar(@got) + $told, 700, 'each is sent or told';
is_deeply \@got, [map { "stuck $_" } 1 .. @got], 'in order';
send $stuck, 'again', 0, $to;
is_deeply [answers($stuck)], ['again'], 'a client that reads is answered';

# A client that reads late, but in time, has all of them.
send $good, "late $_", 0, $to for 1 .. 100;
my $marker = unix_socket("$dir/marker");
send $marker, 'marker', 0, $to;
is_deeply [answers($marker)], ['marker'], 'all have been received';
is_deeply [answers($good)], [map { "late $_" } 1 .. 100],
    'what found no room is sent when there is some, in order';
is $p->stop->{status}, 0, 'ends';
my @after = times;
cmp_ok $after[2] + $after[3] - $before[2] - $before[3], '<', 0.5,
    'without spinning';

# --count ends when all that can be sent has been.
$p = start('udp-serve', '--count', '60', '--echo', "unix:$dir/server2");
$p->expect(err => qr/receiving on/);
$to = pack_sockaddr_un("$dir/server2");
send $good, "last $_", 0, $to for 1 .. 60;
is_deeply [answers($good)], [map { "last $_" } 1 .. 60],
    '--count does not cut off what waits';
is $p->finish->{status}, 0, 'and ends';

done_testing;
