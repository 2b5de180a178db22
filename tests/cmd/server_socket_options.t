# A server's socket options hold on the connections that it accepts: each is
# read back, by a program that is handed one, or from outside with
# pidfd_getfd(2).
use Sockt;
use Socket qw(:all);
use Time::HiRes qw(time);

my @options = ('--ttl', 9, '--tos', 16, '--keepalive',
    '--rcvbuf', '48k', '--sndbuf', '16k');
my ($IP_TOS, $IP_TTL, $V6_HOPS, $V6_TCLASS) = (1, 2, 16, 67);
my %v4 = (ttl => [ IPPROTO_IP, $IP_TTL ], tos => [ IPPROTO_IP, $IP_TOS ]);
my %v6 = (
    ttl => [ IPPROTO_IPV6, $V6_HOPS ],
    tos => [ IPPROTO_IPV6, $V6_TCLASS ],
);
my %common = (
    nodelay => [ IPPROTO_TCP, TCP_NODELAY ],
    keepalive => [ SOL_SOCKET, SO_KEEPALIVE ],
    rcvbuf => [ SOL_SOCKET, SO_RCVBUF ],
    sndbuf => [ SOL_SOCKET, SO_SNDBUF ],
);

sub is_set {
    my ($name, $got) = @_;
    is $got->{ttl}, 9, "$name: --ttl";
    is $got->{tos}, 16, "$name: --tos";
    ok $got->{nodelay}, "$name: TCP_NODELAY";
    ok $got->{keepalive}, "$name: --keepalive";
    # The kernel may double them for its own needs.
    like $got->{rcvbuf}, qr/\A(?:49152|98304)\z/, "$name: --rcvbuf";
    like $got->{sndbuf}, qr/\A(?:16384|32768)\z/, "$name: --sndbuf";
}

sub is_unset {
    my ($name, $got) = @_;
    isnt $got->{ttl}, 9, "$name, without: --ttl";
    isnt $got->{tos}, 16, "$name, without: --tos";
    ok $got->{nodelay}, "$name, without: TCP_NODELAY";
    ok !$got->{keepalive}, "$name, without: --keepalive";
    unlike $got->{rcvbuf}, qr/\A(?:49152|98304)\z/,
        "$name, without: --rcvbuf";
    unlike $got->{sndbuf}, qr/\A(?:16384|32768)\z/,
        "$name, without: --sndbuf";
}

# What a program prints of its fd 0.
my $ask = <<'P';
while (my ($name, $level, $option) = splice @ARGV, 0, 3) {
    my $got = getsockopt(STDIN, $level, $option) or die "$name: $!";
    print "$name ", unpack('i', $got), "\n";
}
P

sub of_program {
    my ($family, @command) = @_;
    my %ask = (%common, %$family);
    return (@command, '--', $^X, '-e', $ask,
        map { ($_, @{ $ask{$_} }) } sort keys %ask);
}

for my $case (
    [ 'IPv4', '127.0.0.1', '127.0.0.1', \%v4 ],
    [ 'IPv6', '::1', '::1', \%v6 ],
    [ 'IPv4 of both', '*', '127.0.0.1', \%v4 ],
    [ 'IPv6 of both', '*', '::1', \%v6 ],
) {
    my ($name, $address, $host, $family) = @$case;
    SKIP: {
        skip 'no IPv6', 11 if !has_ipv6() && $name ne 'IPv4';
        for my $given (\@options, []) {
            my $p = start(of_program($family, 'listen', @$given,
                $address, 0));
            my $c = tcp_client($p->port, $host);
            my $text = do { local $/; <$c> };
            close $c;
            is $p->finish->{status}, 0, "$name: exit status";
            my %got = $text =~ /(\S+) (\S+)\n/g;
            (@$given ? \&is_set : \&is_unset)->("$name, a program", \%got);
        }
    }
}

# connect hands its program the same.
my $l = tcp_listener();
peer($l, sub { local $/; readline $_[0] }, 2);
for my $given (\@options, []) {
    # The program's stdout is the connection: it prints to stderr.
    my @command = of_program(\%v4, 'connect', @$given, '127.0.0.1',
        $l->sockport);
    s/print "/print STDERR "/ for @command;
    my $r = run(@command);
    is $r->{status}, 0, 'connect: exit status';
    my %got = $r->{err} =~ /(\S+) (\S+)\n/g;
    (@$given ? \&is_set : \&is_unset)->('connect', \%got);
}

# Connections that no program sees.
# Copies of a process's sockets: pidfd_open(2), pidfd_getfd(2).
sub sockets_of {
    my ($of) = @_;
    my @found;
    my $process = syscall 434, $of + 0, 0;
    return if $process < 0;
    for my $path (glob "/proc/$of/fd/*") {
        next unless (readlink $path // '') =~ /^socket/;
        my ($fd) = $path =~ /(\d+)\z/;
        my $copy = syscall 438, $process, $fd + 0, 0;
        next if $copy < 0;
        open my $handle, '+<&=', $copy or die $!;
        push @found, $handle;
    }
    POSIX::close($process);
    return @found;
}

# The other end of the client's connection, in the server or its children.
sub other_end {
    my ($p, $client) = @_;
    my $until = time + $Sockt::PATIENCE;
    while (time < $until) {
        for my $s (map { sockets_of($_) } $p->{pid}, children($p->{pid})) {
            my $peer = getpeername $s or next;
            return $s if (unpack_sockaddr_in $peer)[0] == $client->sockport;
        }
        select undef, undef, undef, 0.01;
    }
    return undef;
}

sub look {
    my ($s) = @_;
    my %ask = (%common, %v4);
    return { map {
        ($_ => unpack 'i', getsockopt($s, $ask{$_}[0], $ask{$_}[1]) // '')
    } keys %ask };
}

my $target = tcp_listener();
for my $case (
    [ 'listen', [ 'listen', '-4', 0 ] ],
    [ 'listen --echo', [ 'listen', '-k', '--echo', '-4', 0 ] ],
    [ 'listen --to',
        [ 'listen', '-k', '-4', 0, '--to', '127.0.0.1:' . $target->sockport ]
    ],
) {
    my ($name, $command) = @$case;
    SKIP: {
        my $mine = eval { (sockets_of($$))[0] };
        skip 'no pidfd_getfd(2)', 11 unless $mine;
        for my $given (\@options, []) {
            my $p = start({ keep_stdin => 1 }, @$command, @$given);
            my $client = tcp_client($p->port);
            my $s = other_end($p, $client) or die "$name: no other end";
            (@$given ? \&is_set : \&is_unset)->($name, look($s));
            if ($name =~ /to/) {
                # Its other connection gets them too.
                my $forwarded = $target->accept;
                my $far = other_end($p, $forwarded) or die 'no far end';
                (@$given ? \&is_set : \&is_unset)->("$name, the target",
                    look($far));
            }
            $p->stop;
        }
    }
}

SKIP: {
    skip 'no pidfd_getfd(2)', 1 unless eval { (sockets_of($$))[0] };
    my $p = start('serve-hello', '--keepalive', '-4', 0);
    my $client = tcp_client($p->port);
    ok look(other_end($p, $client))->{keepalive}, 'serve-hello --keepalive';
    $p->stop;
}

for my $bad ([ '--ttl', 0 ], [ '--tos', 256 ], [ '--rcvbuf', 'x' ],
    [ '--sndbuf', 0 ], [ '--keepalive=1' ]) {
    is run('listen', @$bad, 0)->{status}, 2, "listen @$bad is refused";
}

done_testing;
