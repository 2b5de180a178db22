# A status of 400 and up is status 8; its body goes nowhere, or with
# --fail-with-body to stdout, but never to a file.
use Sockt;
use SocktHttp;

my $dir = scratch();
for my $status (400, 404, 500, 599, 999) {
    exits get(answer("$status Sorry", 'why'), '/x'), 8,
        "$status, the body is not on stdout", out => '',
        err => qr{/x: the server answered $status Sorry\n\z};
}

exits get(answer('404 Not', 'why'), '/', '--fail-with-body'), 8,
    '--fail-with-body, the body is on stdout', out => 'why';
my $r = get(answer('404 Not', 'why'), '/', '-i');
is $r->{out}, "HTTP/1.1 404 Not\r\nContent-Length: 3\r\n\r\n",
    '-i: the header is there without it';
exits get("HTTP/1.1 404 Not\r\n\r\n", '/', '-I'), 8,
    '-I: the header is the result', out => "HTTP/1.1 404 Not\r\n\r\n";
SKIP: {
    my $fifo = "$dir/fifo";
    require POSIX;
    POSIX::mkfifo($fifo, 0600) or skip 'no FIFO', 1;
    open my $reader, '+<', $fifo or die $!;
    exits get(answer('404 Not', 'why'), '/', '-o', $fifo), 8, '-o FIFO';
    $reader->blocking(0);
    ok !sysread($reader, my $bytes, 9), '-o FIFO: nothing is written';
    unlink $fifo;
}
$r = get(answer('404 Not', 'why'), '/', '--fail-with-body', '-o', "$dir/file");
ok !-e "$dir/file", '--fail-with-body -o: an error never becomes the file';

$r = get(answer('404 Not', 'why'), '/', '-o', "$dir/file");
is $r->{status}, 8, '-o: exit status';
ok !-e "$dir/file", '-o: an error never becomes the file';
like $r->{err}, qr{/: the server answered 404 Not\n\z}, '-o: what is said';
is_deeply [glob "$dir/*"], [], '-o: nothing is left, nor beside it';
exits get("HTTP/1.1 404 Not\r\nContent-Length: 9\r\n\r\nwhy", '/', '-o',
    "$dir/file"), 8, '-o: its body is of no concern';

spew("$dir/old", 'precious');
$r = get(answer('500 Oh', 'why'), '/', '--force', '-o', "$dir/old");
is slurp("$dir/old"), 'precious', '-f: the old file stays';

$r = get(answer('404 ', ''), '/', '-q');
like $r->{err}, qr{: the server answered 404\n\z}, 'no reason is no reason';
$r = get(answer("404 \e[31mred", ''), '/', '-q');
like $r->{err}, qr{404 \\x1b\[31mred\n\z}, 'the reason is escaped';

done_testing;
