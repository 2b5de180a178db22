# After one forged datagram two servers answered each other for ever, unless
# they had the same port; and a server of chargen or echo would have done.
use Sockt;
use List::Util qw(sum);
use Socket;
use SocktUdp;
use Time::HiRes qw(time);

# Ports below 1024 are for root, and may have owners.
my $privileged = own_network();

# How often a process has waited: a loop waits for each of its turns.
sub waits {
    my ($p) = @_;
    my ($n) = slurp("/proc/$p->{pid}/status") =~ /^voluntary_\D*(\d+)/m;
    return $n;
}

# Whether a loop between two servers ends. It is allowed to go on for ever only
# as slowly as the limit lets any client be: then 'slow'.
sub ends {
    my @servers = @_;
    my $start = time;
    my ($now, $before, $calm) = (0, -1, 0);
    while ($calm < 6) {
        my $seconds = time - $start;
        return 'slow' if $seconds > 60;
        ($before, $now) = ($now, sum(map { waits($_) } @servers));
        return 'no' if $now > 3 * (10_000 + 10_000 * $seconds);
        $calm = $now == $before ? $calm + 1 : 0;
        select undef, undef, undef, 0.1;
    }
    return 'yes';
}

# Two servers without messages, which would cost most of their time, and
# datagrams to the first that seem to come from the second.
sub forged {
    my ($first, $second, $count) = @_;
    my ($to, $from) = (udp_socket(), udp_socket());
    $from->send("go $_", 0, $to->sockname) for 1 .. $count;
    return map { start({ stdin => $_->[0] }, 'udp-serve', '-q', '--fd', 0,
        @{ $_->[1] }) } [$to, $first], [$from, $second];
}

SKIP: {
    skip 'no /proc', 3 unless -r '/proc/self/status';
    for my $case ([['--echo'], ['--echo'], 1],
        [['--echo'], ['--reply', '%n'], 20], [[], [], 3]) {
        my ($first, $second, $count) = @$case;
        my @servers = forged($first, $second, $count);
        my $ends = ends(@servers);
        $_->stop for @servers;
        skip 'a loop here is as slow as a client', 1 if $ends eq 'slow';
        is $ends, 'yes',
            "udp-serve @$first and @$second, $count forged: it ends";
    }
}

# Unless the user says so.
my ($p) = udp_pair('--echo', '--max-rate', '0');
exits run('udp-send', '-q', '--count', '40000', '--window', 32, '127.0.0.1',
    $p->port, 'same'), 0, '--max-rate 0: no limit';
is $p->stop->{err} =~ s/.*receiving on.*\n//r, '', 'and no word';

# Ports of known reflectors.
SKIP: {
    skip 'only root sends from such ports', 8 unless $privileged;
    for my $options ([], ['--echo']) {
        ($p) = udp_pair('-v', @$options);
        my $to = pack_sockaddr_in($p->port, inet_aton('127.0.0.1'));
        for my $port (7, 19, 53) {
            my $s = udp_socket(port => $port);
            $s->send('x', 0, $to);
            is hear($s, 0.2), undef, "@$options: port $port is not answered";
        }
        my $ignored = qr/ignored: it comes from a port where servers/;
        $p->expect(err => qr/(?:$ignored.*){3}/s);
        is scalar(() = $p->stop->{err} =~ /$ignored/g), 3, 'told';
    }
}

done_testing;
