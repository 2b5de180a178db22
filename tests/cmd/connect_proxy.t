# connect by way of SOCKS4a, SOCKS5 and HTTP proxies that play exact bytes.
use Sockt;

# A proxy that expects and answers in turn, then echoes in upper case.
sub via {
    my ($scheme, $steps, @options) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        $c->autoflush(1);
        for my $step (@$steps) {
            my ($want, $answer) = @$step;
            my $got = '';
            while (length $got < length $want) {
                sysread $c, $got, 1, length $got or die 'ended early';
            }
            die 'got ' . unpack 'H*', $got unless $got eq $want;
            syswrite $c, $answer;
        }
        return unless @options && $options[-1] eq 'echo';
        local $/;
        print $c uc(<$c> // '');
    });
    pop @options if @options && $options[-1] eq 'echo';
    my $r = run({ stdin => 'hello' }, 'connect', '--proxy',
        $scheme =~ s/PORT/$l->sockport/er, @options);
    return ($r, reap($pid, 5));
}

my @target = ('name.test', 81, 'echo');
my $banner = "banner\n";
my ($r, $proxy);

($r, $proxy) = via('socks5://127.0.0.1:PORT', [
    [ "\x05\x01\x00", "\x05\x00" ],
    [ "\x05\x01\x00\x03\x09name.test\x00\x51",
        "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x51$banner" ],
], @target);
is "$r->{status} $r->{out}", "0 ${banner}HELLO",
    'SOCKS5: the proxy resolves; what follows its answer is not lost';
is $proxy, 0, 'byte for byte';

($r, $proxy) = via('socks5://me:secret@127.0.0.1:PORT', [
    [ "\x05\x02\x00\x02", "\x05\x02" ],
    [ "\x01\x02me\x06secret", "\x01\x00" ],
    [ "\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x51",
        "\x05\x00\x00\x03\x01x\x00\x51" ],
], '192.0.2.7', 81, 'echo');
is "$r->{status} $r->{out}", '0 HELLO', 'SOCKS5 with a password, by number';
is $proxy, 0, 'byte for byte';

($r, $proxy) = via('socks4://me@127.0.0.1:PORT', [
    [ "\x04\x01\x00\x51\x00\x00\x00\x01me\0name.test\0",
        "\x00\x5a\x00\x00\x00\x00\x00\x00$banner" ],
], @target);
is "$r->{status} $r->{out}", "0 ${banner}HELLO", 'SOCKS4a';
is $proxy, 0, 'byte for byte';

my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    my $head = '';
    while (my $line = <$c>) { $head .= $line; last if $line eq "\r\n" }
    die $head unless $head =~ m{\ACONNECT name\.test:81 HTTP/1\.1\r\n}
        && $head =~ /^Host: name\.test:81\r$/m
        && $head =~ /^Proxy-Authorization: Basic bWU6c2VjcmV0\r$/m;
    print $c "HTTP/1.1 200 Connection established\r\n\r\n$banner";
    $c->flush;
    local $/;
    print $c uc <$c>;
});
$r = run({ stdin => 'hello' }, 'connect', '--proxy',
    'http://me:secret@127.0.0.1:' . $l->sockport, 'name.test', 81);
is "$r->{status} $r->{out}", "0 ${banner}HELLO", 'HTTP CONNECT';
is reap($pid), 0, 'with Host and Basic';

# What a proxy may answer instead.
for my $case (
    [ 'SOCKS5 refuses the password', 'socks5://me:no@127.0.0.1:PORT',
        [ [ "\x05\x02\x00\x02", "\x05\x02" ],
            [ "\x01\x02me\x02no", "\x01\x01" ] ], 8, qr/declined/ ],
    [ 'SOCKS5 wants a password', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", "\x05\xff" ] ], 8, qr/declined/ ],
    [ 'SOCKS5 cannot reach it', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", "\x05\x00" ],
            [ "\x05\x01\x00\x03\x09name.test\x00\x51",
                "\x05\x05\x00\x01\0\0\0\0\0\0" ] ], 8, qr/refused/ ],
    [ 'SOCKS5 has a reason of its own', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", "\x05\x00" ],
            [ "\x05\x01\x00\x03\x09name.test\x00\x51",
                "\x05\x63\x00\x01\0\0\0\0\0\0" ] ], 8, qr/unknown reason/ ],
    [ 'SOCKS5 answers with another version', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", "\x05\x00" ],
            [ "\x05\x01\x00\x03\x09name.test\x00\x51",
                "\x04\x00\x00\x01\0\0\0\0\0\0" ] ], 9, qr/SOCKS/ ],
    [ 'SOCKS5 has an address of no kind', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", "\x05\x00" ],
            [ "\x05\x01\x00\x03\x09name.test\x00\x51",
                "\x05\x00\x00\x09\0\0\0\0\0\0" ] ], 9, qr/SOCKS/ ],
    [ 'SOCKS4 declines', 'socks4://127.0.0.1:PORT',
        [ [ "\x04\x01\x00\x51\x00\x00\x00\x01\0name.test\0",
            "\x00\x5b\0\0\0\0\0\0" ] ], 8, qr/declined/ ],
    [ 'not a SOCKS proxy', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", "HTTP/1.1 400" ] ], 9, qr/SOCKS/ ],
    [ 'a proxy that closes', 'socks5://127.0.0.1:PORT',
        [ [ "\x05\x01\x00", '' ] ], 9, qr/./ ],
    [ 'HTTP 403', 'http://127.0.0.1:PORT',
        [ [ 'CONNECT name.test:81', "HTTP/1.1 403 No\r\n\r\n" ] ], 8,
        qr/declined: 403/ ],
    [ 'garbage', 'http://127.0.0.1:PORT',
        [ [ 'CONNECT name.test:81', "\0\1\2\r\n\r\n" ] ], 9, qr/./ ],
) {
    my ($name, $scheme, $steps, $status, $text) = @$case;
    ($r) = via($scheme, $steps, 'name.test', 81);
    exits $r, $status, "$name, no password in it", err => $text,
        no_err => qr/secret|me:no/;
}

($r) = via('socks4://127.0.0.1:PORT', [], '::1', 81);
is $r->{status}, 8, 'SOCKS4 to an IPv6 address: status 8';
like $r->{err}, qr/SOCKS4 has no IPv6 addresses/, 'and why';

# -w covers the handshake.
$l = tcp_listener();
exits run('connect', '-w', '300ms', '--proxy', 'socks5://127.0.0.1:'
    . $l->sockport, 'name.test', 81), 5, 'a proxy that is silent', within => 5;

my $port = free_port();
$r = run('connect', '--proxy', "socks5://127.0.0.1:$port", 'name.test', 81);
is $r->{status}, 4, 'no proxy there: status 4';
is run('connect', '--proxy', 'ftp://x', 'h', 1)->{status}, 2,
    'another scheme is a usage error';
is run('connect', '--proxy', 'x', 'unix:/x')->{status}, 2,
    'a proxy to a unix socket too';

done_testing;
