# Socket options hold on the connections that a server accepts, that a forwarder
# makes, and that a program is handed: each is read back by that program, or from
# outside with pidfd_getfd(2).
use Sockt;
use Socket qw(:all);
use Time::HiRes qw(time);

my @options = ('--ttl', 9, '--tos', 16, '--keepalive',
    '--rcvbuf', '48k', '--sndbuf', '16k');
my %common = (
    nodelay => [IPPROTO_TCP, TCP_NODELAY],
    keepalive => [SOL_SOCKET, SO_KEEPALIVE],
    # TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT of Linux
    idle => [IPPROTO_TCP, 4], interval => [IPPROTO_TCP, 5], probes => [IPPROTO_TCP, 6],
    rcvbuf => [SOL_SOCKET, SO_RCVBUF],
    sndbuf => [SOL_SOCKET, SO_SNDBUF],
);
# IP_TTL and IP_TOS, IPV6_UNICAST_HOPS and IPV6_TCLASS.
my %v4 = (%common, ttl => [IPPROTO_IP, 2], tos => [IPPROTO_IP, 1]);
my %v6 = (%common, ttl => [IPPROTO_IPV6, 16], tos => [IPPROTO_IPV6, 67]);

# Checks what a socket has with or without the options.
sub has_options {
    my ($name, $given, $got) = @_;
    # The kernel may double sizes for its own needs.
    my %has = (ttl => qr/\A9\z/, tos => qr/\A16\z/, keepalive => qr/\A[^0]/,
        idle => qr/\A60\z/, interval => qr/\A10\z/, probes => qr/\A6\z/,
        rcvbuf => qr/\A(?:49152|98304)\z/, sndbuf => qr/\A(?:16384|32768)\z/);
    for my $option (sort keys %has) {
        is !!($got->{$option} =~ $has{$option}), !!@$given,
            "$name, " . (@$given ? 'with' : 'without') . ": --$option";
    }
    ok $got->{nodelay}, "$name: TCP_NODELAY";
}

# A program that prints them of its fd 0 to its stderr.
sub of_program {
    my ($ask, @command) = @_;
    return (@command, '--', $^X, '-e', <<'P', map { ($_, @{ $ask->{$_} }) } sort keys %$ask);
while (my ($name, $level, $option) = splice @ARGV, 0, 3) {
    my $got = getsockopt(STDIN, $level, $option) or die "$name: $!";
    print STDERR "$name ", unpack('i', $got), "\n";
}
P
}

my $l4 = tcp_listener();
my $l6 = has_ipv6() && tcp_listener(host => '::1');
peer($_, sub { }, 2) for $l4, $l6 || ();
for my $case (['IPv4', \%v4, 'listen', '127.0.0.1', 0], ['IPv6', \%v6, 'listen', '::1', 0],
    ['IPv4 of both', \%v4, 'listen', '*', 0], ['IPv6 of both', \%v6, 'listen', '*', 0],
    ['connect, IPv4', \%v4, 'connect', '127.0.0.1', $l4->sockport],
    ['connect, IPv6', \%v6, 'connect', '::1', $l6 && $l6->sockport]) {
    my ($name, $ask, $command, @address) = @$case;
    next if !$l6 && $name =~ /v6|both/;
    for my $given (\@options, []) {
        my $p = start(of_program($ask, $command, @$given, @address));
        if ($command eq 'listen') {
            my $c = tcp_client($p->port, $name =~ /v6/ ? '::1' : '127.0.0.1');
            1 while <$c>;
        }
        my $r = $p->finish;
        is $r->{status}, 0, "$name: exit status";
        has_options("$name, a program", $given, { $r->{err} =~ /^(\w+) (\d+)$/mg });
    }
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

# What the other end of the client's connection has, in the server or its
# children.
sub other_end {
    my ($p, $client) = @_;
    my $until = time + $Sockt::PATIENCE;
    while (time < $until) {
        for my $s (map { sockets_of($_) } $p->{pid}, children($p->{pid})) {
            my $peer = getpeername $s or next;
            next if (unpack_sockaddr_in $peer)[0] != $client->sockport;
            return { map {
                ($_ => unpack 'i', getsockopt($s, $v4{$_}[0], $v4{$_}[1]) // '')
            } keys %v4 };
        }
        select undef, undef, undef, 0.01;
    }
    die 'no other end';
}

SKIP: {
    my $target = tcp_listener();
    skip 'no pidfd_getfd(2)', 1 unless eval { (sockets_of($$))[0] };
    for my $command (['listen', '-4', 0], ['listen', '-k', '--echo', '-4', 0],
        ['listen', '-k', '-4', 0, '--to', '127.0.0.1:' . $target->sockport]) {
        for my $given (\@options, []) {
            my $p = start({ keep_stdin => 1 }, @$command, @$given);
            my $client = tcp_client($p->port);
            has_options("@$command", $given, other_end($p, $client));
            # Its other connection gets them too.
            has_options("@$command, the target", $given,
                other_end($p, scalar $target->accept)) if "@$command" =~ /--to/;
            $p->stop;
        }
    }
    for my $given (\@options, []) {
        my $p = start({ keep_stdin => 1 }, 'connect', @$given, '127.0.0.1',
            $target->sockport);
        has_options('connect', $given, other_end($p, scalar $target->accept));
        $p->stop;
    }
    my $p = start('serve-hello', '--keepalive', '-4', 0);
    my $client = tcp_client($p->port);
    ok other_end($p, $client)->{keepalive}, 'serve-hello --keepalive';
    $p->stop;
}

misused 'listen', qr/./ => [map { "$_ 0" } '--ttl 0', '--tos 256', '--rcvbuf x',
    '--sndbuf 0', '--keepalive=1'];

done_testing;
