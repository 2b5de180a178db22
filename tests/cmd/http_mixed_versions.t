# What stdout, a device or a FIFO has received decides what may follow it: the
# next byte of the same version, and nothing else.
use Sockt;
use POSIX qw(mkfifo);
use SocktHttp;

my $dir = scratch();
my $body = join '', map { chr(97 + $_ % 26) } 1 .. 1000;
my $cut = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 1000\r\n\r\n"
    . substr $body, 0, 500;

sub part {
    return answer('206 Part', substr($body, 500), @_, 'Content-Range: bytes 500-999/1000');
}
my %outputs = (
    stdout => sub { my $r = run('http-get', @_); ($r, $r->{out}) },
    '-o /dev/stdout' => sub {
        my $r = run('http-get', '-o', '/dev/stdout', @_); ($r, $r->{out});
    },
    '-o FIFO' => sub {
        my $fifo = "$dir/fifo";
        unlink $fifo;
        mkfifo($fifo, 0600) or die $!;
        my $pid = Sockt::fork_child(sub { spew("$dir/got", slurp($fifo)) });
        my $r = run('http-get', '-o', $fifo, @_);
        reap($pid);
        ($r, slurp("$dir/got"));
    },
);

my $new = answer('200 OK', 'n' x 300, 'ETag: "v2"');
my @cases = (
    ['416 of a file that has shrunk', 9, 500, $cut,
        answer('416 No', '', 'Content-Range: bytes */300'), $new],
    ['a part of another version', 9, 500, $cut, part('ETag: "v2"'), $new],
    ['a part that does not say of which version it is', 9, 500, $cut, part(),
        $new],
    ['another version', 9, 500, $cut, $new],
    ['an error', 8, 500, $cut, answer('404 Gone', 'gone'), $new],
    ['a redirect', 8, 500, $cut, answer('302 Go', 'go', 'Location: /y'), $new],
    ['the rest', 0, 1000, $cut, answer('503 Busy', 'busy'),
        part('ETag: "v1"')],
    ['nothing to resume by', 9, 500, $cut =~ s/ETag.*?\n//r, $new],
    ['errors that pass', 0, 300, (answer('503 Busy', 'busy')) x 2, $new],
    ['an error that lasts', 8, 4, answer('404 Gone', 'gone'), $new],
);
my $kept = qr{, and output already written to \S+ cannot be undone\n\z};
my %why = (
    '416 of a file that has shrunk' => qr/the file on the server has changed: it is shorter now$kept/,
    map({ ($_ => qr/the file on the server has changed: it has another ETag$kept/) }
        'a part of another version', 'another version'),
    'a part that does not say of which version it is' =>
        qr/the response has no ETag to tell the version by$kept/,
);
for my $name (sort keys %outputs) {
    for my $case (@cases) {
        my ($what, $status, $length, @answers) = @$case;
        my $s = http_server(@answers);
        my ($r, $got) = $outputs{$name}->('-q', '--retry', 3,
            '--fail-with-body', "$s->{url}/x");
        exits $r, $status, "$name, $what: exit status",
            err => $why{$what} // qr/^/;
        is length $got, $length, "$name, $what: what it has received";
        is $got, substr($body, 0, $length), 'of the first version'
            if $length >= 500;
        unlike $got, qr/busy|go/, 'and no error' if $length != 4;
    }
}

# Nothing is lost in /dev/null.
exits get_from([$cut =~ s/ETag.*?\n//r, $new], '/x', '-q', '--retry', 3, '-o',
    '/dev/null'), 0, '/dev/null takes anything after anything';

# A file can be written anew, and has no error of a try in it.
exits get_from([answer('503 Busy', 'busy'), $new], '/x', '-q', '--retry', 3, '-o',
    "$dir/file"), 0, 'a file, after an error that passes, which is not kept',
    file => ["$dir/file", 'n' x 300];

# HEAD is tried again too.
my $head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
exits get_from([$head =~ s/200/503/r, $head], '/x', '-I', '-q', '--retry', 3),
    "0 $head", '-I, after an error that passes: one header';

# A slow reader is not the server's failure: nothing is asked for again, and
# nothing is written twice.
pipe my $reader, my $writer or die $!;
exits get_from([(sub {
    syswrite $_[0], $cut =~ s/1000\r/1000000000\r/r;
    1 while syswrite $_[0], 'x' x 65536;
}) x 2], '/x', { stdout => $writer }, '-q', '--retry', 1, '--idle-timeout', 1),
    5, 'a reader that does not read: it is not tried again', no_asked => qr/GET.*GET/s;

# 416 with a date, where nothing is known to compare it with.
spew("$dir/whole", 'hello');
exits get(answer('416 No', '', 'Content-Range: bytes */5',
    'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT'), '/', '-q', '-c', '-o',
    "$dir/whole"), 0, '-c on a file that is whole, which stays',
    file => ["$dir/whole", 'hello'];
done_testing;
