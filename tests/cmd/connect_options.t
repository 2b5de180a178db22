# Socket options, own address and port: each is read back from the socket by
# a program that connect hands it to.
use Sockt;
use Socket qw(:all);

# What the program prints of its fd 0.
my $ask = <<'P';
use Socket qw(:all);
my ($level, $name) = @ARGV;
my $got = getsockopt(STDIN, $level, $name) or die "$!";
print STDERR unpack('i', $got), "\n";
P

my ($IP_TOS, $IP_TTL, $V6_HOPS, $V6_TCLASS) = (1, 2, 16, 67);

sub option {
    my ($host, $level, $name, @options) = @_;
    my $l = tcp_listener(host => $host);
    peer($l, sub { });
    my $r = run('connect', $host, $l->sockport, @options, '--',
        $^X, '-e', $ask, $level, $name);
    is $r->{status}, 0, "@options: exit status" or diag $r->{err};
    return $r->{err} + 0;
}

SKIP: {
    skip 'no IPv6', 4 unless has_ipv6();
    is option('::1', IPPROTO_IPV6, $V6_HOPS, '--ttl', 9), 9, '--ttl, IPv6';
    is option('::1', IPPROTO_IPV6, $V6_TCLASS, '--tos', 16), 16,
        '--tos, IPv6';
}

# -s and -p: who the peer sees.
my $l = tcp_listener();
my $own = free_port();
my $p = start({ keep_stdin => 1 }, 'connect', '-s', '127.0.0.2', '-p', $own,
    '127.0.0.1', $l->sockport);
my $c = $l->accept;
is $c->peerhost . ' ' . $c->peerport, "127.0.0.2 $own",
    '-s and -p: the four-part name of the connection';
$p->close_stdin;
close $c;
is $p->finish->{status}, 0, 'exit status';

my $r = run('connect', '-s', '192.0.2.1', '127.0.0.1', $l->sockport);
is $r->{status}, 7, 'an address that is not ours is status 7';
like $r->{err}, qr/not an address of this machine/, 'and told';
$r = run('connect', '-s', 'localhost', '127.0.0.1', 1);
is $r->{status}, 2, 'a name as -s is a usage error';

for my $case ([ '--ttl', 0 ], [ '--ttl', 256 ], [ '--tos', 256 ],
    [ '--rcvbuf', '0' ], [ '--sndbuf', '1X' ], [ '-p', 0 ], [ '-p', 65536 ],
    [ '-4', '-6' ], [ '--send-only', '--recv-only' ],
    [ '--on-eof', 'nothing' ], [ '--on-peer-eof', 'keep' ], [ '--on-peer-eof', 'drain' ],
    [ '--keepalive=1' ], [ '-z', '-C' ]) {
    is run('connect', @$case, '127.0.0.1', 1)->{status}, 2,
        "@$case is a usage error";
}

is run('connect', '-4', '::1', 1)->{status}, 2, '-4 with an IPv6 address';
is run('connect', '-n', 'localhost', 1)->{status}, 2, '-n with a name';

done_testing;
