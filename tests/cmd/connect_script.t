# --send and --expect: a conversation from the command line.
use Sockt;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(sleep);
use Socket qw(IPPROTO_TCP TCP_NODELAY);

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

exits against($hello, {}, '--expect', 'Welcome', map({ ('--send', "$_\\n",
    '--expect', "Hello, $_!") } qw(Michael Tracy Sarah)), '--send', 'exit\n',
    '--done'), 0,
    'the client of the tutorials in one line, prints each answer',
    out => "Welcome!\nHello, Michael!\nHello, Tracy!\nHello, Sarah!\n";

is against($hello, { stdin => "Bob\nexit\n" }, '--send', 'Al\n', '--expect',
    'Hello, Al')->{out}, "Welcome!\nHello, Al!\nHello, Bob!\n",
    'after the last step the relay goes on';

is against(sub {my ($c) = @_; sysread $c, my $got, 100; print $c unpack 'H*',
    $got; }, {}, '--send', 'a\r\n\t\\\\\0\x7f\xFF', '--expect', '7fff',
    '--done')->{out}, '610d0a095c007fff', 'escapes of --send';

exits against(sub {my ($c) = @_; $c->autoflush(1); print $c "Hel"; select undef,
    undef, undef, 0.05; print $c "lo\0World"; sysread $c, my $got, 1; }, {},
    '--expect', 'Hello.Wor+ld', '--done'), 0,
    'a pattern matches over pieces, and over a NUL';

exits against(sub {my ($c) = @_; print $c "one two"; sysread $c, my $got, 1; },
    {}, '--expect', 'one', '--expect', 'one', '--expect-timeout', '100ms'), 5,
    'each pattern matches behind the one before',
    err => qr/: --expect 2 of 2 \('one'\): it was not received within 0\.1 s \(--expect-timeout\); received instead: ' two'/;

exits against(sub { my ($c) = @_; print $c "\e[31mnope\n" }, {}, '--expect',
    'yes', '--done'), 9, 'the peer finishes first, what came is escaped',
    err => qr/the peer finished; received instead: '\\x1b\[31mnope\\n'/;

exits against(sub { my ($c) = @_; my $x = <$c> }, {}, '--send', "x\\n",
    '--done'), 0, '--done alone: sends and leaves';

my $text = 'w' x 70_000;
my $r = against(sub {
    my ($c) = @_;
    print $c "$text end";
    sysread $c, my $got, 1;
}, {}, '--expect', 'w end', '--done');
is $r->{status}, 0, 'a match behind more than a window of other bytes';
is length $r->{out}, 70_004, 'which are all written';

# Patterns: lines, escapes, the end of the stream.
sub says {
    my ($text, @options) = @_;
    return against(sub {
        my ($c) = @_;
        print $c $text;
        sysread $c, my $got, 1;
    }, {}, '--expect-timeout', 5, @options, '--done');
}

$r = says("250-a\r\n250-b\r\n250 done\r\n", '--expect', '^250 .*done$',
    '--expect', '^never$', '--expect-timeout', '100ms');
like $r->{err}, qr/--expect 2 of 2 \('\^never\$'\): it was not received/,
    '^ and $ are those of lines, which end in CRLF';
is says("a\0\x{1b}.\r\n", '--expect', 'a\0\e\.\r\n')->{status}, 0,
    'escapes of --expect';
is says("a]\r\n", '--expect', '^[a\x5d]+$')->{status}, 0,
    'they work in brackets';
is says('[a-z]', '--expect', '^\[a-z\]')->{status}, 0,
    'a backslash makes other characters literal';
exits against(sub { my ($c) = @_; print $c "a\nthe end" }, {}, '--expect',
    '^the end$', '--done'), 0,
    '$ is the end of the stream too, which is noticed';

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
    ['\S\s', 'ab c', 'c'], ['\w\W', 'a_-b', 'b'], ['\<a\>', '<a>.', '.'],
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

# A prompt has no newline; behind an answer to it a line begins.
exits against(sub {my ($c) = @_; $c->autoflush(1); print $c 'name: '; sysread $c,
    my $got, 99; print $c "250 ok\n"; }, {}, '--expect', 'name: ', '--send',
    'me', '--expect', '^250', '--done'), 0,
    '^ is the place behind a text that was sent';
$r = against(sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c "name:\r\n\r\n.";
    sysread $c, my $got, 99;
}, {}, '--expect', 'name:', '--send', 'me', '--expect', '^$', '--expect', 'x');
is $r->{err} =~ /instead: (.*)$/m && $1, q('\r\n.'),
    'but not at the end of the line of the prompt';

# However much is received at once, and by whatever kind of line: a match of
# at most 2 KiB is found.
for (["x" x 300_000], ["x\n" x 150_000], ["\r" x 300_000], ["\0" x 300_000]) {
    my ($much) = @$_;
    exits says("$much<" . '-' x 200 . ">\r\n$much", '--expect', '<-{200}>$',
        '--expect', '^'), 0, 'a match in the middle of much';
}

# --done reads no stdin: what can be read from it was meant to be sent.
my $silent = sub { my ($c) = @_; sysread $c, my $got, 1 };
for my $in ("PING\n", do {
    open my $f, '<', spew(scratch() . '/ping', "PING\n") or die; $f })
{
    for my $then ([], ['--send', 'QUIT']) {
        exits against($silent, { stdin => $in, timeout => 10 }, '--expect',
            'PONG', @$then, '--done'), 2,
            "stdin with --expect @$then --done is refused, what to do instead",
            err => qr{--done does not read stdin.*--send.*</dev/null};
    }
}
{
    my $l = tcp_listener();
    my $p = start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $l->sockport,
        '--expect', 'PONG', '--done');
    my $c = $l->accept;
    $p->send_line("PING\n");
    is $p->finish(10)->{status}, 2, 'also when it comes while PONG is awaited';
}
my $pong = sub { my ($c) = @_; print $c "PONG\n"; $c->flush; 1 while <$c> };
pipe my $idle, my $idle_writer or die;
open my $empty, '<', '/dev/null' or die;
open my $no_bytes, '<', spew(scratch() . '/empty', '') or die;
for my $in ($idle, $empty, $no_bytes) {
    is against($pong, { stdin => $in }, '--expect', 'PONG', '--done')->{status},
        0, 'an idle pipe, /dev/null and an empty file are not read';
}
$r = against($pong, { stdin => "the next line of a loop\n" }, '--send', 'PING',
    '--expect', 'PONG', '--done');
is $r->{status}, 0, 'nor is stdin where --send comes first';

misused 'connect', qr/./ => [map { "127.0.0.1 1 $_" } '--send \q', '--send \x1',
    map({ "--expect $_" } 'a\q', '\x1', '(a)\1', '(', '(a', '[', '[a', '[]', 'a\\',
        '*a', '+', 'a|*b', '[z-a]', '[[:nosuch:]]', '[[.a.]]', '[^\x00-\xff]',
        'a{3,2}', 'a{1', 'a{1,x}', '((a{255}){255}){255}', '{1}'),
    '--done', '--expect-timeout 1', '-z --send x'];
# A count of repetitions of four digits was not refused as one of three is: it
# was text, which hardly any peer sends.
misused 'connect', qr/: a bad number of repetitions$/m => [map {
    "127.0.0.1 1 --done --expect a{$_}" } '256', '9999', '99999999999', '1,256',
    '1,9999', '9999,'];

# An --expect that the end of the stream completes is the end of the script, and
# nothing has to be received after it.
my $l = tcp_listener();
peer($l, sub { my ($c) = @_; print $c "the end" }, 2);
for my $done ('--done', '') {
    my @done = $done || ();
    my $r = run({ timeout => 10 }, 'connect', '127.0.0.1',
        $l->sockport, '--expect', '^the end$', @done);
    is "$r->{status} $r->{signal}", '0 0', "ends, @done";
}

# When a pattern of --expect fails because the peer has finished, everything
# received is written first, also to a slow stdout.
$l = tcp_listener();
pipe my $read, my $write or die;
my $p = start({ stdout => $write }, 'connect', '--expect', 'never', '--done',
    '127.0.0.1', $l->sockport);
close $write;
my $c = $l->accept;
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

($r, my $end) = unread('--on-peer-eof', 'quit');
exits $r, 10, '--on-peer-eof quit, says what was left',
    err => qr/finished first; \d+ bytes of --send not delivered \(--on-peer-eof quit\)$/m;
is $end, 'reset', 'and resets';

($r, $end) = unread('-m', '500ms');
is $r->{status}, 5, '--max-time';
is $end, 'reset', 'resets';

# No data of the peer makes an --expect take long: neither a limit nor a signal
# is held up, and what matches at last is found at once.
# A long line for each of these patterns, in pieces: regexec(3) takes seconds
# for each piece.
my @slow = ('[a-z]+ OK', 'a.*b', '^(a|aa)*b$', 'a{1,50}c');

sub expecting {
    my ($pattern, @options) = @_;
    my $p = start({ stdout => do { open my $f, '>', '/dev/null'; $f } },
        'connect', '--done', @options, '--expect', $pattern, '127.0.0.1',
        $l->sockport);
    my $c = $l->accept;
    $c->autoflush(1);
    return ($p, $c);
}

sub drip {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    for (1 .. 256) {
        print $c 'a' x 512 or last;
        select undef, undef, undef, 0.001;
    }
}

for my $pattern (@slow) {
    my ($p, $c) = expecting($pattern, '-m', '1');
    drip($c);
    exits $p->finish, 5, "$pattern: --max-time ends it", within => 10;
}

# A line that never ends, as fast as it is received.
sub flood {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    1 while syswrite $c, 'a' x 65536;
}

# What was received before --expect-timeout is searched first.
for my $limit (['-m', 5, 10], ['--expect-timeout', 5, 30]) {
    my ($option, $status, $most) = @$limit;
    my ($p, $c) = expecting($slow[0], $option, 1, '--rcvbuf', '8k');
    my $pid = Sockt::fork_child(sub { flood($c) });
    close $c;
    exits $p->finish, $status, "an endless line: $option ends it",
        within => $most;
    reap($pid);
}

($p, $c) = expecting($slow[0]);
drip($c);
$p->signal('TERM');
is $p->finish->{signal}, 15, 'a signal ends it';

($p, $c) = expecting($slow[0]);
drip($c);
print $c "\nok OK";
is $p->finish->{status}, 0, 'the match is found';

# A conversation in SMTP (RFC 5321), as people type it by hand. The peer checks
# what it is told, and its answers arrive in pieces.
# Writes text in pieces of 1 to 7 bytes.
sub say_slowly {
    my ($c, $text) = @_;
    setsockopt $c, IPPROTO_TCP, TCP_NODELAY, 1;
    for (my $n = 0; length $text; $n++) {
        syswrite $c, substr $text, 0, 1 + $n % 7, '';
        select undef, undef, undef, 0.0005;
    }
}

# The next line, without its CRLF, which a client has to send.
sub line {
    my ($c) = @_;
    my $line = <$c> // return 'QUIT';
    return $line =~ s/\r\n\z//r if $line =~ /\r\n\z/;
    return "no CRLF: $line";
}

# A server: the first text, and the answers to commands by their first word.
sub server {
    my ($greeting, $answers) = @_;
    return sub {
        my ($c) = @_;
        say_slowly($c, $greeting);
        while (1) {
            my $line = line($c);
            my ($word) = $line =~ /^(\S+)/;
            my $answer = $answers->{ uc($word // '') };
            say_slowly($c, !defined $answer ? "500 what is '$line'?\r\n"
                : ref $answer ? $answer->($c, $line) : $answer);
            last if $line =~ /^QUIT/i;
        }
    };
}

sub converse {
    my ($server, @options) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, $server);
    my $r = run('connect', '127.0.0.1', $l->sockport, '--expect-timeout', 20,
        @options);
    reap($pid);
    return $r;
}

sub steps { return map { /^</ ? ('--expect', s/^<//r) : ('--send', $_) } @_ }

# SMTP, with answers of several lines that contain what others begin with.
my $ready = "220-mx.example ESMTP\r\n220-250 is not yet it\r\n220 ready\r\n";
my $smtp = server($ready, {
    EHLO => "250-mx.example\r\n250-SIZE 250 \r\n250-8BITMIME\r\n250 HELP\r\n",
    MAIL => "250 2.1.0 Ok\r\n",
    RCPT => sub {
        $_[1] =~ /<bob\@/ ? "250 2.1.5 Ok\r\n" : "550 5.1.1 unknown\r\n";
    },
    DATA => sub {
        my ($c) = @_;
        say_slowly($c, "354 go on\r\n");
        my @lines;
        while ((my $line = line($c)) ne '.') { push @lines, $line }
        return '250 2.0.0 ' . scalar(@lines) . " lines\r\n";
    },
    QUIT => "221 2.0.0 Bye\r\n",
});
my @mail = ('<^220 .*$', 'EHLO me\r\n', '<^250 .*$', 'MAIL FROM:<a@me>\r\n',
    '<^250 2\.1\.0 ', 'RCPT TO:<bob@mx>\r\n', '<^250 2\.1\.5 .*$', 'DATA\r\n',
    '<^354 ', 'Subject: x\r\n\r\n..\r\nbye\r\n.\r\n', '<^250 2.0.0 4 lines$',
    'QUIT\r\n', '<^221 .*$');
exits converse($smtp, steps(@mail), '--done'), 0,
    'SMTP: a mail is handed over, all answers are printed',
    out => qr/\A220-.*250 HELP\r\n.*4 lines\r\n221 2\.0\.0 Bye\r?\n?\z/s;

# One that is refused.
my @bad = map { s/bob/tom/r } @mail;
exits converse($smtp, steps(@bad[0 .. 6]), '--expect-timeout', '0.3',
    '--done'), 5, 'SMTP: what does not come is status 5',
    err => qr/--expect 4 of 4 \('\^250 2\\\.1\\\.5 \.\*\$'\): it was not received within 0\.3 s \(--expect-timeout\); received instead: '.*550 5\.1\.1 unknown\\r\\n'/;

# The reviewer's script: it waited for ever when ^ was that of all data.
exits converse($smtp, '--expect', '^220', '--send', 'EHLO x\r\n', '--expect',
    '^250 ', '--send', 'QUIT\r\n', '--done'), 0, 'the short form of it';

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

done_testing;
