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

my $long = 'x' x 1400;
for my $host ('10.79.2.2', 'fd79:2::2') {
    for my $options (['--no-reply'], ['-w', '0.5', '--window', '10']) {
        forget();
        my $p = start_in($server, 'udp-serve', '--print', '--lines', '*', '0');
        my $s = start({ command => 'ip', keep_stdin => 1 }, 'netns', 'exec',
            $client, sockt(), 'udp-send', '-v', @$options, $host, $p->port);
        # By the time of the next line the router has answered.
        for my $line ($long, 'small', 'again', $long, 'end') {
            $s->send_line("$line\n");
            select undef, undef, undef, 0.2;
        }
        my $r = $s->finish;
        $p->expect(out => qr/^end$/m);
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
            $client, sockt(), 'udp-send', '-m', '2', @$options, $host,
            $p->port);
        my @before = times;
        $s->send_line("$long\n" . "a\n" x 5);
        $p->expect(out => qr/^a$/m);
        open my $quiet, '>&', $s->{in} or die $!;
        my $r = $s->finish;
        my @after = times;
        is $r->{status}, 5, "$host @$options: --max-time ends it";
        cmp_ok $after[2] + $after[3] - $before[2] - $before[3], '<', 0.7,
            'not a busy wait';
        $p->stop;
    }
}

done_testing;
