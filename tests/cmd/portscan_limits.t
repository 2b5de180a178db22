# Limits of a scan: rate, time, descriptors, and an end by a signal.
use Sockt;
use Errno qw(EACCES ENFILE);
use POSIX qw(mkfifo);
use Sandbox;

# Nothing leaves this machine.
my $alone = own_network();
my $l = tcp_listener();
my $open = $l->sockport;

my $r = run('portscan', '-v', '--rate', '500', '127.0.0.1', "1-400,$open");
cmp_ok $r->{seconds}, '>=', 0.76, '--rate 500: 401 ports take 0.8 s';
exits $r, 0, '  each of them is asked once', err => qr/401 probes/;

# The system repeats a SYN that is not answered, after 1 s at first.
sub repeated {
    my ($names, $numbers) = slurp('/proc/net/snmp') =~ /^Tcp: (.*)\nTcp: (.*)/m;
    my %of;
    @of{split ' ', $names} = split ' ', $numbers;
    return $of{RetransSegs};
}
SKIP: {
    skip 'no network namespace or no counters', 4
        unless $alone && -r '/proc/net/snmp';
    my ($full, @fill) = full_listener();
    for my $row ([0], [1, '--rate', 20]) {
        my ($counts, @rate) = @$row;
        my ($r, $is_counted);
        # A try ends 50 ms before its SYN is repeated; the machine may be busy.
        for (1 .. 5) {
            my $before = repeated();
            $r = run('portscan', '-v', '-w', 2, @rate, '127.0.0.1', $full->sockport);
            $is_counted = repeated() > $before ? 0 : 1;
            last if $is_counted == $counts;
        }
        exits $r, 5, "a silent port, @rate", out => qr/filtered .*no answer/;
        is $is_counted, $counts,
            $counts ? '  no SYN is repeated beside the rate'
            : '  the system repeats SYNs';
    }
}

exits run('portscan', '-m', '300ms', '--rate', '10', '127.0.0.1',
    "$open,1-99"), 5, '-m: the end of the run is status 5',
    out => qr/^partial: \d+ of 100 ports were not decided$/m;

my $p = start('portscan', '--json', '-a', '--rate', '20', '127.0.0.1',
    "$open,60000-60099");
$p->expect(out => qr/"event":"port"/);
$p->signal('INT');
exits $p->finish, -2, 'INT: it dies by the signal',
    out => qr/"event":"summary".*"partial":true/;

# The limit of open files is raised as far as it may be.
sub at_once {
    my ($limits) = @_;
    run({ command => '/bin/sh' }, '-c',
        "$limits; exec \"\$0\" portscan --dry-run 127.0.0.1 1", sockt())->{out}
        =~ /up to (\d+) at once/;
    return $1;
}
cmp_ok at_once('ulimit -S -n 100'), '>', 200, 'a soft limit is raised';
is at_once('ulimit -S -n 100; ulimit -H -n 200'), 200 - 24, 'up to the hard one';

# Results come as hosts end; only what is in flight needs memory.
my $everywhere = tcp_listener(host => '0.0.0.0');
my $many = $everywhere->sockport;
$p = start('portscan', '-q', '--rate', '20', '127.0.0.1-9', "$many,1-19");
$p->expect(out => qr/^127\.0\.0\.\d:$many$/m);
$p->signal('INT');
$r = $p->finish;
is $r->{signal}, 2, 'the result of a host is printed before the scan has ended';
SKIP: {
    skip 'no network namespace', 2 unless $alone;
    skip 'sanitizers need memory', 2 if sockt() =~ /sanitize/;
    exits run({ command => '/bin/sh' }, '-c', 'ulimit -v 64000; exec "$0" '
        . 'portscan -m .5 --rate 50 0.0.0.0/0 1-1024', sockt()), 5,
        'all addresses in 64 MB: the limit ends the scan',
        out => qr/^4294967296 hosts: .*, 42949\d{5} not probed$/m;
}

# With next to no descriptors it is slow, and right.
$r = run({ command => '/bin/sh' }, '-c',
    "ulimit -n 40; exec \"\$0\" portscan -n 127.0.0.1 1-3000,$open", sockt());
exits $r, 0, '40 descriptors are enough, a local failure never becomes a state',
    out => qr{^$open/tcp +open$}m, no_out => qr/unknown/;
my ($hidden) = $r->{out} =~ /(\d+) closed/;
my $rows = () = $r->{out} =~ /^\d+\/tcp/mg;
is $hidden + $rows, 3000 + ($open > 3000), '  and to decide everything';

# On a terminal a live line shows how far it is.
SKIP: {
    skip 'no terminals here', 2 unless -e '/dev/ptmx';
    my $dir = scratch();
    exits run({ command => built('pty') }, "$dir/tty", '2', '80', sockt(),
        'portscan', '-n', '--rate', '100', '127.0.0.1', "$open,1-99"), 0,
        'on a terminal';
    like slurp("$dir/tty"), qr/\d+ of 100 ports \(\d+%\), \d open, \d+ per second, \d+ s left/,
        '  a live line: done, open, rate, time left';
}

# --retry-for waits for a name too, -w holds for its look-up, and --targets
# from something that never says anything ends with -m or a signal.
my $dir = scratch();
my %names = (env => { SOCKT_TEST_NAMES => 'x=127.0.0.1 slow=hang' },
    command => built('sockt-names'));

$r = run(\%names, 'portscan', '--retry-for', '2s', 'nobody', $open);
exits $r, 3, 'a name that never appears: told once while it is waited for',
    err => qr/\Asockt portscan: nobody: .*; trying again\n(?!.*trying again)/s;
cmp_ok $r->{seconds}, '>=', 2, '  not before --retry-for has passed';
exits run(\%names, 'portscan', '-w', '300ms', 'slow', $open), 5,
    '-w holds for the look-up of a name, which ends then', within => 5;

mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
pipe my $in, my $out or die "pipe: $!";
for my $args (['80', '--targets'], ['127.0.0.1', '--ports-file']) {
    exits run({ stdin => $in }, 'portscan', '-m', '300ms', @$args, $_), 5,
        "$args->[1] $_: -m holds while nothing comes",
        err => qr{\Asockt portscan: stopped after 0\.3 s \(--max-time\); the list in \S+ has not ended\n\z}
        for "$dir/fifo", '-';
}

# A machine without descriptors for a while is waited for once, not per port.
# A sandbox that denies socket(2) is no firewall in front of the port.
for my $case ([ENFILE, 1, 500, qr/too many open .*/],
    [EACCES, 7, 3, qr/permission denied \(this process is not allowed to open sockets\)/])
{
    my ($errno, $status, $count, $why) = @$case;
    $r = run_without_streams($errno, 'portscan', '-m', 15, '127.0.0.1',
        "1-$count") or last;
    exits $r, $status, "it is this machine, one line says what failed",
        err => qr/\Asockt portscan: no port could be probed: $why\n\z/;
    my @rows = $r->{out} =~ /^\d+\/tcp +unknown .* failed on this side$/mg;
    my ($hidden) = $r->{out}
        =~ /^not shown: (\d+) unknown \(failed on this side\)$/m;
    is @rows + ($hidden // 0), $count,
        'every port is decided, and none is filtered';
}

# --retry-for waits until the ports are open, --until closed until none is.
my ($up, $port) = (tcp_listener(), free_port());
my $both = join ',', $up->sockport, $port;
$p = start('portscan', '-q', '--retry-for', '20', '127.0.0.1', $both);
close $up->accept;
my $late = tcp_listener(port => $port);
exits $p->finish, 0, 'it ends when the last port has opened, tells them once',
    out => join('',
    map { "127.0.0.1:$_\n" } sort { $a <=> $b } $up->sockport, $port),
    within => 10;

close $late;
$r = run('portscan', '-q', '--retry-for', '300ms', '127.0.0.1', $both);
exits $r, 5, 'one that stays closed: status 5 when the time is up, a line says so',
    err => "sockt portscan: 1 of 2 ports open after 0.3 s (--retry-for)\n";
cmp_ok $r->{seconds}, '>=', 0.3, '  not before';
is scalar(() = run('portscan', '--json', '--retry-for', '100ms', '127.0.0.1',
    $both)->{out} =~ /"event":"port"/g), 1,
    '--json has one event for the open port, not one for each try';

$p = start('portscan', '--retry-for', '20', '--until', 'closed',
    '127.0.0.1', $up->sockport);
close $up->accept;
my $number = $up->sockport;
close $up;
exits $p->finish, 0, '--until closed: it ends when the port has closed',
    out => qr/tcp +closed /;
$up = tcp_listener();
exits run('portscan', '--retry-for', '100ms', '--until', 'closed', '127.0.0.1',
    $up->sockport), 5, '--until closed: status 5 when it stays open';

SKIP: {
    skip 'no network namespace', 2 unless $alone;
    for my $row (['192.0.2.9', '2 ports of 192.0.2.9 could not be probed'],
        ['192.0.2.8-9',
            '4 ports could not be probed; the last one, of 192\.0\.2\.[89]']) {
        my ($hosts, $text) = @$row;
        exits run('portscan', "127.0.0.1,$hosts", "$open,1"), 0,
            "$hosts cannot be probed: the host is named",
            err => qr/^sockt portscan: $text: network unreachable$/m;
    }
}

# What could not be probed is not closed; nor is what did not answer.
SKIP: {
    skip 'no network namespace', 2 unless $alone;
    exits run('portscan', '--retry-for', '300ms', '--until', 'closed',
        '192.0.2.1', '80'), 5, '--until closed without a route: not reached',
        err => 'sockt portscan: 0 of 1 port closed after 0.3 s (--retry-for); '
        . "no port could be probed: network unreachable\n";
    my $silent = udp_socket();
    exits run('portscan', '--udp', '-w', '100ms', '--retry-for', '300ms',
        '--until', 'closed', '127.0.0.1', $silent->sockport), 5,
        '--until closed: silence is not closed';
}

done_testing;
