# --retry goes on where it broke off, and only after what may pass.
use Sockt;
use SocktHttp;

my $dir  = scratch();
my $body = join '', map { pack 'N', $_ } 1 .. 25_000;
my $head = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 100000\r\n\r\n";

sub part {
    my ($from, $missing) = @_;
    my $all = answer('206 Part', substr($body, $from), 'ETag: "v1"',
        "Content-Range: bytes $from-99999/100000");
    return substr $all, 0, length($all) - $missing;
}

# Exit status of a run against connections.
sub tries {
    my ($name, $status, $args, $connections, %more) = @_;
    my $r = get_from($connections, '/x', '--retry', 1, @$args);
    exits $r, $status, $name, %more;
    return $r;
}

my $begun = $head . substr $body, 0, 20_000;
my $short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
my $new = answer('200 OK', 'new', 'ETag: "v2"');
my $good = answer('200 OK', 'yes');
my $once = qr/GET .*GET /s;    # is not asked
my $resumed = qr/Range: bytes=20000-\r\nIf-Range: "v1".*Range: bytes=70000-\r\nIf-Range: "v1"/s;
my @parts = ($begun, part(20_000, 30_000), part(70_000, 0));
tries('file: byte for byte, resumed once, and again', 0,
    ['--retry', 3, '-o', "$dir/whole"], \@parts, asked => $resumed,
    file => ["$dir/whole", $body]);
tries('stdout: byte for byte, resumed once, and again', 0, ['--retry', 3], \@parts,
    asked => $resumed, out => $body);
tries('a file is fetched anew', 0, ['-o', "$dir/changed"], [$begun, $new],
    file => ["$dir/changed", 'new']);
tries('without a validator stdout is given up, without another request', 9, [],
    [$short, $good], out => 'hello', no_asked => $once);
tries('and a file fetched anew', 0, ['-o', "$dir/plain"], [$short, $new],
    file => ["$dir/plain", 'new']);
tries("$_ is tried again", 0, ['-o', "$dir/$_"], [answer("$_ Oh", 'no'), $good])
    for 408, 429, 500, 502, 503, 504;
tries("$_ is not, not even once", 8, [], [answer("$_ Oh", ''), $good],
    no_asked => $once) for 400, 401, 403, 404, 410, 501, 505;
# The body of an error is discarded, to keep the connection for the next URL.
my $gone = get_from([answer('404 Gone', 'gone') =~ s/ne\z//r, $good, $good],
    ['/x', '/y'], '--retry', 1, '-q');
exits $gone, '8 yes', 'nor is 404 with a body that is cut short',
    no_asked => qr{/x .*/x }s;
tries('a malformed answer is not, not even once', 9, [],
    ["HTTP/1.1 2x0 OK\r\n\r\n", $good], no_asked => $once);

sub after { return answer('503 Busy', '', "Retry-After: $_[0]") }
cmp_ok tries('Retry-After', 0, ['-o', "$dir/after"], [after(1), $good])->{seconds},
    '>=', 1, 'is heeded';
tries('one that is too long waits for --max-time', 5, ['-m', '0.5'],
    [after('99999999999999')]);
tries('a date that has passed is no reason to wait', 0, ['-o', "$dir/date"],
    [after('Sun, 06 Nov 1994 08:49:37 GMT'), $good]);
tries('nor is what is neither a number nor a date', 0, ['-o', "$dir/soon"],
    [after('soon'), $good]);

# It is that of the last response, not of what fails after it: here a proxy
# that declines the second attempt.
my $l = tcp_listener();
my $port = $l->sockport;
Sockt::fork_child(sub {
    for ([0, after(1)], [5], [0, $good]) {
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
my $r = run('http-get', '--retry', 2, '-o', "$dir/declined",
    '--proxy', "socks5://127.0.0.1:$port", 'http://127.0.0.1/');
exits $r, 0, 'a proxy declines after a Retry-After';
is_deeply [$r->{err} =~ /trying again in (.*)/g], ['1 s', '0.5 s'],
    '  which is waited for once';

$r = run('http-get', '--retry', 2, 'http://127.0.0.1:' . free_port());
exits $r, 4, 'a refusal stays one';
is scalar(() = $r->{err} =~ /trying again in/g), 2, 'after two more tries';
# Also where the last attempt is refused when the limit has passed.
for my $limit ('0.3', '0.251', '0.25', '1ms', '1ms', '1ms', '1ms') {
    exits run('http-get', '--retry', 9, '-m', $limit, 'http://127.0.0.1:'
        . free_port()), 5, "--max-time $limit ends it",
        err => qr/stopped after \S+ \S+ \(--max-time\)/, within => 5;
}
misused 'http-get', qr/--retry/ => '--retry x http://a/';

done_testing;
