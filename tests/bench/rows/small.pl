# Small messages: there and back through a client, and small writes into it.
use strict;
use warnings;
use Bench;
use Time::HiRes qw(time);

my @tools = grep { -x $_->[1] || installed($_->[1]) } (
    ['sockt', sockt(), 'connect'], ['nc.openbsd', 'nc.openbsd', '-N'],
    ['nc.traditional', 'nc.traditional'], ['ncat', 'ncat'], ['socat', 'socat'],
    ['socat -b 1M', 'socat', '-b', '1048576'],
);

sub client {
    my ($tool, $port) = @_;
    my (undef, @command) = @$tool;
    return (@command, '-t', '10', 'STDIO', "TCP:127.0.0.1:$port")
        if $tool->[0] =~ /socat/;
    return (@command, '127.0.0.1', $port);
}

sub ping {
    my ($tool, $size) = @_;
    my $port = free_port();
    launch({ plain => 1 }, load('echo'), $port);
    wait_listening($port) or return { lost => 'no server' };
    my $out = scratch() . '/pingpong';
    my $status = finish(launch({ plain => 1, out => $out }, load('pingpong'),
        $size, 5_000, client($tool, $port)));
    my ($median, $p99) = split ' ', slurp($out);
    return { value => $median, extra => [$p99],
        lost => $status ? 'did not end' : '' };
}

for my $size (1, 64) {
    row(
        name  => "there and back, $size bytes through a client",
        unit  => 'p50 us', lower => 1, extra => ['p99 us'],
        tools => [map { my $t = $_; [$t->[0], sub { ping($t, $size) }] } @tools],
    );
}

# Accepts one connection and prints how many bytes it brings.
my $RECEIVER = <<'END';
my $l = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => shift,
    Listen => 1) or die $@;
my $c = $l->accept;
my ($n, $total) = (0, 0);
$total += $n while $n = sysread $c, my $bytes, 262144;
print "$total\n";
END

sub pour {
    my ($tool, $block, $bytes) = @_;
    my $port = free_port();
    my $out = scratch() . '/poured';
    my $receiver = launch({ plain => 1, out => $out }, $^X,
        '-MIO::Socket::IP', '-e', $RECEIVER, $port);
    wait_listening($port) or return { lost => 'no server' };
    pipe my $r, my $w or die $!;
    my $start = time;
    my $client = launch({ in => $r }, client($tool, $port));
    my $source = launch({ plain => 1, out => $w }, load('source'), $bytes,
        $block);
    close $_ for $r, $w;
    my $status = finish($client, 20);
    finish($_) for $receiver, $source;
    my $seconds = time - $start;
    chomp(my $got = slurp($out));
    return { value => $bytes / $seconds / 1e6,
        extra => [(spent($client))[0] / ($bytes / 1e9)],
        lost => $got eq $bytes && $status != -1 ? '' : "$got of $bytes bytes" };
}

for my $block (64, 1024) {
    my $bytes = $block * 300_000;
    row(
        name  => "$block-byte writes into a client's stdin",
        unit  => 'MB/s', extra => ['CPU s/GB'],
        tools => [map { my $t = $_;
            [$t->[0], sub { pour($t, $block, $bytes) }] }
            grep { $_->[0] !~ /traditional/ } @tools],
    );
}
1;
