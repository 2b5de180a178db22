# Conditions and ranges: only what was asked for becomes the file.
use Sockt;
use SocktHttp;

my $dir = scratch();
my $same = "HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\n";

# --etag keeps the entity tag between runs.
my @args = ('-q', '--etag', "$dir/tag", '-o', "$dir/file");
my $r = get(answer('200 OK', 'one', 'ETag: W/"1"'), '/', @args);
is slurp("$dir/file"), 'one', '--etag: the first run fetches it';
is slurp("$dir/tag"), 'W/"1"', 'and keeps the tag';
unlike +(requests($r->{server}))[0], qr/If-None-Match/, 'asked plainly';
$r = get($same, '/', @args);
is $r->{status}, 0, '304: exit status';
is slurp("$dir/file"), 'one', 'the file is untouched';
like +(requests($r->{server}))[0], qr{\r\nIf-None-Match: W/"1"\r\n}, 'asked so';
$r = get(answer('200 OK', 'two', 'ETag: "2"'), '/', @args);
is slurp("$dir/file"), 'two', 'a new version replaces it';
is slurp("$dir/tag"), '"2"', 'with its tag';
$r = get(answer('500 Oh', 'no', 'ETag: "3"'), '/', @args);
is slurp("$dir/tag"), '"2"', 'an error leaves the tag';
spew("$dir/tag", '');
$r = get(answer('200 OK', 'two', 'ETag: "2"'), '/', @args);
unlike +(requests($r->{server}))[0], qr/If-None-Match/, 'an empty tag is not sent';
is slurp("$dir/tag"), '"2"', '  which is replaced';
for my $case (
    ["$dir/none/tag", sub {}, qr{--etag: \S+/none/tag: no such file}],
    ["$dir/late", sub { mkdir "$dir/late" }, qr{late is not a regular file}],
) {
    my ($tag, $meanwhile, $why) = @$case;
    $r = get(sub {
        $meanwhile->();
        syswrite $_[0], answer('200 OK', 'two', 'ETag: "2"');
    }, '/', '-q', '--etag', $tag, '-o', "$dir/kept");
    is $r->{status}, 11, "--etag $tag: exit status";
    like $r->{err}, $why, '  why';
    ok !-e "$dir/kept", '  and no file without its tag';
}
rmdir "$dir/late";
unlink glob "$dir/kept*";
unlink "$dir/file";
$r = get(answer('200 OK', 'three', 'ETag: "3"'), '/', @args);
unlike +(requests($r->{server}))[0], qr/If-None-Match/,
    'without the file the tag is of no use';
$r = get(answer('200 OK', 'untagged'), '/', @args);
ok !-e "$dir/tag", 'a version without a tag leaves no old one behind';
get(answer('200 OK', 'three', 'ETag: "3"'), '/', @args);
is_deeply [sort glob "$dir/*"],
    ["$dir/file", "$dir/file.error", "$dir/tag"], 'nothing else is left';

# --if-modified-since.
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
    is $r->{status}, 0, "since $case->[0]: exit status";
    is $r->{out}, '', 'nothing is written';
    my $want = $case->[1] // 'Sun, 06 Nov 1994 08:49:37 GMT';
    like +(requests($r->{server}))[0], qr/\r\nIf-Modified-Since: $want\r\n/,
        'the date';
}
for my $bad ('2001-02-29', '1994-13-01', 'yesterday', "$dir/none") {
    $r = get(answer('200 OK', 'x'), '/', '--if-modified-since', $bad);
    is $r->{out}, 'x', "since $bad: asked without it";
    like $r->{err}, qr/neither a file nor a date/, 'and told';
}
$r = get($same, '/', '-q', '-o', "$dir/304");
is $r->{status}, 8, '304 that nobody asked for';
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
    $r = get($part, '/', '-q', '-r', $range);
    is $r->{status}, 0, "-r $range: exit status";
    is $r->{out}, 'cde', 'the part';
    like +(requests($r->{server}))[0], qr/\r\nRange: bytes=$range\r\n/, 'asked';
}
$r = get($part =~ s{2-4/10}{7-9/10}r, '/', '-q', '-r', '-3');
is $r->{out}, 'cde', 'the last bytes';
for my $range ('1-4', '3-4', '2-3', '-3') {
    $r = get($part, '/', '-q', '-r', $range);
    is $r->{status}, 9, "-r $range: another range is refused";
    is $r->{out}, '', 'and not written';
}
for my $case (['-3', '7-9/*', 0], ['-2', '7-9/10', 9], ['-5', '6-8/10', 9],
    ['2-4', '2-4/*', 0]) {
    my ($range, $sent, $status) = @$case;
    $r = get($part =~ s{2-4/10}{$sent}r, '/', '-q', '-r', $range);
    is $r->{status}, $status, "-r $range answered by $sent: status $status";
    is $r->{out}, $status == 0 ? 'cde' : '', '  and what is written';
}
$r = get(answer('200 OK', 'abcdefghij'), '/', '-q', '-r', '2-4');
is $r->{status}, 9, 'the whole instead of the part is refused';
is $r->{out}, '', 'and not written';
$r = get($part, '/', '-q');
is $r->{status}, 9, 'a part that nobody asked for is refused';
$r = get(answer('416 No', 'sorry'), '/', '-q', '-r', '20-');
is $r->{status}, 8, 'a range that is not there';
for my $bad ('', '-', 'x', '4-2', '1', '1-x', '--5', '1-2,4-5', '+1-2') {
    is run('http-get', '-r', $bad, 'http://a/')->{status}, 2,
        "-r '$bad' is refused";
}
# HEAD has no body that a range could be a part of.
for my $head ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
    "HTTP/1.1 206 Part\r\nContent-Range: bytes 1-3/10\r\n\r\n") {
    $r = get($head, '/', '-q', '-I', '-r', '1-3');
    is $r->{status}, 0, '-I -r: exit status';
    is $r->{out}, $head, 'the header is the result';
}
is run('http-get', '-H', 'Range: bytes=0-', 'http://a/')->{status}, 2,
    '-H Range is refused';
is run('http-get', '--etag', 'x', 'http://a/', 'http://b/')->{status}, 2,
    '--etag for two is refused';

done_testing;
