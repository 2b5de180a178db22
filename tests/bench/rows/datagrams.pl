# Datagrams of one client through a forwarder, next to the least that one can do.
use strict;
use warnings;
no warnings 'qw';    # commas of socat's
use Bench;

my $program = "$Bench::BUILD/bench/datagrams";
my @forwarders = contestants(
    ['sockt', 'SOCKT udp-serve -q 127.0.0.1 PORT --to 127.0.0.1:TARGET'],
    ['socat', 'socat UDP4-LISTEN:PORT,bind=127.0.0.1,fork UDP4:127.0.0.1:TARGET'],
    ["$program", "$program loop PORT TARGET"],
);

# CPU seconds of a process group so far.
sub cpu {
    my ($group) = @_;
    my $ticks = 0;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my @field = split ' ', slurp($stat) =~ s/.*\)//r;
        $ticks += $field[11] + $field[12] if ($field[2] // 0) == $group;
    }
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Whether a socket is bound to the port.
sub wait_bound {
    my ($port) = @_;
    my $want = sprintf ':%04X', $port;
    for (1 .. 1000) {
        return 1 if slurp('/proc/net/udp') =~ /^\s*\d+: \w+\Q$want\E /m;
        select undef, undef, undef, 0.005;
    }
    return 0;
}

sub forward {
    my ($command, $size, $count) = @_;
    my ($port, $target) = (free_port(), free_port());
    my $pid = start('exec ' . $command =~ s/PORT/$port/r =~ s/TARGET/$target/r);
    return { lost => 'does not listen' } unless wait_bound($port);
    my $out = scratch() . '/datagrams';
    my $before = cpu($pid);
    my $status = finish(start("exec $program drive $port $target $count $size 64", $out));
    my ($rate, $lost) = split ' ', slurp($out);
    return { lost => 'did not end' } if $status || !defined $lost;
    return {
        value => (cpu($pid) - $before) / $count * 1e6, more => [$rate],
        lost => $lost ? "$lost of $count" : '',
    };
}

for my $size (1400, 100) {
    row(
        name => "$size bytes", unit => 'us of CPU', lower => 1, more => ['1/s'],
        tools => [map { my $f = $_;
            [$f->[0] =~ s{.*/datagrams}{loop}r, sub { forward($f->[1], $size, 200_000) }]
        } @forwarders],
    );
}
