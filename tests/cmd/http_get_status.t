# A status of 400 and up is status 8; its body goes nowhere, or with
# --fail-with-body to stdout, but never to a file.
use Sockt;
use SocktHttp;

my $dir = scratch();
for my $status (400, 404, 500, 599, 999) {
    exits get(answer("$status Sorry", 'why'), '/x'), '8 ',
        "$status, the body is not on stdout",
        err => qr{/x: the server answered $status Sorry\n\z};
}

my $not = answer('404 Not', 'why');
exits get($not, '/', '--fail-with-body'), '8 why',
    '--fail-with-body, the body is on stdout';
exits get($not, '/', '-i'), '8 ' . $not =~ s/why//r, '-i: the header is there without it';
exits get("HTTP/1.1 404 Not\r\n\r\n", '/', '-I'), "8 HTTP/1.1 404 Not\r\n\r\n",
    '-I: the header is the result';
SKIP: {
    my $fifo = "$dir/fifo";
    require POSIX;
    POSIX::mkfifo($fifo, 0600) or skip 'no FIFO', 1;
    open my $reader, '+<', $fifo or die $!;
    exits get($not, '/', '-o', $fifo), 8, '-o FIFO';
    $reader->blocking(0);
    ok !sysread($reader, my $bytes, 9), '-o FIFO: nothing is written';
}
for my $case (['an error never becomes the file', $not],
    ['nor with --fail-with-body', $not, '--fail-with-body'],
    ['its body is of no concern', "HTTP/1.1 404 Not\r\nContent-Length: 9\r\n\r\nwhy"]) {
    my ($name, $bytes, @args) = @$case;
    exits get($bytes, '/', @args, '-o', "$dir/file"), 8, "-o: $name",
        file => ["$dir/file", undef], err => qr{/: the server answered 404 Not\n\z};
}
spew("$dir/old", 'precious');
exits get(answer('500 Oh', 'why'), '/', '--force', '-o', "$dir/old"), 8,
    '-f: the old file stays', file => ["$dir/old", 'precious'];

exits get(answer('404 ', ''), '/', '-q'), 8, 'no reason is no reason',
    err => qr{: the server answered 404\n\z};
exits get(answer("404 \e[31mred", ''), '/', '-q'), 8, 'the reason is escaped',
    err => qr{404 \\x1b\[31mred\n\z};

# Time limits: connect, idle, whole run; each says which it was.
my $head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

# Byte after byte until the client is gone.
sub drip {
    my ($first) = @_;
    return sub {
        my ($c) = @_;
        syswrite $c, $first;
        for (1 .. 300) {
            syswrite $c, 'x' or last;
            select undef, undef, undef, 0.1;
        }
    };
}

sub limited {
    my ($name, $answers, $pattern, @args) = @_;
    my $r = get($answers, '/', '--json', @args);
    exits $r, 5, "$name", err => $pattern;
    # Of sockt: on a busy machine it takes seconds to start it.
    my ($time) = $r->{err} =~ /"event":"error","time":([\d.]+)/;
    cmp_ok $time, '<', 5, "$name: in time";
    kill 'KILL', $r->{server}{pid};
    return $r;
}

like limited('a dripping body', drip($head),
    qr/after \d+ of 100 bytes of the body: .*\(--max-time\)/, '-m', '0.5')->{out},
    qr/\Ax+\z/, 'what came is written';
limited('a dripping head', drip("HTTP/1.1 200 OK\r\nX: "), qr/--max-time/,
    '-m', '0.5');
limited('a silent server', sub { sysread $_[0], my $x, 1 },
    qr/waiting for the response: nothing was sent or received within 0\.2 s \(--idle-timeout\)/,
    '--idle-timeout', '0.2');
limited('silence in the body', sub { syswrite $_[0], $head . 'x' x 7;
    sysread $_[0], my $x, 1 },
    qr/after 7 of 100 bytes of the body: .*\(--idle-timeout\)/,
    '--idle-timeout', 1);

# A whole body that drips is not idle.
exits get(sub { my ($c) = @_; syswrite $c, $head
    =~ s/100/8/r; for (1 .. 8) { syswrite $c, 'x'; select undef, undef, undef,
    0.1 } }, '/', '-q', '--idle-timeout', '0.6'), 0, 'what moves is not idle';

# A deadline that passes while bytes are there to be read is a time-out: the end
# of the run is not the end of the body. One without an end, as fast as it is taken.
sub endless {
    my ($head, $piece) = @_;
    return sub {
        my ($c) = @_;
        syswrite $c, "HTTP/1.1 200 OK\r\n$head\r\n";
        1 while syswrite $c, $piece;
    };
}
my $chunk = ('2000' . "\r\n" . 'x' x 8192 . "\r\n") x 8;
for my $case (
    ['chunks', endless("Transfer-Encoding: chunked\r\n", $chunk)],
    ['no length', endless('', "some text\n" x 1000)],
) {
    my ($name, $answer) = @$case;
    exits get($answer, '/', '-q', '-m', '0.5', '-o', '/dev/null'), 5,
        "$name, the limit is named", err => qr/--max-time/;
    my $s = http_server($answer);
    exits run({ command => built('pty') }, "$dir/tty", '1', 80, sockt(), 'http-get',
        '-q', '-m', '0.5', "$s->{url}/"), 5, "$name, on a terminal",
        err => qr/--max-time|within the limit/;
}

done_testing;
