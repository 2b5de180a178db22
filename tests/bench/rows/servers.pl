# Conversations per second with a process each, and with a program each; what an
# idle connection costs; and TLS handshakes.
use strict;
use warnings;
no warnings 'qw';    # commas of socat's
use Bench;
use FindBin;
use IPC::Open2 qw(open2);
use lib "$FindBin::Bin/../lib";
use SocktTls ();

my $clients = "$Bench::BUILD/bench/clients";
my $listen = 'TCP-LISTEN:PORT,bind=127.0.0.1,fork,backlog=4096,reuseaddr';
my $SOCKT_LISTEN = 'SOCKT listen -q -k --max-conns 2000 127.0.0.1 PORT';

my @forking = contestants(
    ['sockt', "$SOCKT_LISTEN --echo"],
    ['serve-hello', 'SOCKT serve-hello -q --max-conns 2000 127.0.0.1 PORT'],
    ['socat PIPE', "socat $listen PIPE"],
);
my @running = contestants(
    ['sockt', "$SOCKT_LISTEN -- cat"],
    ['tcpserver', 'tcpserver -H -R -l0 -b 4096 -c 2000 127.0.0.1 PORT cat'],
    ['socat EXEC', "socat $listen EXEC:cat"],
    ['ncat -e', 'ncat -k -l -m 2000 127.0.0.1 PORT -e /bin/cat'],
);

# Starts a server: its process group and port.
sub start_server {
    my ($command) = @_;
    my $port = free_port();
    my $pid = start('exec ' . $command =~ s/PORT/$port/r);
    return wait_listening($port) ? ($pid, $port) : ();
}

sub converse {
    my ($command, $count, $window) = @_;
    my (undef, $port) = start_server($command)
        or return { lost => 'does not listen' };
    my $out = scratch() . '/clients';
    my $status = finish(start("exec $clients $port $count $window", $out));
    my ($rate, @ms) = split ' ', slurp($out);
    return { lost => 'did not end' } if $status;
    my $failed = pop @ms;
    return { value => $rate, more => \@ms,
        lost => $failed ? "$failed of $count failed" : '' };
}

sub conversations {
    my ($name, $count, $window, @tools) = @_;
    row(
        name => "$name, $window at a time", unit => '1/s',
        more => ['p50 ms', 'p99 ms', 'longest ms'],
        tools => [map { my $t = $_;
            [$t->[0], sub { converse($t->[1], $count, $window) }] } @tools],
    );
}

# Private memory of a process group, in KiB.
sub private_kib {
    my ($group) = @_;
    my $sum = 0;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my (undef, undef, $pgrp) = split ' ', slurp($stat) =~ s/.*\)//r;
        next unless ($pgrp // 0) == $group;
        my ($pid) = $stat =~ /(\d+)/;
        my $rollup = slurp("/proc/$pid/smaps_rollup");
        $sum += $1 while $rollup =~ /^Private_\w+:\s+(\d+)/mg;
    }
    return $sum;
}

sub hold {
    my ($command, $count) = @_;
    my ($server, $port) = start_server($command)
        or return { lost => 'does not listen' };
    my $before = private_kib($server);
    my $pid = open2(my $held, my $in, $clients, $port, $count, 'hold');
    my $is_held = (<$held> // '') =~ /^held/;
    my $kib = (private_kib($server) - $before) / $count;
    close $in;
    waitpid $pid, 0;
    return $is_held ? { value => $kib } : { lost => 'not held' };
}

print "\nservers\n";
for my $window (1, 16, 256) {
    my $count = $window == 1 ? 1000 : 3000;
    conversations('a process each', $count, $window, @forking);
    # A backlog of 10 drops what comes above it, which comes again a second
    # later.
    conversations('a program each', $count / 2, $window,
        grep { $window <= 16 || $_->[0] !~ /^ncat/ } @running);
}
row(
    name => 'an idle connection', unit => 'KiB', lower => 1, rounds => 3,
    tools => [map { my $t = $_; [$t->[0], sub { hold($t->[1], 500) }] }
        @forking, grep { $_->[0] eq 'tcpserver' } @running],
);

if (!SocktTls::tls_is_available()) {
    print "  TLS handshakes: left out, no openssl\n";
    return 1;
}
my $tls = SocktTls::tls_self_signed(scratch() . '/tls', 'IP:127.0.0.1');
my ($cert, $key) = @$tls{qw(cert key)};
row(
    name => 'TLS handshakes', unit => '1/s', rounds => 3,
    tools => [map { my $t = $_; [$t->[0], sub {
        my (undef, $port) = start_server($t->[1])
            or return { lost => 'does not listen' };
        my $out = scratch() . '/handshakes';
        finish(start("openssl s_time -new -time 2 -connect 127.0.0.1:$port",
            $out));
        my ($rate) = slurp($out) =~ m{^(\d+) connections in \d+ real}m;
        return $rate ? { value => $rate / 2 } : { lost => 'none' };
    }] } contestants(
        ['sockt', "$SOCKT_LISTEN --echo --tls-cert $cert --tls-key $key"],
        ['socat', 'socat OPENSSL-LISTEN:PORT,bind=127.0.0.1,fork,reuseaddr,'
            . "backlog=4096,cert=$cert,key=$key,verify=0 PIPE"],
    )],
);
1;
