# Datagrams one way from stdin, and there and back through an echo server.
use strict;
use warnings;
use Bench;
use POSIX ();

# What each tool wants on its stdin (see load/udp_feed.c), and its command.
my @senders = grep { -x $_->[2] || installed($_->[2]) } (
    ['sockt', 'lines', sockt(),
        qw(udp-send --no-reply --no-newline 127.0.0.1 PORT)],
    ['sockt --size', 'bytes', sockt(),
        qw(udp-send --no-reply --size SIZE 127.0.0.1 PORT)],
    ['socat -b', 'bytes', 'socat', '-u', '-b', 'SIZE', 'STDIN',
        'UDP-SENDTO:127.0.0.1:PORT'],
    ['nc.openbsd -u', 'packets', qw(nc.openbsd -u -q0 127.0.0.1 PORT)],
    ['nc.traditional -u', 'packets', qw(nc.traditional -u -q0 127.0.0.1 PORT)],
    ['ncat -u', 'packets', qw(ncat -u --send-only 127.0.0.1 PORT)],
);

sub fill_in {
    my ($port, $size, @command) = @_;
    s/\bPORT\b/$port/, s/\bSIZE\b/$size/ for @command;
    return @command;
}

# All have to come, or to be dropped by the kernel for want of room. This nc
# reads twice before it sends: it gets halves.
sub send_all {
    my ($tool, $size, $count) = @_;
    my ($name, $shape, @command) = @$tool;
    my $halves = $name eq 'nc.openbsd -u';
    ($size, $count) = ($size / 2, $count * 2) if $halves;
    my $port = free_port('udp');
    my $out = scratch() . '/sunk';
    my $sink = launch({ plain => 1, out => $out }, load('udp_sink'), $port,
        $size, $count);
    wait_bound($port) or return { lost => 'no sink' };
    pipe my $r, my $w or die $!;
    my $sender = launch({ in => $r }, fill_in($port, $size, @command));
    my $feed = launch({ plain => 1, out => $w }, load('udp_feed'), $size,
        $count, $shape);
    close $_ for $r, $w;
    my $status = finish($sink);
    finish($_, 5) for $feed, $sender;
    my ($came, $dropped, $wrong, $joined, $seconds)
        = split ' ', slurp($out);
    return { lost => 'nothing came' } unless $seconds;
    my $missing = $count - $came - $joined - $dropped;
    my $all = $came + $dropped;
    return {
        value => $all / $seconds,
        extra => [(spent($sender))[0] / ($all / 1e6), 100 * $came / $all],
        lost  => $status ? 'did not end'
            : $wrong     ? "$wrong wrong"
            : $missing   ? "$missing of $count missing"
            : $joined && !$halves ? "$joined run together"
            :              '',
    };
}

for my $size (64, 1400) {
    row(
        name  => "datagrams of $size bytes from stdin, one way",
        unit  => '1/s',
        extra => ['CPU s/M', '% received'],
        tools => [map { my $t = $_;
            my $count = $t->[0] !~ /^sockt/ ? 100_000
                : $size > 1000 ? 300_000 : 1_000_000;
            [$t->[0], sub { send_all($t, $size, $count) }] } @senders],
    );
}

# The last number: how many round trips of a second are enough to count.
my $cat = installed('cat') // 'cat';
my @servers = grep { -x $_->[1][0] || installed($_->[1][0]) } (
    ['sockt', [sockt(), qw(udp-serve -q --max-rate 0 --echo 127.0.0.1 PORT)], 1],
    ['sockt hello', [sockt(), qw(udp-serve -q --max-rate 0 127.0.0.1 PORT)], 1],
    ['socat fork, PIPE',
        ['socat', 'UDP-LISTEN:PORT,bind=127.0.0.1,fork', 'PIPE'], 0.5],
    ['socat fork, cat', ['socat', 'UDP-LISTEN:PORT,bind=127.0.0.1,fork',
        "EXEC:$cat"], 0.5],
    ['socat RECVFROM, cat', ['socat',
        'UDP-RECVFROM:PORT,bind=127.0.0.1,fork', "EXEC:$cat"], 0.03],
    ['ncat -e', ['ncat', qw(-u -l 127.0.0.1 PORT -e), $cat], 0.5],
    ['ncat -k -e', ['ncat', qw(-u -l -k 127.0.0.1 PORT -e), $cat], 0.5],
);

# CPU seconds of a server and everything under it.
sub busy {
    my ($group) = @_;
    my $ticks = 0;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my (undef, undef, $pgrp, @rest) = split ' ', slurp($stat) =~ s/.*\)//r;
        next unless ($pgrp // 0) == $group;
        $ticks += $_ for @rest[8 .. 11];
    }
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Datagrams that the kernel dropped at a server's sockets.
sub dropped {
    my ($port) = @_;
    my $want = sprintf ':%04X', $port;
    my $sum = 0;
    for my $line (map { split /\n/, slurp("/proc/net/$_") } qw(udp udp6)) {
        my @field = split ' ', $line;
        $sum += $field[-1] if ($field[1] // '') =~ /\Q$want\E$/;
    }
    return $sum;
}

sub there_and_back {
    my ($tool, $size, $count, $window) = @_;
    my $port = free_port('udp');
    my $server = launch({ plain => 1 },
        fill_in($port, $size, @{ $tool->[1] }));
    wait_bound($port) or return { lost => 'no server' };
    my $out = scratch() . '/pinged';
    my $status = finish(launch({ plain => 1, out => $out }, load('udp_ping'),
        $port, $size, $count, $window, $tool->[0] =~ /hello/ ? 'hello' : ()));
    my ($rate, $median, $p99, $lost, $here, $wrong, $joined)
        = split ' ', slurp($out);
    return { lost => 'did not end' } if $status || !defined $joined;
    my $there = dropped($port);
    return {
        value => $rate,
        extra => [$median, $p99, busy($server->{pid}) / ($count / 1e6),
            100 * $lost / $count],
        lost => $wrong ? "$wrong answers wrong"
            : $joined ? "$joined answers are several run together"
            : $lost > $here + $there ? "$lost of $count, $there dropped" : '',
    };
}

for my $window (1, 32) {
    my $count = $window == 1 ? 30_000 : 400_000;
    row(
        name  => "echo of 64-byte datagrams, $window unanswered",
        unit  => '1/s',
        extra => ['p50 us', 'p99 us', 'CPU s/M', '% lost'],
        tools => [map { my $t = $_;
            my $n = $t->[2] * $count / ($window > 1 && $t->[2] < 1 ? 10 : 1);
            [$t->[0], sub { there_and_back($t, 64, $n, $window) }] } @servers],
    );
}
1;
