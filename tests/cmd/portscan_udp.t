# --udp: answered is open, refused is closed, silence is either.
use Sockt;

my $alone = own_network();
my $echo = udp_socket();
my $silent = udp_socket();
my $gone = udp_socket();
my $closed = $gone->sockport;
close $gone;
my $pid = Sockt::fork_child(sub {
    while (defined $echo->recv(my $bytes, 2048)) { $echo->send("got $bytes") }
});
my $ports = join ',', $echo->sockport, $silent->sockport, $closed;
my $r = run('portscan', '-a', '-n', '--udp', '127.0.0.1', $ports);
is $r->{status}, 0, 'status 0 where one has answered';
my $n = $echo->sockport;
like $r->{out}, qr{^$n/udp +open +answered$}m, 'answered: open';
like $r->{out}, qr{^$closed/udp +closed +refused$}m, 'refused: closed';
$n = $silent->sockport;
like $r->{out}, qr{^$n/udp +open\|filtered +no answer$}m,
    'silent: open or filtered';
exits run('portscan', '--udp', '127.0.0.1', $closed), 4, 'all refused';
exits run('portscan', '--udp', '127.0.0.1', $n), 5, 'all silent',
    out => qr{^$n/udp +open\|filtered }m;
like run('portscan', '--dry-run', '--udp', '127.0.0.1')->{out},
    qr/\A1 host, 52 ports: /, 'without PORTS those that answer datagrams';
is run('portscan', '--udp', '--banner', '127.0.0.1', '1')->{status}, 2,
    '--banner is for connections';
kill 'KILL', $pid;
reap($pid);

# A service answers what it understands only.
SKIP: {
    skip 'no network namespace', 2 unless $alone;
    for (53, 123) {
        my $server = udp_socket(port => $_);
        run('portscan', '--udp', '-w', '.2', '127.0.0.1', $_);
        $server->recv(my $request, 2048);
        like unpack('H*', $request), $_ == 53 ? qr/^736f01000001/ : qr/^23(00){47}$/,
            "port $_ gets a request of its protocol";
    }
}

# A socket whose local port is the one that it probes is its own peer.
SKIP: {
    my $range = '/proc/sys/net/ipv4/ip_local_port_range';
    skip 'no network namespace', 1 unless $alone && -w $range;
    spew($range, "40000 40003\n");
    my $open = 0;
    for (1 .. 5) {
        $r = run('portscan', '-a', '--udp', '127.0.0.1', '40000-40003');
        $open++ if $r->{out} =~ /open /;
    }
    is $open, 0, 'a scan does not find its own sockets';
}

done_testing;
