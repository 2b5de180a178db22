# A router that says that the path carries less: no failure, and no busy wait,
# whoever is told of it.
use Sockt;
use SocktNet;

need_root();
my ($client, $router, $server) = map { namespace($_) } qw(client router server);
link_namespaces($client, ['10.79.1.2/24', 'fd79:1::2/64'], $router,
    ['10.79.1.1/24', 'fd79:1::1/64']);
link_namespaces($router, ['10.79.2.1/24', 'fd79:2::1/64'], $server,
    ['10.79.2.2/24', 'fd79:2::2/64']);
ip('netns', 'exec', $router, 'sh', '-c',
    "'echo 1 > /proc/sys/net/ipv4/ip_forward; "
    . "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'");
ip('-n', $router, 'link', 'set', 'left', 'mtu', 1300);
ip('-n', $server, 'link', 'set', 'right', 'mtu', 1300);
for my $v (4, 6) {
    my ($one, $two) = $v == 4 ? ('10.79.1.1', '10.79.2.1')
        : ('fd79:1::1', 'fd79:2::1');
    ip('-n', $client, "-$v", 'route', 'add', 'default', 'via', $one);
    ip('-n', $server, "-$v", 'route', 'add', 'default', 'via', $two);
}
my $posix = run('--version')->{out} =~ /posix/;

# What was learnt about the path is forgotten.
sub forget {
    ip('-n', $client, "-$_", 'route', 'flush', 'cache') for 4, 6;
}

# Waits until the router has said what the path carries.
sub await_news {
    my ($host) = @_;
    for (1 .. 3000) {
        return if ip('-n', $client, 'route', 'get', $host) =~ / mtu 1300\b/;
        select undef, undef, undef, 0.01;
    }
    die "no news of the path to $host";
}

# The CPU seconds of a process.
sub spent {
    my ($pid) = @_;
    my @stat = split ' ', slurp("/proc/$pid/stat") =~ s/.*\) //r;
    return ($stat[11] + $stat[12]) / 100;
}

my $long = 'x' x 1400;
for my $host ('10.79.2.2', 'fd79:2::2') {
    for my $options (['--no-reply'], ['-w', '0.5', '--window', '10']) {
        forget();
        my $p = start_in($server, 'udp-serve', '--print', '--lines', '*', '0');
        my $s = start({ command => 'ip', keep_stdin => 1 }, 'netns', 'exec',
            $client, sockt(), 'udp-send', '-v', @$options, $host, $p->port);
        $s->send_line("$long\n");
        await_news($host);
        for my $line ('small', 'again', $long, 'end') {
            $s->send_line("$line\n");
            $p->expect(out => qr/^$line\n\z/m);
        }
        my $r = $s->finish;
        my $got = $p->stop->{out};
        is $r->{status}, @$options == 1 ? 0 : 5, "$host @$options: status";
        like $got, qr/^small\nagain\n$long\nend\n/,
            'the later ones arrive, the long one in parts';
        unlike $r->{err}, qr/too long for the path, which carries \d+ at most/,
            'no failure';
    }

    # The news meets the second datagram of a batch.
    for my $options (['--no-reply'], ['-w', '20', '--window', '10']) {
        forget();
        my $p = start_in($server, 'udp-serve', '--print', '--lines', '*', '0');
        my $s = start({ command => 'ip', keep_stdin => 1 }, 'netns', 'exec',
            $client, sockt(), 'udp-send', @$options, $host, $p->port);
        $s->send_line("$long\n" . "a\n" x 5);
        $p->expect(out => qr/^a$/m);
        my $before = spent($s->{pid});
        select undef, undef, undef, 1;
        cmp_ok spent($s->{pid}) - $before, '<', 0.2,
            "$host @$options: then no busy wait";
        $s->stop;
        $p->stop;
    }
}

done_testing;
