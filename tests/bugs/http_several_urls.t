# Several URLs: an error says of which one it is, what is left of one response
# is not taken for the next, and nothing is asked for that cannot be written.
use Sockt;
use SocktHttp;

my $s = http_server(answer('200 OK', 'one'), "HTTP/1.1 200 OK\r\nA: b",
    answer('200 OK', 'three'));
my $r = run('http-get', '-q', map { "$s->{url}/$_" } 1 .. 3);
is $r->{status}, 9, 'one of three is cut off: exit status';
is $r->{out}, 'onethree', 'the others are fetched';
like $r->{err}, qr{^sockt http-get: \Q$s->{url}\E/2: truncated: },
    'the error says which one it is';

$s = http_server([answer('302 Go', 'no', 'Location: /x'),
    answer('200 OK', 'yes')]);
$r = run('http-get', '-q', '-L', '--max-redirs', 0, map { "$s->{url}/$_" } 1, 2);
is $r->{out}, 'yes', 'the body of a redirect that is not followed is dropped';

pipe my $reader, my $writer or die $!;
close $reader;
$s = http_server([map { answer('200 OK', 'x' x 10_000) } 1 .. 3]);
$r = run({ stdout => $writer }, 'http-get', '-q', map { "$s->{url}/$_" } 1 .. 3);
is $r->{status}, 11, 'stdout has lost its reader: exit status';
is scalar(requests($s)), 1, 'nothing else is asked for';

# A server that gives up an idle connection just as it is used again.
$s = http_server([answer('200 OK', 'one'), answer('408 Late', 'late',
    'Connection: close')], answer('200 OK', 'two'));
$r = run('http-get', '-q', map { "$s->{url}/$_" } 1, 2);
is $r->{status}, 0, '408 on a connection that was kept: exit status';
is $r->{out}, 'onetwo', 'it is asked again on another one';
$r = get(answer('408 Late', 'late'), '/', '-q');
is $r->{status}, 8, 'on a new one it is the answer';
done_testing;
