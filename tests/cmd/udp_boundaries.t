# Datagrams that are handed over in one piece arrive as the datagrams they
# were: equal and unequal lengths, empty ones, long ones, in order.
use Sockt;
use IO::Select;

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
    my ($ready, $until, @got) = (IO::Select->new($s), time + 20);
    while (my @some = splice @lines, 0, $at_once) {
        $p->send_line(join '', map { "$_\n" } @some);
        my $end = @got + @some;
        while (@got < $end && time < $until) {
            next unless $ready->can_read(1);
            $s->recv(my $x, 70_000);
            push @got, $x;
        }
    }
    is $p->finish->{status}, 0, 'sent';
    return \@got;
}

my @equal = map { sprintf '%06d', $_ } 1 .. 300;
is_deeply pass_on(@equal), \@equal, 'equal lengths';
my @burst = @equal[0 .. 199];
is_deeply pass_at(1_000_000_000, 200, @burst), \@burst, 'as many as go at once';
my @mixed = map { 'x' x ($_ % 5) } 1 .. 300;
is_deeply pass_on(@mixed), \@mixed, 'mixed lengths and empty ones';
my @steps = map { ('a' x int($_ / 10)) } 1 .. 300;
is_deeply pass_on(@steps), \@steps, 'runs of growing length';
my @long = map { chr(65 + $_) x 20_000 } 1 .. 8;
is_deeply [map { substr($_, 0, 1) . length } @{ pass_on(@long) }],
    [map { substr($_, 0, 1) . length } @long], 'more than one piece can hold';
is_deeply pass_on(('') x 20), [('') x 20], 'nothing but empty ones';

# The answers of a server to several clients at once, by both families.
my $p = start('udp-serve', '--echo', '--max-rate', '0', '*', '0');
for my $host ('127.0.0.2', has_ipv6() ? '::1' : ()) {
    my $r = run('udp-send', '--stats', '--number', '--window', '64', '--count',
        '5000', '-w', 20, $host, $p->port, 'x');
    like $r->{out}, qr/5000 sent, 5000 received, 0 lost \(0%\), 0 duplicates/,
        "5,000 round trips to $host";
}
my $many = run('udp-send', '--stats', '--window', '64', '--count', 80_000,
    '-w', 20, '127.0.0.1', $p->port, 'x');
like substr($many->{out}, -300), qr/80000 sent, 80000 received, 0 lost/,
    '80,000 echoes without a loss';
my @clients = map {
    start('udp-send', '--stats', '--number', '--window', '16', '--count',
        '3000', '127.0.0.1', $p->port, "client $_")
} 1 .. 3;
for (@clients) {
    like $_->finish->{out}, qr/3000 sent, 3000 received, 0 lost/,
        'one of three clients at once';
}
is $p->stop->{status}, 0, 'ends';

done_testing;
