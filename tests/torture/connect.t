# connect with each of its system calls failing; see Torture.pm.
use Torture;
use Sockt qw(scratch sockt);
use SocktTls;

my $up   = data(9_000, 1);
my $down = data(7_000, 2);
my @up   = (substr($up, 0, 100), substr($up, 100, 5_000), substr $up, 5_100);
my @down = (substr($down, 0, 10), substr $down, 10);

# Bytes with pauses between them.
sub pieces {
    return map { ([ pause => 0.01 ], [ send => $_ ]) } @_;
}

# A peer that has nothing to say, and says so at once.
my @receiver = (['fin'], [ until => 'eof' ]);

# One that sends, and is done when the other side is.
my @sender = (pieces(@down), ['fin'], [ until => 'eof' ]);

scenario 'half-close',
    args  => 'connect -q 127.0.0.1 PORT',
    stdin => [ pieces(@up) ],
    peers => [ { steps => \@receiver } ],
    out   => '',
    got   => [$up];

scenario 'half-close-after-answer',
    args  => 'connect -q 127.0.0.1 PORT',
    stdin => [ pieces(@up) ],
    peers => [ { steps => \@sender } ],
    out   => $down,
    got   => [$up];

scenario 'connect-send',
    args  => 'connect -q 127.0.0.1 PORT',
    stdin => [ pieces(@up) ],
    peers => [ { steps => [ [ until => 'eof' ], ['fin'] ] } ],
    out   => '',
    got   => [$up];

scenario 'connect-receive',
    args  => 'connect -q 127.0.0.1 PORT',
    stdin => 'null',
    peers => [ { steps => \@sender } ],
    out   => $down,
    got   => [''];

scenario 'connect-both',
    args  => 'connect -q 127.0.0.1 PORT',
    stdin => [ [ send => data(200_000, 3) ] ],
    peers => [ { steps => [ [ deaf => 0.01 ], [ send => data(250_000, 4) ],
        ['fin'], [ until => 'eof' ] ] } ],
    out   => data(250_000, 4),
    got   => [ data(200_000, 3) ];

scenario 'connect-files',
    args    => 'connect -q -o record 127.0.0.1 PORT',
    stdin   => [ file => $up ],
    stdout  => 'file',
    peers   => [ { steps => \@sender } ],
    out     => $down,
    got     => [$up],
    records => { record => $down },
    names   => qr/\brecord\b/;

scenario 'connect-hexdump',
    args  => 'connect -q -x dump 127.0.0.1 PORT',
    stdin => [ [ send => 'question' ] ],
    peers => [ { steps => [ [ until => 8 ], [ send => 'answer' ], ['fin'],
        [ until => 'eof' ] ] } ],
    out     => 'answer',
    got     => ['question'],
    stays   => qr/\Adump\z/,
    check   => sub {
        my ($r) = @_;
        my %bytes = ('>' => '', '<' => '');
        my $way;
        for (split /^/, delete $r->{files}{dump} // '') {
            $way = $1 if /^([<>])/;
            $bytes{$way} .= pack 'H*', $1 =~ s/ //gr
                if /^[0-9a-f]{8}  ([0-9a-f ]+?) *\|/;
        }
        return $r->{status} == 0 && "@bytes{'>', '<'}" ne 'question answer'
            ? "the dump has '@bytes{'>', '<'}'" : ();
    },
    names => qr/\bdump\b/;

scenario 'connect-script',
    args => [ qw(connect -q 127.0.0.1 PORT --expect Welcome --send Michael\n
        --expect Hello --send exit\n --done) ],
    stdin => 'null',
    peers => [ { steps => [ [ send => 'Wel' ], [ pause => 0.01 ],
        [ send => "come!\n" ], [ until => qr/\n/ ],
        [ send => "Hello, Michael!\n" ], [ until => 'eof' ] ] } ],
    out => "Welcome!\nHello, Michael!\n",
    got => ["Michael\nexit\n"];

scenario 'connect-name',
    args  => 'connect -q localhost PORT',
    stdin => [ [ send => $up ] ],
    peers => [ { steps => \@sender } ],
    out   => $down,
    got   => [$up];

scenario 'connect-retry',
    args  => 'connect -q --retry-for 2 127.0.0.1 PORT',
    # What is connected is given up, and another one is made.
    except => qr/getsockopt/,
    stdin => [ [ send => $up ] ],
    peers => [ { steps => \@sender } ],
    out   => $down,
    got   => [$up];

scenario 'connect-steps',
    args  => 'connect -vv 127.0.0.1 PORT',
    stdin => [ [ send => $up ] ],
    peers => [ { steps => \@sender } ],
    notes => qr/ \(fd \d+\)|: (ok|FAILED)\b|: closed |connected to|finished first/,
    out   => $down,
    got   => [$up];

scenario 'connect-json',
    args  => 'connect --json 127.0.0.1 PORT',
    stdin => [ [ send => $up ] ],
    peers => [ { steps => \@sender } ],
    notes => qr/"event":"(?!error)/,
    out   => $down,
    got   => [$up];

scenario 'connect-unix',
    args  => 'connect -q unix:s',
    stdin => [ pieces(@up) ],
    peers => [ { unix => 's', steps => \@sender } ],
    out   => $down,
    got   => [$up];

scenario 'connect-socks5',
    args  => 'connect -q --proxy socks5://127.0.0.1:PORT name.test 81',
    stdin => [ pieces(@up) ],
    peers => [ { steps => [ [ until => 3 ], [ send => "\x05\x00" ],
        [ until => 3 + 16 ], [ send => "\x05\x00\x00\x01\x7f\0\0\1" ],
        [ pause => 0.01 ], [ send => "\0\x51" ], @sender ] } ],
    out => $down,
    got => ["\x05\x01\x00\x05\x01\x00\x03\x09name.test\x00\x51$up"],
    names => qr/name\.test/;

scenario 'connect-http-proxy',
    args  => 'connect -q --proxy http://localhost:PORT name.test 81',
    stdin => [ pieces(@up) ],
    peers => [ { steps => [ [ until => qr/\r\n\r\n/ ],
        [ send => head_of('HTTP/1.1 200 OK') ], @sender ] } ],
    out => $down,
    got => [ head_of('CONNECT name.test:81 HTTP/1.1', 'Host: name.test:81',
        'User-Agent: sockt') . $up ],
    names => qr/name\.test/;

scenario 'connect-via',
    args  => [ qw(connect -q --via), 'printf x; cat', 'name.test', 81 ],
    stdin => [ [ send => $up ] ],
    out   => "x$up",
    names => qr/name\.test/;

# TLS, which another sockt ends in front of the peer.
my $tls = scratch();
my $can_tls = tls_is_available();
if ($can_tls) {
    my $c = tls_certificate(tls_authority("$tls/ca"), 'good', 'DNS:localhost');
    spew("$tls/front", "#!/bin/sh\nunset LD_PRELOAD\n"
        . "exec @{[ sockt() ]} listen -q --fd 0 --tls-cert $c->{cert} "
        . "--tls-key $c->{key} --to 127.0.0.1:\$1\n");
    chmod 0755, "$tls/front";
}
scenario 'connect-tls',
    args  => [ qw(connect -q --tls --tls-ca), "$tls/ca/ca.pem", '--via',
        "$tls/front %p", 'localhost', 'PORT' ],
    stdin => [ pieces(@up) ],
    names => qr/TLS|\/tmp/,
    # To the process of TLS, EPIPE is that nobody reads any more.
    except => qr/\Awrite\@2 [45] EPIPE/,
    peers => [ { steps => [ [ until => 'eof' ], pieces(@down), ['fin'] ] } ],
    out   => $down,
    got   => [$up] if $can_tls;

scenario 'connect-options',
    args  => 'connect -q --ttl 9 --tos 8 --rcvbuf 64k --sndbuf 64k '
        . '--keepalive -s 127.0.0.1 127.0.0.1 PORT',
    stdin => [ [ send => $up ] ],
    peers => [ { steps => \@sender } ],
    names => qr/--\w+/,
    out   => $down,
    got   => [$up];

scenario 'connect-program',
    args  => 'connect -q 127.0.0.1 PORT -- cat',
    stdin => 'null',
    peers => [ { steps => [ pieces(@down), ['fin'], [ until => 'eof' ] ] } ],
    out   => '',
    got   => [$down],
    names => qr/\bcat\b/;

scenario 'connect-zero-several',
    args  => 'connect -q -z 127.0.0.1:PORT 127.0.0.1:PORT2',
    stdin => 'null',
    peers => [ { steps => [ ['fin'], [ until => 'eof' ] ] },
        { steps => [ ['fin'], [ until => 'eof' ] ] } ],
    out => '',
    got => [ '', '' ],
    # A child without memory says so, and its parent reports it lost.
    except => qr/^(?:calloc|realloc|aligned_alloc)\@\d/;

torture();
