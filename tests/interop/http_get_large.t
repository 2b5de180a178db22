# Large files from nginx: flat memory, and downloads that are killed, resumed,
# and identical.
use Sockt;
use Digest::SHA;
use Time::HiRes qw(sleep time);

my $MIB = 1 << 20;
my $SIZE = 50;    # of what is killed, in MiB
my $dir = scratch();
chmod 0755, $dir;
mkdir "$dir/www" or die $!;

# A file whose every 4 KiB differ, so that no splice goes unnoticed.
sub make_file {
    my ($path, $mib, $salt) = @_;
    open my $f, '>:raw', $path or die $!;
    my $noise = pack 'L*', map { int rand 2**32 } 1 .. 1023;
    for my $block (1 .. $mib * 256) {
        print $f pack('L', $block ^ $salt), $noise;
    }
    close $f or die $!;
}

sub sum { return Digest::SHA->new(256)->addfile($_[0], 'b')->hexdigest }

make_file("$dir/www/file", $SIZE, 0);
my $sum = sum("$dir/www/file");
# 1 GiB, mostly a hole; its last bytes are not.
open my $huge, '>:raw', "$dir/www/huge" or die $!;
seek $huge, 1024 * $MIB - 4, 0;
print $huge 'end!';
close $huge;

my $port = free_port();
spew("$dir/nginx.conf", <<"END");
daemon off;
pid $dir/nginx.pid;
worker_processes 1;
events { }
http {
    access_log off;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2;
    fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    server { listen 127.0.0.1:$port; root $dir/www; }
}
END
my $nginx = Sockt::fork_child(sub {
    open STDERR, '>', "$dir/nginx.out" or die $!;
    exec 'nginx', '-c', "$dir/nginx.conf", '-e', "$dir/nginx.err";
});
my $until = time + 30;
until (IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port)) {
    die 'nginx does not listen: ' . slurp("$dir/nginx.out")
        if time > $until || !kill 0, $nginx;
    sleep 0.05;
}
my $url = "http://127.0.0.1:$port";

# Killed at random points, until one run ends by itself.
srand 11;
my ($same, $kills) = (0, 0);
for my $round (1 .. 10) {
    my $file = "$dir/got$round";
    my $r;
    for my $try (1 .. 20) {
        my $p = start('http-get', '-q', '-c', '-o', $file, "$url/file");
        my $point = rand($SIZE * $MIB);
        # At least once, at most five times.
        if ($try <= 1 + $round % 5) {
            1 until (-s "$file.part" // 0) > $point || !kill(0, $p->{pid})
                || -e $file;
            $p->signal('KILL');
        }
        $r = $p->finish(60);
        last if $r->{signal} == 0;
        $kills++;
    }
    $same++ if $r->{status} == 0 && sum($file) eq $sum && !-e "$file.part";
    unlink $file;
}
is $same, 10, "killed $kills times and resumed: ten of ten are identical";

# The file changes between two runs, same size and name.
my $p = start('http-get', '-q', '-o', "$dir/changed", "$url/file");
1 until (-s "$dir/changed.part" // 0) > 20 * $MIB;
$p->stop('KILL');
ok !-e "$dir/changed", 'killed in the middle';
make_file("$dir/www/new", $SIZE, 0x5a5a5a5a);
utime time + 10, time + 10, "$dir/www/new";
rename "$dir/www/new", "$dir/www/file" or die $!;
my $r = run({ timeout => 60 }, 'http-get', '-c', '-o', "$dir/changed",
    "$url/file");
is $r->{status}, 0, 'changed meanwhile: exit status';
is sum("$dir/changed"), sum("$dir/www/file"), 'it is fetched anew';
unlink "$dir/changed";

# 1 GiB through a pipe: every byte, and no memory to speak of; over_4_gib.t looks
# at larger ones.
pipe my $reader, my $writer or die $!;
my $pid = Sockt::fork_child(sub {
    POSIX::dup2(fileno $writer, 1);
    close $reader;
    exec sockt(), 'http-get', '-q', "$url/huge";
});
close $writer;
my ($bytes, $peak, $first, $last) = (0, 0, undef, '');
while (sysread $reader, my $piece, $MIB) {
    $last = substr $last . $piece, -4;
    my $before = $bytes;
    $bytes += length $piece;
    if (int($before / (64 * $MIB)) != int($bytes / (64 * $MIB))) {
        # One that has ended has no memory to tell.
        my ($now) = slurp("/proc/$pid/status") =~ /VmHWM:\s+(\d+) kB/;
        $peak = $now if defined $now;
        $first //= $now;
    }
}
is Sockt::reap($pid), 0, '1 GiB: exit status';
is $bytes, 1024 * $MIB, '1 GiB: every byte';
is $last, 'end!', '1 GiB: to the last';
cmp_ok $first // 0, '>', 0, '1 GiB: memory was looked at';
cmp_ok $peak - $first, '<=', 64, "1 GiB: memory stays at $peak KiB";

kill 'TERM', $nginx;
Sockt::reap($nginx);
done_testing;
