# --timing and --json: how long the phases took, for each hop.
use Sockt;
use SocktHttp;

use JSON::PP;

sub slow_page {
    my ($c) = @_;
    select undef, undef, undef, 0.1;
    syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    select undef, undef, undef, 0.1;
    syswrite $c, 'hello';
}
my @hops = ([answer('302 Go', 'no', 'Location: /b'), \&slow_page]);

my $r = get(@hops, '/a', '-L', '--json');
is $r->{out}, 'hellohello', 'the body is on stdout';
my @events = map { decode_json($_) } split /\n/, $r->{err};
my @responses = grep { $_->{event} eq 'response' } @events;
is scalar @responses, 2, 'an event for each hop';
is $responses[0]{status}, 302, 'its status';
is $responses[1]{url}, "$r->{server}{url}/b", 'its URL';
is $responses[1]{bytes}, 10, 'its bytes';
ok $responses[1]{reused}, 'on the same connection';
my $p = $responses[1]{phases};
my $last = 0;
for my $phase (qw(resolve connect sent first_byte total)) {
    cmp_ok $p->{$phase}, '>=', $last, "$phase is not before the one before";
    $last = $p->{$phase};
}
cmp_ok $p->{first_byte}, '>=', 0.1, 'the first byte is waited for';
cmp_ok $p->{sent}, '<', $p->{first_byte}, 'the request is sent before';
cmp_ok $p->{total}, '>=', 0.2, 'and so is the last one';
cmp_ok $responses[1]{rate}, '>', 0, 'bytes a second';
is_deeply [map { $_->{event} } @events],
    [qw(connected response response closed)], 'nothing else';

$r = get(answer('404 No', 'no'), '/', '--json');
@events = map { decode_json($_) } split /\n/, $r->{err};
is $events[-1]{event}, 'error', 'an error is an event';
is $events[-1]{status}, 8, 'with its status';
is $events[-1]{kind}, 'peer', 'and kind';

$r = get(@hops, '/a', '-L', '--timing');
is scalar(() = $r->{err} =~ /: status \d+/g), 2, '--timing: a chart for a hop';
like $r->{err}, qr/wait for an answer +\d+\.\d ms \| *#+ *\|/, 'with bars';
like $r->{err}, qr/total +\d\S+ m?s  10 B, \d+ B\/s/, 'and a total';

$r = get(answer('200 OK', 'x'), '/', '-q', '--timing');
like $r->{err}, qr{\Ahttp://\S+/: status 200\n.*total}s,
    '--timing is shown with -q, and nothing else';

# The response is told of before the end of its connection.
my $same = "HTTP/1.1 304 Same\r\n\r\n";
for my $case ([$same, '--if-modified-since', '2000-01-01'],
    [answer('200 OK', 'x')], [answer('404 No', 'no')]) {
    my ($bytes, @args) = @$case;
    $r = get($bytes, '/', '-v', @args);
    like $r->{err}, qr/: response \d+ from .*: \S+ port \d+ closed|: response \d+ from .*: closed/s,
        'the response comes before the close';
}

$r = get(answer('200 OK', 'x'), '/', '-vv');
for my $step (qw(socket connect send recv close)) {
    like $r->{err}, qr/^sockt http-get: $step .*: (?:ok|\d+ bytes.*), \S+ m?s \(.+\)$/m,
        "-vv tells $step";
}

done_testing;
