# Where udp-send's datagrams come from, how many, how fast, and what is
# awaited: every option against a Perl socket that notes what arrives.
use Sockt;
use Time::HiRes qw(time);
use Socket;
use SocktUdp;

my $s = udp_socket();
my $port = $s->sockport;
my @to = ('127.0.0.1', $port);

# What a run with these options, messages, or stdin sends.
sub sends {
    my ($name, $want, $stdin, $options, @messages) = @_;
    exits run({ stdin => $stdin }, 'udp-send', '--no-reply', @$options, @to,
        @messages), 0, $name;
    is_deeply arrived($s), $want, '  its bytes';
}

my $lines = "one\n\ntwo\r\nlast";
my @long = map { chr($_) x 60_000 } 1 .. 3;
sends(@$_) for
    ['a line is a datagram, its newline as it is', ["one\n", "\n", "two\r\n", 'last'],
        $lines, []],
    ['--no-newline: an empty datagram, too', ['one', '', "two\r", 'last'],
        $lines, ['--no-newline']],
    ['--whole', ["a\nb\0c\n"], "a\nb\0c\n", ['--whole']],
    ['--whole of nothing is an empty datagram', [''], '', ['--whole']],
    ['--size', ['abc', 'def', 'gh'], 'abcdefgh', ['--size', 3]],
    ['arguments, an empty one too', ['x', '', 'y z'], '', [], 'x', '', 'y z'],
    ['--count takes the messages in turn', [qw(a b a b a)], '', ['--count', 5],
        'a', 'b'],
    ['--count ends stdin early', [qw(a b)], "a\nb\nc\n", ['--count', 2]],
    ['--count repeats the whole', [qw(w w)], 'w', ['--whole', '--count', 2]],
    ['--number', ['#0 m', '#1 m', '#2 m'], '', ['--number', '--count', 3], 'm'],

    # Bytes that cannot be typed.
    ['--escapes', ["a\r\n\t\0\e\\\xff", ''], '', ['--escapes'],
        'a\r\n\t\0\e\\\\\xFF', ''],
    ['--hex', ["\0\xfe Az", "\x02\0\x5e", ''], '', ['--hex'], '00fe 20 417A',
        '02:00:5e', ''],
    ['--hex, repeated by --count', ["\1", "\2", "\1"], '',
        ['--hex', '--count', 3], '01', '02'],
    ['--hex, numbered', ["#0 \1", "#1 \1"], '',
        ['--hex', '--number', '--count', 2], '01'],
    ['lines with escapes', ["a\0\n", "\n", 'b'], "a\\0\n\nb", ['--escapes']],
    ['lines in hexadecimal, also with CRLF', ["\xab\xcd", '', "\1"],
        "ab cd\r\n\n01", ['--hex']],
    ['--whole --hex', ["\1\2\3"], "01 02\n03\n", ['--hex', '--whole']],
    ['--whole --hex, repeated', [("\1\2") x 2], "0102\n",
        ['--hex', '--whole', '--count', 2]],
    ['--whole --escapes', ["a\0\nb\n"], "a\\0\nb\n", ['--escapes', '--whole']],
    ['long lines', \@long, join('', map { unpack('H*', $_) =~ s/../$& /gr . "\n" }
        @long), ['--hex']],
    ['a long whole', [$long[0]], unpack('H*', $long[0]) =~ s/.{32}/$&\n/gr,
        ['--hex', '--whole']];
run('udp-send', '--no-reply', "127.0.0.1:$port", 'short');
is_deeply arrived($s), ['short'], 'HOST:PORT';
run({ stdin => "a\n" }, 'udp-send', '--number', '-w', '0.1', @to);
is_deeply arrived($s), ['#0 a'], 'a list of questions: no newlines';

# Pace.
my $r = run('udp-send', '--no-reply', '--interval', '0.1', @to, 1 .. 4);
is_deeply arrived($s), [1 .. 4], '--interval';
cmp_ok $r->{seconds}, '>=', 0.3, 'leaves time between them';
$r = run('udp-send', '--no-reply', '--rate', '100', '--count', '30', @to, 'x');
is scalar @{ arrived($s) }, 30, '--rate';
cmp_ok $r->{seconds}, '>=', 0.25, 'is not exceeded';
cmp_ok $r->{seconds}, '<', 2, 'and is reached';
my $p = start({ keep_stdin => 1 }, 'udp-send', '--no-reply', '--rate', '100', @to);
$p->send_line("first\n");
hear($s);
select undef, undef, undef, 0.5;
my $began = time;
$p->send_line("x\n" x 30);
hear($s) for 1 .. 30;
cmp_ok time - $began, '>=', 0.2, 'a pause of stdin is not made up for';
is $p->finish->{status}, 0, 'to the end';

# Lines that were read waited for more input while they were still to be sent.
$p = start({ keep_stdin => 1 }, 'udp-send', '--no-reply', '--rate', 20000, @to);
my $count = 0;
for my $round (1 .. 20) {
    $p->send_line("line\n" x 50);
    $count++ while $count < 50 * $round && defined hear($s, 5);
    last if $count < 50 * $round;
}
is $count, 1000, 'every line is sent while stdin stays open';
is $p->finish->{status}, 0, 'ends';

# Replies: status and output of a run whose datagrams code answers.
sub replies {
    my ($name, $want, $count, $code, $stdin, $options, @messages) = @_;
    my $pid = answers($s, $count, $code);
    my $r = run({ stdin => $stdin }, 'udp-send', @$options, @to, @messages);
    my ($status, $out) = split / /, $want, 2;
    exits $r, $status, $name, out => $out;
    is reap($pid), 0, '  all of it was asked';
    return $r;
}
my $echo = sub { $_[0] };
my $bytes = pack 'C*', map { $_ & 255 } 0 .. 5000;
my $hex = "ff\n" . join(' ', map { unpack 'H*', $_ } split //, $bytes) . "\n\n";
replies(@$_) for
    ['--replies N waits for so many', "0 a1\na2\na3\nb1\nb2\nb3\n", 2,
        sub { my ($x) = @_; map { "$x$_" } 1 .. 3 }, '', ['--replies', 3], 'a', 'b'],
    ['fewer are status 5, printed', "5 only\n", 1, sub { 'only' }, '',
        ['--replies', 2, '-w', '0.2'], 'a'],
    ['--replies 0 takes, all that come in time', "0 x\ny\n", 1,
        sub { ('x', 'y') }, '', ['--replies', 0, '-w', '0.2'], 'a'],
    ['--replies asks for answers, of stdin too', '5 ', 1, sub { }, "x\n",
        ['--replies', 1, '-w', '0.2']],
    ['--raw: bytes as they are', "0 a\0\e[2J\n", 1, sub { "a\0\e[2J\n" }, '',
        ['--raw'], 'a'],
    ['and nothing else', '0 no newline', 1, sub { ('no newline', '') }, '',
        ['--raw', '--replies', 2], 'a'],
    ['--window', '0 ' . join('', map { "$_\n" } 1 .. 40), 40, $echo, '',
        ['--window', 16], 1 .. 40],
    ['--size: blocks there and back', '0 abcdefgh', 3, $echo, 'abcdefgh',
        ['--size', 3, '-w', '0.3']],
    ['replies are printed in hexadecimal, one line each', "0 $hex", 3, $echo, '',
        ['--hex'], 'ff', unpack('H*', $bytes), ''],
    ['which can be sent again', "0 $hex", 3, $echo, $hex, ['--hex']],
    ['the reply to all of stdin, too', "0 00 ff\n", 1, $echo, "00 ff\n",
        ['--hex', '--whole']],
    ['with --raw they are bytes', "0 \0\xff\n", 1, $echo, '', ['--hex', '--raw'],
        '00ff0a'];
answers($s, 1, $echo);
like run('udp-send', '--hex', '--json', @to, '41ff')->{out},
    qr/"event":"reply".*"bytes":2\b/, 'with --json they are events';

# stdin without any of these is nc -u: both directions at any time.
$p = start({ keep_stdin => 1 }, 'udp-send', @to);
$began = time;
$p->send_line("one\ntwo\nthree\n");
is hear($s), $_, 'lines are sent at once' for "one\n", "two\n";
my ($third, $from) = hear($s);
is $third, "three\n", 'lines are sent at once';
cmp_ok time - $began, '<', 1, 'and wait for no reply';
for my $text ('first', "second\n", "\0\e") {
    $s->send($text, 0, $from);
    $p->expect(out => qr/\Q$text\E/);
}
$p->send_line("four\n");
is hear($s), "four\n", 'after answers, too';
$p->close_stdin;
for my $n (1 .. 3) {
    select undef, undef, undef, 0.5;
    $s->send("late $n\n", 0, $from);
}
exits $p->finish, 0, 'what comes is printed as it is, after the end of stdin, too',
    out => "firstsecond\n\0\elate 1\nlate 2\nlate 3\n";
$r = run({ stdin => "x\ny\n" }, 'udp-send', @to);
exits $r, '0 ', 'no answer is no error', err => '', within => 1.8;
cmp_ok $r->{seconds}, '>=', 1, 'it waits for a second';
exits run({ stdin => "x\n" }, 'udp-send', '-w', '0.2', @to), 0,
    'or as long as -w says', within => 0.9;
is_deeply arrived($s), ["x\n", "y\n", "x\n"], 'all were sent';
my $deaf = udp_socket(peer => ['127.0.0.1', 1]);
exits run({ stdin => "x\n" }, 'udp-send', '127.0.0.1', $deaf->sockport), 4,
    'a refusal is status 4';
my $peer = udp_socket();
$p = start({ keep_stdin => 1 }, 'udp-send', '127.0.0.1', $peer->sockport);
$p->send_line("x\n");
hear($peer);
$peer->close;
$p->send_line("y\n");
is $p->finish->{status}, 4, 'at any time';

# Strangers.
my $stranger = udp_socket();
Sockt::fork_child(sub {
    for my $answer ('friend', '') {
        my $from = $s->recv(my $x, 100);
        $stranger->send('stranger', 0, $from);
        $s->send($answer, 0, $from) if $answer;
    }
});
is run('udp-send', @to, 'x')->{out}, "friend\n", 'a stranger is not heard';
exits run('udp-send', '-v', '--any-source', @to, 'x'), "0 stranger\n",
    'but with --any-source, and told who it was',
    err => qr/reply from 127\.0\.0\.1 port ${\$stranger->sockport}: /;

# Own end.
my $own = do { my $u = udp_socket(host => '127.0.0.9'); $u->sockport };
$p = start('udp-send', '-s', '127.0.0.9', '-p', $own, @to, 'x');
(undef, $from) = hear($s);
is $from, pack_sockaddr_in($own, inet_aton('127.0.0.9')), 'own address and port';
$p->stop;
exits run('udp-send', '-s', '::1', @to, 'x'), 7,
    'an own address of the other family is status 7';

# Limits.
exits run('udp-send', '-m', '0.2', '-w', '5', @to, 'x'), 5, '--max-time',
    err => qr/\(--max-time\); sent 1 datagram, received 0/;
$p = start({ keep_stdin => 1 }, 'udp-send', '-m', '0.2', @to);
$p->send_line("x\n");
is $p->finish->{status}, 5, 'of stdin, too';
arrived($s);
open my $full, '>', '/dev/full';
isnt run({ stdout => $full }, 'udp-send', '-w', '0.1', '--stats', @to,
    'x')->{status}, 0, 'a full disk is noticed';
exits run({ closed => [0] }, 'udp-send', @to), 11, 'a closed stdin is status 11';
arrived($s);

# Misuse.
misused 'udp-send', qr/./ => [map({ "$_ @to x" } '--size 0', '--whole --size 3',
    '--count 0', '--rate 0', '--rate 5 --interval 1', '--window 0', '--window 40000',
    '--no-reply --replies 1', '--no-reply -w 1', '--replies -1', '--multicast-ttl 256',
    '-s localhost', '--keepalive', '--whole', '--no-newline'), map({ "$_ @to" }
    '--hex --escapes', '--hex --size 5', '--escapes --size 5'), '127.0.0.1',
    '127.0.0.1 0 x'],
    # What is malformed is located, and sends nothing.
    map({ my ($why, $option, @args) = @$_; qr/message $why/ => [[$option, @to, @args]] }
    ['1: character 1: a byte has two hexadecimal digits', '--hex', '0'],
    [q(1: character 5: 'g' is not a hexadecimal digit), '--hex', '48 6g'],
    ['1: character 3: a colon stands between', '--hex', '48::65'],
    [q(2: character 1: 'z'), '--hex', '00', 'zz'],
    ['1: character 3: an unknown escape', '--escapes', 'ab\q'],
    ['1: character 1: an unknown escape', '--escapes', '\x4']);
exits run('udp-send', '--multicast-interface', 'nosuch0', '239.1.2.3', 9, 'x'), 7,
    'an interface that does not exist';
is_deeply arrived($s), [], 'nothing was sent';
for my $case (
    ['a malformed line is status 1, it is named', qr/line 3 of stdin: character 1: /,
        "00\n01\n0\n"],
    ['so is malformed stdin', qr/stdin: character 4: 'x' is not/, '00 x0', '--whole'],
    ['a line that is too long as bytes is status 1', qr/./, '00' x 65_528],
    ['and a line that could not be one', qr/./, ' ' x 300_000]) {
    my ($name, $why, $stdin, @args) = @$case;
    exits run({ stdin => $stdin }, 'udp-send', '--no-reply', '--hex', @args, @to), 1,
        $name, err => $why;
}
is_deeply arrived($s), ["\0", "\1"], 'those before it are sent';

# What no packet of the path carries was said to be longer than the send buffer
# where the system does not tell the limit.
SKIP: {
    skip 'no IPv6', 2 unless has_ipv6();
    exits run({ stdin => 'x' x 65_500 }, 'udp-send', '--whole', '--no-fragment', @$_,
        '::1', 9), 7, "--no-fragment @$_: what cannot go whole is an error",
        err => qr/of 65500 bytes is (?:longer than|too long for) the path/
        for [], ['--any-source'];
}

# -w did not hold for the look-up of the name.
exits run({ command => built('sockt-names'), timeout => 10,
    env => { SOCKT_TEST_NAMES => 'slow.test=hang' } }, 'udp-send', '-w', '0.3',
    'slow.test', '9999', 'x'), 5, '-w ends a look-up without an answer',
    err => qr/slow\.test: no answer from a name server within/, within => 5;

# The error of an address that had replied began with the refusal of the one
# before.
$s = udp_socket(host => '127.77.0.2');
$p = start({ command => built('sockt-names'), keep_stdin => 1,
    env => { SOCKT_TEST_NAMES => 'n=127.77.0.1,127.77.0.2' } }, 'udp-send', 'n',
    $s->sockport);
$p->send_line("ask\n");
(my $got, $from) = hear($s);
$s->send("reply\n", 0, $from);
$p->expect(out => qr/reply/);
close $s;
$p->send_line("ask again\n");
exits $p->finish, 4, 'the error of an address that has replied',
    err => qr/^sockt udp-send: 127\.77\.0\.2 port \d+: refused/;

# A sender that found room for every datagram never waited, and no signal ended
# it.
$s = udp_socket();
my %number = (TERM => 15, INT => 2);
for my $signal (sort keys %number) {
    my $p = start('udp-send', '--no-reply', '--count', 2_000_000_000,
        '127.0.0.1', $s->sockport, $signal);
    # What the one before has sent is here, too.
    1 while hear($s) ne $signal;
    my $r = $p->stop($signal);
    exits $r, -$number{$signal}, "$signal ends it";
    is $r->{timed_out}, !!0, 'soon';
}

# udp-send kept its batches on the stack and died where that is small. A
# sanitized build needs more.
my @small = ('-c', sockt() =~ /sanitize/ ? 'exec "$@"' : 'ulimit -s 64 && exec "$@"',
    'sh', sockt());
$p = start({ command => 'sh' }, @small, 'udp-serve', '--echo', '-4', '0');
$port = $p->port;
exits run({ command => 'sh', stdin => "a\nb\n" x 50 }, @small, 'udp-send', @$_,
    $port), 0, "udp-send @$_ in 64 KiB of stack" for ['-4', 'localhost'],
    ['--json', '127.0.0.1'], ['-vv', '--window', '100', '--number', '--stats', '127.0.0.1'];
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
for my $case (['--no-reply --no-newline', 0], ['--no-reply --no-newline --any-source', 0],
    ['--no-newline -w 0.3', 1], ['--no-reply --size 97', 0], ['--window 30', 1]) {
    my ($options, $answers) = @$case;
    my $path = "$dir/s" . $number++;
    my $text = $options =~ /size/ ? 'y' x (97 * 2000) : $sent;
    my $want = $options =~ /size/ ? $text =~ s/.{97}/$&\n/gr : $sent;
    my ($pid, $go) = reader($path, $answers);
    my $p = start({ keep_stdin => 1 }, 'udp-send', '-q', split(/ /, $options),
        "unix:$path");
    # More comes after the queue has been full for a while.
    $p->send_line(substr $text, 0, 100);
    $p->send_line(substr $text, 100, 40_000 - 100);
    select undef, undef, undef, 0.2;
    syswrite $go, 'x';
    $p->{pending} = substr $text, 40_000;
    $p->_nonblock($p->{in});
    exits $p->finish(15), 0, $options;
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
done_testing;
