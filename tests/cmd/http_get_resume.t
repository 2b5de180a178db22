# A download that breaks off is resumed by what identifies the file, and never
# spliced from two versions.
use Sockt;
use SocktHttp;
use Digest::SHA qw(sha256_hex);

my $dir  = scratch();
my $body = join '', map { pack 'N', $_ } 1 .. 25_000;
my $size = length $body;

# An answer with a validator, perhaps cut short.
sub whole {
    my ($tag, $cut) = @_;
    my $all = answer('200 OK', $body, "ETag: $tag");
    return $cut ? substr $all, 0, $cut - $size : $all;
}

sub part {
    my ($from, %o) = @_;
    my ($to, $total) = ($o{to} // $size - 1, $o{total} // $size);
    return answer('206 Part', substr($o{body} // $body, $from),
        $o{tag} ? "ETag: $o{tag}" : (), "Content-Range: bytes $from-$to/$total");
}

# A first run that breaks off, as a server that is asked again makes it; what
# another does with the file then; and a second run with -c, which is to have
# this status, and text in the file, or undef where the partial one stays.
my $count = 0;
sub resumes {
    my ($name, $status, $text, $connections, %more) = @_;
    my $s = http_server(@$connections);
    my $file = "$dir/file" . ++$count;
    is run('http-get', '-o', $file, "$s->{url}/x")->{status}, 9,
        "$name: the first run is truncated";
    ok !-e $file, '  nothing bears the name yet';
    $more{between}->($file) if $more{between};
    my $r = run('http-get', '-c', '-o', $file, @{ $more{options} // [] },
        $s->{url} . ($more{path} // '/x'));
    $r->{asked} = (requests($s))[1];
    delete @more{qw(between options path)};
    return exits $r, $status, $name, file => [$file, $text], %more
        if defined $text;
    exits $r, $status, $name, %more;
    ok !-e $file, '  nothing becomes the file';
    return is -s "$file.part", 30_000, '  what was there is kept';
}

my $v1 = '"v1"';
my $first = whole($v1, 30_000);
my $new = answer('200 OK', 'new', 'ETag: "v2"');
sub anew { return qr{: \Q$_[0]\E; beginning anew\n} }
my $other = anew('the file on the server has changed: it has another ETag');
sub fresh { return qr{file\d+\.part holds 29\.3 KiB $_[0]; beginning anew\n} }
my $date = 'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT';
my $dated = $first =~ s/ETag: "v1"/$date\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT/r;
resumes(@$_) for
    ['resumed', 0, $body, [$first, part(30_000, tag => $v1)],
        asked => qr/\r\nRange: bytes=30000-\r\nIf-Range: "v1"\r\n/],
    ['changed: it is fetched anew, not spliced', 0, 'new', [$first, $new], err => $other],
    ['a date has changed, likewise', 0, 'new', [$dated, $new =~ s/ETag.*?\r/Last-Modified: now\r/r],
        err => anew('the file on the server has changed: it has another Last-Modified')],
    ['not changed, and sent whole', 0, $body, [$first, whole($v1)],
        err => anew('the server does not resume but sends all of it')],
    ['sent whole, of no version', 0, $body, [$first, answer('200 OK', $body)],
        err => anew('the response has no ETag to tell the version by')],
    ['a part of another version: it is fetched anew, not spliced', 0, 'new',
        [$first, part(30_000, tag => '"v2"'), $new], err => $other],
    ['so is one of another size', 0, 'new', [$first, part(30_000, tag => $v1,
        total => $size + 1, to => $size, body => $body . '!'), $new],
        err => anew('the file on the server has changed: it is longer now')],
    ['and one of no version', 0, 'new', [$first, part(30_000), $new],
        err => anew('the response has no ETag to tell the version by')],
    (map { ['another range than was asked for', 9, undef, [$first, $_->[0]], err => $_->[1]] }
        [part(29_999, tag => $v1), qr/the server sent bytes 29999-99999 instead of 30000-\n/],
        [part(30_000, to => $size - 2, tag => $v1),
            qr/a part \(206\) of 70000 bytes, whose Content-Range is of 69999\n/],
        ["HTTP/1.1 206 Part\r\nContent-Length: 5\r\n\r\nhello",
            qr/a part \(206\) without a Content-Range\n/],
        map { [$_, qr/a part \(206\) whose Content-Range names no range of bytes\n/] }
        part(30_000, tag => $v1) =~ s/bytes 30000/bytes x/r,
        part(30_000, tag => $v1) =~ s/bytes 30000-\d+/bytes */r),
    ['416 with another size: fetched anew', 0, 'new',
        [$first, answer('416 No', '', 'Content-Range: bytes */7'), $new],
        err => anew('the file on the server has changed: it is shorter now')],
    ['416 without the size: fetched anew', 0, 'new',
        [$first, answer('416 No', 'no', 'X: y'), $new],
        err => anew('the server refuses (416) to continue after the bytes that are here')],
    ['416 of another version: fetched anew', 0, 'new', [$first,
        answer('416 No', '', 'Content-Range: bytes */30000', 'ETag: "v2"'), $new],
        err => $other],
    ['an error while resuming, its body is not appended', 8, undef,
        [$first, answer('404 Gone', 'error page')]],
    # Without a strong validator nothing can be resumed.
    (map { ["$_ is not asked by, it is fetched anew", 0, $body,
        [whole($_, 30_000), whole($_)], no_asked => qr/Range/,
        err => fresh('of a version that the server did not name')] } 'W/"v1"', 'v1'),
    ['a date that is older than its answer is as good, and resumed by', 0, $body,
        [$dated, part(30_000)],
        asked => qr/\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n/],
    ['one of the same second is not', 0, $body,
        [$dated =~ s/38 GMT/37 GMT/r, whole('"x"')], no_asked => qr/Range/],
    ['a partial file of another URL is not used, and that is told', 0, 'new',
        [$first, $new], path => '/y', err => fresh('of another URL')],
    # A later version of sockt may note more.
    ['a note with an unknown line: it is resumed', 0, $body,
        [$first, part(30_000, tag => $v1)], between => sub {
            spew("$_[0].part.from", slurp("$_[0].part.from") . "more 1\n") }],
    ['a note with a size out of range: it is resumed', 0, $body,
        [$first, part(30_000, tag => $v1)], between => sub {
            spew("$_[0].part.from",
                slurp("$_[0].part.from") =~ s/^total \K/99999999999999/mr) }],
    ['an unreadable note: it is fetched anew, and that is told', 0, 'new',
        [$first, $new], options => ['--force'], err => fresh('of unknown origin'), between => sub {
            spew("$_[0].part.from", "sockt partial download 1\nnonsense\n") }],
    ['no note: it is fetched anew, and that is told', 0, 'new', [$first, $new],
        options => ['--force'], err => fresh('of unknown origin'),
        between => sub { unlink "$_[0].part.from" }],
    ['everything is there already but for the name', 0, $body,
        [$first, answer('416 No', "no\n", "Content-Range: bytes */$size")],
        between => sub { spew("$_[0].part", $body) }];

# A part in chunks, shorter than it says.
my $s = http_server($first, part(30_000, tag => $v1)
    =~ s/Content-Length: \d+\r\n\r\n.*/Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n/sr);
run('http-get', '-o', "$dir/short", "$s->{url}/x");
exits run('http-get', '-c', '-o', "$dir/short", "$s->{url}/x"), 9,
    'a part that is shorter than its range',
    err => qr/Content-Range announced 70000 bytes, 5 arrived\n/;
ok !-e "$dir/short", 'never becomes the file';

# A file with a header in front, or only that, has other offsets.
for my $flag ('-i', '-I') {
    my $s = http_server($first, whole($v1));
    run('http-get', $flag, '-o', "$dir/flag", "$s->{url}/x");
    unlink "$dir/flag";
    my $r = run('http-get', '-c', '-o', "$dir/flag", "$s->{url}/x");
    $r->{asked} = (requests($s))[1];
    exits $r, 0, "$flag is not resumed, but fetched anew", no_asked => qr/Range/,
        file => ["$dir/flag", $body];
}

# Nor is a range, not even into an empty file that an earlier run has noted.
$s = http_server($first, substr(part(5, tag => $v1), 0, 500), whole($v1));
run('http-get', '-o', "$dir/range", "$s->{url}/x");
truncate "$dir/range.part", 0 or die $!;
run('http-get', '-r', '5-', '-o', "$dir/range", "$s->{url}/x");
my $after = run('http-get', '-c', '-o', "$dir/range", "$s->{url}/x");
$after->{asked} = (requests($s))[2];
exits $after, 0, 'a range is not resumed, but fetched anew',
    no_asked => qr/Range/, file => ["$dir/range", $body];

# A file and a partial one: -O refuses to replace the file.
spew("$dir/twice", 'HELLO');
spew("$dir/twice.part", 'HEL');
chdir $dir or die $!;
exits run('http-get', '-c', '-O', 'http://127.0.0.1:' . free_port() . '/twice'), 11,
    'a file and a partial one', err => qr/twice exists \(--force overwrites it\)/;
chdir '/';
is slurp("$dir/twice") . slurp("$dir/twice.part"), 'HELLOHEL', '  neither is touched';

# A file that is there.
my $n = 0;
my $complete = qr/\A[^\n]*: the file is complete already\n\z/;
my $unknown = qr/5 bytes and is not known .*\(--continue-foreign continues it/;
for my $case (
    ["HTTP/1.1 416 No\r\nContent-Range: bytes */5\r\n\r\n", 0, $complete],
    ["HTTP/1.1 416 No\r\nContent-Range: bytes */4\r\n\r\n", 11, $unknown],
    [answer('200 OK', 'hello'), 0], [answer('200 OK', 'hello!'), 11, $unknown],
    [answer('206 OK', '!', 'Content-Range: bytes 5-5/6'), 11, $unknown],
    # It means something in a 206 and a 416 alone.
    [answer('200 OK', 'helloworld', 'Content-Range: bytes 0-4/5'), 11, $unknown],
    [answer('200 OK', 'helloworld', 'Content-Range: bytes */5'), 11, $unknown],
    ["HTTP/1.1 200 OK\r\nContent-Range: bytes */5\r\n\r\nhelloworld", 11, $unknown],
    [answer('203 Odd', 'hello', 'Content-Range: bytes */10'), 0],
    [answer('500 Oh', 'oh'), 8],
) {
    my ($bytes, $status, $says) = @$case;
    spew("$dir/there", 'HELLO');
    exits get($bytes, '/', '-c', '-o', "$dir/there"), $status,
        'a file that is there is not touched, case ' . ++$n,
        file => ["$dir/there", 'HELLO'], err => $says // qr/./;
}

# What another program left is continued with --continue-foreign.
my $tail = answer('206 Part', ' WORLD', 'Content-Range: bytes 5-10/11');
my @foreign = ('-q', '--continue-foreign', '-o', "$dir/wget");
for my $mode (0600, 0666) {
    chmod $mode, spew("$dir/wget", 'HELLO');
    exits get($tail, '/', @foreign), 0, '--continue-foreign: the rest follows',
        asked => qr/\r\nRange: bytes=5-\r\n/, file => ["$dir/wget", 'HELLO WORLD'];
    is +(stat "$dir/wget")[2] & 0777, $mode, '  the mode is the same';
}
chdir $dir or die $!;
spew("$dir/x", 'HELLO');
exits get($tail, '/x', '-q', '--continue-foreign', '-O'), 0, '--continue-foreign -O',
    file => ["$dir/x", 'HELLO WORLD'];
chdir '/';
for my $odd (['200 OK', 'HELLO WORLD'], ['206 Part', ' W',
        'Content-Range: bytes 5-6/11'],
    ['206 Part', ' WORLD', 'Content-Range: bytes 4-9/11']) {
    spew("$dir/wget", 'HELLO');
    cmp_ok get(answer(@$odd), '/', @foreign)->{status}, '>=', 9,
        "--continue-foreign and $odd->[0]: exit status";
    is slurp("$dir/wget"), 'HELLO', '  the file is untouched';
}
spew("$dir/wget", 'HELLO');
is get($tail, '/', @foreign, '--sha256', '0' x 64)->{status}, 9, '  another digest';
is slurp("$dir/wget.part"), 'HELLO', '  what the other program left is kept';
unlink "$dir/wget.part", "$dir/wget.part.from";
spew("$dir/wget", 'HELLO');
$s = http_server(answer('206 Part', ' WORLD', 'ETag: "1"',
        'Content-Range: bytes 5-10/11') =~ s/LD\z//r,
    answer('206 Part', 'LD', 'Content-Range: bytes 9-10/11', 'ETag: "1"'));
exits run('http-get', @foreign, "$s->{url}/"), 9,
    '--continue-foreign, and it breaks off';
exits run('http-get', '-q', '-c', '-o', "$dir/wget", "$s->{url}/"), 0,
    '  -c: it is resumed', file => ["$dir/wget", 'HELLO WORLD'];

# Interrupted, and two at once: a run that has received 30,000 bytes, from a
# server that then has other answers.
sub begun {
    my ($name, @answers) = @_;
    my $s = http_server(sub { syswrite $_[0], $first; sysread $_[0], my $end, 1 }, @answers);
    my $p = start('http-get', '-o', "$dir/$name", "$s->{url}/");
    my $until = time + 30;
    select undef, undef, undef, 0.01
        until (-s "$dir/$name.part" // 0) == 30_000 || time > $until;
    return wantarray ? ($p, $s->{url}) : $p;
}
my ($begun, $url) = begun('int', whole($v1));
exits $begun->stop, -15, 'SIGTERM: it dies by it, says what is kept',
    err => qr/30000 bytes are kept in \S+int\.part; --continue resumes/;
exits run('http-get', '-o', "$dir/int", "$url/"), 0,
    'without -c it begins anew, and says so',
    err => qr{int\.part holds 29\.3 KiB of an earlier run; beginning anew \(--continue resumes\)\n};
# What --continue would not resume either is not said to be resumed by it.
begun('other')->stop;
exits get(whole($v1), '/y', '-o', "$dir/other"), 0, '  nor would -c, of another URL',
    err => qr{other\.part holds 29\.3 KiB of another URL; beginning anew\n};
my $p = begun('two');
exits get(whole($v1), '/', '-o', "$dir/two"), 11,
    'a second writer is rejected', err => qr/another process is writing/;
$p->stop('KILL');

# --sha256: a file has its name only with that digest.
my $sum = sha256_hex($body);
my $wrong = sha256_hex('other');
my $no_other = qr/its SHA-256 is $sum, and --sha256 demands $wrong/;
my @digest = ('-q', '--sha256', $sum);
my $redirect = answer('302 Go', 'some text', 'Location: /n');
for my $case (
    ['a whole file', 0, $body, [whole($v1)], @digest],
    ['in upper case', 0, $body, [whole($v1)], '-q', '--sha256', uc $sum],
    ['in chunks, to the end of the connection', 0, $body,
        ["HTTP/1.1 200 OK\r\n\r\n$body"], @digest],
    ['after a redirect with a body', 0, $body, [[$redirect, whole($v1)]], '-L', @digest],
    ['in two parts', 0, $body, [$first, part(30_000, tag => $v1)], '--retry', 1, @digest],
    ['of two versions', 0, 'new', [$first, $new], '-q', '--retry', 1, '--sha256',
        sha256_hex('new')],
    ['an empty file', 0, '', [answer('200 OK', '')], '-q', '--sha256', sha256_hex('')],
    ['another one', 9, undef, [whole($v1)], '-q', '--sha256', $wrong],
    ['another one, in two parts', 9, undef, [$first, part(30_000, tag => $v1)],
        '--retry', 1, '-q', '--sha256', $wrong],
) {
    my ($name, $status, $text, $connections, @args) = @$case;
    exits get_from($connections, '/', '-o', "$dir/sum", @args), $status,
        "--sha256: $name", file => ["$dir/sum", $text],
        $status == 9 ? (err => qr/\A[^\n]*: $no_other\n\z/) : ();
    unlink "$dir/sum";
}
resumes('--sha256: the bytes that are there count', 0, $body, [$first, part(30_000, tag => $v1)],
    options => ['--sha256', $sum]);
my $r = get(whole($v1), '/', '-q', '--sha256', $wrong);
exits $r, "9 $body", '--sha256: what is on stdout stays there',
    err => qr/$no_other; what was written cannot be taken back\n\z/;
exits get_from([$first, part(30_000, tag => $v1)], '/', '--retry', 1, @digest), "0 $body",
    '--sha256: to stdout, in two parts';
like get(whole($v1), '/', '-v', '--sha256', $sum)->{err}, qr/^sockt http-get: SHA-256 $sum$/m,
    '-v shows it';
like get(whole($v1), '/', '--json', '--sha256', $wrong)->{err},
    qr/"event":"digest".*"sha256":"$sum","accepted":false\}/, '--json, too';
for my $case ([$sum, 0], [$wrong, 9, $no_other]) {
    my ($wanted, $status, @why) = @$case;
    spew("$dir/complete", $body);
    exits get("HTTP/1.1 416 No\r\nContent-Range: bytes */$size\r\n\r\n", '/', '-c', '-o',
        "$dir/complete", '--sha256', $wanted), $status,
        '--sha256: a file that is complete already is checked, and stays',
        file => ["$dir/complete", $body], @why ? (err => $why[0]) : ();
    unlink "$dir/complete";
    # All of it is in the partial file, which only lacks its name.
    my $s = http_server($first,
        answer('416 No', '', "ETag: $v1", "Content-Range: bytes */$size"));
    my @get = ('http-get', '-q', '-o', "$dir/sum", "$s->{url}/");
    run(@get);
    spew("$dir/sum.part", $body);
    exits run(@get, '-c', '--sha256', $wanted), $status, '--sha256: of a part that is complete',
        file => ["$dir/sum", $status == 0 ? $body : undef];
    unlink "$dir/sum";
}
misused 'http-get', qr/--sha256/ => [map { "--sha256 $_" } 'x http://a/', "${sum}0 http://a/",
    "$sum http://a/ http://b/", map { "$sum $_ http://a/" } '-r 1-', '-i', '-I',
    '--if-modified-since x'];

# Many texts are formatted between the making of the range and its use.
my $names = get_from([$first, part(30_000, tag => $v1)], '/',
    { env => { http_proxy => 'http://127.0.0.1:9',
        no_proxy => join ',', (map { "h$_.example" } 1 .. 40), '127.0.0.1' } },
    '-q', '--retry', 1);
exits $names, "0 $body", 'no name of a long no_proxy is the range',
    asked => qr/\r\nRange: bytes=30000-\r\n/;

misused 'http-get', qr/./ => [map { "$_ http://a/" } '-c', '-c -o -', '-c -o x -r 1-',
    '-c -o x -i'];

done_testing;
