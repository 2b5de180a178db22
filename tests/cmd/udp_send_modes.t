# Where udp-send's datagrams come from, how many, how fast, and what is
# awaited: every option against a Perl socket that notes what arrives.
use Sockt;
use IO::Select;
use Time::HiRes qw(time);
use Socket;

my $s = udp_socket();
my $port = $s->sockport;
my @to = ('127.0.0.1', $port);

# What waits on the socket, in order.
sub arrived {
    my @got;
    while (IO::Select->new($s)->can_read(0.05)) {
        $s->recv(my $x, 70_000);
        push @got, $x;
    }
    return \@got;
}

# A peer that answers each datagram with what code makes of it.
sub answer {
    my ($code, $count) = @_;
    return Sockt::fork_child(sub {
        my %seen;
        for (1 .. $count) {
            my $from = $s->recv(my $x, 70_000);
            $s->send($_, 0, $from) for $code->($x, ++$seen{$x});
        }
    });
}

# Sources.
my $r = run({ stdin => "one\n\ntwo\r\nlast" }, 'udp-send', '--no-reply', @to);
is $r->{status}, 0, 'lines';
is_deeply arrived(), ["one\n", "\n", "two\r\n", 'last'],
    'a line is a datagram, its newline as it is';
run({ stdin => "one\n\ntwo\r\nlast" }, 'udp-send', '--no-reply',
    '--no-newline', @to);
is_deeply arrived(), ['one', '', "two\r", 'last'],
    '--no-newline: an empty datagram, too';
run({ stdin => "a\nb\0c\n" }, 'udp-send', '--no-reply', '--whole', @to);
is_deeply arrived(), ["a\nb\0c\n"], '--whole';
run({ stdin => '' }, 'udp-send', '--no-reply', '--whole', @to);
is_deeply arrived(), [''], '--whole of nothing is an empty datagram';
run({ stdin => 'abcdefgh' }, 'udp-send', '--no-reply', '--size', '3', @to);
is_deeply arrived(), ['abc', 'def', 'gh'], '--size';
run('udp-send', '--no-reply', @to, 'x', '', 'y z');
is_deeply arrived(), ['x', '', 'y z'], 'arguments, an empty one too';
run('udp-send', '--no-reply', "127.0.0.1:$port", 'short');
is_deeply arrived(), ['short'], 'HOST:PORT';
run('udp-send', '--no-reply', '--count', '5', @to, 'a', 'b');
is_deeply arrived(), [qw(a b a b a)], '--count takes the messages in turn';
run({ stdin => "a\nb\nc\n" }, 'udp-send', '--no-reply', '--count', '2', @to);
is_deeply arrived(), [qw(a b)], '--count ends stdin early';
run({ stdin => "a\n" }, 'udp-send', '--number', '-w', '0.1', @to);
is_deeply arrived(), ['#0 a'], 'a list of questions: no newlines';
run({ stdin => "w" }, 'udp-send', '--no-reply', '--whole', '--count', '2',
    @to);
is_deeply arrived(), [qw(w w)], '--count repeats the whole';
run('udp-send', '--no-reply', '--number', '--count', '3', @to, 'm');
is_deeply arrived(), ['#0 m', '#1 m', '#2 m'], '--number';

# Pace.
$r = run('udp-send', '--no-reply', '--interval', '0.1', @to, 1 .. 4);
is_deeply arrived(), [1 .. 4], '--interval';
cmp_ok $r->{seconds}, '>=', 0.3, 'leaves time between them';
$r = run('udp-send', '--no-reply', '--rate', '100', '--count', '30', @to, 'x');
is scalar @{ arrived() }, 30, '--rate';
cmp_ok $r->{seconds}, '>=', 0.25, 'is not exceeded';
cmp_ok $r->{seconds}, '<', 2, 'and is reached';
{
    my $p = start({ keep_stdin => 1 }, 'udp-send', '--no-reply', '--rate',
        '100', @to);
    $p->send_line("first\n");
    $s->recv(my $x, 10);
    select undef, undef, undef, 0.5;
    my $start = time;
    $p->send_line("x\n" x 30);
    $s->recv($x, 10) for 1 .. 30;
    cmp_ok time - $start, '>=', 0.2, 'a pause of stdin is not made up for';
    is $p->finish->{status}, 0, 'to the end';
}

# Replies.
answer(sub { map { "$_[0]$_" } 1 .. 3 }, 2);
exits run('udp-send', '--replies', '3', @to, 'a', 'b'), 0,
    '--replies N waits for so many', out => "a1\na2\na3\nb1\nb2\nb3\n";
answer(sub { 'only' }, 1);
exits run('udp-send', '--replies', '2', '-w', '0.2', @to, 'a'), 5,
    'fewer are status 5, printed', out => "only\n";
answer(sub { ('x', 'y') }, 1);
exits run('udp-send', '--replies', '0', '-w', '0.2', @to, 'a'), 0,
    '--replies 0 takes, all that come in time', out => "x\ny\n";
answer(sub { "a\0\e[2J\n" }, 1);
$r = run('udp-send', '--raw', @to, 'a');
is $r->{out}, "a\0\e[2J\n", '--raw: bytes as they are';
answer(sub { ("no newline", '') }, 1);
$r = run('udp-send', '--raw', '--replies', '2', @to, 'a');
is $r->{out}, 'no newline', 'and nothing else';
answer(sub { $_[0] }, 40);
$r = run('udp-send', '--window', '16', @to, 1 .. 40);
is $r->{out}, join('', map { "$_\n" } 1 .. 40), '--window';

# stdin without any of these is nc -u: both directions at any time.
{
    my $p = start({ keep_stdin => 1 }, 'udp-send', @to);
    my $began = time;
    $p->send_line("one\ntwo\nthree\n");
    my $from;
    for my $want ("one\n", "two\n", "three\n") {
        $from = $s->recv(my $x, 100);
        is $x, $want, 'lines are sent at once';
    }
    cmp_ok time - $began, '<', 1, 'and wait for no reply';
    for my $text ('first', "second\n", "\0\e") {
        $s->send($text, 0, $from);
        $p->expect(out => qr/\Q$text\E/);
    }
    $p->send_line("four\n");
    $s->recv(my $x, 100);
    is $x, "four\n", 'after answers, too';
    $p->close_stdin;
    for my $n (1 .. 3) {
        select undef, undef, undef, 0.5;
        $s->send("late $n\n", 0, $from);
    }
    exits $p->finish, 0,
        'what comes is printed as it is, after the end of stdin, too',
        out => "firstsecond\n\0\elate 1\nlate 2\nlate 3\n";
}
$r = run({ stdin => "x\ny\n" }, 'udp-send', @to);
is "$r->{status} $r->{out}$r->{err}", '0 ', 'no answer is no error';
cmp_ok $r->{seconds}, '>=', 1, 'it waits for a second';
cmp_ok $r->{seconds}, '<', 1.8, 'and no longer';
$r = run({ stdin => "x\n" }, 'udp-send', '-w', '0.2', @to);
cmp_ok $r->{seconds}, '<', 0.9, 'or as long as -w says';
is_deeply arrived(), ["x\n", "y\n", "x\n"], 'all were sent';
answer(sub { $_[0] }, 3);
$r = run({ stdin => 'abcdefgh' }, 'udp-send', '--size', '3', '-w', '0.3', @to);
is $r->{out}, 'abcdefgh', '--size: blocks there and back';
$r = run({ stdin => "x\n" }, 'udp-send', '--replies', 1, '-w', '0.2', @to);
is $r->{status}, 5, '--replies asks for answers';
arrived();
{
    my $deaf = udp_socket(peer => ['127.0.0.1', 1]);
    my @refused = ('127.0.0.1', $deaf->sockport);
    is run({ stdin => "x\n" }, 'udp-send', @refused)->{status}, 4,
        'a refusal is status 4';
    my $peer = udp_socket();
    my $p = start({ keep_stdin => 1 }, 'udp-send', '127.0.0.1',
        $peer->sockport);
    $p->send_line("x\n");
    $peer->recv(my $x, 10);
    $peer->close;
    $p->send_line("y\n");
    is $p->finish->{status}, 4, 'at any time';
}

# Strangers.
my $stranger = udp_socket();
Sockt::fork_child(sub {
    my $from = $s->recv(my $x, 100);
    $stranger->send('stranger', 0, $from);
    $s->send('friend', 0, $from);
});
is run('udp-send', @to, 'x')->{out}, "friend\n", 'a stranger is not heard';
Sockt::fork_child(sub {
    my $from = $s->recv(my $x, 100);
    $stranger->send('stranger', 0, $from);
});
$r = run('udp-send', '-v', '--any-source', @to, 'x');
is $r->{out}, "stranger\n", 'but with --any-source';
like $r->{err}, qr/reply from 127\.0\.0\.1 port ${\$stranger->sockport}: /,
    'and told who it was';

# Own end.
Sockt::fork_child(sub {
    my $from = $s->recv(my $x, 100);
    my ($p, $h) = Socket::unpack_sockaddr_in($from);
    $s->send(Socket::inet_ntoa($h) . " $p", 0, $from);
});
my $own = do { my $u = udp_socket(host => '127.0.0.9'); $u->sockport };
$r = run('udp-send', '-s', '127.0.0.9', '-p', $own, @to, 'x');
is $r->{out}, "127.0.0.9 $own\n", 'own address and port';
$r = run('udp-send', '-s', '::1', @to, 'x');
is $r->{status}, 7, 'an own address of the other family is status 7';

# Limits.
exits run('udp-send', '-m', '0.2', '-w', '5', @to, 'x'), 5, '--max-time',
    err => qr/\(--max-time\); sent 1 datagram, received 0/;
{
    my $p = start({ keep_stdin => 1 }, 'udp-send', '-m', '0.2', @to);
    $p->send_line("x\n");
    is $p->finish->{status}, 5, 'of stdin, too';
}
arrived();
$r = run({ stdout => do { open my $f, '>', '/dev/full'; $f } }, 'udp-send',
    '-w', '0.1', '--stats', @to, 'x');
isnt $r->{status}, 0, 'a full disk is noticed';
$r = run({ closed => [0] }, 'udp-send', @to);
is $r->{status}, 11, 'a closed stdin is status 11';

# Misuse.
misused 'udp-send', qr/./ => [map({ "$_ @to x" } '--size 0', '--whole --size 3',
    '--count 0', '--rate 0', '--rate 5 --interval 1', '--window 0', '--window 40000',
    '--no-reply --replies 1', '--no-reply -w 1', '--replies -1', '--multicast-ttl 256',
    '-s localhost', '--keepalive', '--whole', '--no-newline'), map({ "$_ @to" }
    '--hex --escapes', '--hex --size 5', '--escapes --size 5'), '127.0.0.1',
    '127.0.0.1 0 x'];
exits run('udp-send', '--multicast-interface', 'nosuch0', '239.1.2.3', 9, 'x'), 7,
    'an interface that does not exist';

# -w did not hold for the look-up of the name.
my $names = built('sockt-names');
exits run({ command => $names, timeout => 10,
    env => { SOCKT_TEST_NAMES => 'slow.test=hang' } }, 'udp-send', '-w', '0.3',
    'slow.test', '9999', 'x'), 5, '-w ends a look-up without an answer',
    err => qr/slow\.test: no answer from a name server within/, within => 5;

# udp-send --rate waited for more input while lines that it had read were still
# to be sent: they stayed unsent until stdin had something more to say.
$s = udp_socket();
my $ready = IO::Select->new($s);
my $p = start({ keep_stdin => 1 }, 'udp-send', '--no-reply', '--rate', 20000,
    '127.0.0.1', $s->sockport);
my $count = 0;
for my $round (1 .. 20) {
    $p->send_line("line\n" x 50);
    while ($count < 50 * $round && $ready->can_read(5)) {
        $s->recv(my $x, 100);
        $count++;
    }
    last if $count < 50 * $round;
}
is $count, 1000, 'every line is sent while stdin stays open';
is $p->finish->{status}, 0, 'ends';

# A sender that found room for every datagram never waited, and no signal ended
# it.
$s = udp_socket();
my %number = (TERM => 15, INT => 2);
for my $signal (sort keys %number) {
    my $p = start('udp-send', '--no-reply', '--count', 2_000_000_000,
        '127.0.0.1', $s->sockport, $signal);
    # What the one before has sent is here, too.
    my $x = '';
    recv $s, $x, 100, 0 while $x ne $signal;
    my $r = $p->stop($signal);
    is $r->{signal}, $number{$signal}, "$signal ends it";
    is $r->{timed_out}, !!0, 'soon';
}

# udp-send kept its batches on the stack and died where that is small. A
# sanitized build needs more.
my @small = sockt() =~ /sanitize/ ? ('-c', 'exec "$@"', 'sh', sockt())
    : ('-c', 'ulimit -s 64 && exec "$@"', 'sh', sockt());
$p = start({ command => 'sh' }, @small, 'udp-serve', '--echo', '-4', '0');
$port = $p->port;
for my $args (['-4', 'localhost', $port], ['--json', '127.0.0.1', $port],
    ['-vv', '--window', '100', '--number', '--stats', '127.0.0.1', $port]) {
    my $r = run({ command => 'sh', stdin => "a\nb\n" x 50 }, @small,
        'udp-send', @$args);
    is "$r->{status} $r->{signal}", '0 0', "udp-send @$args in 64 KiB of stack"
        or diag $r->{err};
}
is $p->stop->{status}, 0, 'so does udp-serve';

# While a socket pushed back, input was read over datagrams that were still
# unsent; and --no-reply waited for ever once they were sent.
my $dir = scratch();
$ENV{TMPDIR} = $dir;
my $sent = join '', map { "line $_ " . 'x' x ($_ % 90) . "\n" } 1 .. 2000;

# A reader that begins when told, and pauses. What it got, through a file.
sub reader {
    my ($path, $answers) = @_;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($path) or die "bind: $!";
    pipe my $r, my $w or die "pipe: $!";
    my $pid = Sockt::fork_child(sub {
        alarm 20;
        sysread $r, my $go, 1;
        my $got = '';
        for my $n (1 .. 2000) {
            my $from = recv $s, my $x, 1000, 0;
            $got .= "$x\n";
            send $s, $x, 0, $from if $answers;
            select undef, undef, undef, 0.01 if $n % 100 == 0;
        }
        spew("$path.got", $got);
    });
    return ($pid, $w);
}

my $number = 0;
for my $case ([['--no-reply', '--no-newline'], 0],
    [['--no-reply', '--no-newline', '--any-source'], 0],
    [['--no-newline', '-w', '0.3'], 1],
    [['--no-reply', '--size', '97'], 0], [['--window', '30'], 1]) {
    my ($options, $answers) = @$case;
    my $path = "$dir/s" . $number++;
    my $text = "@$options" =~ /size/ ? 'y' x (97 * 2000) : $sent;
    my $want = "@$options" =~ /size/ ? ('y' x 97 . "\n") x 2000 : $sent;
    my ($pid, $go) = reader($path, $answers);
    my $p = start({ keep_stdin => 1 }, 'udp-send', '-q', @$options,
        "unix:$path");
    # More comes after the queue has been full for a while.
    my $half = int(length($text) / 2);
    $p->send_line(substr $text, 0, 100);
    $p->send_line(substr $text, 100, 40_000 - 100);
    select undef, undef, undef, 0.2;
    syswrite $go, 'x';
    $p->{pending} = substr $text, 40_000;
    $p->_nonblock($p->{in});
    exits $p->finish(15), 0, "@$options";
    is reap($pid), 0, 'the reader has all';
    ok slurp("$path.got") eq $want, 'each as it was';
}

# A queue that nobody empties: waited for without spinning, for so long only.
socket my $stuck, AF_UNIX, SOCK_DGRAM, 0;
bind $stuck, pack_sockaddr_un("$dir/stuck");
for my $options ([], ['--any-source']) {
    my @before = times;
    my $r = run({ stdin => "x\n" x 2000 }, 'udp-send', '-q', '-w', '0.6',
        '--window', '2000', @$options, "unix:$dir/stuck");
    my @after = times;
    exits $r, 5, "@$options nobody reads",
        err => qr/unix:\S+: the receiver took no datagram within \S+ s \(--timeout\)/;
    cmp_ok $after[2] + $after[3] - $before[2] - $before[3], '<', 0.3,
        'without spinning';
}

# Messages with escapes and in hexadecimal: bytes that cannot be typed.
$s = udp_socket();
$port = $s->sockport;
@to = ('127.0.0.1', $port);

sub sends {
    my ($name, $want, $o, @args) = @_;
    exits run($o, 'udp-send', '--no-reply', @args), 0, $name;
    is_deeply arrived(), $want, '  its bytes';
}

# Answers count datagrams with themselves.
sub echo {
    my ($count) = @_;
    return Sockt::fork_child(sub {
        for (1 .. $count) {
            my $from = $s->recv(my $bytes, 70_000);
            $s->send($bytes, 0, $from);
        }
    });
}

# Operands.
sends('--escapes', ["a\r\n\t\0\e\\\xff", ''], {}, '--escapes', @to,
    'a\r\n\t\0\e\\\\\xFF', '');
sends('--hex', ["\0\xfe Az", "\x02\0\x5e", ''], {}, '--hex', @to,
    '00fe 20 417A', '02:00:5e', '');
sends('repeated by --count', ["\1", "\2", "\1"], {}, '--hex', '--count', 3,
    @to, '01', '02');
sends('numbered', ["#0 \1", "#1 \1"], {}, '--hex', '--number', '--count', 2,
    @to, '01');

# Lines of stdin, and all of it.
sends('lines with escapes', ["a\0\n", "\n", 'b'], { stdin => "a\\0\n\nb" },
    '--escapes', @to);
sends('lines in hexadecimal, also with CRLF', ["\xab\xcd", '', "\1"],
    { stdin => "ab cd\r\n\n01" }, '--hex', @to);
sends('--whole --hex', ["\1\2\3"], { stdin => "01 02\n03\n" }, '--hex',
    '--whole', @to);
sends('--whole --hex, repeated', [("\1\2") x 2], { stdin => "0102\n" }, '--hex',
    '--whole', '--count', 2, @to);
sends('--whole --escapes', ["a\0\nb\n"], { stdin => "a\\0\nb\n" }, '--escapes',
    '--whole', @to);
my @long = map { chr($_) x 60_000 } 1 .. 3;
sends('long lines', \@long,
    { stdin => join '', map { unpack('H*', $_) =~ s/../$& /gr . "\n" } @long },
    '--hex', @to);
sends('a long whole', [$long[0]],
    { stdin => unpack('H*', $long[0]) =~ s/.{32}/$&\n/gr }, '--hex', '--whole',
    @to);

# Replies in the form that --hex reads.
my $bytes = pack 'C*', map { $_ & 255 } 0 .. 5000;
echo(3);
$r = run('udp-send', '--hex', @to, 'ff', unpack('H*', $bytes), '');
is $r->{out},
    "ff\n" . join(' ', map { unpack 'H*', $_ } split //, $bytes) . "\n\n",
    'replies are printed in hexadecimal, one line each';
echo(3);
is run({ stdin => $r->{out} }, 'udp-send', '--hex', @to)->{out}, $r->{out},
    'which can be sent again';
echo(1);
is run({ stdin => "00 ff\n" }, 'udp-send', '--hex', '--whole', @to)->{out},
    "00 ff\n", 'the reply to all of stdin, too';
echo(1);
is run('udp-send', '--hex', '--raw', @to, '00ff0a')->{out}, "\0\xff\n",
    'with --raw they are bytes';
echo(1);
like run('udp-send', '--hex', '--json', @to, '41ff')->{out},
    qr/"event":"reply".*"bytes":2\b/, 'with --json they are events';

# What is malformed is located, and sends nothing, or what was before it.
for my $case (
    ['--hex', '0', 'message 1: character 1: a byte has two hexadecimal digits'],
    ['--hex', '48 6g', "message 1: character 5: 'g' is not a hexadecimal digit"],
    ['--hex', '48::65', 'message 1: character 3: a colon stands between'],
    ['--escapes', 'ab\q', 'message 1: character 3: an unknown escape'],
    ['--escapes', '\x4', 'message 1: character 1: an unknown escape']) {
    my ($option, $text, $why) = @$case;
    exits run('udp-send', $option, @to, $text), 2, "$option $text is refused",
        err => qr/\Q$why\E/;
}
$r = run('udp-send', '--hex', @to, '00', 'zz');
like $r->{err}, qr/message 2: character 1: 'z'/, 'the second message';
is_deeply arrived(), [], 'nothing was sent';
$r = run({ stdin => "00\n01\n0\n" }, 'udp-send', '--no-reply', '--hex', @to);
is $r->{status}, 1, 'a malformed line is status 1';
like $r->{err}, qr/line 3 of stdin: character 1: /, 'it is named';
is_deeply arrived(), ["\0", "\1"], 'those before it are sent';
like run({ stdin => "00 x0" }, 'udp-send', '--no-reply', '--hex', '--whole',
    @to)->{err}, qr/stdin: character 4: 'x' is not/, 'so is malformed stdin';
$r = run({ stdin => '00' x 65_528 }, 'udp-send', '--no-reply', '--hex', @to);
is $r->{status}, 1, 'a line that is too long as bytes is status 1';
$r = run({ stdin => ' ' x 300_000 }, 'udp-send', '--no-reply', '--hex', @to);
is $r->{status}, 1, 'and a line that could not be one';
done_testing;
