# Real programs at both ends: SOURCE | sender, receiver | READER; and a body
# from nginx. One line per pipeline: the speed of the first contestant by that
# of each peer, and the CPU time per gigabyte of all processes at both ends.
use strict;
use warnings;
no warnings 'qw';    # commas of socat's
use Bench;
use File::Basename qw(basename);

my $BYTES = ($ENV{PIPELINES_MB} || 256) * 1024 * 1024;
my $dir = scratch() . '/pipelines';
mkdir $dir;
chmod 0755, scratch(), $dir;
mkdir "$dir/tree";

# Text whose lines end anywhere, and the same as files.
my $text = "$dir/text";
my $lines = join '', map { $_ x (1 + 7 * $_ % 97) . " needle\n" } 1 .. 500;
open my $h, '>', $text or die $!;
for (my $left = $BYTES; $left > 0; $left -= length $lines) {
    print $h substr $lines, 0, $left;
}
close $h;
system "split -n 64 $text $dir/tree/part." and die 'split';

my @sources = (
    ['head -c' => "head -c $BYTES $text"],
    ['dd bs=1M' => "dd if=$text bs=1M status=none"],
    ['dd bs=4k' => "dd if=$text bs=4k status=none"],
);
my @readers = (
    ['wc -c' => 'wc -c'], ['dd bs=4k' => 'dd bs=4k status=none >/dev/null'],
    ['tail -c 1' => 'tail -c 1'], ['sha1sum' => 'sha1sum'],
    ['grep -c' => 'grep -c needle'], ['cat' => 'cat >/dev/null'],
);
my @tar = (['tar c' => "tar cf - -C $dir tree"], ['tar t' => 'tar tf -']);

# Commands of each program: to send stdin, and to receive to stdout.
my @pairs = (
    ['sockt', 'SOCKT connect -q 127.0.0.1 PORT',
        'SOCKT listen -q 127.0.0.1 PORT'],
    ['nc.openbsd', 'nc.openbsd -N 127.0.0.1 PORT',
        'nc.openbsd -l 127.0.0.1 PORT'],
    ['ncat', 'ncat --send-only 127.0.0.1 PORT',
        'ncat -l --recv-only 127.0.0.1 PORT'],
    ['socat', 'socat -u STDIN TCP:127.0.0.1:PORT',
        'socat -u TCP-LISTEN:PORT,bind=127.0.0.1 STDOUT'],
);
# Commands that write a body to stdout.
my @clients = (
    ['sockt', 'SOCKT http-get -q URL'], ['curl', 'curl -s URL'],
    ['wget', 'wget -q -O - URL'],
);

# The contestants that are installed; OTHER are more binaries of sockt.
sub contestants {
    my ($sockt, @peers) = @_;
    my ($name, @commands) = @$sockt;
    my @all = ([$name, map { s/SOCKT/sockt()/er } @commands]);
    for my $path (split ' ', $ENV{OTHER} // '') {
        push @all, [basename($path), map { s/SOCKT/$path/r } @commands];
    }
    return @all, grep { installed($_->[0]) } @peers;
}

# A shell's pipeline; /dev/null is its stdin unless it reads a file itself.
sub shell {
    my ($command, $out) = @_;
    return launch({ out => $out }, 'sh', '-c', $command);
}

my %expected;
# What the reader prints of the bytes of the source.
sub expected {
    my ($source, $reader) = @_;
    return $expected{"$source | $reader"} //= `$source | $reader`;
}

# The result of processes, which have to end and the last of which has printed.
sub result {
    my ($expected, $out, @processes) = @_;
    my @status = map { finish($_) } @processes;
    my ($cpu, undef, undef) = spent(@processes);
    my $seconds = (spent($processes[0]))[2];
    my $lost = grep({ $_ != 0 } @status) ? 'failed'
        : slurp($out) ne $expected ? 'other bytes' : '';
    return { value => $BYTES / 1e9 / $seconds,
        extra => [$cpu / ($BYTES / 1e9)], lost => $lost };
}

sub transfer {
    my ($tool, $source, $reader) = @_;
    my $port = free_port();
    my ($send, $receive) = map { s/PORT/$port/r } @$tool[1, 2];
    my $expected = expected($source, $reader);
    my $out = "$dir/out";
    my $receiver = shell("$receive | $reader", $out);
    return { lost => 'does not listen' } unless wait_listening($port);
    my $sender = shell("$source | $send");
    my $r = result($expected, $out, $sender, $receiver);
    return $r;
}

sub get {
    my ($tool, $url, $reader) = @_;
    my $out = "$dir/out";
    my $command = $tool->[1] =~ s/URL/$url/r;
    return result(expected("cat $text", $reader), $out,
        shell("$command | $reader", $out));
}

printf "\npipelines of %d MiB: how many times as fast as each peer;"
    . " CPU s/GB\n", $BYTES / 1024 / 1024;
for my $pipe ((map { my $s = $_; map { [$s, $_] } @readers } @sources),
    [@tar])
{
    my ($source, $reader) = @$pipe;
    row(
        name => "$source->[0] | $reader->[0]", is_line => 1,
        tools => [map { my $t = $_;
            [$t->[0], sub { transfer($t, $source->[1], $reader->[1]) }]
        } contestants(@pairs)],
    );
}

if (!installed('nginx')) {
    print "  http: left out, nginx is not installed\n";
    return 1;
}
my $port = free_port();
open my $conf, '>', "$dir/nginx.conf" or die $!;
print $conf "daemon off; worker_processes 1; pid $dir/pid; user root;\n"
    . "error_log $dir/error; events { worker_connections 64; }\n"
    . "http { access_log off; sendfile on; client_body_temp_path $dir;\n"
    . "server { listen 127.0.0.1:$port; root $dir; } }\n";
close $conf;
my $url = "http://127.0.0.1:$port/text";
for my $reader (@readers, ['> file' => "cat >/dev/null"]) {
    my $to_file = $reader->[0] eq '> file';
    row(
        name => $to_file ? 'http > file' : "http | $reader->[0]",
        is_line => 1,
        tools => [map { my $t = $_; [$t->[0], sub {
            launch({ plain => 1 }, installed('nginx'), '-c',
                "$dir/nginx.conf");
            wait_listening($port)
                or return { lost => 'nginx does not listen' };
            return get($t, $url, $reader->[1]) unless $to_file;
            my $r = result('', '/dev/null', shell("exec "
                . ($t->[1] =~ s/URL/$url/r) . " >$dir/body"));
            $r->{lost} ||= 'bytes are missing' if -s "$dir/body" != $BYTES;
            return $r;
        }] } contestants(@clients)],
    );
}
1;
