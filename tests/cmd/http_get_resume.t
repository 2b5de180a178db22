# A download that breaks off is resumed by what identifies the file, and never
# spliced from two versions.
use Sockt;
use SocktHttp;

my $dir  = scratch();
my $body = join '', map { pack 'N', $_ } 1 .. 25_000;
my $size = length $body;

# An answer with a validator, perhaps cut short.
sub whole {
    my ($tag, $cut, $content) = @_;
    $content //= $body;
    my $head = "HTTP/1.1 200 OK\r\nETag: $tag\r\nContent-Length: "
        . length($content) . "\r\n\r\n";
    return $head . substr $content, 0, $cut // length $content;
}

sub part {
    my ($from, %o) = @_;
    my $content = substr $o{body} // $body, $from;
    my $total = $o{total} // $size;
    my $to = $o{to} // $size - 1;
    my $tag = $o{tag} ? "ETag: $o{tag}\r\n" : '';
    return "HTTP/1.1 206 Part\r\n${tag}Content-Range: bytes $from-$to/$total\r\n"
        . 'Content-Length: ' . length($content) . "\r\n\r\n$content";
}

# A first run that breaks off after n bytes, on a server that is asked again.
# Returns the result of the second run.
my $count = 0;
sub resume {
    my ($first, $second, @options) = @_;
    my $s = http_server($first, ref $second eq 'ARRAY' ? @$second : $second);
    my $file = "$dir/file" . ++$count;
    my $r = run('http-get', '-o', $file, "$s->{url}/x");
    is $r->{status}, 9, 'the first run is truncated';
    ok !-e $file, 'nothing bears the name yet';
    $r = run('http-get', '-c', '-o', $file, @options, "$s->{url}/x");
    $r->{file} = $file;
    $r->{requests} = [requests($s)];
    return $r;
}

my $r = resume(whole('"v1"', 30_000), part(30_000, tag => '"v1"'));
is $r->{status}, 0, 'resumed: exit status';
ok slurp($r->{file}) eq $body, 'byte for byte';
like $r->{requests}[1], qr/\r\nRange: bytes=30000-\r\n/, 'Range';
like $r->{requests}[1], qr/\r\nIf-Range: "v1"\r\n/, 'If-Range';
is_deeply [glob "$r->{file}*"], [$r->{file}], 'nothing else is left';

$r = resume(whole('"v1"', 30_000), whole('"v2"', undef, 'new'));
is $r->{status}, 0, 'changed: exit status';
is slurp($r->{file}), 'new', 'it is fetched anew, not spliced';
is_deeply [glob "$r->{file}*"], [$r->{file}], 'nothing else is left';

$r = resume(whole('"v1"', 30_000),
    [part(30_000, tag => '"v2"'), whole('"v2"', undef, 'new')]);
is $r->{status}, 0, 'a part of another version: exit status';
is slurp($r->{file}), 'new', 'it is fetched anew, not spliced';

$r = resume(whole('"v1"', 30_000),
    [part(30_000, total => $size + 1, to => $size,
        body => $body . '!'), whole('"v2"', undef, 'new')]);
is slurp($r->{file}), 'new', 'so is one of another size';

my $v1 = '"v1"';
for my $bad (part(29_999, tag => $v1), part(30_000, to => $size - 2, tag => $v1),
    "HTTP/1.1 206 Part\r\nContent-Length: 5\r\n\r\nhello",
    part(30_000, tag => $v1) =~ s/bytes 30000/bytes x/r,
    part(30_000, tag => $v1) =~ s/bytes 30000-\d+/bytes */r) {
    $r = resume(whole('"v1"', 30_000), $bad);
    is $r->{status}, 9, 'another range than was asked for';
    ok !-e $r->{file}, 'never becomes the file';
    is -s "$r->{file}.part", 30_000, 'what was there is kept';
}

# A part in chunks, shorter than it says.
$r = resume(whole('"v1"', 30_000), part(30_000, tag => $v1)
    =~ s/Content-Length: \d+\r\n\r\n.*/Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n/sr);
is $r->{status}, 9, 'a part that is shorter than its range: exit status';
ok !-e $r->{file}, 'never becomes the file';

# A file with a header in front, or only that, has other offsets.
for my $flag ('-i', '-I') {
    my $server = http_server(whole('"v1"', 30_000), whole('"v1"'));
    run('http-get', $flag, '-o', "$dir/flag$flag", "$server->{url}/x");
    unlink "$dir/flag$flag";
    my $again = run('http-get', '-c', '-o', "$dir/flag$flag",
        "$server->{url}/x");
    unlike +(requests($server))[1], qr/Range/, "$flag is not resumed";
    ok slurp("$dir/flag$flag") eq $body, 'but fetched anew';
}

# Everything is there already but for the name.
my $s = http_server(whole('"v1"', 30_000),
    "HTTP/1.1 416 No\r\nContent-Range: bytes */$size\r\n"
        . "Content-Length: 3\r\n\r\nno\n");
run('http-get', '-o', "$dir/all", "$s->{url}/");
spew("$dir/all.part", $body);
$r = run('http-get', '-c', '-o', "$dir/all", "$s->{url}/");
is $r->{status}, 0, '416 with an equal size: exit status';
ok slurp("$dir/all") eq $body, 'it is complete';
$r = resume(whole('"v1"', 30_000),
    ["HTTP/1.1 416 No\r\nContent-Range: bytes */7\r\nContent-Length: 0\r\n\r\n",
        whole('"v2"', undef, 'shorter')]);
is slurp($r->{file}), 'shorter', '416 with another size: fetched anew';
for my $field ('X: y', "Content-Range: bytes */30000\r\nETag: \"v2\"") {
    $r = resume(whole('"v1"', 30_000),
        ["HTTP/1.1 416 No\r\n$field\r\nContent-Length: 0\r\n\r\n",
            whole('"v2"', undef, 'other')]);
    is slurp($r->{file}), 'other',
        '416 without the size, or of another version: fetched anew';
}

$r = resume(whole('"v1"', 30_000), answer('404 Gone', 'error page'));
is $r->{status}, 8, 'an error while resuming: exit status';
is -s "$r->{file}.part", 30_000, 'its body is not appended';

# Without a strong validator nothing can be resumed.
for my $tag ('W/"v1"', 'v1') {
    $r = resume(whole($tag, 30_000), whole($tag));
    unlike $r->{requests}[1], qr/Range/, "$tag is not asked by";
    ok slurp($r->{file}) eq $body, 'it is fetched anew';
}
my $date = 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT';
my $dated = whole('"x"', 30_000)
    =~ s/ETag: "x"/$date\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT/r;
$r = resume($dated, part(30_000));
like $r->{requests}[1], qr/\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n/,
    'a date that is older than its answer is as good';
ok slurp($r->{file}) eq $body, 'and resumed by';
$r = resume($dated =~ s/38 GMT/37 GMT/r, whole('"x"'));
unlike $r->{requests}[1], qr/Range/, 'one of the same second is not';

# A partial file of another URL.
$s = http_server(whole('"v1"', 30_000), whole('"v1"', undef, 'other'));
run('http-get', '-o', "$dir/one", "$s->{url}/a");
$r = run('http-get', '-c', '-o', "$dir/one", "$s->{url}/b");
is slurp("$dir/one"), 'other', 'a partial file of another URL is not used';
like $r->{err}, qr{one\.part holds 29\.3 KiB that are not known to be of this file}, 'and that is told';

# A later version of sockt may note more.
$s = http_server(whole('"v1"', 30_000), part(30_000, tag => '"v1"'));
run('http-get', '-o', "$dir/later", "$s->{url}/");
spew("$dir/later.part.from", slurp("$dir/later.part.from") . "more 1\n");
$r = run('http-get', '-c', '-o', "$dir/later", "$s->{url}/");
is $r->{status}, 0, 'a note with an unknown line: exit status';
ok slurp("$dir/later") eq $body, '  it is resumed';

# A note that is not one; and none at all, which --force does not mind.
for my $case (["sockt partial download 1\nnonsense\n", '--force'], [undef, '--force']) {
    my ($note, @options) = @$case;
    $s = http_server(whole('"v1"', 30_000), whole('"v1"', undef, 'new'));
    run('http-get', '--force', '-o', "$dir/note", "$s->{url}/");
    $note ? spew("$dir/note.part.from", $note) : unlink "$dir/note.part.from";
    $r = run('http-get', '-c', @options, '-o', "$dir/note", "$s->{url}/");
    my $what = $note ? 'an unreadable note' : 'no note';
    is $r->{status}, 0, "$what: exit status";
    is slurp("$dir/note"), 'new', '  it is fetched anew';
    like $r->{err}, qr{note\.part holds 29\.3 KiB that are not known to be of this file; beginning anew},
        '  and that is told';
}

# A file and a partial one: -O refuses to replace the file.
spew("$dir/twice", 'HELLO');
spew("$dir/twice.part", 'HEL');
chdir $dir or die $!;
$r = run('http-get', '-c', '-O', 'http://127.0.0.1:' . free_port() . '/twice');
chdir '/';
is $r->{status}, 11, 'a file and a partial one: exit status';
like $r->{err}, qr/twice exists \(--force overwrites it\)/, '  and why';
is slurp("$dir/twice"), 'HELLO', '  neither is touched';
is slurp("$dir/twice.part"), 'HEL', '  neither is touched';

# A file that is there.
my $n = 0;
for my $case (
    ["HTTP/1.1 416 No\r\nContent-Range: bytes */5\r\n\r\n", 0],
    ["HTTP/1.1 416 No\r\nContent-Range: bytes */4\r\n\r\n", 11],
    [answer('200 OK', 'hello'), 0], [answer('200 OK', 'hello!'), 11],
    [answer('206 OK', '!', 'Content-Range: bytes 5-5/6'), 11],
    [answer('500 Oh', 'oh'), 8],
) {
    spew("$dir/there", 'HELLO');
    $r = get($case->[0], '/', '-c', '-o', "$dir/there");
    is $r->{status}, $case->[1], 'a file that is there, case ' . ++$n;
    is slurp("$dir/there"), 'HELLO', 'is not touched';
    like $r->{err}, qr/\A[^\n]*: the file is complete already\n\z/,
        'is complete, and that alone is said' if $n == 1;
    like $r->{err}, qr/5 bytes and is not known .*\(--continue-foreign continues it/,
        'is continued by another option' if $case->[1] == 11;
}

# What another program left is continued with --continue-foreign.
my $tail = answer('206 Part', ' WORLD', 'Content-Range: bytes 5-10/11');
for my $mode (0600, 0666) {
    chmod $mode, spew("$dir/wget", 'HELLO');
    $r = get($tail, '/', '-q', '--continue-foreign', '-o', "$dir/wget");
    is $r->{status}, 0, '--continue-foreign: exit status';
    like +(requests($r->{server}))[0], qr/\r\nRange: bytes=5-\r\n/, '  Range';
    is slurp("$dir/wget"), 'HELLO WORLD', '  the rest follows';
    is +(stat "$dir/wget")[2] & 0777, $mode, '  the mode is the same';
    is_deeply [glob "$dir/wget*"], ["$dir/wget"], '  nothing else is left';
}
chdir $dir or die $!;
spew("$dir/x", 'HELLO');
$r = get($tail, '/x', '-q', '--continue-foreign', '-O');
is slurp("$dir/x"), 'HELLO WORLD', '--continue-foreign -O';
chdir '/';
for my $odd (['200 OK', 'HELLO WORLD'], ['206 Part', ' W',
        'Content-Range: bytes 5-6/11'],
    ['206 Part', ' WORLD', 'Content-Range: bytes 4-9/11']) {
    spew("$dir/wget", 'HELLO');
    $r = get(answer(@$odd), '/', '-q', '--continue-foreign', '-o', "$dir/wget");
    cmp_ok $r->{status}, '>=', 9, "--continue-foreign and $odd->[0]: exit status";
    is slurp("$dir/wget"), 'HELLO', '  the file is untouched';
}
spew("$dir/wget", 'HELLO');
$s = http_server(answer('206 Part', ' WORLD', 'ETag: "1"',
        'Content-Range: bytes 5-10/11') =~ s/LD\z//r,
    answer('206 Part', 'LD', 'Content-Range: bytes 9-10/11', 'ETag: "1"'));
$r = run('http-get', '-q', '--continue-foreign', '-o', "$dir/wget", "$s->{url}/");
is $r->{status}, 9, '--continue-foreign, and it breaks off: exit status';
exits run('http-get', '-q', '-c', '-o', "$dir/wget", "$s->{url}/"), 0, "  -c";
is slurp("$dir/wget"), 'HELLO WORLD', '  it is resumed';

# Interrupted.
$s = http_server(sub { syswrite $_[0], whole('"v1"', 30_000); sleep 60 });
my $p = start('http-get', '-o', "$dir/int", "$s->{url}/");
my $until = time + 30;
select undef, undef, undef, 0.01
    until (-s "$dir/int.part" // 0) == 30_000 || time > $until;
exits $p->stop, -15, 'SIGTERM: it dies by it, says what is kept',
    err => qr/30000 bytes are kept in \S+int\.part; --continue resumes/;
kill 'KILL', $s->{pid};

$r = get(whole('"v1"'), '/', '-o', "$dir/int");
like $r->{err}, qr{int\.part holds 29\.3 KiB of an earlier run; beginning anew},
    'without -c it begins anew, and says so';

# Two at once.
$s = http_server(sub { syswrite $_[0], whole('"v1"', 30_000); sleep 60 });
$p = start('http-get', '-o', "$dir/two", "$s->{url}/");
select undef, undef, undef, 0.01
    until (-s "$dir/two.part" // 0) == 30_000 || time > $until;
exits get(whole('"v1"'), '/', '-o', "$dir/two"), 11,
    'a second writer is rejected', err => qr/another process is writing/;
$p->stop('KILL');
kill 'KILL', $s->{pid};

misused 'http-get', qr/./ => [map { "$_ http://a/" } '-c', '-c -o -', '-c -o x -r 1-',
    '-c -o x -i'];

done_testing;
