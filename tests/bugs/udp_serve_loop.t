# After one forged datagram two servers answered each other for ever, unless
# they had the same port; and a server of chargen or echo would have done.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use Socket;
use Sockt;
use Test::More;

# Ports below 1024 are for root, and may have owners.
my $privileged = own_network();

# Seconds of processor time that a process has used.
sub spent {
    my ($p) = @_;
    my @f = split ' ', slurp("/proc/$p->{pid}/stat");
    return ($f[13] + $f[14]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

my $dir = scratch();
my $files = 0;

# A server that says what it does into a file, for loops say much. It, its
# port.
sub serve {
    my $file = "$dir/" . $files++;
    my $p = start({ command => 'sh' }, '-c', 'exec "$@" 2>"$0"', $file,
        sockt(), 'udp-serve', '-4', @_);
    my $until = time + $Sockt::PATIENCE;
    while (time < $until) {
        return ($p, $1) if -e $file && slurp($file) =~ /receiving.*port (\d+)/;
        select undef, undef, undef, 0.01;
    }
    die 'no server';
}

# Two servers, and datagrams to the first that seem to come from the second.
sub forged {
    my ($first, $second, $count) = @_;
    my $forger = udp_socket();
    my $port = $forger->sockport;
    my ($p, $to) = serve(@$first, 0);
    $p->signal('STOP');
    $forger->send("go $_", 0, pack_sockaddr_in($to, inet_aton('127.0.0.1')))
        for 1 .. $count;
    close $forger;
    my ($q) = serve(@$second, $port);
    $p->signal('CONT');
    return ($p, $q);
}

SKIP: {
    skip 'no /proc', 6 unless -r '/proc/net/udp' && -r '/proc/self/stat';
    for my $case ([['--echo'], ['--echo'], 1],
        [['--echo'], ['--echo'], 20], [['--echo'], [], 1],
        [['--reply', 'pong'], ['--reply', 'ping'], 1],
        [['--reply', '%n'], ['--echo'], 1], [[], ['--reply', '%s'], 3]) {
        my ($first, $second, $count) = @$case;
        my ($p, $q) = forged($first, $second, $count);
        my ($now, $before, $calm) = (0, -1, 0);
        # A loop spends processor time without end, however busy the machine is.
        while ($calm < 6 && $now < 10) {
            ($before, $now) = ($now, spent($p) + spent($q));
            $calm = $now - $before < 0.011 ? $calm + 1 : 0;
            select undef, undef, undef, 0.1;
        }
        is $calm, 6, "udp-serve @$first and @$second, $count forged: it ends";
        $_->stop for $p, $q;
    }
}

# The line when the limit bites; others are not affected, nor is what is new.
my $p = start('udp-serve', '-4', '--echo', '0');
my $to = pack_sockaddr_in($p->port, inet_aton('127.0.0.1'));
my $c = udp_socket();
my $select = IO::Select->new($c);
my $until = time + 20;
my $lost = 0;
while (!$lost && time < $until) {
    $c->send('same', 0, $to);
    $lost = !$select->can_read(0.3);
    $c->recv(my $x, 100) unless $lost;
}
ok $lost, 'a message that is repeated as in a loop is not answered any more';
$p->expect(err => qr/127\.0\.0\.1 port \d+: its datagrams look like a reply loop/);
$p->expect(err => qr/its host is not answered for 1 s \(see --max-rate\)\n/);
$c->send('new', 0, $to);
ok $select->can_read(5), 'another one is';
$c->recv(my $x, 100);
is $x, 'new', 'with itself';
my $other = udp_socket(host => '127.0.0.2');
$other->send('same', 0, $to);
ok(IO::Select->new($other)->can_read(5), 'another host is');
$p->stop;

# Unless the user says so.
$p = start('udp-serve', '-4', '--echo', '--max-rate', '0', '0');
$p->port;
my $r = run('udp-send', '-q', '--count', '40000', '127.0.0.1', $p->port,
    'same');
is $r->{status}, 0, '--max-rate 0: no limit';
is $p->stop->{err} =~ s/.*receiving on.*\n//r, '', 'and no word';

# Ports of known reflectors.
SKIP: {
    skip 'only root sends from such ports', 12 unless $privileged;
    for my $options ([], ['--echo'], ['--any-port']) {
        $p = start('udp-serve', '-4', '-v', @$options, '0');
        $to = pack_sockaddr_in($p->port, inet_aton('127.0.0.1'));
        for my $port (7, 19, 53) {
            my $s = udp_socket(port => $port);
            $s->send('x', 0, $to);
            my $answered = IO::Select->new($s)
                ->can_read("@$options" eq '--any-port' ? 5 : 0.2);
            is !!$answered, "@$options" eq '--any-port',
                "@$options: is port $port answered?";
        }
        my $ignored = qr/ignored: it comes from a port where servers/;
        $p->expect(err => qr/(?:$ignored.*){3}/s)
            unless "@$options" eq '--any-port';
        is scalar(() = $p->stop->{err} =~ /$ignored/g),
            "@$options" eq '--any-port' ? 0 : 3, 'told';
    }
}

# A greeting of greetings.
$p = start('udp-serve', '-4', '-v', '0');
$c = udp_socket(peer => ['127.0.0.1', $p->port]);
$c->send('Hello, Hello, x!!');
$c->recv($x, 100);
is $x, 'Hello, Hello, Hello, x!!!', 'an answer to an answer';
$c->send($x);
$p->expect(err => qr/ignored: it is an answer to answers/);
pass 'is not answered once more';
$p->stop;

done_testing;
