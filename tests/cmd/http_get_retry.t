# --retry goes on where it broke off, and only after what may pass.
use Sockt;
use SocktHttp;

my $dir  = scratch();
my $body = join '', map { pack 'N', $_ } 1 .. 25_000;
my $head = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 100000\r\n\r\n";

sub part {
    my ($from, $to, $total) = @_;
    return "HTTP/1.1 206 Part\r\nETag: \"v1\"\r\n"
        . "Content-Range: bytes $from-99999/100000\r\n"
        . 'Content-Length: ' . (100_000 - $from) . "\r\n\r\n"
        . substr $body, $from, $to - $from;
}

# Runs against connections; the result with the requests.
sub try_with {
    my ($args, @connections) = @_;
    my $s = http_server(@connections);
    my $r = run('http-get', @$args, "$s->{url}/x");
    $r->{requests} = [requests($s)];
    return $r;
}

for my $out ('file', 'stdout') {
    my @args = $out eq 'file' ? ('-o', "$dir/whole") : ();
    my $r = try_with(['-q', '--retry', 3, @args],
        $head . substr($body, 0, 20_000), part(20_000, 70_000),
        part(70_000, 100_000));
    is $r->{status}, 0, "$out: exit status";
    ok +($out eq 'file' ? slurp("$dir/whole") : $r->{out}) eq $body,
        "$out: byte for byte";
    like $r->{requests}[1], qr/Range: bytes=20000-\r\nIf-Range: "v1"/,
        "$out: resumed once";
    like $r->{requests}[2], qr/Range: bytes=70000-\r\nIf-Range: "v1"/,
        "$out: and again";
}

my $r = try_with(['--retry', 1], $head . substr($body, 0, 20_000),
    $head =~ s/v1/v2/r . $body);
is $r->{status}, 9, 'stdout: it changed meanwhile';
is length $r->{out}, 20_000, 'nothing of the new one is written';
like $r->{err}, qr/stdout cannot be taken back/, 'and told why';

$r = try_with(['-q', '--retry', 1, '-o', "$dir/changed"],
    $head . substr($body, 0, 20_000), answer('200 OK', 'new', 'ETag: "v2"'));
is slurp("$dir/changed"), 'new', 'a file is fetched anew';

$r = try_with(['-q', '--retry', 1], "HTTP/1.1 200 OK\r\n"
        . "Content-Length: 9\r\n\r\nhello", answer('200 OK', 'x'));
exits $r, 9, 'without a validator stdout is given up', out => 'hello';
is scalar @{ $r->{requests} }, 1, 'without another request';

$r = try_with(['-q', '--retry', 1, '-o', "$dir/plain"], "HTTP/1.1 200 OK\r\n"
        . "Content-Length: 9\r\n\r\nhello", answer('200 OK', 'new'));
is slurp("$dir/plain"), 'new', 'and a file fetched anew';

for my $status (408, 429, 500, 502, 503, 504) {
    $r = try_with(['-q', '--retry', 1, '-o', "$dir/$status"],
        answer("$status Oh", 'no'), answer('200 OK', 'yes'));
    is $r->{status}, 0, "$status is tried again";
}
for my $status (400, 401, 403, 404, 410, 501, 505) {
    $r = try_with(['-q', '--retry', 1], answer("$status Oh", ''),
        answer('200 OK', 'yes'));
    is $r->{status}, 8, "$status is not";
    is scalar @{ $r->{requests} }, 1, 'not even once';
}
$r = try_with(['-q', '--retry', 1], "HTTP/1.1 2x0 OK\r\n\r\n",
    answer('200 OK', 'yes'));
is $r->{status}, 9, 'a malformed answer is not';
is scalar @{ $r->{requests} }, 1, 'not even once';

$r = try_with(['-q', '--retry', 1, '-o', "$dir/after"],
    answer('503 Busy', '', 'Retry-After: 1'), answer('200 OK', 'yes'));
is $r->{status}, 0, 'Retry-After: exit status';
cmp_ok $r->{seconds}, '>=', 1, 'is heeded';

$r = try_with(['-q', '--retry', 1, '-m', '0.5'],
    answer('503 Busy', '', 'Retry-After: 99999999999999'));
is $r->{status}, 5, 'one that is too long waits for --max-time';
exits try_with(['-q', '--retry', 1, '-o', "$dir/date"], answer('503 Busy', '',
    'Retry-After: Sun, 06 Nov 1994 08:49:37 GMT'), answer('200 OK', 'yes')), 0,
    'a date that has passed is no reason to wait';
$r = try_with(['-q', '--retry', 1, '-o', "$dir/soon"],
    answer('503 Busy', '', 'Retry-After: soon'), answer('200 OK', 'yes'));
is $r->{status}, 0, 'nor is what is neither a number nor a date';


# It is that of the last response, not of what fails after it: here a proxy
# that declines the second attempt.
my $l = tcp_listener();
my $port = $l->sockport;
Sockt::fork_child(sub {
    for ([0, answer('503 Busy', '', 'Retry-After: 1')], [5],
        [0, answer('200 OK', 'yes')]) {
        my ($code, $answer) = @$_;
        my $c = $l->accept;
        sysread $c, my $greeting, 3;
        syswrite $c, "\5\0";
        sysread $c, my $target, 10;
        syswrite $c, pack('CCCC x6', 5, $code, 0, 1);
        next if !$answer;
        SocktHttp::read_head($c);
        syswrite $c, $answer;
    }
});
$r = run('http-get', '--retry', 2, '-o', "$dir/declined",
    '--proxy', "socks5://127.0.0.1:$port", 'http://127.0.0.1/');
is $r->{status}, 0, 'a proxy declines after a Retry-After: exit status';
is_deeply [$r->{err} =~ /trying again in (.*)/g], ['1 s', '0.5 s'],
    '  which is waited for once';

$r = run('http-get', '--retry', 2, 'http://127.0.0.1:' . free_port());
is $r->{status}, 4, 'a refusal stays one';
is scalar(() = $r->{err} =~ /trying again in/g), 2, 'after two more tries';
# Also where the last attempt is refused when the limit has passed.
for my $limit ('0.3', '0.251', '0.25', '1ms', '1ms', '1ms', '1ms') {
    exits run('http-get', '--retry', 9, '-m', $limit, 'http://127.0.0.1:'
        . free_port()), 5, "--max-time $limit ends it",
        err => qr/stopped after \S+ \S+ \(--max-time\)/, within => 5;
}
is run('http-get', '--retry', 'x', 'http://a/')->{status}, 2, 'not a number';

done_testing;
