# Conditions and ranges: only what was asked for becomes the file.
use Sockt;
use SocktHttp;

my $dir = scratch();
my $same = "HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\n";

# --if-modified-since.
spew("$dir/file", 'three');
exits get($same, '/', '-q', '--if-modified-since', "$dir/file", '-o',
    "$dir/file"), 0, 'status 304: the file is untouched', file => ["$dir/file", 'three'];
exits get(answer('200 OK', 'new'), '/', '-q', '--if-modified-since',
    "$dir/file", '-o', "$dir/missing"), 0,
    'without the output file the condition is of no use, it is fetched',
    no_asked => qr/If-Modified-Since/, file => ["$dir/missing", 'new'];
for my $case (
    ['1994-11-06'          => 'Sun, 06 Nov 1994 00:00:00 GMT'],
    ['1994-11-06 08:49'    => 'Sun, 06 Nov 1994 08:49:00 GMT'],
    ['1994-11-06T08:49:37Z' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sun, 06 Nov 1994 08:49:37 GMT' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sunday, 06-Nov-94 08:49:37 GMT' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sun Nov  6 08:49:37 1994' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['2000-02-29' => 'Tue, 29 Feb 2000 00:00:00 GMT'],
    ['9999-12-31T23:59:60' => 'Fri, 31 Dec 9999 23:59:59 GMT'],
    ["$dir/file" => 'Sun, 06 Nov 1994 08:49:37 GMT'],
) {
    my ($since, $date) = @$case;
    utime 784111777, 784111777, "$dir/file";
    exits get($same, '/', '-q', '--if-modified-since', $since), '0 ',
        "since $since, nothing is written; the date",
        asked => qr/\r\nIf-Modified-Since: $date\r\n/;
}
exits get(answer('200 OK', 'x'), '/', '--if-modified-since', $_), '0 x',
    "since $_: asked without it, and told", no_asked => qr/If-Mod/,
    err => qr/neither a file nor a date/
    for '2001-02-29', '1994-13-01', 'yesterday', "$dir/none";
exits get($same, '/', '-q', '-o', "$dir/304"), 8, '304 that nobody asked for is no file',
    file => ["$dir/304", undef];

exits get(answer('200 OK', 'x',
    'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT'), '/', '-q',
    '--if-modified-since', "$dir/file", '-o', "$dir/file"), 0,
    'a newer version replaces the file', file => ["$dir/file", 'x'];
is +(stat "$dir/file")[9], 784111777, "and bears the server's time";

# -r.
my $part = "HTTP/1.1 206 Part\r\nContent-Range: bytes 2-4/10\r\n"
    . "Content-Length: 3\r\n\r\ncde";
# All of the range, or all that there is of it; else it is refused, not written.
for my $case (['2-4', '2-4/10', 0], ['2-', '2-4/5', 0], ['2-9', '2-4/5', 0],
    ['-3', '7-9/10', 0], ['-9', '0-2/3', 0], ['2-4', '2-4/*', 0],
    ['1-4', '2-4/10', 9], ['3-4', '2-4/10', 9], ['2-3', '2-4/10', 9],
    ['-3', '2-4/10', 9], ['2-9', '2-4/10', 9], ['2-', '2-4/10', 9],
    ['2-', '2-4/*', 9], ['2-9', '2-4/*', 9], ['-9', '1-3/4', 9],
    ['-3', '7-9/*', 9], ['-2', '7-9/10', 9], ['-5', '6-8/10', 9]) {
    my ($range, $sent, $status) = @$case;
    exits get($part =~ s{2-4/10}{$sent}r, '/', '-q', '-r', $range),
        $status == 0 ? '0 cde' : "$status ",
        "-r $range answered by $sent: status $status",
        asked => qr/\r\nRange: bytes=$range\r\n/;
}
exits get("HTTP/1.1 206 Part\r\nContent-Range: bytes 2-9223372036854775807/*\r\n"
    . "\r\ncde", '/', '-q', '-r', '2-'), '9 ', 'a last byte that no file has is refused';
exits get(answer('200 OK', 'abcdefghij'), '/', '-q', '-r', '2-4'), '9 ',
    'the whole instead of the part is refused, not written';
exits get($part, '/', '-q'), 9, 'a part that nobody asked for is refused';
exits get(answer('416 No', 'sorry'), '/', '-q', '-r', '20-'), 8,
    'a range that is not there';
misused 'http-get', qr/--range/ => [map { ['-r', $_, 'http://a/'] } '', '-', 'x', '4-2',
    '1', '1-x', '--5', '1-2,4-5', '+1-2'],
    qr/Range/ => [['-H', 'Range: bytes=0-', 'http://a/']];
# HEAD has no body that a range could be a part of.
for my $head ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
    "HTTP/1.1 206 Part\r\nContent-Range: bytes 1-3/10\r\n\r\n") {
    exits get($head, '/', '-q', '-I', '-r', '1-3'), 0,
        '-I -r, the header is the result', out => $head;
}

done_testing;
