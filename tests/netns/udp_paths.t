# What only a real link shows: groups of both families, broadcasts, the
# path's limit, unreachable hosts.
use Sockt;
use SocktNet;

need_root();
my ($server, $client) = map { namespace($_) } qw(server client);
link_namespaces($server, ['10.78.0.1/24', 'fd78::1/64'],
    $client, ['10.78.0.9/24', 'fd78::9/64']);

sub send_to {
    return in_namespace($client, sockt(), 'udp-send', @_);
}

# Groups.
for my $case (['239.78.0.1', '10.78.0.1'], ['ff02::78', qr/fe80::/],
    ['ff15::78', qr/fe80::|fd78::1/]) {
    my ($group, $answers) = @$case;
    my $p = start_in($server, 'udp-serve', '-v', '--join', "$group%left",
        '0');
    my $port = $p->port;
    my $r = send_to('-v', '--multicast-interface', 'right', '-w', 30,
        '--replies', 1, $group, $port, 'hi');
    is $r->{out}, "Hello, hi!\n", "$group hears and answers";
    like $r->{err}, qr/reply from $answers\S* port $port:/,
        'from an address of its own';
    is $p->stop->{status}, 0, 'ends';
}

# Whether the sender's own machine hears it.
for my $loop (1, 0) {
    my $p = start_in($client, 'udp-serve', '--join', '239.78.0.2%right', '0');
    my $r = send_to('--multicast-interface', 'right', @{ $loop ? ['-w', 30, '--replies', 1]
        : ['-w', '0.3', '--no-multicast-loop'] }, '239.78.0.2', $p->port, 'hi');
    is $r->{out}, $loop ? "Hello, hi!\n" : '', $loop
        ? 'this machine hears its own' : 'but not with --no-multicast-loop';
    $p->stop;
}

# How far datagrams to groups go, and how others are marked: what is on the
# link (packet(7): IPv4 headers) tells.
my $sniff = <<'END';
socket my $s, 17, 2, unpack 'S', pack 'n', 0x0800 or die "socket: $!";
print STDERR "ready\n";
$SIG{ALRM} = sub { print 'nothing'; exit };
alarm 10;
while (defined recv $s, my $packet, 2000, 0) {
    my ($tos, $ttl) = (unpack 'C9', $packet)[1, 8];
    next unless unpack('n', substr $packet, 22, 2) == 9;
    print "tos $tos ttl $ttl";
    exit;
}
END
for my $case (
    [['--multicast-interface', 'right', '239.78.0.3'], 'tos 0 ttl 1'],
    [['--multicast-interface', 'right', '--multicast-ttl', '7',
        '239.78.0.3'], 'tos 0 ttl 7'],
    [['--ttl', '9', '--tos', '16', '10.78.0.1'], 'tos 16 ttl 9']) {
    my ($args, $want) = @$case;
    my $p = start({ command => 'ip' }, 'netns', 'exec', $server, $^X, '-e',
        $sniff);
    $p->expect(err => qr/ready/);
    send_to('--no-reply', @$args, '9', 'x');
    is $p->finish->{out}, $want, "@$args";
}

# Broadcast.
my $p = start_in($server, 'udp-serve', '-4', '-v', '*', '0');
my $port = $p->port;
my $all = send_to('-v', '--broadcast', '-w', 30, '--replies', 1,
    '10.78.0.255', $port, 'all');
is $all->{out}, "Hello, all!\n", 'a broadcast is answered';
like $all->{err}, qr/reply from 10\.78\.0\.1 port/, 'by who hears it';

# The path's limit.
my $long = 'x' x 1473;
my $r = send_to('10.78.0.1', $port, $long);
is $r->{out}, "Hello, $long!\n", 'what is longer than the link goes in parts';
$r = send_to('--no-fragment', '10.78.0.1', $port, 'x' x 1472);
is $r->{status}, 0, '--no-fragment: what fits goes';
$r = send_to('--no-fragment', '10.78.0.1', $port, $long);
is $r->{status}, 7, 'what does not is an error';
like $r->{err}, qr/1473 bytes is too long for the path, which carries 1472 at/,
    'that names the limit';
is $p->stop->{status}, 0, 'ends';
$p = start_in($server, 'udp-serve', '-6', '*', '0');
$r = send_to('--no-fragment', 'fd78::1', $p->port, $long);
like $r->{err}, qr/1473 bytes is too long for the path, which carries 1452 at/,
    'as with IPv6';
$p->stop;

# Nobody is there.
$r = send_to('10.99.0.1', '9999', 'x');
is $r->{status}, 6, 'no route is status 6';
like $r->{err}, qr/network unreachable/, 'and told';
$r = send_to('-w', 60, '10.78.0.77', '9999', 'x');
is $r->{status}, 6, 'a host that is not there is status 6';
like $r->{err}, qr/host unreachable/, 'and told, before the limit';

# A socket may get the very port that it sends to, and take what it sends for
# the reply: then another one is chosen, or none if there is no other.
my $alone = namespace('alone');
in_namespace($alone, 'ip', 'link', 'set', 'lo', 'up');
for my $range ('40000 40001', '40000 40000') {
    in_namespace($alone, 'sh', '-c',
        "echo $range > /proc/sys/net/ipv4/ip_local_port_range");
    for my $options ([], ['--any-source']) {
        my %results;
        for (1 .. 12) {
            my $r = in_namespace($alone, sockt(), 'udp-send', '-w', '0.2',
                @$options, '127.0.0.1', 40000, 'x');
            $results{"$r->{status}$r->{out}"}++;
        }
        my $want = $range =~ /1$/ ? @$options ? 5 : 4 : 7;
        is join(' ', keys %results), $want,
            "@$options ports $range: no socket is its own peer";
    }
}
$r = in_namespace($alone, sockt(), 'udp-send', '-p', 50000, '127.0.0.1',
    50000, 'x');
is $r->{status}, 4, 'nor one with the port that was asked for';
like $r->{err}, qr/: refused \(nothing listens there: the socket had connected to itself\)/,
    'which is told';

done_testing;
