# --retry-for tries again when it is the target that a proxy cannot reach, as
# it does without a proxy; what the proxy itself declines is final.
use Sockt;

my $socks5 = "\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x51";

sub read_bytes {
    my ($c, $n) = @_;
    my $got = '';
    while (length $got < $n) {
        sysread $c, $got, $n - length $got, length $got or die 'ended early';
    }
    return $got;
}

# What each kind of proxy reads, and how it says so.
my %answer = (
    socks5 => sub {
        my ($c, $code) = @_;
        read_bytes($c, 3);
        syswrite $c, "\x05\x00";
        die 'another target' if read_bytes($c, length $socks5) ne $socks5;
        syswrite $c, "\x05" . chr($code) . "\x00\x01\0\0\0\0\0\0";
    },
    socks4 => sub {
        my ($c, $code) = @_;
        read_bytes($c, 9);
        syswrite $c, "\x00" . chr($code) . "\0\0\0\0\0\0";
    },
    http => sub {
        my ($c, $code) = @_;
        my $head = '';
        $head .= read_bytes($c, 1) until $head =~ /\r\n\r\n\z/;
        syswrite $c, "HTTP/1.1 $code Something\r\n\r\n";
    },
);

# One bad answer, then a good one.
sub try_twice {
    my ($scheme, $bad, $good, @command) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c, $n) = @_;
        $answer{$scheme}->($c, $n == 1 ? $bad : $good);
        return if $n == 1;
        syswrite $c, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    }, 2);
    my $r = run(@command, '--proxy', "$scheme://127.0.0.1:" . $l->sockport,
        $command[0] eq 'connect' ? ('127.0.0.1', 81) : 'http://127.0.0.1:81/');
    kill 'KILL', $pid;
    reap($pid);
    return $r;
}

my @connect = ('connect', '--retry-for', 20);
for ([ socks5 => 0, 1, 3, 4, 5, 6 ], [ socks4 => 90, 91 ],
    [ http => 200, 500, 502, 503, 504 ]) {
    my ($scheme, $good, @passing) = @$_;
    for my $bad (@passing) {
        exits try_twice($scheme, $bad, $good, @connect), 0,
            "$scheme $bad: tried again, then through", out => qr/hello\z/,
            err => qr/declined: .*; trying again/;
    }
}
for ([ socks5 => 0, 2, 7, 8 ], [ socks4 => 90, 92, 93 ],
    [ http => 200, 400, 403, 407 ]) {
    my ($scheme, $good, @final) = @$_;
    for my $bad (@final) {
        exits try_twice($scheme, $bad, $good, @connect), 8,
            "$scheme $bad: final, no further try", no_err => qr/trying again/;
    }
}

my $r = try_twice('socks5', 5, 0, 'http-get', '--retry-for', 20);
is "$r->{status} $r->{out}", '0 hello', 'http-get --retry-for';
$r = try_twice('socks5', 5, 0, 'http-get', '--retry', 1);
is "$r->{status} $r->{out}", '0 hello', 'http-get --retry';
$r = try_twice('socks5', 2, 0, 'http-get', '--retry', 1);
is $r->{status}, 8, 'http-get --retry: what is final is';

# Nothing but refusals: as without a proxy.
my $l = tcp_listener();
my $pid = peer($l, sub { $answer{socks5}->($_[0], 5) }, 1000);
$r = run('connect', '--retry-for', '2s', '--proxy',
    'socks5://127.0.0.1:' . $l->sockport, '127.0.0.1', 81);
kill 'KILL', $pid;
exits $r, 5, 'gives up, with the last cause',
    err => qr/no connection within 2 s .*the target refused/;

done_testing;
