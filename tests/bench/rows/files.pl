# A folder over HTTP, fetched by curl: one large file, and small ones over one
# connection (Python's server takes one for each; with -p HTTP/1.1 each file would
# wait 40 ms for a delayed ACK). CPU is that of the server.
use strict;
use warnings;
use Bench;
use POSIX ();

print "\nfiles\n";
if (!installed('curl')) {
    print "  left out, curl is not installed\n";
    return 1;
}
my $COUNT = 10_000;
my $dir = scratch() . '/folder';
mkdir $dir;
system "truncate -s 1G $dir/large; head -c 1024 /dev/zero >$dir/small" and die;
for (1 .. $COUNT) { link "$dir/small", "$dir/small.$_" or die $! }

# CPU seconds of a process group, with those of children that have ended.
sub server_cpu {
    my ($group) = @_;
    my $ticks = 0;
    for my $path (glob '/proc/[0-9]*/stat') {
        my @field = split ' ', slurp($path) =~ s/.*\) //sr;
        $ticks += $field[11] + $field[12] + $field[13] + $field[14]
            if ($field[2] // 0) == $group;
    }
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Seconds that curl takes, whether it got so many bytes, and the server's CPU.
sub fetch {
    my ($server, $path, $bytes) = @_;
    my ($port, $pid) = free_port();
    if ($server eq 'nginx') {
        ($port, undef, $pid) = nginx($dir);
    } else {
        $pid = start($server =~ s/PORT/$port/r);
        wait_listening($port) or die "$server does not listen\n";
    }
    my $out = scratch() . '/got';
    my $curl = start("curl -s 'http://127.0.0.1:$port/$path' | wc -c", $out);
    my $status = finish($curl);
    my ($seconds) = (spent($curl))[1];
    my $got = slurp($out) + 0;
    return { lost => 'failed' } if !$seconds;
    return { seconds => $seconds, cpu => server_cpu($pid),
        lost => $status || $got != $bytes ? "$got of $bytes bytes" : '' };
}

my @servers = contestants(
    ['sockt', "exec SOCKT listen -q --files $dir PORT"], ['nginx', 'nginx'],
    ['python3', "exec python3 -m http.server -b 127.0.0.1 -d $dir PORT"]);
row(
    name => '1 GiB', unit => 'GB/s', more => ['CPU s/GB'],
    tools => [map { my $t = $_; [$t->[0], sub {
        my $r = fetch($t->[1], 'large', 1 << 30);
        return $r if !$r->{seconds};
        return { value => 1.073741824 / $r->{seconds}, lost => $r->{lost},
            more => [$r->{cpu} / 1.073741824] };
    }] } @servers],
);
row(
    name => "$COUNT of 1 KiB", unit => 'files/s', more => ['CPU s'],
    tools => [map { my $t = $_; [$t->[0], sub {
        my $r = fetch($t->[1], "small.[1-$COUNT]", 1024 * $COUNT);
        return $r if !$r->{seconds};
        return { value => $COUNT / $r->{seconds}, lost => $r->{lost},
            more => [$r->{cpu}] };
    }] } @servers],
);
1;
