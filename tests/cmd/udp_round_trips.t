# 100,000 round trips lose nothing while the window fits the receive buffer,
# and what is lost beyond it is exactly what the kernel dropped.
use Sockt;
use JSON::PP qw(decode_json);

# What the kernel says it dropped on the UDP socket of a port.
sub drops {
    my ($port) = @_;
    my $hex = sprintf ':%04X', $port;
    for (split /\n/, slurp('/proc/net/udp')) {
        my @f = split;
        return $f[-1] if @f > 9 && $f[1] =~ /\Q$hex\E$/;
    }
    return undef;
}

# The last event of --json.
sub last_event { return decode_json((split /\n/, $_[0])[-1]) }

my $p = start('udp-serve', '-4', '--echo', '--max-rate', '0', '0');
my $port = $p->port;
my $r = run({ timeout => 100 }, 'udp-send', '--json', '-w', '20', '--count',
    '100000', '--window', '32', '127.0.0.1', $port, 'x' x 64);
my $out = last_event($r->{out});
is $r->{status}, 0, '100,000 round trips';
is_deeply [@{$out}{qw(sent received lost duplicates late dropped)}],
    [100_000, 100_000, 0, 0, 0, 0], 'lose nothing';
$p->stop;

SKIP: {
    skip 'the kernel does not tell', 8
        if !-r '/proc/net/udp' || run('--version')->{out} =~ /posix/;
    # A server that does not read is flooded.
    $p = start('udp-serve', '-4', '-v', '--discard', '--rcvbuf', '4096', '0');
    $port = $p->port;
    $p->signal('STOP');
    exits run('udp-send', '--no-reply', '--count', '1000', '127.0.0.1', $port,
        'x' x 1000), 0, '1,000 datagrams into a small buffer';
    my $dropped = drops($port);
    cmp_ok $dropped, '>', 900, "the kernel dropped $dropped of them";
    $p->signal('CONT');
    # Whatever is waiting is read before the last one is.
    my $c = udp_socket(peer => ['127.0.0.1', $port]);
    do { $c->send('over') } until eval { $p->expect(err => qr/over/, 0.2) };
    my $later = drops($port) - $dropped;
    $r = $p->stop;
    my $over = () = $r->{err} =~ /says: over/g;
    $dropped += $later;
    like $r->{err}, qr/ $dropped datagrams lost: they arrived faster/,
        'udp-serve reports just as many';
    like $r->{err}, qr/received (\d+) .* lost $dropped\b/, 'and sums up';
    my ($received) = $r->{err} =~ /received (\d+) \(/;
    # Replies beyond our own receive buffer are told apart from lost ones.
    my $s = udp_socket();
    my $pid = Sockt::fork_child(sub {
        my $from = $s->recv(my $x, 100);
        $s->send('y' x 1000, 0, $from) for 1 .. 1000;
    });
    my $q = start('udp-send', '--json', '--rcvbuf', '4096', '--replies', '0',
        '-w', '2', '127.0.0.1', $s->sockport, 'flood');
    $q->expect(out => qr/"connected"/);
    is reap($pid), 0, '1,000 replies to one datagram';
    $r = $q->finish;
    my $sum = last_event($r->{out});
    is $r->{status}, 0, 'some of them are heard';
    is $sum->{lost}, 0, 'so it is not lost';
    is $sum->{received} + $sum->{dropped}, 1000,
        "the other $sum->{dropped} were dropped here, which is told";

    is $received - $over + $dropped - $later, 1000, 'received and lost are all that were sent';
}

done_testing;
