# Datagrams that are handed over in one piece arrive as the datagrams they
# were: equal and unequal lengths, empty ones, long ones, in order.
use Sockt;
use JSON::PP qw(decode_json);
use SocktUdp;

my $s = udp_socket();
setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 1 << 22;
# SO_RCVBUFFORCE: root may have what is asked for.
setsockopt $s, Socket::SOL_SOCKET(), 33, 1 << 22 if $^O eq 'linux';
my @to = ('127.0.0.1', $s->sockport);

# Sends lines and returns what arrives. At most so many are on their way at a
# time: the reader may be held up, and every receive buffer has to hold them.
sub pass_on { return pass_at(20000, 100, @_) }

sub pass_at {
    my ($rate, $at_once, @lines) = @_;
    my $p = start({ keep_stdin => 1 }, 'udp-send', '--no-reply',
        '--no-newline', '--rate', $rate, @to);
    my @got;
    while (my @some = splice @lines, 0, $at_once) {
        $p->send_line(join '', map { "$_\n" } @some);
        for (@some) {
            my $got = hear($s);
            push @got, $got if defined $got;
        }
    }
    is $p->finish->{status}, 0, 'sent';
    return \@got;
}

my @equal = map { sprintf '%06d', $_ } 1 .. 300;
is_deeply pass_on(@equal), \@equal, 'equal lengths';
my @burst = @equal[0 .. 199];
is_deeply pass_at(1_000_000_000, 200, @burst), \@burst, 'as many as go at once';
for my $case (['mixed lengths and empty ones', map { 'x' x ($_ % 5) } 1 .. 300],
    ['runs of growing length', map { 'a' x int($_ / 10) } 1 .. 300],
    ['more than one piece can hold', map { chr(65 + $_) x 20_000 } 1 .. 8],
    ['nothing but empty ones', ('') x 20]) {
    my ($name, @lines) = @$case;
    is_deeply pass_on(@lines), \@lines, $name;
}

# The answers of a server to several clients at once, by both families.
my $p = start('udp-serve', '--echo', '--max-rate', '0', '*', '0');
for my $host ('127.0.0.2', has_ipv6() ? '::1' : ()) {
    my $r = run('udp-send', '--stats', '--number', '--window', '64', '--count',
        '5000', '-w', 20, $host, $p->port, 'x');
    like $r->{out}, qr/5000 sent, 5000 received, 0 lost \(0%\), 0 duplicates/,
        "5,000 round trips to $host";
}
my @clients = map {
    start('udp-send', '--stats', '--number', '--window', '16', '--count',
        '3000', '127.0.0.1', $p->port, "client $_")
} 1 .. 3;
for (@clients) {
    like $_->finish->{out}, qr/3000 sent, 3000 received, 0 lost/,
        'one of three clients at once';
}
is $p->stop->{status}, 0, 'ends';

# 100,000 round trips lose nothing while the window fits the receive buffer,
# and what is lost beyond it is exactly what the kernel dropped.
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

$p = start('udp-serve', '-4', '--echo', '--max-rate', '0', '0');
my $port = $p->port;
my $r = run({ timeout => 100 }, 'udp-send', '--json', '-w', '20', '--count',
    '100000', '--window', '32', '127.0.0.1', $port, 'x' x 64);
exits $r, 0, '100,000 round trips';
my $out = last_event($r->{out});
is_deeply [@{$out}{qw(sent received lost duplicates late dropped)}],
    [100_000, 100_000, 0, 0, 0, 0], 'lose nothing';
$p->stop;

SKIP: {
    skip 'the kernel does not tell', 6
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
    exits $r, 0, 'udp-serve reports just as many, and sums up',
        err => [qr/ $dropped datagrams lost: they arrived faster/,
        qr/received (\d+) .* lost $dropped\b/];
    my ($received) = $r->{err} =~ /received (\d+) \(/;
    # Replies beyond our own receive buffer are told apart from lost ones.
    my $s = udp_socket();
    my $pid = answers($s, 1, sub { ('y' x 1000) x 1000 });
    my $q = start('udp-send', '--json', '--rcvbuf', '4096', '--replies', '0',
        '-w', '2', '127.0.0.1', $s->sockport, 'flood');
    $q->expect(out => qr/"connected"/);
    is reap($pid), 0, '1,000 replies to one datagram';
    $r = $q->finish;
    my $sum = last_event($r->{out});
    is "$r->{status} $sum->{lost}", '0 0', 'some of them are heard, so it is not lost';
    is $sum->{received} + $sum->{dropped}, 1000,
        "the other $sum->{dropped} were dropped here, which is told";

    is $received - $over + $dropped - $later, 1000, 'received and lost are all that were sent';
}

done_testing;
