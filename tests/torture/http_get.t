# http-get with each of its system calls failing; see Torture.pm.
use Torture;

my $body = data(20_000, 5);
my @ask  = ([ until => qr/\r\n\r\n/ ]);
my @end  = (['fin'], [ until => 'eof' ]);

sub whole {
    my ($bytes, @fields) = @_;
    return head_of('HTTP/1.1 200 OK', @fields,
        'Content-Length: ' . length $bytes) . $bytes;
}

sub chunked {
    my ($bytes, @fields) = @_;
    return head_of('HTTP/1.1 200 OK', @fields, 'Transfer-Encoding: chunked')
        . join('', map { sprintf("%x\r\n%s\r\n", length $_, $_) }
        unpack '(a7000)*', $bytes) . "0\r\n\r\n";
}

sub redirect {
    return head_of('HTTP/1.1 302 Found', "Location: $_[0]",
        'Content-Length: 0');
}

my %file   = (
    stdin => 'null',
    out   => '',
    files => { f => $body },
    names => qr/\bf\b/,
    stays => qr/\Af\.part(\.from)?\z/,
);

scenario 'http-get',
    args  => 'http-get -q http://127.0.0.1:PORT/f',
    stdin => 'null',
    peers => [ { steps => [ @ask, [ send => whole($body) ], @end ] } ],
    out   => $body;

scenario 'http-get-file',
    args => 'http-get -q -o f http://127.0.0.1:PORT/f',
    %file,
    peers => [ { steps => [ @ask, [ send => whole($body) ], @end ] } ];

scenario 'http-get-chunked-file',
    args => 'http-get -q -o f http://127.0.0.1:PORT/f',
    %file,
    peers => [ { steps => [ @ask, [ send => chunked($body) ], @end ] } ];

scenario 'http-get-force',
    args => 'http-get -q --force -o f http://127.0.0.1:PORT/f',
    %file,
    setup  => sub { spew("$_[0]/f", 'before') },
    before => { f => 'before' },
    peers  => [ { steps => [ @ask, [ send => whole($body,
        'Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT') ], @end ] } ];

scenario 'http-get-continue',
    args => 'http-get -q -c -o f http://127.0.0.1:PORT/f',
    %file,
    setup => sub {
        my ($dir, $port) = @_;
        spew("$dir/f.part", substr $body, 0, 5_000);
        spew("$dir/f.part.from",
            "sockt partial download 1\ninode " . (stat "$dir/f.part")[1]
                . "\nurl http://127.0.0.1:$port/f\nvalidator \"1\"\n");
    },
    peers => [ { steps => [ @ask, [ send => head_of(
        'HTTP/1.1 206 Partial Content', 'ETag: "1"',
        'Content-Range: bytes 5000-19999/20000', 'Content-Length: 15000')
        . substr $body, 5_000 ], @end ] } ];

# The connection breaks off, and the rest is asked for.
my @broken = ([ until => qr/\r\n\r\n/ ], [ send => head_of('HTTP/1.1 200 OK',
    'ETag: "1"', 'Content-Length: 20000') . substr $body, 0, 8_000 ], @end);
my @rest = ([ until => qr/\r\n\r\n/ ], [ send => sub {
    my ($c) = @_;
    my ($from) = $c->{got} =~ /^Range: bytes=(\d+)-/m;
    return whole($body, 'ETag: "1"') unless $from;
    return head_of('HTTP/1.1 206 Partial Content', 'ETag: "1"',
        "Content-Range: bytes $from-19999/20000",
        'Content-Length: ' . (20_000 - $from)) . substr $body, $from;
} ], @end);

scenario 'http-get-retry-file',
    args => 'http-get -q --retry 1 -o f http://127.0.0.1:PORT/f',
    %file,
    limit => 4,
    peers => [ { connections => [ \@broken, \@rest ] } ];

scenario 'http-get-retry',
    args  => 'http-get -q --retry 1 http://127.0.0.1:PORT/f',
    stdin => 'null',
    limit => 4,
    peers => [ { connections => [ \@broken, \@rest ] } ],
    out   => $body;

scenario 'http-get-redirect',
    args => 'http-get -q -L -o f http://127.0.0.1:PORT/a',
    %file,
    peers => [ { steps => [ @ask, [ send => redirect('/b') ],
        [ until => qr/\/b HTTP.*\r\n\r\n/s ], [ send => whole($body) ],
        @end ] } ];

scenario 'http-get-continued-416',
    args => 'http-get -q -c -o f http://127.0.0.1:PORT/f',
    %file,
    setup => sub {
        my ($dir, $port) = @_;
        spew("$dir/f.part", $body);
        spew("$dir/f.part.from",
            "sockt partial download 1\ninode " . (stat "$dir/f.part")[1]
                . "\nurl http://127.0.0.1:$port/f\nvalidator \"1\"\n");
    },
    peers => [ { steps => [ @ask, [ send => head_of('HTTP/1.1 416 No',
        'ETag: "1"', 'Content-Range: bytes */20000', 'Content-Length: 0') ],
        @end ] } ];

# Either file, whichever is asked for first.
my $asked_for = sub {
    my ($c) = @_;
    return $c->{got} =~ /.*GET \/(\w)/s && $1 eq 'g' ? whole('g')
        : whole($body);
};
my @both = (@ask, [ send => $asked_for ],
    [ until => qr/\r\n\r\n.+\r\n\r\n/s ], [ send => $asked_for ], @end);

scenario 'http-get-two',
    args  => 'http-get -q -O http://127.0.0.1:PORT/f http://127.0.0.1:PORT/g',
    stdin => 'null',
    peers => [ { connections => [ \@both, \@both ] } ],
    files => { f => $body, g => 'g' },
    names => qr/\b[fg]\b/,
    stays => qr/\A[fg]\.part(\.from)?\z/;

scenario 'http-get-proxy',
    args  => 'http-get -q --proxy http://127.0.0.1:PORT http://name.test/f',
    stdin => 'null',
    peers => [ { steps => [ [ until => qr/http:\/\/name\.test\/f .*\r\n\r\n/s ],
        [ send => whole($body) ], @end ] } ],
    names => qr/name\.test/,
    out   => $body;

scenario 'http-get-error',
    args  => 'http-get -q -o f http://127.0.0.1:PORT/f',
    stdin => 'null',
    peers => [ { steps => [ @ask, [ send => head_of('HTTP/1.1 404 Not Found',
        'Content-Length: 4') . 'none' ], @end ] } ],
    status => 8,
    out    => '',
    stays  => qr/\Af\.(error|part)\z/,
    names  => qr/\bf\b/,
    check  => sub {
        my ($r) = @_;
        return $r->{status} == 0 ? 'there is nothing to be had' : ();
    };

torture();
