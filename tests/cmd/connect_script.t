# --send and --expect: a conversation from the command line.
use Sockt;
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(sleep);

# The tutorials' hello server, and one that says back every byte in hex.
my $hello = sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c "Welcome!\n";
    while (my $line = <$c>) {
        $line =~ s/\r?\n\z//;
        last if $line eq 'exit';
        print $c "Hello, $line!\n";
    }
};

sub against {
    my ($code, $o, @options) = @_;
    my $l = tcp_listener();
    peer($l, $code);
    return run($o, 'connect', '127.0.0.1', $l->sockport, @options);
}

# A peer that says these, one after another, and waits for an answer.
sub saying {
    my (@texts) = @_;
    return sub {
        my ($c) = @_;
        $c->autoflush(1);
        for my $text (@texts) {
            select undef, undef, undef, 0.05 if $text ne $texts[0];
            print $c $text;
        }
        sysread $c, my $got, 99;
    };
}
my $finishes = sub { my ($text) = @_; sub { my ($c) = @_; print $c $text } };
my $hexes = sub { my ($c) = @_; sysread $c, my $got, 100; print $c unpack 'H*', $got };
my $prompts = sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c 'name: ';
    sysread $c, my $got, 99;
    print $c "250 ok\n";
};

for my $row (
    ['the client of the tutorials in one line, prints each answer', 0, $hello,
        ['--expect', 'Welcome', map({ ('--send', "$_\\n", '--expect',
            "Hello, $_!") } qw(Michael Tracy Sarah)), '--send', 'exit\n', '--done'],
        out => "Welcome!\nHello, Michael!\nHello, Tracy!\nHello, Sarah!\n"],
    ['after the last step the relay goes on', 0, $hello,
        ['--send', 'Al\n', '--expect', 'Hello, Al'],
        stdin => "Bob\nexit\n", out => "Welcome!\nHello, Al!\nHello, Bob!\n"],
    ['escapes of --send', 0, $hexes, ['--send', 'a\r\n\t\\\\\0\x7f\xFF', '--expect',
        '7fff', '--done'], out => '610d0a095c007fff'],
    ['a pattern matches over pieces, and over a NUL', 0, saying('Hel', "lo\0World"),
        ['--expect', 'Hello.Wor+ld', '--done']],
    ['each pattern matches behind the one before', 5, saying('one two'),
        ['--expect', 'one', '--expect', 'one', '--expect-timeout', '1'],
        err => qr/: --expect 2 of 2 \('one'\): it was not received within 1 s \(--expect-timeout\); received instead: ' two'/],
    ['the peer finishes first, what came is escaped', 9, $finishes->("\e[31m\a\x9bnope\n"),
        ['--expect', 'yes', '--done'], no_err => qr/[\x00-\x09\x0b-\x1f\x7f-\x9f]/,
        err => qr/the peer finished; received instead: '\\x1b\[31m\\\w+\\x9bnope\\n'/],
    ['--done alone: sends and leaves', 0, sub { readline $_[0] }, ['--send', "x\\n", '--done']],
    ['a match behind more than a window of other bytes, which are all written', 0,
        saying('w' x 70_000 . ' end'), ['--expect', 'w end', '--done'],
        out => 'w' x 70_000 . ' end'],
    ['$ is the end of the stream too, which is noticed', 0, $finishes->("a\nthe end"),
        ['--expect', '^the end$', '--done']],
    ['  without --done', 0, $finishes->('the end'), ['--expect', '^the end$']],
    ['^ is the place behind a text that was sent', 0, $prompts,
        ['--expect', 'name: ', '--send', 'me', '--expect', '^250', '--done']],
    ['but not at the end of the line of the prompt', 9, saying("name:\r\n\r\n."),
        ['--expect', 'name:', '--send', 'me', '--expect', '^$', '--expect', 'x', '--done'],
        err => qr/instead: '\\r\\n\.'$/m],
    # However much is received at once, and by whatever kind of line: a match of
    # at most 2 KiB is found.
    map {
        my $much = $_;
        ['a match in the middle of much', 0, saying("$much<" . '-' x 200 . ">\r\n$much"),
            ['--expect', '<-{200}>$', '--expect', '^', '--done']];
    } "x" x 300_000, "x\n" x 150_000, "\r" x 300_000, "\0" x 300_000
) {
    my ($name, $status, $peer, $options, %want) = @$row;
    my $o = { stdin => delete $want{stdin} // '' };
    exits against($peer, $o, '--expect-timeout', 5, @$options), $status, $name, %want;
}

# What a pattern matches, by what is left behind the match for the next one; no
# third column: it does not match. However the text arrives.
my @patterns = (
    # Lines: "." and [^x] end where they end, and CRLF is an end.
    ['^250 ', "250-a\r\n250-b\r\n250 done\r\n", 'done\r\n'],
    ['^220.*hi$', "220 hi\r\n", '\r\n'], ['^220.*hi$', "220 hi\n", '\n'],
    ['^220.*hi$', '220 hi', ''], ['^220.*hi$', "220 hi\rx\r\n"],
    ['^220.*x$', "220 hi\n250 x\n"], ['hi$', "hi there\r\nhi\r\n", '\r\n'],
    ['^b', "ab\nb", ''], ['^$', "a\r\n\r\nb", '\r\nb'],
    ['^$', "a\n\nb", '\nb'], ['^$', "a\n"], ['^..$', "a\r\nab\r\n", '\r\n'],
    ['^[^x]$', "\r\nab\r\ny\r\n", '\r\n'], ['a.b', "a\nb"], ['a[^x]b', "a\nb"],
    ['a\Wb', "a\nb"], ['^a.', "a\rb", 'b'], ['a$\n^b', "a\r\nb", ''],
    ['^ok\r$', "ok\r\n", '\n'], ['^ok\r\n', "ok\r\nx", 'x'],
    ['^(a|b$)', "b\r\n", '\r\n'], ['x|$', "ab\n", '\n'],
    # Bounds, and a brace that begins none: regex(7).
    ['"result":{}', '"result":1'], ['"result":{}', '"result":{};', ';'],
    ['(nothere){}', 'not here'], ['(x){}', 'x{}.', '.'], ['a{', 'a{b', 'b'],
    ['{"ok":true}', '{"ok":true}', ''], ['a{,2}b', 'aa{,2}b.', '.'],
    ['x{2}y{1,}', 'xyxxyz', 'z'],
    # Escapes and sets, for regcomp(3) in any order.
    ['a\0b', "a\0b.", '.'], ['[\x5d]\^', 'x]^.', '.'], ['[\r]', "a\rb", 'b'],
    ['[\x80-\xff]\e', "\xc3\e.", '.'], ['\x2e\x24', '.$;', ';'],
    ['[^a\]b', 'x]b', ''], ['[]^-]b', '-b.', '.'], ['[^-]b', '^b.', '.'],
    ['[-^]b', '^b.', '.'], ['[[-]b', '[b.', '.'], ['[a-c[:digit:]]x', '5x.', '.'],
    ['a\0\e\.\r\n', "a\0\e.\r\nx", 'x'], ['^[a\x5d]+$', "a]\r\n", '\r\n'],
    ['^\[a-z\]', '[a-z].', '.'], ['\S\s', 'ab c', 'c'], ['\w\W', 'a_-b', 'b'], ['\<a\>', '<a>.', '.'],
);
my @running;
for my $row (@patterns) {
    my ($pattern, $text, $rest) = @$row;
    my @expect = ('--expect', $pattern);
    push @expect, '--expect', 'XX' if defined $rest;
    for my $cut (0, length($text) / 2) {
        my $l = tcp_listener();
        peer($l, sub {
            my ($c) = @_;
            $c->autoflush(1);
            print $c substr $text, 0, $cut;
            select undef, undef, undef, 0.02 if $cut;
            print $c substr $text, $cut;
        });
        push @running, [$row, start('connect', '127.0.0.1', $l->sockport,
            @expect, '--done')];
    }
    finish_rows() if @running >= 24;
}
finish_rows();

# Side by side: where the system does not report acknowledgements, the end of
# each waits for them.
sub finish_rows {
    for (splice @running) {
        my ($pattern, $text, $rest) = @{ $_->[0] };
        my $number = 1 + defined $rest;
        my ($left) = $_->[1]->finish->{err} =~
            /--expect $number of $number .*; received instead: (.*)$/;
        if (!defined $rest) {
            ok defined $left, "$pattern does not match";
            next;
        }
        is $left && $left =~ s/^'(.*)'$/$1/r, $rest || 'nothing',
            "$pattern, and what is left";
    }
}

# --done reads no stdin: what can be read from it was meant to be sent.
for my $in ("PING\n", do {
    open my $f, '<', spew(scratch() . '/ping', "PING\n") or die; $f })
{
    for my $then ([], ['--send', 'QUIT']) {
        exits against(saying(''), { stdin => $in, timeout => 10 }, '--expect',
            'PONG', @$then, '--done'), 2,
            "stdin with --expect @$then --done is refused, what to do instead",
            err => qr{--done does not read stdin.*--send.*</dev/null};
    }
}
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $p = start({ keep_stdin => 1 }, 'connect', @to, '--expect', 'PONG', '--done');
my $c = $l->accept;
$p->send_line("PING\n");
is $p->finish(10)->{status}, 2, 'also when it comes while PONG is awaited';
pipe my $idle, my $idle_writer or die;
open my $empty, '<', '/dev/null' or die;
open my $no_bytes, '<', spew(scratch() . '/empty', '') or die;
for my $row (['an idle pipe', $idle], ['/dev/null', $empty], ['an empty file', $no_bytes],
    ['stdin where --send comes first', "the next line of a loop\n", '--send', 'PING']) {
    my ($name, $in, @first) = @$row;
    exits against(saying('PONG'), { stdin => $in }, @first, '--expect', 'PONG',
        '--done'), 0, "$name is not read";
}

misused 'connect', qr/./ => [map { "127.0.0.1 1 $_" } '--send \q', '--send \x1',
    map({ "--expect $_" } 'a\q', '\x1', '(a)\1', '(', '(a', '[', '[a', '[]', 'a\\',
        '*a', '+', 'a|*b', '[z-a]', '[[:nosuch:]]', '[[.a.]]', '[^\x00-\xff]',
        'a{3,2}', 'a{1', 'a{1,x}', '((a{255}){255}){255}', '{1}'),
    '--done', '--expect-timeout 1', '-z --send x'];
# -C holds for --send, across texts and with stdin after them; and what a person
# waits for names the option that limits it.
{
    my $l = tcp_listener();
    my $p = start({ stdin => "\nb\n" }, 'connect', '-C', '--send', 'a\n\r\n', '--send', 'x\r',
        '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    local $/;
    is scalar(<$c>), "a\r\n\r\nx\r\nb\r\n", '-C: LF of --send is sent as CRLF';
    close $c;
    exits $p->finish, 0, '  with status 0';

    $p = start('connect', '-C', '--send', '\n' x 60_000, '--send', 'end', '--done',
        '127.0.0.1', $l->sockport);
    $c = $l->accept;
    is scalar(<$c>), "\r\n" x 60_000 . 'end', '-C: a long text, whole';
    close $c;
    $p->finish;

    $p = start('connect', '--expect', 'x', '127.0.0.1', $l->sockport);
    $c = $l->accept;
    ok $p->expect(err => qr/waiting for --expect 1 of 1 .*\(--expect-timeout limits this\)/),
        'the notice of a pattern names --expect-timeout';
    close $c;
    $p->finish;
}

# What is wrong in brackets.
misused 'connect', qr/: an unknown class in brackets$/m =>
    [map { "127.0.0.1 1 --expect [[:$_" } 'letter:]]', 'alpha]', 'al:pha:]]'],
    qr/--expect: '[^']*': \[\. and \[= in brackets are not supported$/m =>
    [map { "127.0.0.1 1 --expect $_" } '[[.a.]]', '[[=a=]]'];

# Neither a limit nor a signal ended the search for these.
misused 'connect', qr/--expect: '[^']*': it has more than 1000 repetitions$/m => [map {
    ['127.0.0.1', 1, '--expect', $_]
} '((.{0,100}){50})z', '(.{0,100}){20}z', '((a{10}){10}){11}', 'a{255}{4}',
    '.{0,255}' x 8, '((.?.?){100}){10}'];

# A count of repetitions of four digits was not refused as one of three is: it
# was text, which hardly any peer sends.
misused 'connect', qr/: a bound of more than 255 repetitions$/m => [map {
    "127.0.0.1 1 --done --expect a{$_}" } '256', '9999', '99999999999', '1,256',
    '1,9999', '9999,'];

# When a pattern of --expect fails because the peer has finished, everything
# received is written first, also to a slow stdout.
pipe my $read, my $write or die;
$p = start({ stdout => $write }, 'connect', '--expect', 'never', '--done', @to);
close $write;
$c = $l->accept;
syswrite $c, 'x' x 100_000;
close $c;
# Its stdout is full and it waits; or it has ended.
my $asleep = 0;
while ($asleep < 20 && is_running($p->{pid})) {
    $asleep = is_asleep($p->{pid}) ? $asleep + 1 : 0;
    sleep 0.01;
}
my $n = 0;
while (sysread $read, my $got, 65536) { $n += length $got }
is $n, 100_000, 'everything received is written';
exits $p->finish, 9, 'then the pattern is the error',
    err => qr/'never'\): the peer finished/;

# A --send whose text was not sent is neither status 0 nor ended with a FIN,
# although the peer has finished: it reads nothing. How the connection ends.
sub unread {
    my (@options) = @_;
    my $l = tcp_listener();
    setsockopt $l, SOL_SOCKET, SO_RCVBUF, 2048;
    my $p = start({}, 'connect', '--sndbuf', '4k', '--send', 'B' x 100_000,
        '--done', @options, '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    shutdown $c, 1;
    my $r = $p->finish;
    my $n;
    do { $n = sysread $c, my $got, 65536 } while $n;
    return ($r, defined $n ? 'fin' : $!{ECONNRESET} ? 'reset' : "$!");
}

for my $row (
    [10, qr/finished first; \d+ bytes of --send not delivered \(--on-peer-eof quit\)$/m,
        '--on-peer-eof', 'quit'],
    [5, qr/--max-time/, '-m', '500ms'],
) {
    my ($status, $says, @options) = @$row;
    my ($r, $end) = unread(@options);
    exits $r, $status, "@options: what was left is a loss", err => $says;
    is $end, 'reset', 'and resets';
}

# No data of the peer makes an --expect take long: neither a limit nor a signal
# is held up, and what matches at last is found at once.
# A long line for each of these patterns, in pieces: regexec(3) takes seconds
# for each piece.
my @slow = ('[a-z]+ OK', 'a.*b', '^(a|aa)*b$', 'a{1,50}c');

sub expecting {
    my ($pattern, @options) = @_;
    open my $null, '>', '/dev/null' or die;
    my $p = start({ stdout => $null }, 'connect', '--done', @options, '--expect',
        $pattern, @to);
    my $c = $l->accept;
    $c->autoflush(1);
    return ($p, $c);
}

sub drip {
    my ($c) = @_;
    for (1 .. 256) {
        print $c 'a' x 512 or last;
        select undef, undef, undef, 0.001;
    }
}

for my $row ((map { [$_, '', 5, '-m', '1'] } @slow), [$slow[0], 'TERM', -15],
    [$slow[0], "\nok OK", 0]) {
    my ($pattern, $then, $end, @options) = @$row;
    ($p, $c) = expecting($pattern, @options);
    drip($c);
    $p->signal('TERM') if $then eq 'TERM';
    print $c $then if $end == 0;
    # 1.5 s of CPU time, which are a minute on a busy machine.
    exits $p->finish(120), $end, "$pattern @options $then: it ends",
        within => $end == 5 ? 10 : 'inf';
}

# A line that never ends, as fast as it is received. What was received before
# --expect-timeout is searched first.
for my $limit (['-m', 10], ['--expect-timeout', 30]) {
    my ($option, $most) = @$limit;
    ($p, $c) = expecting($slow[0], $option, 1, '--rcvbuf', '8k');
    my $pid = Sockt::fork_child(sub {
        1 while syswrite $c, 'a' x 65536;
    });
    close $c;
    exits $p->finish, 5, "an endless line: $option ends it", within => $most;
    reap($pid);
}

# A conversation in SMTP (RFC 5321), as people type it by hand. Its answers
# arrive in pieces of 1 to 7 bytes, have several lines and contain what others
# begin with.
sub say_slowly {
    my ($c, $text) = @_;
    setsockopt $c, IPPROTO_TCP, TCP_NODELAY, 1;
    for (my $n = 0; length $text; $n++) {
        syswrite $c, substr $text, 0, 1 + $n % 7, '';
        select undef, undef, undef, 0.0005;
    }
}

my %answers = (
    EHLO => "250-mx.example\r\n250-SIZE 250 \r\n250-8BITMIME\r\n250 HELP\r\n",
    MAIL => "250 2.1.0 Ok\r\n",
    RCPT => "250 2.1.5 Ok\r\n",
    DATA => "354 go on\r\n",
    QUIT => "221 2.0.0 Bye\r\n",
);
exits against(sub {
    my ($c) = @_;
    say_slowly($c, "220-mx.example ESMTP\r\n220-250 is not yet it\r\n220 ready\r\n");
    while (my $line = <$c>) {
        my ($word) = $line =~ /^(\w+).*\r\n\z/;
        say_slowly($c, $answers{ $word // '' } // "500 what is '$line'?\r\n");
        next if $line !~ /^DATA/;
        my $count = 0;
        $count++ while <$c> ne ".\r\n";
        say_slowly($c, "250 2.0.0 $count lines\r\n");
    }
}, {}, '--expect-timeout', 20, (map { /^</ ? ('--expect', s/^<//r) : ('--send', $_) }
    '<^220 .*$', 'EHLO me\r\n', '<^250 .*$', 'MAIL FROM:<a@me>\r\n',
    '<^250 2\.1\.0 ', 'RCPT TO:<bob@mx>\r\n', '<^250 2\.1\.5 .*$', 'DATA\r\n',
    '<^354 ', 'Subject: x\r\n\r\n..\r\nbye\r\n.\r\n', '<^250 2.0.0 4 lines$',
    'QUIT\r\n', '<^221 .*$'), '--done'), 0,
    'SMTP: a mail is handed over, all answers are printed',
    out => qr/\A220-.*250 HELP\r\n.*4 lines\r\n221 2\.0\.0 Bye\r?\n?\z/s;

# The same on the side of the server, one connection after another.
$p = start({ stdin => '' }, 'listen', '-k', '0', '--send',
    '220 ready\r\n', '--expect', '^(HELO|EHLO) .*$', '--send', '250 ok\r\n',
    '--expect', '^QUIT$', '--send', '221 bye\r\n', '--done');
for my $n (1, 2) {
    my $c = tcp_client($p->port);
    say_slowly($c, "XEHLO no\r\nEHLO me\r\nQUIT\r\n");
    my $all = join '', <$c>;
    is $all, "220 ready\r\n250 ok\r\n221 bye\r\n", "listen, client $n";
}
$p->stop;

# What was never sent is not counted, recorded, or called a part of stdin. sockt is
# stopped while the peer answers and resets, or it could send the rest in between.
{
    my $dump = scratch() . '/dump';
    my $l = tcp_listener();
    $p = start({ keep_stdin => 1 }, 'connect', '-v', '-x', $dump, '--send', 'A',
        '--expect', 'x', '--send', 'B' x 10, '--expect', 'y', '--send', 'C' x 100,
        '--expect', 'z', '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    sysread $c, my $got, 1;
    $p->signal('STOP');
    syswrite $c, 'xyz';
    setsockopt $c, SOL_SOCKET, Socket::SO_LINGER(), pack 'ii', 1, 0;
    close $c;
    $p->signal('CONT');
    exits $p->finish, 10, 'a reset within the script',
        err => [qr/lost after (1 byte|11 bytes) sent and 3 received/,
        qr/closed .*: sent (1 byte|11 bytes), /], no_err => qr/of stdin/;
    unlike slurp($dump), qr/CC/, '  what was not sent is not recorded';
}

done_testing;
