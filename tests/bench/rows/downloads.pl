# Downloads from nginx: small files, a process each and over one connection; and
# a large body by HTTPS. Large bodies by HTTP are in pipelines.pl.
use strict;
use warnings;
use Bench;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SocktTls ();

print "\ndownloads\n";
if (!installed('nginx')) {
    print "  left out, nginx is not installed\n";
    return 1;
}
my $BYTES = 200_000_000;
my $COUNT = 1000;
my $dir = scratch() . '/www';
mkdir $dir;
open my $small, '>', "$dir/small" or die $!;
print $small 'x' x 1024;
close $small;
for (1 .. $COUNT) { link "$dir/small", "$dir/small.$_" or die $! }
system "head -c $BYTES /dev/urandom >$dir/large" and die;

# Runs a command with the URL of the server for URL; bytes are what must arrive
# on stdout, or in files of the folder to.
sub get {
    my ($command, $bytes, $identity) = @_;
    my ($http, $https) = nginx($dir, $identity)
        or die "nginx does not listen\n";
    my ($out, $to) = (scratch() . '/body', scratch() . '/to');
    mkdir $to;
    my $url = $identity ? "https://127.0.0.1:$https" : "http://127.0.0.1:$http";
    my $pid = start("cd $to; " . $command =~ s/URL/$url/gr, $out);
    my $status = finish($pid);
    my ($cpu, $seconds) = spent($pid);
    my $got = 0;
    $got += -s for $out, glob "$to/*";
    unlink $out, glob "$to/*";
    return { cpu => $cpu, seconds => $seconds,
        lost => $status || $got != $bytes ? "$got of $bytes bytes" : '' };
}

sub small_row {
    my ($name, $bytes, $count, @tools) = @_;
    row(
        name => $name, unit => 'CPU ms', lower => 1, more => ['wall ms'],
        tools => [map { my $t = $_; [$t->[0], sub {
            my $r = get($t->[1], $bytes);
            return { value => $r->{cpu} / $count * 1000, lost => $r->{lost},
                more => [$r->{seconds} / $count * 1000] };
        }] } contestants(@tools)],
    );
}

small_row('GET of 1 KiB', 1024 * 200, 200, map {
    [$_->[0], "for i in {1..200}; do $_->[1] URL/small; done"] }
    ['sockt', 'SOCKT http-get -q'], ['curl', 'curl -s'],
    ['wget', 'wget -q -O -']);
my $urls = join ' ', map { "URL/small.$_" } 1 .. $COUNT;
small_row("$COUNT of 1 KiB to stdout", 1024 * $COUNT, 1,
    ['sockt', "SOCKT http-get -q $urls"], ['curl', "curl -s $urls"],
    ['wget', "wget -q -O - $urls"]);
small_row("$COUNT of 1 KiB to files", 1024 * $COUNT, 1,
    ['sockt', "SOCKT http-get -q -O $urls"],
    ['curl', "curl -s --remote-name-all $urls"], ['wget', "wget -q $urls"]);

if (!SocktTls::tls_is_available()) {
    print "  HTTPS: left out, no openssl\n";
    return 1;
}
my $tls = SocktTls::tls_self_signed(scratch() . '/tls', 'IP:127.0.0.1');
for my $to ('| cat', '>file') {
    row(
        name => "HTTPS of 200 MB $to", unit => 'GB/s', more => ['CPU s/GB'],
        tools => [map { my $t = $_; [$t->[0], sub {
            my $r = get("$t->[1] URL/large $to", $BYTES, $tls);
            return { value => $BYTES / 1e9 / $r->{seconds},
                more => [$r->{cpu} / ($BYTES / 1e9)], lost => $r->{lost} };
        }] } contestants(
            ['sockt', "SOCKT http-get -q --tls-ca $tls->{cert}"],
            ['curl', "curl -s --cacert $tls->{cert}"],
            ['wget', "wget -q -O - --ca-certificate=$tls->{cert}"])],
    );
}
1;
