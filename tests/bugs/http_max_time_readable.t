# A deadline that passes while bytes are there to be read is a time-out: the
# end of the run is not the end of the body.
use Sockt;
use SocktHttp;

# A body without an end, as fast as it is taken.
sub endless {
    my ($head, $piece) = @_;
    return sub {
        my ($c) = @_;
        syswrite $c, "HTTP/1.1 200 OK\r\n$head\r\n";
        1 while syswrite $c, $piece;
    };
}
my $chunk = ('2000' . "\r\n" . 'x' x 8192 . "\r\n") x 8;
my $dir = scratch();
my $pty = ($ENV{SOCKT_BUILD} // "$Sockt::TOP/build") . '/tests/pty';

for my $case (
    ['chunks', endless("Transfer-Encoding: chunked\r\n", $chunk)],
    ['no length', endless('', "some text\n" x 1000)],
) {
    my ($name, $answer) = @$case;
    my $r = get($answer, '/', '-q', '-m', '0.5', '-o', '/dev/null');
    is $r->{status}, 5, "$name: exit status";
    like $r->{err}, qr/--max-time/, 'the limit is named';
    my $s = http_server($answer);
    $r = run({ command => $pty }, "$dir/tty", '1', 80, sockt(), 'http-get',
        '-q', '-m', '0.5', "$s->{url}/");
    is $r->{status}, 5, "$name, on a terminal: exit status";
    like $r->{err}, qr/--max-time|within the limit/, 'the limit is named';
}
done_testing;
