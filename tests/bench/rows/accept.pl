# Hello conversations a second, a process each; the same with a program; and
# what an idle connection costs.
use strict;
use warnings;
use POSIX ();
use Bench;

my $greeter = load('greeter');
my $quiet = '/dev/null';

# How each server is started on a port; the first list forks, the second runs
# the same tiny static program.
my @forking = (
    ['sockt', [sockt(), qw(serve-hello -q --max-conns 2000 127.0.0.1 PORT)]],
);
my @running = (
    ['sockt', [sockt(), qw(listen -q -k --max-conns 2000 127.0.0.1 PORT --),
        $greeter]],
    ['tcpserver -b 4096',
        [qw(tcpserver -H -R -l0 -b 4096 -c 2000 127.0.0.1 PORT), $greeter]],
    ['tcpserver', [qw(tcpserver -H -R -l0 -c 2000 127.0.0.1 PORT), $greeter]],
    ['ncat -k -e',
        [qw(ncat -k -l -m 2000 127.0.0.1 PORT -e), $greeter]],
    ['socat fork', ['socat', 'TCP-LISTEN:PORT,bind=127.0.0.1,fork,'
        . 'backlog=4096,reuseaddr', "EXEC:$greeter"]],
);
@running = grep { -x $_->[1][0] || installed($_->[1][0]) } @running;

sub start_server {
    my ($tool) = @_;
    my $port = free_port();
    my @command = @{ $tool->[1] };
    s/\bPORT\b/$port/ for @command;
    my $server = launch({ plain => 1 }, @command);
    return wait_listening($port) ? ($server, $port) : ();
}

sub converse {
    my ($tool, $count, $window) = @_;
    my (undef, $port) = start_server($tool) or return { lost => 'no server' };
    my $out = scratch() . '/clients';
    my $clients = launch({ plain => 1, out => $out }, load('clients'), $port,
        $count, $window);
    my $status = finish($clients);
    my ($rate, @ms) = split ' ', slurp($out);
    return { lost => "did not end ($status)" } if $status;
    my $failed = pop @ms;
    return { value => $rate, extra => \@ms,
        lost => $failed ? "$failed of $count failed" : '' };
}

# A backlog of 10 or 20 drops what comes above it, and each then waits for a
# second: these would take minutes at a large window.
sub patient {
    my ($window) = @_;
    return grep { $window <= 16 || $_->[0] !~ /^(tcpserver|ncat -k -e)$/ }
        @running;
}

for my $window (1, 16, 256, 1000) {
    my $count = $window == 1 ? 1000 : $window < 1000 ? 3000 : 4000;
    row(
        name  => "hello conversations, $window at a time, a fork each",
        unit  => '1/s',
        extra => ['p50 ms', 'p99 ms', 'longest'],
        tools => [map { my $t = $_;
            [$t->[0], sub { converse($t, $count, $window) }] }
            @forking, grep { $_->[0] =~ /tcpserver/ } patient($window)],
    );
}
for my $window (1, 16, 256) {
    my $count = $window == 1 ? 600 : 2000;
    row(
        name  => "hello conversations, $window at a time, a program each",
        unit  => '1/s',
        extra => ['p50 ms', 'p99 ms', 'longest'],
        tools => [map { my $t = $_;
            [$t->[0], sub { converse($t, $count, $window) }] }
            patient($window)],
    );
}

# Private memory of a server and everything under it, in KiB.
sub private_kib {
    my ($group) = @_;
    my $sum = 0;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my (undef, undef, $pgrp) = split ' ', slurp($stat) =~ s/.*\)//r;
        next unless ($pgrp // 0) == $group;
        my ($pid) = $stat =~ /(\d+)/;
        my $told = slurp("/proc/$pid/smaps_rollup");
        $sum += $1 while $told =~ /^Private_\w+:\s+(\d+)/mg;
    }
    return $sum;
}

sub idle {
    my ($tool, $count) = @_;
    my ($server, $port) = start_server($tool) or return { lost => 'no server' };
    my $before = private_kib($server->{pid});
    pipe my $r, my $w or die $!;
    pipe my $said, my $say or die $!;
    my $clients = launch({ plain => 1, in => $r, out => $say },
        load('clients'), $port, $count, 'hold');
    close $say;
    my $held = <$said> // '';
    my $after = private_kib($server->{pid});
    close $w;
    close $r;
    finish($clients);
    return { lost => 'not held' } unless $held =~ /^held/;
    return { value => ($after - $before) / $count };
}

row(
    name   => 'private memory of each of 1000 idle connections',
    unit   => 'KiB',
    lower  => 1,
    rounds => 3,
    tools  => [map { my $t = $_; [$t->[0], sub { idle($t, 1000) }] }
        @forking, grep { $_->[0] =~ /^tcpserver -b/ } @running],
);

# What the system has left, in KiB. It does not count the free pages that each
# processor keeps, which may be hundreds of MiB.
sub available {
    my ($kib) = slurp('/proc/meminfo') =~ /^MemAvailable:\s+(\d+)/m;
    my $page = POSIX::sysconf(POSIX::_SC_PAGESIZE()) / 1024;
    my $zones = slurp('/proc/zoneinfo');
    $kib += $page * $1 while $zones =~ /^\s+count:\s+(\d+)/mg;
    return $kib;
}

# Everything that open connections take, both ends of each and the processes
# and sockets between them, once each has sent its bytes back.
sub open_at_once {
    my ($tool, $count) = @_;
    my $target = free_port();
    launch({ plain => 1 }, load('target'), $target);
    return { lost => 'no target' } unless wait_listening($target);
    my ($name, $command) = @$tool;
    my @command = map { s/TARGET/127.0.0.1:$target/r } @$command;
    my ($server, $port) = start_server([$name, \@command])
        or return { lost => 'no server' };
    my $before = available();
    pipe my $r, my $w or die $!;
    pipe my $said, my $say or die $!;
    my $clients = launch({ plain => 1, in => $r, out => $say },
        load('clients'), $port, $count, 'echo');
    close $say;
    my ($seconds) = (<$said> // '') =~ /^held (\S+)/;
    my $after = available();
    close $w;
    close $r;
    finish($clients);
    return { lost => 'not held' } unless $seconds;
    return { value => ($before - $after) / $count, extra => [$seconds] };
}

my $open = $ENV{SOCKT_LONG} ? 15_000 : 2_000;
my @listen = (sockt(), qw(listen -q -k --max-conns 20000));
row(
    name   => "system memory of each of $open connections at once",
    unit   => 'KiB',
    lower  => 1,
    rounds => 3,
    extra  => ['connected s'],
    tools  => [map { my $t = $_; [$t->[0], sub { open_at_once($t, $open) }] }
        ['listen --echo', [@listen, '--echo', '127.0.0.1', 'PORT']],
        ['listen --to',
            [@listen, '--to', 'TARGET', '127.0.0.1', 'PORT']]],
);
1;
