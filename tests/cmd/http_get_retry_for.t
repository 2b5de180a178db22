# --retry-for waits for a server that answers with a status below 400.
use Sockt;
use SocktHttp;

my $dir  = scratch();
my $busy = answer('503 Busy', 'not yet');
my $good = answer('200 OK', 'yes');

# Runs against connections; the result has the number of requests.
sub await {
    my ($args, @connections) = @_;
    my $r = get_from(\@connections, '/x', '--retry-for', 20, @$args);
    $r->{count} = () = $r->{asked} =~ /^GET/mg;
    return $r;
}

my $r = await([], $busy, $busy, answer('404 Gone', 'no'), $good);
exits $r, '0 yes', 'statuses of 400 and more, then 200';
is $r->{count}, 4, 'a request for each attempt';
is scalar(() = $r->{err} =~ /^HTTP/mg), 1, 'the last header alone is printed';
my @told = grep { /trying again/ } split /\n/, $r->{err};
my $url = "$r->{server}{url}/x";
is_deeply \@told, [
    "sockt http-get: $url: the server answered 503 Busy; trying again for 20 s",
    "sockt http-get: $url: the server answered 404 Gone; trying again for 20 s"
], 'each cause is reported once';

# A server that closes, resets or sends half a header is not ready either.
my $reset = sub {
    my ($c) = @_;
    setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0;
    close $c;
};
$r = await(['-q'], '', $reset, "HTTP/1.1 200 OK\r\nA:", $good);
exits $r, '0 yes', 'no response: exit status and body';
is $r->{count}, 4, 'no response: the attempts';

# What follows a good response is not covered by it, but by --retry.
my $part = "HTTP/1.1 200 OK\r\nETag: \"v\"\r\nContent-Length: 9\r\n\r\nhel";
$r = await(['-q'], $busy, $part, $good);
is "$r->{status} $r->{count}", '9 2', 'a truncated body is not tried again';
exits await(['-q', '--retry', 1], $busy, $part, $busy,
    "HTTP/1.1 206 Part\r\nETag: \"v\"\r\nContent-Range: bytes 3-8/9\r\n"
        . "Content-Length: 6\r\n\r\nlo you"), '0 hello you', '--retry and --retry-for';
exits await(['-q', '--retry-for', 1, '--retry', 3], ($busy) x 50), 5,
    '--retry does not prolong --retry-for, it ends', within => 15;
exits await(['-q', '--retry-for', 1], sub {
    my ($c) = @_;
    syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nye";
    select undef, undef, undef, 1.5;
    syswrite $c, 's';
}), '0 yes', 'the body may take longer than --retry-for';

# Failures that do not pass.
exits await(['-q'], "SSH-2.0-x\r\n", $good), 9,
    'a server that does not speak HTTP is an error at once';
exits await([], answer('302 Go', 'no', 'Location: /y'), $good), '8 ',
    'a redirect is a status below 400, its body is not printed', err => qr/not followed/;

# The end, halfway between two attempts.
exits await(['--retry-for', '1.2'], ($busy) x 20), '5 ',
    '--retry-for passes, no body is printed',
    err => qr{^sockt http-get: no status below 400 within 1\.2 s \(--retry-for\); http://\S+/x: the server answered 503 Busy\n\z}m;
exits run('http-get', '--retry-for', '300ms', 'http://127.0.0.1:' . free_port()
    . '/'), 5, 'no connection is a time limit, its last line',
    err => qr{^sockt http-get: no connection within 0\.3 s \(--retry-for\); http://\S+/: 127\.0\.0\.1 port \d+: refused}m;
exits await(['-q', '--retry-for', '300ms'], sub { sleep 5 }), 5,
    'a server that is silent',
    err => qr/waiting for the response: no response within 0\.3 s/,
    within => 3;
exits await(['-q', '-m', '300ms'], ($busy) x 20), 5,
    '--max-time ends it with its status, text',
    err => qr/stopped after 0\.3 s \(--max-time\); .* answered 503/;

# Files, headers, redirects, several URLs.
exits await(['-q', '-o', "$dir/f"], $busy, $good), 0,
    '-o: the body, no file for the body of the failed attempt',
    file => ["$dir/f", 'yes'];
spew("$dir/g.part", 'ye');
spew("$dir/g.part.from", "url $url\n");
exits await(['-q', '--force', '-co', "$dir/g"], $busy, $good), 0, '-c',
    file => ["$dir/g", 'yes'];
my $head = "HTTP/1.1 200 OK\r\n\r\n";
exits await(['-I'], $head =~ s/200/503/r, $head), "0 $head", '-I prints the last header';
exits await(['-i'], $busy, $good), "0 $good", '-i prints the last response';
my $to = answer('302 Go', '', 'Location: /b');
$r = await(['-L'], [$to, $busy], [$to, $good]);
exits $r, '0 yes', '-L begins at the first URL again, with its request',
    asked => qr{^(?:GET /x .*^GET /b .*){2}}ms;
is scalar(() = $r->{err} =~ /^HTTP/mg), 1, 'with one header';
exits get_from([$busy, $good, $busy, $good], ['/a', '/b'], '-q', '--retry-for', 20),
    '0 yesyes', 'it applies to each URL, in order',
    asked => qr{\AGET /a.*GET /a.*GET /b.*GET /b}s;

# --timing and events.
is scalar(() = await(['-q', '--timing'], $busy, $good)->{err} =~ /: status \d+/g), 1,
    '--timing: the last response';
is join(' ', await(['--json'], $busy, $good)->{err}
    =~ /"event":"response".*?"status":(\d+)/g), '503 200', '--json: every response';

# A signal.
my $s = http_server(($busy) x 100);
my $p = start('http-get', '--retry-for', 60, "$s->{url}/");
$p->expect(err => qr/trying again/);
is $p->stop('INT')->{signal}, 2, 'a signal ends it';

done_testing;
