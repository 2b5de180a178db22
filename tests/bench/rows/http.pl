# A body from nginx: a large one, a small one a process each, and many small
# ones over one connection.
use strict;
use warnings;
use Bench;

my $SIZE = ($ENV{HTTP_MB} || 4096) * 1024 * 1024;
my $nginx = installed('nginx');
if (!$nginx) {
    print "\nhttp: left out, nginx is not installed\n";
    return 1;
}
my $dir = scratch() . '/www';
mkdir $dir;
chmod 0755, scratch();
open my $big, '>', "$dir/big" or die $!;
truncate $big, $SIZE;
open my $small, '>', "$dir/small" or die $!;
print $small 'x' x 1024;
close $small;
my $port = free_port();
open my $conf, '>', "$dir/nginx.conf" or die $!;
print $conf "daemon off; worker_processes 1; pid $dir/pid;\n"
    . "error_log $dir/error; events { worker_connections 256; }\n"
    . "http { access_log off; sendfile on; client_body_temp_path $dir;\n"
    . "keepalive_requests 10000;\n"
    . "server { listen 127.0.0.1:$port; root $dir; } }\n";
close $conf;
my $url = "http://127.0.0.1:$port";

my @tools = (
    ['sockt', sub { (sockt(), 'http-get', '-q', $_[0]) }],
    ['curl', sub { ('curl', '-s', $_[0]) }],
    ['wget', sub { ('wget', '-q', '-O', '-', $_[0]) }],
    ['busybox wget', sub { ('busybox', 'wget', '-q', '-O', '-', $_[0]) }],
);
@tools = grep { my ($c) = $_->[1]->(''); -x $c || installed($c) } @tools;

sub get {
    my ($tool, $what, $out, $bytes, $count) = @_;
    my $server = launch({ plain => 1 }, $nginx, '-c', "$dir/nginx.conf");
    wait_listening($port) or return { lost => 'nginx does not listen' };
    my ($cpu, $seconds) = (0, 0);
    for (1 .. $count) {
        my $p = launch({ out => $out }, $tool->[1]->("$url/$what"));
        return { lost => 'failed' } if finish($p);
        my ($used, undef, $took) = spent($p);
        $cpu += $used;
        $seconds += $took;
    }
    my $lost = $out ne '/dev/null' && -s $out != $bytes
        ? (-s $out) . " of $bytes bytes" : '';
    truncate $out, 0 if $out ne '/dev/null';
    return { seconds => $seconds, cpu => $cpu, lost => $lost };
}

for my $out ('/dev/null', scratch() . '/body') {
    row(
        name  => 'http body of ' . $SIZE / 1e9 . ' GB to '
            . ($out eq '/dev/null' ? $out : 'a file'),
        unit  => 'GB/s', extra => ['CPU s/GB'],
        tools => [map { my $t = $_; [$t->[0], sub {
            my $r = get($t, 'big', $out, $SIZE, 1);
            return $r unless $r->{seconds};
            return { value => $SIZE / 1e9 / $r->{seconds},
                extra => [$r->{cpu} / ($SIZE / 1e9)], lost => $r->{lost} };
        }] } @tools],
    );
}
row(
    name  => 'GET of 1 KiB, a process each',
    unit  => 'CPU ms', lower => 1, extra => ['wall ms'],
    tools => [map { my $t = $_; [$t->[0], sub {
        my $r = get($t, 'small', scratch() . '/body', 1024, 100);
        return $r unless $r->{seconds};
        return { value => $r->{cpu} * 10, extra => [$r->{seconds} * 10],
            lost => $r->{lost} };
    }] } @tools],
);

# A thousand files over one connection, to stdout or each to its own file.
my $COUNT = 1000;
for my $n (1 .. $COUNT) {
    link "$dir/small", "$dir/small.$n" or die $!;
}
my @many = (
    ['sockt', [sockt(), 'http-get', '-q'], ['-O']],
    ['curl', ['curl', '-s'], ['--remote-name-all']],
    ['wget', ['wget', '-q'], [], ['-O', '-']],
);
@many = grep { -x $_->[1][0] || installed($_->[1][0]) } @many;

sub get_many {
    my ($tool, $to_files) = @_;
    my (undef, $command, $files, $stdout) = @$tool;
    my $server = launch({ plain => 1 }, $nginx, '-c', "$dir/nginx.conf");
    wait_listening($port) or return { lost => 'nginx does not listen' };
    my ($to, $out) = ("$dir/to", scratch() . '/body');
    mkdir $to;
    my $p = launch({ out => $out, dir => $to }, @$command,
        @{ ($to_files ? $files : $stdout) // [] },
        map { "$url/small.$_" } 1 .. $COUNT);
    my $status = finish($p);
    my @got = glob "$to/*";
    my $bytes = 0;
    $bytes += -s for $to_files ? @got : $out;
    unlink @got, $out;
    my ($cpu, undef, $seconds) = spent($p);
    return { value => $cpu * 1000, extra => [$seconds * 1000],
        lost => $status || $bytes != 1024 * $COUNT ? "$bytes bytes" : '' };
}

for my $to_files (0, 1) {
    row(
        name  => "$COUNT files of 1 KiB over one connection, to "
            . ($to_files ? 'files' : 'stdout'),
        unit  => 'CPU ms', lower => 1, extra => ['wall ms'],
        tools => [map { my $t = $_; [$t->[0], sub { get_many($t, $to_files) }] }
            grep { $_->[2] || !$to_files } @many],
    );
}
close $big;
unlink "$dir/big";
1;
