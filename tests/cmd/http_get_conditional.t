# Conditions and ranges: only what was asked for becomes the file.
use Sockt;
use SocktHttp;

my $dir = scratch();
my $same = "HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\n";

# --if-modified-since.
spew("$dir/file", 'three');
exits get($same, '/', '-q', '--if-modified-since', "$dir/file", '-o',
    "$dir/file"), 0, 'status 304';
is slurp("$dir/file"), 'three', 'the file is untouched';
is_deeply [glob "$dir/*"], ["$dir/file"], 'nothing else is left';
my $r = get(answer('200 OK', 'new'), '/', '-q', '--if-modified-since',
    "$dir/file", '-o', "$dir/missing");
unlike +(requests($r->{server}))[0], qr/If-Modified-Since/,
    'without the output file the condition is of no use';
is slurp("$dir/missing"), 'new', 'it is fetched';
for my $case (
    ['1994-11-06'          => 'Sun, 06 Nov 1994 00:00:00 GMT'],
    ['1994-11-06 08:49'    => 'Sun, 06 Nov 1994 08:49:00 GMT'],
    ['1994-11-06T08:49:37Z' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sun, 06 Nov 1994 08:49:37 GMT' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sunday, 06-Nov-94 08:49:37 GMT' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sun Nov  6 08:49:37 1994' => 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['2000-02-29' => 'Tue, 29 Feb 2000 00:00:00 GMT'],
    ['9999-12-31T23:59:60' => 'Fri, 31 Dec 9999 23:59:59 GMT'],
    ["$dir/file" => undef],
) {
    utime 784111777, 784111777, "$dir/file";
    $r = get($same, '/', '-q', '--if-modified-since', $case->[0]);
    exits $r, 0, "since $case->[0], nothing is written", out => '';
    my $want = $case->[1] // 'Sun, 06 Nov 1994 08:49:37 GMT';
    like +(requests($r->{server}))[0], qr/\r\nIf-Modified-Since: $want\r\n/,
        'the date';
}
for my $bad ('2001-02-29', '1994-13-01', 'yesterday', "$dir/none") {
    $r = get(answer('200 OK', 'x'), '/', '--if-modified-since', $bad);
    is $r->{out}, 'x', "since $bad: asked without it";
    like $r->{err}, qr/neither a file nor a date/, 'and told';
}
exits get($same, '/', '-q', '-o', "$dir/304"), 8, '304 that nobody asked for';
ok !-e "$dir/304", 'is no file';

$r = get(answer('200 OK', 'x',
    'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT'), '/', '-q',
    '--if-modified-since', "$dir/file", '-o', "$dir/file");
is slurp("$dir/file"), 'x', 'a newer version replaces the file';
is +(stat "$dir/file")[9], 784111777, "and bears the server's time";

# -r.
my $part = "HTTP/1.1 206 Part\r\nContent-Range: bytes 2-4/10\r\n"
    . "Content-Length: 3\r\n\r\ncde";
for my $range ('2-4', '2-', '2-9') {
    my $all = $range eq '2-4' ? $part : $part =~ s{2-4/10}{2-4/5}r;
    $r = get($all, '/', '-q', '-r', $range);
    exits $r, 0, "-r $range, the part", out => 'cde';
    like +(requests($r->{server}))[0], qr/\r\nRange: bytes=$range\r\n/, 'asked';
}
$r = get($part =~ s{2-4/10}{7-9/10}r, '/', '-q', '-r', '-3');
is $r->{out}, 'cde', 'the last bytes';
for my $range ('1-4', '3-4', '2-3', '-3') {
    $r = get($part, '/', '-q', '-r', $range);
    exits $r, 9, "-r $range: another range is refused, not written", out => '';
}
# All of the range, or all that there is of it.
for my $case (['2-9', '2-4/10', 9], ['2-', '2-4/10', 9], ['2-', '2-4/*', 9],
    ['2-9', '2-4/*', 9], ['2-9', '2-4/5', 0], ['-9', '0-2/3', 0],
    ['-9', '1-3/4', 9], ['-3', '7-9/*', 9], ['-2', '7-9/10', 9], ['-5', '6-8/10', 9],
    ['2-4', '2-4/*', 0]) {
    my ($range, $sent, $status) = @$case;
    $r = get($part =~ s{2-4/10}{$sent}r, '/', '-q', '-r', $range);
    is $r->{status}, $status, "-r $range answered by $sent: status $status";
    is $r->{out}, $status == 0 ? 'cde' : '', '  and what is written';
}
$r = get("HTTP/1.1 206 Part\r\nContent-Range: bytes 2-9223372036854775807/*\r\n"
    . "\r\ncde", '/', '-q', '-r', '2-');
is "$r->{status} $r->{out}", '9 ', 'a last byte that no file has is refused';
exits get(answer('200 OK', 'abcdefghij'), '/', '-q', '-r', '2-4'), 9,
    'the whole instead of the part is refused, not written', out => '';
exits get($part, '/', '-q'), 9, 'a part that nobody asked for is refused';
$r = get(answer('416 No', 'sorry'), '/', '-q', '-r', '20-');
is $r->{status}, 8, 'a range that is not there';
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
