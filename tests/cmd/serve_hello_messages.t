# serve-hello greets, answers each message and leaves on "exit", as the
# tutorials' clients expect it: bare, LF, CRLF, split and joined messages.
use Sockt;
use Errno qw(ECONNRESET EPIPE);
use Time::HiRes qw(time);

my $p = start('serve-hello', '0');
my $port = $p->port;

# What the server says next, as one read brings it.
sub hear {
    my ($c) = @_;
    my $n = $c->sysread(my $got, 65536);
    return $n ? $got : '';
}

# Exactly as many bytes as are expected, however they arrive.
sub hears {
    my ($c, $want, $name) = @_;
    my $got = '';
    while (length $got < length $want) {
        $c->sysread($got, 65536, length $got) or last;
    }
    is $got, $want, $name;
}

# The tutorials' client: bare words, one at a time.
my $c = tcp_client($port);
is hear($c), 'Welcome!', 'the welcome';
for my $name ('Michael', 'Tracy', 'Sarah') {
    $c->syswrite($name);
    is hear($c), "Hello, $name!", "the answer to $name, bare as it was";
}
$c->syswrite('exit');
is hear($c), '', 'exit closes';
$p->expect(err => qr/accepted 127\.0\.0\.1 port \d+/);
$p->expect(err => qr/127\.0\.0\.1 port \d+ says: Tracy\n/);
$p->expect(err => qr/closed 127\.0\.0\.1 port \d+ .*this side finished first/);

$c = tcp_client($port);
hears($c, 'Welcome!', 'welcome');
$c->syswrite("Michael\n");
hears($c, "Hello, Michael!\n", 'a line is answered by a line');
$c->syswrite("Tracy\r\n");
hears($c, "Hello, Tracy!\r\n", 'CRLF by CRLF');
$c->syswrite("one\ntwo\r\nthree\n");
hears($c, "Hello, one!\nHello, two!\r\nHello, three!\n",
    'three messages in one segment are three');
$c->syswrite($_) for split //, "split\n";
hears($c, "Hello, split!\n", 'one message in six segments is one');
$c->syswrite("\n");
hears($c, "Hello, !\n", 'an empty line is a message');
$c->syswrite("last");
shutdown $c, 1;
hears($c, 'Hello, last!', 'what is there at the end of input is answered');
is hear($c), '', 'and then the server finishes';

$c = tcp_client($port);
hears($c, 'Welcome!', 'welcome');
$c->syswrite("exit\r\n");
is hear($c), '', 'exit may come as a line';

# What a peer says is escaped in the log.
$c = tcp_client($port);
$c->syswrite("\e[2J\n");
$p->expect(err => qr/says: \\e\[2J\n|says: \\x1[bB]\[2J\n/);
unlike $p->{err}, qr/\e/, 'no control byte reaches the log';
close $c;

# Ten slow clients and some fast ones, of which a busy machine may delay a few.
my @slow = map { tcp_client($port) } 1 .. 10;
$_->syswrite('slo') for @slow;
my @ms;
for (1 .. 5) {
    my $start = time;
    $c = tcp_client($port);
    hears($c, 'Welcome!', 'a fast one is greeted');
    $c->syswrite("fast\n");
    hears($c, "Hello, fast!\n", 'and answered');
    push @ms, (time - $start) * 1000;
}
cmp_ok +(sort { $a <=> $b } @ms)[0], '<', 500, 'in under half a second';

my @served = children($p->{pid});
exits $p->stop, 0, 'TERM ends the server with status 0';
is hear($_) =~ /^(Welcome!)?(Hello, slo!)?$/ ? 1 : 0, 1, 'slow one is let go'
    for @slow[0, 9];
is join(' ', grep { is_running($_) } @served), '', 'no child is left';

# Messages and answers of every size around those that have room at once.
# Everything that is answered to these bytes, sent in pieces of that size.
sub talk {
    my ($port, $bytes, $piece) = @_;
    my $c = tcp_client($port);
    my $pid = Sockt::fork_child(sub {
        print $c substr $bytes, 0, $piece, '' while length $bytes;
        shutdown $c, 1;
    });
    my $got = do { local $/; <$c> };
    reap($pid);
    return $got;
}

$p = start('serve-hello', '-4', 0);
$port = $p->port;
for my $size (1, 255, 500 .. 514, 1023 .. 1026, 4096, 8191, 8192) {
    my $name = 'x' x $size;
    is talk($port, "$name\n", $size), "Welcome!Hello, $name!\n",
        "a line of $size bytes";
}
for my $size (500, 511, 512, 513, 8192) {
    my $name = 'y' x $size;
    is talk($port, $name, $size), "Welcome!Hello, $name!",
        "$size bytes without a newline";
}
my @names = map { chr(97 + $_ % 26) x (($_ * 37) % 1400) } 1 .. 60;
my $want = join '', 'Welcome!', map { "Hello, $_!\r\n" } @names;
for my $piece (65536, 512, 511, 513, 100) {
    # Each message is told, so that one server's words fill a pipe.
    $p->stop;
    $p = start('serve-hello', '-4', 0);
    $port = $p->port;
    ok talk($port, join('', map { "$_\r\n" } @names), $piece) eq $want,
        "many lines of many sizes, in pieces of $piece";
}
is talk($port, 'z' x 8192 . "\r\n", 9000), 'Welcome!Hello, ' . 'z' x 8192 . "!\r\n",
    'the longest one with CRLF';
like talk($port, ('z' x 8193) . $_, 9000), qr/^Welcome!error: a message/,
    'one byte too many' for "\n", "\r\n", '';
$p->stop;

for my $times (1, 2, 50, 3276) {
    $p = start('serve-hello', '-4', '--reply', '%s' x $times, 0);
    is length talk($p->port, "0123456789\n", 11),
        length("Welcome!\n") + 10 * $times, "an answer of ${times}0 bytes";
    $p->stop;
}

# An answer that would be too long is an error of its client.
for my $http ([], ['--http']) {
    $p = start('serve-hello', '-4', @$http, '--reply', '%s' x 5_000, 0);
    talk($p->port, @$http ? 'GET /' . 'x' x 2_000 . " HTTP/1.0\r\n\r\n"
        : 'x' x 8_192 . "\n", 9_000);
    $p->expect(err => qr/answer by --reply is (?:too long|longer than \d+ bytes)/);
    pass "@$http: an answer that is too long";
    $p->stop;
}

# What serve-hello says last always arrives: its end is a FIN and a drain,
# never a reset, although the client has sent what nobody reads.
# Everything up to the end; a reset is told.
sub rest {
    my ($c) = @_;
    my $got = '';
    while (1) {
        my $n = $c->sysread($got, 65536, length $got);
        return "$got($!)" unless defined $n;
        return $got unless $n;
    }
}

sub fifty {
    my ($name, $port, $sends, $want) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $good = 0;
    for (1 .. 50) {
        my $c = tcp_client($port);
        $c->syswrite($_) for @$sends;
        my $got = rest($c);
        $good++ if $got eq $want;
        diag "got '" . substr($got, 0, 60) . "'" if $got ne $want;
    }
    is $good, 50, "$name: 50 of 50";
}

$p = start('serve-hello', '0');
$port = $p->port;
fifty('unread input behind exit', $port,
    ["Michael\nexit\n", 'unread ' x 1000], "Welcome!Hello, Michael!\n");
fifty('a message beyond the bound', $port, ['x' x 50_000],
    "Welcome!error: a message may have 8192 bytes at most\n");
$p->stop;

# The last message, without a newline, had the bytes of the one before it when
# both together filled the buffer.
{
    my $server = start('serve-hello', '--greeting=', '0');
    my $c = tcp_client($server->port);
    my @text = ('a' x 2193, join '', map { chr(98 + $_ % 25) } 1 .. 6000);
    syswrite $c, join "\n", @text;
    shutdown $c, 1;
    is rest($c), "Hello, $text[0]!\nHello, $text[1]!",
        'a line and a rest that fill the buffer';
    $server->stop;
}

$p = start('serve-hello', '--greeting=', '--messages', '1', '0');
fifty('more messages than are answered', $p->port, ["a\nb\nc\n" x 100],
    "Hello, a!\n");
$p->stop;

$p = start('serve-hello', '--http', '0');
my $head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
my $good = 0;
for (1 .. 50) {
    my $c = tcp_client($p->port);
    local $SIG{PIPE} = 'IGNORE';
    $c->syswrite($head . 'x' x 100_000);
    $good++ if rest($c) =~ /^HTTP\/1\.1 405 .*\n\z/s;
}
is $good, 50, 'an unread body: 50 of 50';
$p->stop;

done_testing;
