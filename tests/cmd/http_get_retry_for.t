# --retry-for waits for a server that answers with a status below 400.
use Sockt;
use SocktHttp;

my $dir  = scratch();
my $busy = answer('503 Busy', 'not yet');
my $good = answer('200 OK', 'yes');

# Runs against connections, then with the path; the result has the requests.
sub await {
    my ($args, @connections) = @_;
    my $s = http_server(@connections);
    my $r = run('http-get', @$args, "$s->{url}/x");
    $r->{requests} = [requests($s)];
    $r->{url} = "$s->{url}/x";
    return $r;
}

my $r = await(['--retry-for', 20], $busy, $busy, answer('404 Gone', 'no'),
    $good);
exits $r, 0, 'statuses of 400 and more, then 200', out => 'yes';
is scalar @{ $r->{requests} }, 4, 'a request for each attempt';
is scalar(() = $r->{err} =~ /^HTTP/mg), 1, 'the last header alone is printed';
my @told = grep { /trying again/ } split /\n/, $r->{err};
is_deeply \@told, [
    "sockt http-get: $r->{url}: the server answered 503 Busy; trying again for 20 s",
    "sockt http-get: $r->{url}: the server answered 404 Gone; trying again for 20 s"
], 'each cause is reported once';

# A server that closes, resets or sends half a header is not ready either.
my $reset = sub {
    my ($c) = @_;
    setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0;
    close $c;
};
$r = await(['-q', '--retry-for', 20], '', $reset, "HTTP/1.1 200 OK\r\nA:",
    $good);
is "$r->{status} $r->{out}", '0 yes', 'no response: exit status and body';
is scalar @{ $r->{requests} }, 4, 'no response: the attempts';

# What follows a good response is not covered by it, but by --retry.
my $part = "HTTP/1.1 200 OK\r\nETag: \"v\"\r\nContent-Length: 9\r\n\r\nhel";
$r = await(['-q', '--retry-for', 20], $busy, $part, $good);
is $r->{status}, 9, 'a truncated body is not tried again';
is scalar @{ $r->{requests} }, 2, 'no other request';
$r = await(['-q', '--retry-for', 20, '--retry', 1], $busy, $part, $busy,
    "HTTP/1.1 206 Part\r\nETag: \"v\"\r\nContent-Range: bytes 3-8/9\r\n"
        . "Content-Length: 6\r\n\r\nlo you");
is "$r->{status} $r->{out}", '0 hello you', '--retry and --retry-for';
exits await(['-q', '--retry-for', 1, '--retry', 3], ($busy) x 50), 5,
    '--retry does not prolong --retry-for, it ends', within => 15;
$r = await(['-q', '--retry-for', 1, '-o', "$dir/slow"], sub {
    my ($c) = @_;
    syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nye";
    select undef, undef, undef, 1.5;
    syswrite $c, 's';
});
is slurp("$dir/slow"), 'yes', 'the body may take longer than --retry-for';

# Failures that do not pass.
$r = await(['-q', '--retry-for', 20], "SSH-2.0-x\r\n", $good);
is $r->{status}, 9, 'a server that does not speak HTTP is an error at once';
exits await(['--retry-for', 20], answer('302 Go', 'no', 'Location: /y'),
    $good), 8, 'a redirect is a status below 400, its body is not printed',
    out => '', err => qr/not followed/;

# The end, halfway between two attempts.
$r = await(['--retry-for', '1.2'], ($busy) x 20);
exits $r, 5, '--retry-for passes, no body is printed', out => '',
    err => qr{^sockt http-get: no status below 400 within 1\.2 s \(--retry-for\); \Q$r->{url}\E: the server answered 503 Busy\n\z}m;
exits run('http-get', '--retry-for', '300ms', 'http://127.0.0.1:' . free_port()
    . '/'), 5, 'no connection is a time limit, its last line',
    err => qr{^sockt http-get: no connection within 0\.3 s \(--retry-for\); http://\S+/: 127\.0\.0\.1 port \d+: refused}m;
exits await(['-q', '--retry-for', '300ms'], sub { sleep 5 }), 5,
    'a server that is silent',
    err => qr/waiting for the response: no response within 0\.3 s/,
    within => 3;
exits await(['-q', '--retry-for', 20, '-m', '300ms'], ($busy) x 20), 5,
    '--max-time ends it with its status, text',
    err => qr/stopped after 0\.3 s \(--max-time\); .* answered 503/;

# Files, headers, redirects, several URLs.
$r = await(['-q', '--retry-for', 20, '-o', "$dir/f"], $busy, $good);
is slurp("$dir/f"), 'yes', '-o: the body';
is_deeply [glob "$dir/f*"], ["$dir/f"],
    '-o: no file for the body of the failed attempt';
spew("$dir/g.part", 'ye');
spew("$dir/g.part.from", "url $r->{url}\n");
$r = await(['-q', '--retry-for', 20, '--force', '-co', "$dir/g"], $busy, $good);
is slurp("$dir/g"), 'yes', '-c';
$r = await(['-I', '--retry-for', 20], "HTTP/1.1 503 Busy\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\n");
is $r->{out}, "HTTP/1.1 200 OK\r\n\r\n", '-I prints the last header';
$r = await(['-i', '--retry-for', 20], $busy, $good);
is $r->{out}, $good, '-i prints the last response';
my $to = answer('302 Go', '', 'Location: /b');
$r = await(['-L', '--retry-for', 20], [$to, $busy], [$to, $good]);
is "$r->{status} $r->{out}", '0 yes', '-L begins at the first URL again';
like $r->{requests}[2], qr{^GET /x }, 'with its request';
is scalar(() = $r->{err} =~ /^HTTP/mg), 1, 'with one header';
my $s = http_server($busy, $good, $busy, $good);
$r = run('http-get', '-q', '--retry-for', 20, "$s->{url}/a", "$s->{url}/b");
is "$r->{status} $r->{out}", '0 yesyes', 'it applies to each URL';
is join(' ', map { m{^GET (\S+)} } requests($s)), '/a /a /b /b', 'in order';

# --timing and events.
$r = await(['-q', '--timing', '--retry-for', 20], $busy, $good);
is scalar(() = $r->{err} =~ /: status \d+/g), 1, '--timing: the last response';
$r = await(['--json', '--retry-for', 20], $busy, $good);
is join(' ', $r->{err} =~ /"event":"response".*?"status":(\d+)/g), '503 200',
    '--json: every response';

# A signal.
$s = http_server(($busy) x 100);
my $p = start('http-get', '--retry-for', 60, "$s->{url}/");
$p->expect(err => qr/trying again/);
is $p->stop('INT')->{signal}, 2, 'a signal ends it';

done_testing;
