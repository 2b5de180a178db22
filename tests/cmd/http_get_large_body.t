# A large body goes to its place without a look at every byte: whole, in order
# and not a byte further, whatever frames it and wherever it goes; and what cuts
# it off is told as for a small one.
use Sockt;
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use SocktHttp;

my $dir = scratch();
my $body = join '', map { sprintf "%015d\n", $_ } 1 .. 300_000;
my $half = substr $body, 0, 3_000_000;
my $size = length $body;

sub chunked {
    my ($piece) = @_;
    my $text = '';
    for (my $at = 0; $at < $size; $at += $piece) {
        my $part = substr $body, $at, $piece;
        $text .= sprintf "%x\r\n%s\r\n", length $part, $part;
    }
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${text}0\r\n\r\n";
}

my %framings = (
    'a length' => answer('200 OK', $body),
    'the end of the connection' => "HTTP/1.1 200 OK\r\n\r\n$body",
    'large chunks' => chunked(1_000_000),
    'small chunks' => chunked(5000),
);

# Compared without printing megabytes: a run whose output has to be text.
sub gives {
    my ($r, $status, $text, $name, %want) = @_;
    ok $r->{out} eq $text, "$name: its output" or diag 'got ' . length($r->{out})
        . ' bytes of ' . length $text;
    exits { %$r, out => '' }, $status, $name, %want;
}

for my $framing (sort keys %framings) {
    my $answer = $framings{$framing};
    gives(get($answer, '/big', '-q'), 0, $body, "$framing, to a pipe");
    my $r = get($answer, '/big', '-q', '--force', '-o', "$dir/out");
    gives({ %$r, out => slurp("$dir/out") }, 0, $body, "$framing, -o");
    open my $more, '>>:raw', spew("$dir/more", "before\n") or die $!;
    $r = get($answer, '/big', { stdout => $more }, '-q');
    gives({ %$r, out => slurp("$dir/more") }, 0, "before\n$body",
        "$framing, >>: appended");
    open my $null, '>', '/dev/null' or die $!;
    exits get([$answer], '/big', { stdout => $null }, '-v'), 0,
        "$framing, to /dev/null: done", err => qr/\b$size\b|4\.\d+ ?M/;
}

# What follows the body is the next response, not the body's end.
open my $null, '>', '/dev/null' or die $!;
for my $case (['pipe', {}, $body . 'second'], ['null', { stdout => $null }, '']) {
    my ($out, $o, $text) = @$case;
    gives(get([$framings{'a length'}, answer('200 OK', 'second')], ['/1', '/2'], $o,
        '-q'), 0, $text, "$out: two bodies on one connection",
        asked => qr/\AGET .*GET /s);
}
gives(get($framings{'a length'} . 'excess', '/big'), 0, $body,
    'bytes behind the end are not taken for body, nor an error');

# Cut off, in several ways; what had come stands in FILE.part or went out.
sub cut {
    my ($how) = @_;
    return sub {
        my ($c) = @_;
        SocktHttp::put($c,
            "HTTP/1.1 200 OK\r\nContent-Length: $size\r\n\r\n$half");
        $how->($c);
    };
}
my $gate = tcp_listener();    # nobody comes: waiting for it ends with the test
my %cuts = (
    'truncated' => [9, qr/ended after 3000000 of $size bytes/, sub {}],
    'silent' => [5, qr/after 3000000 of $size bytes.*--idle-timeout/,
        sub { $gate->accept }, '--idle-timeout', 1],
    'too long' => [5, qr/after 3000000 of $size bytes.*--max-time/,
        sub { $gate->accept }, '--max-time', 2],
);
for my $name (sort keys %cuts) {
    my ($status, $says, $how, @args) = @{ $cuts{$name} };
    gives(get(cut($how), '/big', '-q', @args), $status, $half,
        "$name: what had come went out", err => $says);
}
# The reset is sent when everything before it has been read.
my $s = http_server(cut(sub { sysread $_[0], my $nothing, 1 }));
my $p = start({ keep_stdin => 1 }, 'http-get', '-q', "$s->{url}/big");
my $last = substr $half, -16;
$p->expect(out => qr/\Q$last\E\z/);
kill 'KILL', $s->{pid};
my $r = $p->finish;
ok $r->{status} == 9 || $r->{status} == 10, 'the server dies: 9 or 10';
like $r->{err}, qr/3000000 of $size bytes/, 'and how much had come';

# A reader that goes away after so many bytes, or takes nothing.
sub read_by {
    my ($bytes, $count, @args) = @_;
    my $s = http_server($bytes);
    pipe my $r, my $w or die $!;
    my $p = start({ stdout => $w }, 'http-get', '-q', @args, "$s->{url}/big");
    close $w;
    if ($count) {
        sysread $r, my ($some), $count;
        close $r;
    }
    return $p->finish;
}
exits read_by($framings{'a length'}, 1000), 11, 'a reader that goes away is status 11';
# More than a pipe takes, whose slots may be of many pages each.
exits read_by(answer('200 OK', 'x' x (64 << 20)), 0, '--max-time', '0.5'), 5,
    'a reader that takes nothing meets the limit',
    err => qr/stdout: its reader took nothing/;
# A full pipe, into which not even the header goes.
pipe my $full, my $into or die $!;
$into->blocking(0);
1 while syswrite $into, 'x' x 4096;
$into->blocking(1);
exits get(answer('200 OK', 'y'), '/', { stdout => $into }, '-qi', '--idle-timeout', '0.3',
    '-m', '5'), 5, 'a reader that takes no header meets the idle limit',
    err => qr/stdout: its reader took nothing within 0\.3 s \(--idle-timeout\)/;
close $into;

# A slow reader is not an idle one: a chunk that is too short to be moved
# without a copy takes longer than the limit to be read.
my $chunk = 'x' x 120_000;
my $framed = sprintf "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n",
    length $chunk, $chunk;
for my $limit ('--idle-timeout', '-w') {
    pipe my $slow, my $w or die $!;
    my $s = http_server($framed);
    my $p = start({ stdout => $w }, 'http-get', '-q', $limit, 1, "$s->{url}/big");
    close $w;
    my $text = '';
    while (sysread $slow, $text, 4096, length $text) {
        select undef, undef, undef, 0.1 if $text ne $chunk;
    }
    gives({ %{ $p->finish }, out => $text }, 0, $chunk,
        "$limit: a reader that goes on reading is not idle");
}

# Ctrl-C keeps what had come.
$s = http_server(cut(sub { $gate->accept }));
$p = start('http-get', '-q', '-o', "$dir/kept", "$s->{url}/big");
my $until = time + 20;
my $part;
while (!$part && time < $until) {
    select undef, undef, undef, 0.002;
    ($part) = grep { -s $_ == 3_000_000 } glob "$dir/kept*";
}
ok $part, 'the beginning stands in a file';
exits $p->stop('INT'), -2, 'it dies by the signal';
ok slurp($part) eq $half, 'and the file holds what had come';

# stdout that is a socket.
my ($near, $far);
socketpair $near, $far, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die $!;
$s = http_server($framings{'a length'});
$p = start({ stdout => $far }, 'http-get', '-q', "$s->{url}/big");
close $far;
my $got = do { local $/; <$near> };
gives({ %{ $p->finish }, out => $got }, 0, $body, 'to a socket');

done_testing;
