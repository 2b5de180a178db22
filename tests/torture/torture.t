# Each command with each of its system calls failing; see Torture.pm.
use Torture;
use Sockt qw(scratch sockt);
use SocktTls;

my $up   = data(9_000, 1);
my $down = data(7_000, 2);

# Bytes with pauses between them.
sub pieces { return map { ([ pause => 0.01 ], [ send => $_ ]) } @_ }

my @up   = pieces(substr($up, 0, 100), substr($up, 100, 5_000), substr $up, 5_100);
my @down = pieces(substr($down, 0, 10), substr $down, 10);

# A peer that has nothing to say, and says so at once; one that sends, and is
# done when the other side is; and one that sends once it has all.
my @receiver = (['fin'], [ until => 'eof' ]);
my @sender   = (@down, @receiver);
my @answerer = ([ until => 'eof' ], [ send => $down ], ['fin']);

# The lines of -v and -vv.
my $steps = qr/ \(fd \d+\)|: (ok|FAILED)\b|: closed |fork|connected to|finished first/;

# What a port itself says is no failure, so connect(2) fails in a scan only as it
# does when the trouble is on this side.
my %scan = (
    out    => undef,
    peers  => [ { steps => [ [ until => 'eof' ] ] },
        { steps => [ [ send => "SSH-2.0-x\r\n" ], [ until => 'eof' ] ] } ],
    silent => qr/\A[456]\z/,
    except => qr/connect \d+ (ECONNREFUSED|EHOSTUNREACH|ETIMEDOUT)/,
);

# The output has to match, or to have so many matches, for status 0.
sub prints {
    my ($pattern, $count) = @_;
    return sub {
        my ($r) = @_;
        my $n = () = $r->{stdout} =~ /$pattern/g;
        return $r->{status} == 0 && (defined $count ? $n != $count : !$n)
            ? "stdout is '$r->{stdout}'" : ();
    };
}

sub scans {
    my ($name, $args, %more) = @_;
    scenario $name, args => "portscan -w 0.3 $args", %scan, %more;
}

scans 'portscan', '-q 127.0.0.1 PORT,PORT2,FREE',
    check => prints(qr/^127\.0\.0\.1:(\d+)$/m, 2);
scans 'portscan-all', '-a localhost PORT,PORT2,FREE',
    check => prints(qr/\bopen\b(?!\|)/, 2);
# A banner is what a single recv(2) has; without one the port is open too.
scans 'portscan-banner', '--banner 127.0.0.1 PORT,PORT2,FREE',
    except => qr/$scan{except}|epoll_ctl|recv \d+ (?!EINTR)/,
    check => prints(qr/SSH-2\.0-x/);
scans 'portscan-files', '-q --targets targets --ports-file ports',
    files  => { targets => "127.0.0.1\n127.0.0.2\n", ports => "1\n2\n" },
    before => { targets => "127.0.0.1\n127.0.0.2\n", ports => "1\n2\n" },
    names  => qr/\b(targets|ports)\b/,
    status => 4,
    check  => prints(qr/something is open/);
scans 'portscan-udp', '--udp -a 127.0.0.1 PORT,FREE',
    peers  => [ { udp => 1, answer => sub { 'here' } } ],
    check  => prints(qr/\bopen\b(?!\|)/, 1);

# connect, which sends and receives both.
sub connects {
    my ($name, $args, %more) = @_;
    scenario "connect-$name", args => ref $args ? $args : "connect $args",
        stdin => [ [ send => $up ] ], peers => [ { steps => \@sender } ],
        out => $down, got => [$up], %more;
}

connects 'half-close', '-q 127.0.0.1 PORT', stdin => \@up,
    peers => [ { steps => \@receiver } ], out => '';
connects 'half-close-after-answer', '-q 127.0.0.1 PORT', stdin => \@up;
connects 'send', '-q 127.0.0.1 PORT', stdin => \@up,
    peers => [ { steps => [ [ until => 'eof' ], ['fin'] ] } ], out => '';
connects 'receive', '-q 127.0.0.1 PORT', stdin => undef, got => [''];
connects 'both', '-q 127.0.0.1 PORT',
    stdin => [ [ send => data(200_000, 3) ] ],
    peers => [ { steps => [ [ deaf => 0.01 ], [ send => data(250_000, 4) ],
        @receiver ] } ],
    out => data(250_000, 4), got => [ data(200_000, 3) ];
connects 'files', '-q -o record 127.0.0.1 PORT',
    stdin => [ file => $up ], stdout => 'file',
    records => { record => $down }, names => qr/\brecord\b/;
connects 'hexdump', '-q -x dump 127.0.0.1 PORT',
    stdin => [ [ send => 'question' ] ],
    peers => [ { steps => [ [ until => 8 ], [ send => 'answer' ],
        @receiver ] } ],
    out => 'answer', got => ['question'],
    names => qr/\bdump\b/, stays => qr/\Adump\z/,
    check => sub {
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
    };
connects 'script', [ qw(connect -q 127.0.0.1 PORT --expect Welcome --send
        Michael\n --expect Hello --send exit\n --done) ],
    stdin => undef,
    peers => [ { steps => [ [ send => 'Wel' ], [ pause => 0.01 ],
        [ send => "come!\n" ], [ until => qr/\n/ ],
        [ send => "Hello, Michael!\n" ], [ until => 'eof' ] ] } ],
    out => "Welcome!\nHello, Michael!\n", got => ["Michael\nexit\n"];
connects 'name', '-q localhost PORT';
# What is connected is given up, and another one is made.
connects 'retry', '-q --retry-for 2 127.0.0.1 PORT', except => qr/getsockopt/;
connects 'steps', '-vv 127.0.0.1 PORT', notes => $steps;
connects 'json', '--json 127.0.0.1 PORT', notes => qr/"event":"(?!error)/;
connects 'unix', '-q unix:s', stdin => \@up,
    peers => [ { unix => 's', steps => \@sender } ];
connects 'socks5', '-q --proxy socks5://127.0.0.1:PORT name.test 81',
    stdin => \@up, names => qr/name\.test/,
    peers => [ { steps => [ [ until => 3 ], [ send => "\x05\x00" ],
        [ until => 3 + 16 ], [ send => "\x05\x00\x00\x01\x7f\0\0\1" ],
        [ pause => 0.01 ], [ send => "\0\x51" ], @sender ] } ],
    got => ["\x05\x01\x00\x05\x01\x00\x03\x09name.test\x00\x51$up"];
connects 'http-proxy', '-q --proxy http://localhost:PORT name.test 81',
    stdin => \@up, names => qr/name\.test/,
    peers => [ { steps => [ [ until => qr/\r\n\r\n/ ],
        [ send => head_of('HTTP/1.1 200 OK') ], @sender ] } ],
    got => [ head_of('CONNECT name.test:81 HTTP/1.1', 'Host: name.test:81',
        'User-Agent: sockt') . $up ];
connects 'via', [ qw(connect -q --via), 'printf x; cat', 'name.test', 81 ],
    peers => [], out => "x$up", got => [], names => qr/name\.test/;
connects 'options', '-q --ttl 9 --tos 8 --rcvbuf 64k --sndbuf 64k --keepalive '
    . '-s 127.0.0.1 127.0.0.1 PORT', names => qr/--\w+/;
connects 'program', '-q 127.0.0.1 PORT -- cat', stdin => undef,
    out => '', got => [$down], names => qr/\bcat\b/;
# A child without memory says so, and its parent reports it lost.
connects 'zero-several', '-q -z 127.0.0.1:PORT 127.0.0.1:PORT2', stdin => undef,
    peers => [ ({ steps => \@receiver }) x 2 ], out => '', got => [ '', '' ],
    except => qr/^(?:calloc|realloc|aligned_alloc)\@\d/;

# The first of the attempts is closed, others that have opened are reset.
connects 'trace', '--trace -w 1 127.0.0.1 PORT', stdin => undef, out => undef,
    got => undef, peers => [ { connections => [ ([ [ until => 'eof' ] ]) x 8 ] } ],
    names => qr/--ttl|this system/,
    check => prints(qr/^1  127\.0\.0\.1  .*  open$/m);

# TLS, which another sockt ends in front of the peer.
if (tls_is_available()) {
    my $tls = scratch();
    my $c = tls_certificate(tls_authority("$tls/ca"), 'good', 'DNS:localhost');
    chmod 0755, spew("$tls/front", "#!/bin/sh\nunset LD_PRELOAD\n"
        . "exec @{[ sockt() ]} listen -q --fd 0 --tls-cert $c->{cert} "
        . "--tls-key $c->{key} --to 127.0.0.1:\$1\n");
    # To the process of TLS, EPIPE is that nobody reads any more.
    connects 'tls', [ qw(connect -q --tls --tls-ca), "$tls/ca/ca.pem", '--via',
            "$tls/front %p", 'localhost', 'PORT' ],
        stdin => \@up, names => qr/TLS|\/tmp/,
        except => qr/\Awrite\@2 [23] EPIPE/,
        peers => [ { steps => [ [ until => 'eof' ], @down, ['fin'] ] } ];
}

# listen, which sends and receives both.
my $client = { steps => [ @up, @receiver ] };

sub listens {
    my ($name, $args, %more) = @_;
    scenario "listen-$name", args => "listen $args", clients => [$client],
        stdin => [ [ send => $down ] ], out => $up, got => [$down], %more;
}

listens 'receive', '127.0.0.1 0', stdin => undef, got => [''];
listens 'send', '127.0.0.1 0', stdin => \@up,
    clients => [ { steps => \@receiver } ], out => '', got => [$up];
listens 'both', 'localhost 0';
listens 'any', '--allow @access * 0',
    before => { access => "127.0.0.1\n::1\n" },
    files  => { access => "127.0.0.1\n::1\n" },
    notes  => qr/listening on every IPv[46] address/,
    names  => qr/\baccess\b|\*/;
listens 'file', '-o record 127.0.0.1 0', stdin => undef, stdout => 'file',
    got => [''], records => { record => $up }, names => qr/\brecord\b/;
listens "unix$_->[0]", "-v $_->[1] unix:s",
    notes   => qr/: (?:accepted|closed) unix:/,
    clients => [ { %$client, unix => 's' } ]
    for [ '', '' ], [ '-mode', '--mode 600' ];
listens 'program', '127.0.0.1 0 -- cat', stdin => undef, out => '',
    got => [$up], names => qr/\bcat\b/;
listens 'echo', '--echo 127.0.0.1 0', stdin => undef, out => '', got => [$up];
listens 'to', '--to 127.0.0.1:PORT 127.0.0.1 0', stdin => undef, out => '',
    peers => [ { steps => \@answerer } ],
    check => sub {
        my ($r) = @_;
        my $c = $r->{connections}[0];
        return $r->{status} == 0 && (!$c || $c->{got} ne $up)
            ? 'the target did not receive everything' : ();
    };

# A server of several clients. A reset before any byte is told with -v.
sub keeps {
    my ($name, $args, $count, $truth, %more) = @_;
    listens "keep-$name", "-kv $args", stdin => undef, out => '',
        stop => 'TERM', clients => [ ($client) x $count ],
        got => [ ($truth) x $count ], %more;
}

keeps 'echo', '--echo 127.0.0.1 0', 3, $up;
keeps 'exec', '-v --exec cat 127.0.0.1 0', 2, $up, notes => $steps,
    names => qr/\bcat\b/;
# A reset is told when the connection is closed; these are not real ones. As a
# stop ends the run, EINTR is the answer to it.
keeps 'program-record', '-x dump 127.0.0.1 0 -- cat', 1, $up,
    names  => qr/\b(cat|dump)\b/,
    except => qr/\Arecv\@\S+ \d+ ECONNRESET|\Aclose \d+ EINTR/,
    check  => sub { delete $_[0]{files}{dump}; return () };
# keep-echo is about what is said without the steps.
keeps 'steps', '-v --echo 127.0.0.1 0', 1, $up, notes => $steps,
    except => qr/\A(?!fork)/;
keeps 'tls-self', '--tls-self --echo 127.0.0.1 0', 2, qr/\A(?:\x15.*)?\z/s,
    notes => qr/a certificate for this run|TLS: /, names => qr/TLS/
    if tls_is_available();
keeps 'discard', '--discard unix:s', 2, '',
    clients => [ ({ %$client, unix => 's' }) x 2 ];
keeps 'to', '--to localhost:PORT 127.0.0.1 0', 2, $down,
    peers => [ { steps => \@answerer } ];

my $talk = { steps => [ [ until => qr/Welcome!/ ], [ send => "Michael\n" ],
    [ until => qr/Michael!\n/ ], [ pause => 0.01 ],
    [ send => "Tracy\nexit\n" ], [ until => 'eof' ] ] };
scenario 'serve-hello', args => 'serve-hello 127.0.0.1 0', stop => 'TERM',
    clients => [ ($talk) x 3 ],
    got => [ ("Welcome!Hello, Michael!\nHello, Tracy!\n") x 3 ];

my $page = head_of('GET / HTTP/1.1', 'Host: localhost', 'Connection: close');
scenario 'serve-hello-http', args => 'serve-hello --http localhost 0',
    stop => 'TERM', out => undef,
    clients => [ ({ steps => [ [ send => substr $page, 0, 20 ],
        [ pause => 0.01 ], [ send => substr $page, 20 ],
        [ until => 'eof' ] ] }) x 2 ],
    got => [ (qr{\AHTTP/1.1 200 OK\r\n.*\r\n\r\nHello!\z}s) x 2 ];

my $body = data(20_000, 5);

# What lies in a run's own folder is served: small and large, once each.
my $large = data(150_000, 6);
keeps 'files', '--files . 127.0.0.1 0', 2, qr{\r\n\r\n(?:\Q$large\E|\Q$body\E)\z}s,
    map({ $_ => { large => $large, small => $body } } qw(before files)),
    notes => qr/: GET |serving \S+;/, names => qr/\b(large|small)\b|--files/,
    except => qr/fstat\@\d \d+ EACCES/,
    clients => [ map { { steps => [ [ send => head_of("GET /$_ HTTP/1.1", 'Host: x',
        'Connection: close') ], [ until => 'eof' ] ] } } qw(large small) ];

# A response with a body of known length, or in chunks.
sub whole {
    my ($bytes, @fields) = @_;
    return head_of('HTTP/1.1 200 OK', @fields,
        'Content-Length: ' . length $bytes) . $bytes;
}
my $chunked = head_of('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')
    . join('', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
        unpack '(a7000)*', $body) . "0\r\n\r\n";

# The steps of a server that answers requests in turn.
sub serves {
    my $n = 0;
    return (map { $n++; ([ until => qr/\A(?:.+?\r\n\r\n){$n}/s ],
        [ send => $_ ]) } @_), @receiver;
}

# http-get of $body, to stdout or to the file f, from such a server.
sub gets {
    my ($name, $args, $answer, %more) = @_;
    scenario "http-get$name", args => "http-get -q $args",
        peers => [ { steps => [ serves($answer) ] } ], out => $body, %more;
}
sub saves {
    my ($name, $args, $answer, %more) = @_;
    gets($name, "-o f $args http://127.0.0.1:PORT/f", $answer, out => '',
        files => { f => $body }, names => qr/\bf\b/,
        stays => qr/\Af\.part(\.from)?\z/, %more);
}

# Leaves a part of the file, and where it is from.
sub part {
    my ($bytes) = @_;
    return setup => sub {
        my ($dir, $port) = @_;
        spew("$dir/f.part", $bytes);
        spew("$dir/f.part.from",
            "sockt partial download 1\ninode " . (stat "$dir/f.part")[1]
                . "\nurl http://127.0.0.1:$port/f\nvalidator \"1\"\n");
    };
}

gets '', 'http://127.0.0.1:PORT/f', whole($body);
saves '-file', '', whole($body);
saves '-chunked-file', '', $chunked;
saves '-force', '--force', whole($body,
    'Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT'), before => { f => 'before' };
saves '-continue', '-c', head_of('HTTP/1.1 206 Partial Content', 'ETag: "1"',
    'Content-Range: bytes 5000-19999/20000', 'Content-Length: 15000')
    . substr($body, 5_000), part(substr $body, 0, 5_000);
saves '-continued-416', '-c', head_of('HTTP/1.1 416 No', 'ETag: "1"',
    'Content-Range: bytes */20000', 'Content-Length: 0'), part($body);
saves '-redirect', '-L', undef, peers => [ { steps => [
    serves(head_of('HTTP/1.1 302 Found', 'Location: /b', 'Content-Length: 0'),
        whole($body)) ] } ];
saves '-error', '', head_of('HTTP/1.1 404 Not Found', 'Content-Length: 4')
    . 'none', status => 8, files => {}, stays => qr/\Af\.(error|part)\z/,
    check => prints(qr/there is nothing to be had/);

# The connection breaks off, and the rest is asked for.
my @broken = serves(head_of('HTTP/1.1 200 OK', 'ETag: "1"',
    'Content-Length: 20000') . substr $body, 0, 8_000);
my @rest = serves(sub {
    my ($c) = @_;
    my ($from) = $c->{got} =~ /^Range: bytes=(\d+)-/m;
    return whole($body, 'ETag: "1"') unless $from;
    return head_of('HTTP/1.1 206 Partial Content', 'ETag: "1"',
        "Content-Range: bytes $from-19999/20000",
        'Content-Length: ' . (20_000 - $from)) . substr $body, $from;
});
my %breaks = (limit => 4, peers => [ { connections => [ \@broken, \@rest ] } ]);
saves '-retry-file', '--retry 1', undef, %breaks;
gets '-retry', '--retry 1 http://127.0.0.1:PORT/f', undef, %breaks;

# Either file, whichever is asked for first.
my $asked_for = sub {
    my ($c) = @_;
    return $c->{got} =~ /.*GET \/(\w)/s && $1 eq 'g' ? whole('g')
        : whole($body);
};
my @both = serves($asked_for, $asked_for);
gets '-two', '-O http://127.0.0.1:PORT/f http://127.0.0.1:PORT/g', undef,
    peers => [ { connections => [ \@both, \@both ] } ],
    out   => '', files => { f => $body, g => 'g' },
    names => qr/\b[fg]\b/, stays => qr/\A[fg]\.part(\.from)?\z/;
gets '-proxy', '--proxy http://127.0.0.1:PORT http://name.test/f',
    whole($body), names => qr/name\.test/;

# udp-send of datagrams that the peer answers.
sub sends {
    my ($name, $args, @datagrams) = @_;
    my %more = %{ pop @datagrams };
    scenario "udp-send$name", args => "udp-send -q $args", limit => 3,
        peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
        out => join('', map { "re $_\n" } @datagrams),
        got => [ join '|', @datagrams ], %more;
}

my @lines = map { "line $_ " . 'x' x ($_ * 7 % 60) } 1 .. 40;
my @halves = ([ send => join '', map { "$_\n" } @lines[ 0 .. 19 ] ],
    [ pause => 0.01 ], [ send => join '', map { "$_\n" } @lines[ 20 .. 39 ] ]);

sends '', '-w 1 127.0.0.1 PORT one two three', qw(one two three), {};
sends '-stream', '-w 1 127.0.0.1 PORT', @lines,
    { stdin => \@halves, got => [ join '|', map { "$_\n" } @lines ] };
sends '-options', '-w 1 --broadcast --no-fragment --ttl 9 -x dump 127.0.0.1 PORT one',
    'one', { names => qr/--\w+|\bdump\b/, check => sub {
        my ($r) = @_;
        my $dump = delete $r->{files}{dump} // '';
        return $r->{status} == 0 && $dump !~ /\|one\|.*\|re one\|/s
            ? "the dump is '$dump'" : ();
    } };
sends '-no-reply', '--no-reply --no-newline 127.0.0.1 PORT', @lines,
    { peers => [ { udp => 1 } ], stdin => \@halves, out => '' };
sends '-unix-pressed', '--no-reply --no-newline unix:s', @lines, @lines,
    { stdin => [ @halves, [ pause => 0.01 ], @halves ], out => '',
    peers => [ { udp => 1, unix => 's', steps => [ [ deaf => 0.03 ] ] } ] };
sends '-stats', '-w 1 --stats --count 3 127.0.0.1 PORT x', qw(x x x),
    { out => undef, check => prints(qr/\A(re x\n){3}.*\b3 sent/s) };
sends '-json', '-w 1 --json 127.0.0.1 PORT x y', qw(x y),
    { out => undef, check => prints(qr/"re x".*"re y".*"event":"summary"/s) };

# A client that asks three times and does not insist.
my %asks = (udp => 1, steps => [ [ send => 'Michael' ], [ until => 1, 1 ],
    [ send => 'Tracy' ], [ until => 2, 0.3 ], [ send => 'Sarah' ],
    [ until => 3, 1 ] ]);
my @hello = map { "Hello, $_!" } qw(Michael Tracy Sarah);

# Datagrams may be lost, but what comes is right and most of it comes.
sub answers {
    my ($r, @truth) = @_;
    my @got = map { split /\|/ } $r->got;
    my %known = map { $_ => 1 } @truth;
    return "answers are '@got'" if grep { !$known{$_} } @got;
    return "only answered '@got'"
        if @got < @truth - 1 && $r->{status} == 0 && !$r->{lasts};
    return 'an answer is lost in silence'
        if @got < @truth && $r->{status} == 0 && !Torture::tells_loss($r);
    return ();
}

# udp-serve. What becomes of a single datagram is told with -v.
sub replies {
    my ($name, $args, %more) = @_;
    scenario "udp-serve$name", args => "udp-serve $args", clients => [ \%asks ],
        stop => 'TERM', check => sub { answers($_[0], @hello) }, %more;
}

replies '', '-v 127.0.0.1 0';
# It is told to stop meanwhile, which EINTR would be the answer to.
replies '-record', '-v -x dump 127.0.0.1 0', names => qr/\bdump\b/,
    except => qr/\Aclose \d+ EINTR/,
    check  => sub {
        my ($r) = @_;
        my $dump = delete $r->{files}{dump} // '';
        my $shown = () = $dump =~ /^< /mg;
        return $r->{status} == 0 && $shown < $r->got
            ? "the dump is '$dump'" : answers($r, @hello);
    };
replies '-join', '-v --join 239.1.2.3 127.0.0.1 0', names => qr/239\.1\.2\.3/;
replies '-unix', '-v unix:s', clients => [ { %asks, unix => 's' } ];
replies '-print', '--print --lines --count 3 127.0.0.1 0', stop => undef,
    check => undef, out => "Michael\nTracy\nSarah\n";
replies '-forward', '-v 127.0.0.1 0 --to 127.0.0.1:PORT', limit => 2,
    notes => qr/; \d+ sessions?, /,
    peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
    check  => sub { answers($_[0], map { "re $_" } qw(Michael Tracy Sarah)) };
# A program need not read what it is given.
replies '-program', '-v 127.0.0.1 0 -- cat', limit => 2, names => qr/\bcat\b/,
    except => qr/write \d+ EPIPE/,
    check  => sub { answers($_[0], qw(Michael Tracy Sarah)) };

torture();
