# Many connections, one after another and at once: every byte comes back, and
# no process, zombie or descriptor stays; the server's memory does not grow.
# SOCKT_LONG=1 runs the whole numbers: 10,000 and 1,000.
use Sockt;

my $long = $ENV{SOCKT_LONG};
my ($sequential, $parallel) = $long ? (10_000, 1_000) : (300, 100);

sub descriptors { my @fds = glob "/proc/$_[0]/fd/*"; return scalar @fds }

sub resident {
    my ($pid) = @_;
    open my $f, '<', "/proc/$pid/smaps_rollup" or return 0;
    my ($private) = grep { /^Private_Dirty/ } <$f>;
    return $private =~ /(\d+)/ ? $1 : 0;
}

# Waits until a condition holds, for ten seconds at most.
sub within {
    my ($condition) = @_;
    for (1 .. 1000) {
        return 1 if $condition->();
        select undef, undef, undef, 0.01;
    }
    return 0;
}

# Waits until the server has nobody left.
sub settle { my ($pid) = @_; return within(sub { !children($pid) }) }

my $target = start('listen', '-k', '--echo', '--max-conns', 2000, 0);
my $target_port = $target->port;
for my $case (
    [ '--echo', '--echo' ],
    [ '-- /bin/cat', '--', '/bin/cat' ],
    [ '--to', '--to', "127.0.0.1:$target_port" ],
) {
    my ($name, @handler) = @$case;
    my $p = start('listen', '-k', '--max-conns', 2000,
        $handler[0] eq '--' ? (0, @handler) : (@handler, 0));
    my $port = $p->port;
    exchange($port, 'warm up');
    settle($p->{pid});
    # Two listening sockets, the signal pipe and the standard three.
    my $fds = has_ipv6() ? 7 : 6;
    within(sub { descriptors($p->{pid}) == $fds });
    my $memory = resident($p->{pid});

    my $good = 0;
    for my $text (map { "connection $_ " x 20 } 1 .. $sequential) {
        $good++ if exchange($port, $text) eq $text;
    }
    is $good, $sequential, "$name: one after another";

    my @c = map { tcp_client($port) } 1 .. $parallel;
    for my $i (0 .. $#c) {
        syswrite $c[$i], "number $i " x 50;
    }
    shutdown $_, 1 for @c;
    $good = 0;
    for my $i (0 .. $#c) {
        local $/;
        my $h = $c[$i];
        $good++ if (scalar(<$h>) // '') eq "number $i " x 50;
    }
    @c = ();
    is $good, $parallel, "$name: all at once";
    ok settle($p->{pid}), "$name: no process and no zombie stays";
    ok within(sub { descriptors($p->{pid}) == $fds }),
        "$name: no descriptor stays";
    SKIP: {
        # A sanitizer keeps what is freed, to find its use.
        skip 'sanitized', 1 if sockt() =~ /sanitize/;
        # Room for the table of that many children, and no more.
        cmp_ok resident($p->{pid}), '<', $memory + 1024,
            "$name: memory does not grow";
    }
    is $p->stop->{status}, 0, "$name: stopped";
}
$target->stop;

done_testing;
