# What a server announces: its address, its protocol, the wildcard in words.
use Sockt;
use Errno qw(EAFNOSUPPORT);
use Sandbox;

# The port of a UDP server here must not be another test's.
own_network();

# The line that announces a server's socket, ports as N.
sub announced {
    my $p = start(@_);
    my $line = $p->expect(err => qr/^(.*(?:ing on|"listening").*)\n/m);
    $p->stop;
    return $line =~ s/port \d+/port N/r =~ s/"port":\d+/"port":N/r;
}

is announced('listen', '-k', '--echo', '-4', 0),
    'sockt listen: listening on 127.0.0.1 port N (TCP)', 'TCP';
is announced('udp-serve', '-4', 0),
    'sockt udp-serve: receiving on 127.0.0.1 port N (UDP)', 'UDP';
is announced('serve-hello', '-4', '*', 0),
    'sockt serve-hello: listening on every IPv4 address (0.0.0.0), port N '
    . '(TCP)', 'every IPv4 address';
SKIP: {
    skip 'no IPv6 here', 2 unless has_ipv6();
    is announced('listen', '-k', '--echo', '*', 0),
        'sockt listen: listening on every address, IPv4 and IPv6 (::), port N '
        . '(TCP)', 'every address';
    is announced('udp-serve', '-6', '*', 0),
        'sockt udp-serve: receiving on every IPv6 address (::), port N (UDP)',
        'every IPv6 address';
}

# One rule for every server: on a terminal, with port 0, or with -v.
for my $row (['listen', '-k', '--echo'], ['serve-hello'], ['udp-serve']) {
    my $where = 'unix:' . scratch() . '/s';
    $where = '127.0.5.1:' . free_port() if $row->[0] ne 'listen';
    for my $how ('', '-v', 'terminal') {
        my @command = (@$row, $how eq '-v' ? '-v' : (), $where);
        my $log = scratch() . '/log';
        my $p = $how eq 'terminal'
            ? start({ command => built('pty') }, $log, 2, 200, sockt(), @command)
            : start(@command);
        # One that is to say nothing has not done so when it is asleep.
        eval { $p->expect(err => qr/ing on /) } if $how eq '-v';
        select undef, undef, undef, 0.01
            until $how eq 'terminal' ? -e $log && slurp($log) =~ /ing on/
                : is_asleep($p->{pid}) || !is_running($p->{pid});
        $p->stop;
        my $said = $how eq 'terminal' ? slurp($log) : $p->{err};
        is scalar(() = $said =~ /ing on /g), $how ? 1 : 0,
            "$row->[0] " . ($how || 'neither');
    }
}

# The time of day.
my $at = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
like announced('serve-hello', '--log-time', '-4', 0),
    qr/^$at sockt serve-hello: listening on /, '--log-time';
like announced('serve-hello', '--json', '-4', 0),
    qr/^\{"event":"listening","time":[\d.]+,"at":"$at"/, 'at';
is run('serve-hello', '--log-time', '--json', 0)->{status}, 2,
    '--log-time says nothing new with --json';

my $dir = scratch();
is announced('listen', '-kv', '--echo', "unix:$dir/s"),
    "sockt listen: listening on unix:$dir/s", 'a Unix socket';
like announced('serve-hello', '--json', '-4', 0),
    qr/"local":\{"ip":"127\.0\.0\.1","port":N\},"protocol":"tcp"\}/,
    'the event tells the protocol: TCP';
like announced('udp-serve', '--json', '-4', 0), qr/"protocol":"udp"\}/, 'UDP';

# A server of every address said that it listens for IPv6, too, where there is
# none.
for my $command ('listen', 'udp-serve') {
    my $r = run_without_ip6(EAFNOSUPPORT, $command, '-m', 0.1, '*', 0) or last;
    exits $r, 5, "$command *: it listens, says where",
        err => qr/ing on every IPv4 address \(0\.0\.0\.0\), port/;
}

done_testing;
