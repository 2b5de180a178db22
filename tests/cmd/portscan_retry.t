# --retry-for waits until the ports are open, --until closed until none is.
use Sockt;

my $alone = own_network();
my ($open, $port) = (tcp_listener(), free_port());
my $both = join ',', $open->sockport, $port;
my $p = start('portscan', '-q', '--retry-for', '20', '127.0.0.1', $both);
close $open->accept;
my $late = tcp_listener(port => $port);
exits $p->finish, 0, 'it ends when the last port has opened, tells them once',
    out => join('',
    map { "127.0.0.1:$_\n" } sort { $a <=> $b } $open->sockport, $port),
    within => 10;

close $late;
my $r = run('portscan', '-q', '--retry-for', '300ms', '127.0.0.1', $both);
exits $r, 5, 'one that stays closed: status 5 when the time is up, a line says so',
    err => "sockt portscan: 1 of 2 ports open after 0.3 s (--retry-for)\n";
cmp_ok $r->{seconds}, '>=', 0.3, '  not before';
is scalar(() = run('portscan', '--json', '--retry-for', '100ms', '127.0.0.1',
    $both)->{out} =~ /"event":"port"/g), 1,
    '--json has one event for the open port, not one for each try';

$p = start('portscan', '--retry-for', '20', '--until', 'closed',
    '127.0.0.1', $open->sockport);
close $open->accept;
my $number = $open->sockport;
close $open;
exits $p->finish, 0, '--until closed: it ends when the port has closed',
    out => qr/tcp +closed /;
$open = tcp_listener();
exits run('portscan', '--retry-for', '100ms', '--until', 'closed', '127.0.0.1',
    $open->sockport), 5, '--until closed: status 5 when it stays open';

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
