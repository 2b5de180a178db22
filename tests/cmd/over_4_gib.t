# Sizes, positions and counters do not end at 4 GiB, which is where 32 bits do.
# Files are sparse. What moves 4 GiB runs on 32-bit machines and with
# SOCKT_LONG=1.
use Sockt;
use SocktHttp;

my $GIB4 = 4 * (1 << 30);
my $dir = scratch();

# A file of so many bytes that ends in text.
sub sparse {
    my ($path, $size, $text) = @_;
    spew($path, '') unless -e $path;
    open my $f, '+<:raw', $path or die "$path: $!";
    truncate $f, $size or die "$path: $!";
    sysseek $f, $size - length $text, 0;
    syswrite $f, $text;
    return $path;
}

# The last bytes of a file.
sub tail {
    my ($path, $count) = @_;
    open my $f, '<:raw', $path or die "$path: $!";
    sysseek $f, -$count, 2;
    my $text = '';
    sysread $f, $text, $count;
    return $text;
}

# --- Sizes that a server declares ------------------------------------------

my $size = $GIB4 + 20;
exits get(["HTTP/1.1 200 OK\r\nContent-Length: $size\r\n\r\nbeginning"], '/'),
    9, 'a length over 4 GiB, and a short body, with both sizes',
    err => qr/ended after 9 of $size bytes/, out => 'beginning';

exits get(["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000003\r\n"
    . "abc\r\n0\r\n\r\n"], '/'), "9 abc\r\n0\r\n\r\n",
    'a chunk over 4 GiB does not end after its last 32 bits: what follows is its content';

# --- Positions in files ----------------------------------------------------

my $tag = 'ETag: "v1"';
my $end = 'the last 20 of them.';
my $s = http_server(
    "HTTP/1.1 200 OK\r\n$tag\r\nContent-Length: $size\r\n\r\nbeginning",
    "HTTP/1.1 206 Part\r\n$tag\r\nContent-Range: bytes $GIB4-"
        . ($size - 1) . "/$size\r\nContent-Length: 20\r\n\r\n$end");
my $file = "$dir/large";
exits run('http-get', '-o', $file, "$s->{url}/x"), 9,
    'a download of which little is there';
my ($part) = grep { -s $_ == 9 } glob "$file*";
sparse($part, $GIB4, 'so far.');
exits run('http-get', '-v', '-c', '-o', $file, "$s->{url}/x"), 0,
    'resumed at 4 GiB: done';
like slurp($s->{log}), qr/\r\nRange: bytes=$GIB4-\r\n/, 'it asks for that';
is -s $file, $size, 'the file is whole';
is tail($file, 27), "so far.$end", 'the rest is in its place';

# stdin and stdout beyond 4 GiB.
open my $in, '<', sparse("$dir/in", $GIB4 + 5, '5678901234') or die $!;
sysseek $in, $GIB4 - 5, 0;
open my $out, '>>', sparse("$dir/out", $GIB4 + 3, 'end') or die $!;
my $l = start({ stdout => $out }, 'listen', '--recv-only', 0);
exits run({ stdin => $in }, 'connect', '127.0.0.1', $l->port), 0,
    'a file from before 4 GiB to after it is sent';
exits $l->finish, 0, 'and received';
is tail("$dir/out", 13), 'end5678901234', 'behind what was there';
is sysseek($in, 0, 1), $GIB4 + 5, 'the position is the end';

# --- Counters --------------------------------------------------------------

# 1: the ELF class of 32 bits.
SKIP: {
    my $kind = unpack 'x4 C', slurp(sockt());
    skip '4 GiB are moved with SOCKT_LONG=1', 7
        unless $ENV{SOCKT_LONG} || $kind == 1;
    my $count = $GIB4 + 54_321;
    open $in, '<', sparse("$dir/in", $count, 'end') or die $!;
    open $out, '>', '/dev/null' or die $!;
    $l = start({ stdout => $out }, 'listen', '-v', '--recv-only', 0);
    exits run({ stdin => $in, timeout => 250 }, 'connect', '-v', '--json',
        '127.0.0.1', $l->port), 0, 'more than 4 GiB are sent, counted',
        err => qr/"sent":$count,/;
    exits $l->finish, 0, 'and received, counted', err => qr/received $count,/;

    $s = http_server(sub {
        my ($c) = @_;
        my $block = "\0" x (1 << 20);
        syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: $count\r\n\r\n";
        SocktHttp::put($c, $block) for 1 .. $count >> 20;
        SocktHttp::put($c, substr $block, 0, $count & 0xfffff);
    });
    open $out, '>', '/dev/null' or die $!;
    exits run({ stdout => $out, timeout => 250 }, 'http-get', '-v', '--json',
        "$s->{url}/x"), 0, 'more than 4 GiB are downloaded, counted',
        err => qr/"bytes":$count,/, no_err => qr/error/;
}

done_testing;
