# portscan finds exactly the listeners that the test opened, and its exit
# status tells the best state.
use Sockt;

# Ports that other programs hold on the same address while the test runs may
# be found too; ours must be, and a port that is closed here must not.
sub rows {
    my ($out) = @_;
    return { map { /^(\d+)\/tcp +(\w+)/ ? ($1 => $2) : () } split /\n/, $out };
}

sub hidden {
    my ($out) = @_;
    my $n = 0;
    $n += $_ for $out =~ /(?:^not shown: |, )(\d+) (?=closed|filtered)/mg;
    return $n;
}

# All ports are scanned: that would disturb the servers of other tests.
my $alone = own_network();

for my $host ('127.0.0.1', '::1') {
  SKIP: {
        skip 'no network namespace of our own', 6 if !$alone;
        skip 'this machine has no IPv6', 6 if $host eq '::1' && !has_ipv6();
        my @listeners = map { tcp_listener(host => $host) } 1 .. 5;
        my %ours = map { $_->sockport => 1 } @listeners;
        my $closed = free_port(host => $host);
        my $r = run({ timeout => 100 }, 'portscan', $host, '-');
        exits $r, 0, "$host: something is open", err => '';
        my $rows = rows($r->{out});
        is_deeply [grep { ($rows->{$_} // '') ne 'open' } sort keys %ours],
            [], '  every listener is found among all ports';
        ok !$rows->{$closed}, '  a port without one is not';
        is keys(%$rows) + hidden($r->{out}), 65535, '  the counts add up';
        my $list = join ',', sort keys %ours;
        $r = run('portscan', $host, "$list,$closed");
        is_deeply rows($r->{out}), { $closed => 'closed',
            map { $_ => 'open' } keys %ours }, '  exactly those of a list';
    }
}

my $l = tcp_listener();
my ($open, $closed) = ($l->sockport, free_port());
exits run('portscan', '127.0.0.1', $closed), 4,
    'all closed, a short list has a row for each port',
    out => qr/\A127\.0\.0\.1\nPORT +STATE +SERVICE +REASON\n$closed\/tcp +closed +- +refused\n\z/;
unlike run('portscan', '127.0.0.1', join ',', $open, 1003 .. 1021)->{out},
    qr/not shown/, '  of 20';
like run('portscan', '127.0.0.1', join ',', $open, 1002 .. 1021)->{out},
    qr/^not shown: \d+ closed/m, '  not of 21';
unlike run('portscan', '127.0.0.1-2', $closed)->{out}, qr/$closed/,
    '  nor of several hosts';
exits run('portscan', '-a', '127.0.0.1', "$closed,$open"), 0,
    'one open is enough, -a: why it is open',
    out => [qr{^$open/tcp +open +\S+ +connected$}m,
    qr{^$closed/tcp +closed +\S+ +refused$}m], no_out => qr/not shown/;
exits run('portscan', '-v', '127.0.0.1', $open), 0, '-v: with the reason, a summary',
    out => qr{^$open/tcp +open +\S+ +connected$}m,
    err => qr/^sockt portscan: 1 port of 1 host decided, 1 open/m;

# Every ephemeral port is asked: a scan must not find its own sockets.
for (1 .. 3) {
    my $port = free_port();
    exits run('portscan', '-a', '127.0.0.1', join ',', ($port) x 3), 4,
        'a port asked twice is told once, a closed one never seems open',
        out => qr/^$port\b/m, no_out => [qr/open/, qr/^$port\b.*^$port\b/ms];
}

# --udp: answered is open, refused is closed, silence is either.
$alone = own_network();
my $echo = udp_socket();
my $silent = udp_socket();
my $gone = udp_socket();
$closed = $gone->sockport;
close $gone;
my $pid = Sockt::fork_child(sub {
    while (defined $echo->recv(my $bytes, 2048)) { $echo->send("got $bytes") }
});
my $ports = join ',', $echo->sockport, $silent->sockport, $closed;
my ($n, $answers) = ($silent->sockport, $echo->sockport);
exits run('portscan', '-a', '-n', '--udp', '127.0.0.1', $ports), 0,
    'answered: open, refused: closed, silent: open or filtered',
    out => [qr{^$answers/udp +open +answered$}m, qr{^$closed/udp +closed +refused$}m,
    qr{^$n/udp +open\|filtered +no answer$}m];
exits run('portscan', '--udp', '127.0.0.1', $closed), 4, 'all refused';
exits run('portscan', '--udp', '127.0.0.1', $n), 5, 'all silent',
    out => qr{^$n/udp +open\|filtered }m;
like run('portscan', '--dry-run', '--udp', '127.0.0.1')->{out},
    qr/\A1 host, 52 ports: /, 'without PORTS those that answer datagrams';
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
        $open++ if run('portscan', '-a', '--udp', '127.0.0.1', '40000-40003')->{out}
            =~ /open /;
    }
    is $open, 0, 'a scan does not find its own sockets';
}

done_testing;
