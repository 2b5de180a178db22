# SOCKS4a, SOCKS5 and HTTP proxies that play exact bytes: what they are sent, what
# they may answer instead, and what --retry-for asks them again.
use Sockt;
use IO::Select;

# Each connection counts here: those of other tests' scans must not.
own_network();

# Runs a command through a proxy. On each connection it expects bytes (or reads
# until a pattern matches) and answers, in turn; after 'echo' it answers what it
# gets in upper case.
sub via {
    my ($proxy, $connections, @args) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c, $n) = @_;
        my @steps = @{ $connections->[$n - 1] };
        while (my ($want, $answer) = splice @steps, 0, 2) {
            last if $want eq 'echo';
            my $got = '';
            until (ref $want ? $got =~ $want : length $got == length $want) {
                sysread $c, $got, 1, length $got or die "only got '$got'";
            }
            die 'got ' . unpack 'H*', $got unless ref $want || $got eq $want;
            syswrite $c, $answer;
        }
        local $/;
        print $c uc(<$c> // '') if @{ $connections->[$n - 1] } % 2;
    }, scalar @$connections);
    unshift @args, 'connect' if $args[0] ne 'http-get';
    my $r = run({ stdin => 'hello' }, @args, '--proxy',
        $proxy . '127.0.0.1:' . $l->sockport, $args[0] eq 'http-get'
        ? 'http://name.test/' : $args[-1] =~ /[.:]/ ? 81 : ('name.test', 81));
    is reap($pid, 5), 0, "$proxy: byte for byte";
    return $r;
}

my @greet = ("\5\1\0", "\5\0");
my $name5 = "\5\1\0\3\x09name.test\0\x51";
my $name4 = "\4\1\0\x51\0\0\0\1\0name.test\0";
my $head = qr/\r\n\r\n\z/;

# The steps of a proxy that answers a request with a code.
sub coded {
    my ($scheme, $code) = @_;
    return $scheme eq 'socks5' ? (@greet, $name5, "\5" . chr($code) . "\0\1" . "\0" x 6)
        : $scheme eq 'socks4' ? ($name4, "\0" . chr($code) . "\0" x 6)
        : ($head, "HTTP/1.1 $code No\r\n\r\n");
}

# Many proxies end both directions at a FIN, as tinyproxy does: it waits until
# the answer is there, unless it was asked for.
for my $row ([[], "0 late\n"], [['--on-eof', 'fin'], '0 ']) {
    my ($options, $wanted) = @$row;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        my $got = '';
        sysread $c, $got, 1, length $got or die until $got =~ $head;
        syswrite $c, "HTTP/1.1 200 OK\r\n\r\n";
        sysread $c, $got, 5;
        syswrite $c, "late\n" unless IO::Select->new($c)->can_read(0.4);
        sysread $c, $got, 1;
    });
    my $r = run({ stdin => 'hello' }, 'connect', @$options, '--proxy',
        'http://127.0.0.1:' . $l->sockport, 'name.test', 81);
    is "$r->{status} $r->{out}", $wanted, "a proxy that ends at a FIN: @$options";
    reap($pid);
}

for my $row (
    # What follows its answer is not lost.
    ['socks5://', [@greet, $name5, "\5\0\0\1\x7f\0\0\1\0\x51banner\n", 'echo'],
        "0 banner\nHELLO", qr/\A\z/],
    ['socks5://me:secret@', ["\5\2\0\2", "\5\2", "\1\2me\6secret", "\1\0",
        "\5\1\0\1\xc0\0\2\7\0\x51", "\5\0\0\3\1x\0\x51", 'echo'], '0 HELLO',
        qr/\A\z/, '192.0.2.7'],
    ['socks5h://', [@greet, "\5\1\0\4" . "\0" x 15 . "\1\0\x51",
        "\5\0\0\4" . "\0" x 18, 'echo'], '0 HELLO', qr/\A\z/, '::1'],
    ['socks4://me@', ["\4\1\0\x51\0\0\0\1me\0name.test\0",
        "\0\x5a\0\0\0\0\0\0banner\n", 'echo'], "0 banner\nHELLO", qr/\A\z/],
    ['socks4a://', ["\4\1\0\x51\1\2\3\4\0", "\0\x5a" . "\0" x 6, 'echo'],
        '0 HELLO', qr/\A\z/, '1.2.3.4'],
    ['http://me:secret@', [qr{\ACONNECT name\.test:81 HTTP/1\.1\r\n(?=.*^Host: name\.test:81\r$)(?=.*^Proxy-Authorization: Basic bWU6c2VjcmV0\r$).*\r\n\r\n\z}ms,
        "HTTP/1.1 200 Yes\r\n\r\nbanner\n", 'echo'], "0 banner\nHELLO", qr/\A\z/],
    # What they may answer instead; never is a password told.
    ['socks5://me:no@', ["\5\2\0\2", "\5\2", "\1\2me\2no", "\1\1"], 8, qr/declined/],
    ['socks5://', ["\5\1\0", "\5\xff"], 8, qr/declined: .*wants a user/],
    ['socks5://', [coded('socks5', 2)], 8, qr/rules/],
    ['socks5://', [coded('socks5', 5)], 8, qr/refused/],
    ['socks5://', [coded('socks5', 0x63)], 8, qr/unknown reason/],
    ['socks5://', [@greet, $name5, "\4\0\0\1" . "\0" x 6], 9, qr/SOCKS/],
    ['socks5://', [@greet, $name5, "\5\0\0\x09" . "\0" x 6], 9, qr/SOCKS/],
    ['socks4://', [coded('socks4', 0x5b)], 8, qr/declined: .*rejected/],
    ['socks4://', [$name4, 'x' x 8], 9, qr/malformed/],
    ['socks5://', ["\5\1\0", 'HTTP/1.1 400'], 9, qr/SOCKS.*malformed/],
    # A close before the request says nothing about the target.
    ['socks5://', ["\5\1\0", ''], 9, qr/./],
    ['http://', [coded('http', 403)], 8, qr/declined: 403/],
    ['http://', [$head, "\0\1\2\r\n\r\n"], 9, qr/./],
) {
    my ($proxy, $steps, $end, $err, @target) = @$row;
    exits via($proxy, [$steps], '-q', @target), $end, "$proxy: $end", err => $err,
        no_err => qr/secret|me:no/;
}
exits via('socks5://', [[@greet, "\5\1\0\3\x09name.test\0\x50",
    "\5\5\0\1" . "\0" x 6]], 'http-get'), 8, 'http-get',
    err => qr/name\.test port 80: the SOCKS5 proxy .*refused the conn/;

# --retry-for: when it is the target that cannot be reached, as without a proxy;
# what the proxy itself declines is final.
for ([socks5 => 0, [1, 3, 4, 5, 6], [2, 7, 8]], [socks4 => 90, [91], [92, 93]],
    [http => 200, [500, 502, 503, 504], [400, 403, 407]]) {
    my ($scheme, $good, $passing, $final) = @$_;
    for my $bad (@$passing) {
        exits via("$scheme://", [[coded($scheme, $bad)], [coded($scheme, $good),
            'echo']], '--retry-for', 20), '0 HELLO', "$scheme $bad: tried again",
            err => qr/declined: .*; trying again/;
    }
    for my $bad (@$final) {
        exits via("$scheme://", [[coded($scheme, $bad)]], '--retry-for', 20), 8,
            "$scheme $bad: final", no_err => qr/trying again/;
    }
}
my $page = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
for my $again (['--retry-for', 20], ['--retry', 1]) {
    my @greeted = (@greet, "\5\1\0\3\x09name.test\0\x50");
    exits via('socks5://', [[@greeted, "\5\5\0\1" . "\0" x 6], [@greeted,
        "\5\0\0\1" . "\0" x 6, $head, $page]], 'http-get', @$again), '0 hello',
        "http-get @$again";
    exits via('socks5://', [[@greeted, "\5\2\0\1" . "\0" x 6]], 'http-get',
        @$again), 8, "http-get @$again: what is final is";
}
my $l = tcp_listener();
my $pid = peer($l, sub {
    for ($greet[1], "\5\5\0\1" . "\0" x 6) { sysread $_[0], my $x, 99; syswrite $_[0], $_ }
}, 1000);
exits run('connect', '--retry-for', '2s', '--proxy', 'socks5://127.0.0.1:'
    . $l->sockport, '127.0.0.1', 81), 5, 'gives up, with the last cause',
    err => qr/no connection within 2 s .*the target refused/;
kill 'KILL', $pid;

# One that just closes after the request, as OpenSSH's does when it cannot reach
# the target.
for ([socks5 => 0], [socks4 => 90]) {
    my ($scheme, $good) = @$_;
    my @through = coded($scheme, $good);
    my @closes = (@through[0 .. $#through - 1], '');
    exits via("$scheme://", [\@closes, \@closes, \@through], '-vz', '--retry-for',
        20), 0, "$scheme: asked again until it gets through",
        err => [qr/it cannot reach the target: ssh -D reports that in this way\); trying again/,
        qr/^sockt connect: reached name\.test port 81 through the SOCKS\d proxy 127\.0\.0\.1 port \d+ \(--proxy\) in /m];
    exits via("$scheme://", [\@closes], '-z'), 8, "$scheme: without --retry-for",
        err => qr/^sockt connect: name\.test port 81: the SOCKS\d proxy \S+ port \d+ \(--proxy\): closed the connection without a reply \(it cannot reach the target: .*\)\n\z/;
    exits via("$scheme://", [\@through], '--json', '-z'), 0, "$scheme: an event",
        out => qr/\{"event":"proxied","time":[\d.]+,"at":"[^"]+","host":"name\.test","port":81,"seconds":/;
}
exits via('socks5://', [["\5\1\0", '']], '-z', '--retry-for', 20), 9,
    'a close during the greeting is malformed, and final';

exits via('socks4://', [[]], '-q', '::1'), 8, 'SOCKS4 to an IPv6 address',
    err => qr/SOCKS4 has no IPv6 addresses/;
exits run('connect', '--proxy', 'socks5://127.0.0.1:' . free_port(), 'h', 81), 4,
    'no proxy there';
exits run('connect', '--proxy', 'ftp://x', 'h', 1), 2, 'another scheme';
exits run('connect', '--proxy', 'x', 'unix:/x'), 2, 'a proxy to a Unix socket';

done_testing;
