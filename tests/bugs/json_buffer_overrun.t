# An object that ended at the very end of what an event may hold let every
# later member run over its buffer: http-get wrote thousands of bytes of its
# stack to stderr, for a URL of the right length and a body that came fast.
use Sockt;
use JSON::PP;

my $json = JSON::PP->new;
my $body = 'x' x 20_000_000;
my $l    = tcp_listener();
my $pid  = peer($l, sub {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (my $line = <$c>) { last if $line eq "\r\n" }
    print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($body)
        . "\r\n\r\n$body";
}, 1000);
my $base = 'http://127.0.0.1:' . $l->sockport . '/';
open my $null, '>', '/dev/null' or die;

# The "response" event of a URL with a path of that length.
sub response {
    my ($n) = @_;
    my $r = run({ stdout => $null }, 'http-get', '--json', $base . 'a' x $n);
    is "$r->{status} " . ($r->{timed_out} ? 1 : 0), '0 0', "a path of $n bytes"
        or diag $r->{err};
    return (grep { /"event":"response"/ } split /\n/, $r->{err})[0] // '';
}

# How much of the line stands before what comes after the object in it.
my $short  = response(1);
my $before = index($short, ',"rate":') - 1;
cmp_ok $before, '>', 0, 'there is a member after an object';

my $cut = 0;
for my $end (8156 .. 8168) {
    my $line = response($end - $before);
    my $o    = eval { $json->decode($line) };
    ok $o && length($line) < 8192, '  is told in one object, in 8 KiB';
    $cut++ if $o && $o->{truncated};
}
cmp_ok $cut, '>', 3, 'some of them did not hold every member';
kill 'KILL', $pid;

done_testing;
