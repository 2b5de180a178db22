# What udp-serve does with datagrams, by its options, against Perl sockets.
use Sockt;
use IO::Select;
use JSON::PP qw(decode_json);
use Time::HiRes qw(time);
use JSON::PP;

# The answer to text, or undef when there is none for a while.
sub ask {
    my ($c, $text, $seconds) = @_;
    $c->send($text);
    return undef unless IO::Select->new($c)->can_read($seconds // 10);
    $c->recv(my $got, 70_000) // return "error: $!";
    return $got;
}

# A server, a connected client.
sub pair {
    my $p = start('udp-serve', '-4', @_, '0');
    return ($p, udp_socket(peer => ['127.0.0.1', $p->port]));
}

my ($p, $c) = pair('--echo');
is ask($c, 'x' x 65507), 'x' x 65507, '--echo of the longest datagram';
is ask($c, ''), '', 'and of an empty one';
unlike $p->stop->{err}, qr/says/, 'not every datagram is told without -v';

($p, $c) = pair('--discard', '-v', '--count', '2');
$c->send($_) for 'a', 'b';
exits $p->finish, 0, '--count leaves after so many, -v tells each',
    err => [qr/127\.0\.0\.1 port ${\$c->sockport} says: b\n/,
    qr/received 2 \(2 bytes\), answered 0 /];

($p, $c) = pair('--print', '--count', '3');
$c->send($_) for "line\n", 'no newline', '';
is $p->finish->{out}, "line\nno newline", '--print: the bytes as they are';
ok !IO::Select->new($c)->can_read(0), 'and no answer';
($p, $c) = pair('--print', '--lines', '--count', '3');
$c->send($_) for "line\n", 'no newline', '';
is $p->finish->{out}, "line\nno newline\n\n", '--lines: a line each';
my $file = join '', map { chr(65 + $_ % 26) x 1399 . ($_ % 2 ? "\n" : "\r") }
    1 .. 40;
($p, $c) = pair('--print', '--count', '40');
$c->send($_) for unpack '(a1400)*', $file;
ok $p->finish->{out} eq $file, 'a file in datagrams is the same file';

# Lines of stdin go to the last sender.
sub pair_with_stdin {
    my $p = start({ keep_stdin => 1 }, 'udp-serve', '-4', '--print', @_, '0');
    return ($p, udp_socket(peer => ['127.0.0.1', $p->port]));
}

# What arrives within a second, or undef.
sub got {
    my ($c, $seconds) = @_;
    return undef unless IO::Select->new($c)->can_read($seconds // 10);
    $c->recv(my $got, 70_000);
    return $got;
}

($p, $c) = pair_with_stdin('-v');
$p->send_line("early\n");
$c->send('one');
is got($c), "early\n", 'stdin waits for the first sender';
$p->send_line("two\nthree\n");
is got($c) . got($c), "two\nthree\n", 'each line is a datagram';
my $second = udp_socket(peer => ['127.0.0.1', $p->port]);
$second->send('four');
$p->expect(out => qr/onefour/);
$p->send_line("five\n");
is got($second), "five\n", 'stdin goes to the last sender';
$c->send('six');
$p->expect(out => qr/six/);
$p->send_line('no newline');
$p->close_stdin;
is got($c), 'no newline', 'the last line, too';
$c->send('seven');
$p->expect(out => qr/seven/);
my $r = $p->stop;
is $r->{status}, 0, 'the end of stdin is not the end';
for my $s ($c, $second) {
    is scalar(() = $r->{err} =~ /receiving from 127\.0\.0\.1 port ${\$s->sockport}$/gm),
        1, '-v shows each sender once';
}
unlike $r->{err}, qr/says/, 'and no message';
($p, $c) = pair_with_stdin('--recv-only');
$p->send_line("unread\n");
$c->send('x');
$p->expect(out => qr/x/);
is got($c, 0.3), undef, '--recv-only does not read stdin';
$p->stop;
($p, $c) = pair_with_stdin();
$c->send('x');
$p->expect(out => qr/x/);
$p->send_line('x' x 70_000 . "\n");
exits $p->finish, 1, 'a line that no datagram carries ends it',
    err => qr/a line of stdin is too long for a datagram/;
# A terminal: newlines are added; a job in the background does not read it.
my $pty = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/pty';
for my $job ('', '&') {
    my $p = start({ command => $pty, keep_stdin => 1 }, '-', '01', 80, 'sh',
        '-c', 'set -m; "$@" ' . ($job ? '& wait' : ''), 'sh', sockt(),
        'udp-serve', '-4', '--print', '--count', 3, 0);
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send('one');
    $p->expect(out => qr/^one\r?\n/m);
    $p->send_line("typed\n");
    is got($c, $job ? 1.5 : 10), $job ? undef : "typed\n",
        $job ? 'a background job does not read its terminal'
        : 'a line of the terminal';
    $c->send($_) for "\e", 'three';
    $p->expect(out => qr/^\\x1b\r?\nthree\r?\n/m);
    is $p->finish->{status}, 0, 'and ends';
}

like start('udp-serve', '-4', '0')->expect(err => qr/^(.*)\n/), qr/--print/,
    'the first line of the tutorial\'s server names --print';

($p, $c) = pair('--reply', '%n: %s from %a:%p\n');
my $port = $c->sockport;
is ask($c, 'x'), "1: x from 127.0.0.1:$port\n", '--reply and its places';
is ask($c, 'y'), "2: y from 127.0.0.1:$port\n", 'numbers count';
$p->stop;
($p, $c) = pair('-v', '--reply', '%s%s%s%s');
is ask($c, 'x' x 20_000, 0.2), undef, '--reply, too long: no answer';
$p->expect(err => qr/: ignored: the answer would be too long\n/);
is ask($c, 'xy'), 'xyxyxyxy', 'but to the next datagram';
$p->stop;

# Who is let in.
($p, $c) = pair('--echo', '-v', '--deny', '127.0.0.1', '--count', '1');
is ask($c, 'x', 0.2), undef, '--deny: no answer';
ok $p->expect(err => qr/ignored: rejected/), 'told';
$c->send('x') for 1 .. 20;
my $friend = udp_socket(host => '127.0.0.2', peer =>
    ['127.0.0.1', $p->port]);
is ask($friend, 'x'), 'x', 'others are answered';
my $end = $p->finish;
is $end->{status}, 0, 'what was not let in does not count';
is scalar(() = $end->{err} =~ /ignored: rejected/g), 1,
    'and is told once for each sender';
like $end->{err}, qr/ignored 21;/, 'all of it in the summary';

($p, $c) = pair('--json', '--echo', '--deny', '127.0.0.1', '-v');
$c->send('x') for 1 .. 3;
$p->expect(err => qr/(?:\{"event":"ignored",.*"rejected by --allow or --deny".*\n){3}/);
pass '--json: each one is an event';
$p->stop;

# Loops.
($p, $c) = pair('-v');
my $twin = udp_socket(host => '127.0.0.2', port => $p->port,
    peer => ['127.0.0.1', $p->port]);
is ask($twin, 'x', 0.3), undef, 'its own port is never answered';
$p->expect(err => qr/ignored: it comes from this server's own port/);
is ask($c, 'x'), 'Hello, x!', 'other ports are';
$p->stop;

# Two servers on one port number and a forged start: nothing goes round.
my $a = start('udp-serve', '-v', '127.0.0.1', '0');
my $b = start('udp-serve', '-v', '127.0.0.2', $a->port);
$b->port;
my $forger = udp_socket(host => '127.0.0.3', port => $a->port,
    peer => ['127.0.0.1', $a->port]);
$forger->send('go');
$a->expect(err => qr/own port/);
is ask($c = udp_socket(peer => ['127.0.0.2', $a->port]), 'x'), 'Hello, x!',
    'both go on';
unlike $b->stop->{err}, qr/says: Hello/, 'and no answer was answered';
$a->stop;

# No amplifier.
($p, $c) = pair();
is length(ask($c, 'x' x $_)), $_ + length('Hello, !'),
    "an answer to $_ bytes is its request and the greeting"
    for 0, 1, 1400;
$p->stop;
($p, $c) = pair('--echo', '--max-rate', '5', '-v');
$c->send($_) for 1 .. 50;
my $n = 0;
$n++, $c->recv(my $x, 10) while IO::Select->new($c)->can_read(0.2);
cmp_ok $n, '>=', 5, '--max-rate: a second\'s worth at once';
cmp_ok $n, '<=', 7, 'and no more';
$p->expect(err => qr/^sockt udp-serve: 127\.0\.0\.1 port \d+ has reached the limit of 5 answers per second to one host \(--max-rate\): 1 datagram not answered$/m);
$p->expect(err => qr/: ignored: its host has reached the limit of answers \(--max-rate\)/);
is ask(udp_socket(host => '127.0.0.2', peer => ['127.0.0.1', $p->port]),
    'other'), 'other', 'another host has a rate of its own';
my $refused = 0;
$refused += $_ for $p->stop->{err} =~ /--max-rate\): (\d+) datagrams? not/g;
is $refused, 50 - $n, 'what was not answered is counted';

# Five addresses of one set of the table lifted each other's limit.
sub old_set {
    my $hash = 2166136261;
    $hash = (($hash ^ $_) * 16777619) & 0xffffffff for @_;
    return $hash % 4096;
}
my %set;
my @five = sub {
    for my $x (0 .. 255) {
        for my $y (1 .. 254) {
            my $hosts = $set{ old_set(127, 1, $x, $y) } //= [];
            return @$hosts if push(@$hosts, "127.1.$x.$y") == 5;
        }
    }
}->();
($p, $c) = pair('--echo', '--max-rate', '10');
my @senders = map { udp_socket(host => $_, peer => ['127.0.0.1', $p->port]) }
    @five;
my ($all, $began) = (0, time);
for my $round (1 .. 100) {
    $_->send('x') for @senders;
    for my $s (@senders) {
        while (IO::Select->new($s)->can_read(0)) {
            $s->recv(my $x, 10);
            $all++;
        }
    }
}
cmp_ok $all, '<=', 5 * (10 + 10 * (time - $began)) + 5,
    "$all answers to 500 datagrams of five chosen addresses";
$p->stop;

# Limits.
($p, $c) = pair('--idle-timeout', '0.3');
is ask($c, 'x'), 'Hello, x!', 'before the limit';
exits $p->finish, 5, '--idle-timeout',
    err => qr/no datagram within 0\.\d+ s \(--idle-timeout\); received 1 datagram$/;
# One that came in time is served, however late the process looks.
($p, $c) = pair('--idle-timeout', '0.4');
$p->signal('STOP');
$c->send('late');
select undef, undef, undef, 0.8;
$p->signal('CONT');
ok(IO::Select->new($c)->can_read(5), '--idle-timeout: a datagram that waits');
exits $p->finish, 5, 'and the limit holds again, after it',
    err => qr/received 1 datagram$/;
exits run('udp-serve', '-m', '0.2', '0'), 5, '--max-time';

# Events.
($p, $c) = pair('--json', '--count', '1');
is ask($c, "\e"), "Hello, \e!", 'answered';
$r = $p->finish;
my %event = map { ($_->{event} => $_) } map { decode_json($_) }
    split /\n/, $r->{err};
is_deeply [@{ $event{message} }{qw(bytes text)}, $event{message}{remote}],
    [1, "\e", { ip => '127.0.0.1', port => $c->sockport }],
    'the event of a message';
is_deeply [@{ $event{summary} }{qw(received answered ignored)}], [1, 1, 0],
    'and of the end';

# Misuse.
misused 'udp-serve', qr/./ => ['--echo --discard', '--print --reply x', '--reply %q',
    '--count 0', '--max-rate -1', '--lines', '--echo --recv-only', '--join 10.0.0.1',
    '--join x', '--max-programs 1', '--program-timeout 1', '--allow 1.2.3',
    '--backlog 1', '--discard --max-rate 1', '--echo 0 -- cat', '65536', 'a b c'];

is run('udp-serve', '--join', '239.1.2.3%nosuch0', 0)->{status}, 7,
    'an interface that does not exist is status 7';

# The end of the process that looks a name up was taken for a signal to stop:
# udp-serve NAME failed now and then.
my %count;
for (1 .. 60) {
    my $r = run('udp-serve', '-q', '--max-time', '0.01', 'localhost', '0');
    $count{"$r->{status} $r->{err}"}++;
}
delete $count{$_} for grep { /^5 / } keys %count;
is_deeply \%count, {}, '60 of 60 are stopped by --max-time alone';

# A percent sign in --reply that was written as an escape is not a placeholder.
$p = start('udp-serve', '-4', '--reply', '\x00%s\x25s\x25\0', 0);
$c = udp_socket(peer => ['127.0.0.1', $p->port]);
$c->send('x');
$c->recv(my $got, 100);
is $got, "\0x%s%\0", 'bytes of a reply, whatever their value';
$p->stop;

# -x and --textdump of udp-send and udp-serve: a dump of the datagrams of both directions,
# each with its peer.
my $dir = scratch();
my $s = udp_socket();
$port = $s->sockport;
my @to = ('127.0.0.1', $port);

# Answers each datagram with the given ones.
sub answers {
    my (@lists) = @_;
    return Sockt::fork_child(sub {
        for my $list (@lists) {
            my $from = $s->recv(my $bytes, 70_000);
            $s->send($_, 0, $from) for @$list;
        }
    });
}

# The dump with times replaced.
sub dump_of {
    my ($file) = @_;
    return slurp($file) =~ s/ at \d+\.\d{6} s: / at T: /gr;
}

sub line { return sprintf "%08x %-49s  |%s|\n", @_ }

answers(["yes\0"], [''], ['z' x 20]);
$r = run('udp-send', '-x', "$dir/send", @to, "a\tb", '', 'last');
exits $r, 0, 'udp-send -x', out => "yes\0\n\n" . 'z' x 20 . "\n";
my $peer = "127.0.0.1 port $port";
is dump_of("$dir/send"), "> sent to $peer at T: 3 bytes\n"
    . line(0, ' 61 09 62', 'a.b')
    . "< received from $peer at T: 4 bytes\n"
    . line(0, ' 79 65 73 00', 'yes.')
    . "> sent to $peer at T: 0 bytes\n"
    . "< received from $peer at T: 0 bytes\n"
    . "> sent to $peer at T: 4 bytes\n"
    . line(0, ' 6c 61 73 74', 'last')
    . "< received from $peer at T: 20 bytes\n"
    . line(0, ' 7a' x 8 . ' ' . ' 7a' x 8, 'z' x 16)
    . line(16, ' 7a' x 4, 'zzzz'),
    'each datagram with its direction, peer, length and bytes';

answers(["yes\n"]);
$r = run('udp-send', '--textdump', "$dir/text", @to, "a\tb");
is dump_of("$dir/text"), "> sent to $peer at T: 3 bytes\n  a\\tb\n"
    . "< received from $peer at T: 4 bytes\n  yes\\n\n", '--textdump';

# Replies from others, and the longest datagram.
my $stranger = udp_socket(host => '127.0.0.2');
Sockt::fork_child(sub {
    my $from = $s->recv(my $x, 70_000);
    $stranger->send('o', 0, $from);
});
my $long = 'l' x 65_507;
run({ stdin => $long }, 'udp-send', '--hexdump', "$dir/long", '--any-source',
    '--whole', @to);
my $dump = dump_of("$dir/long");
is scalar(() = $dump =~ /^[0-9a-f]{8} /mg), 4095 + 1,
    'all lines of the longest datagram';
like $dump, qr/^< received from 127\.0\.0\.2 port ${\$stranger->sockport} at T: 1 byte\n/m,
    'who has replied';

# Where nothing is printed, it may be stdout.
$r = run('udp-send', '--no-reply', '-x', '-', @to, 'x');
like $r->{out}, qr/^> sent to \Q$peer\E at .*: 1 byte\n.*\|x\|\n\z/,
    '-x - with --no-reply';
is run('udp-send', '-x', '-', @to, 'x')->{status}, 2,
    'stdout has the replies otherwise';
$s->recv(my $rest, 10);

# With --json, events.
answers(["\xff" x 1000]);
$r = run('udp-send', '--json', '-x', "$dir/json", @to, '');
my @events = map { decode_json($_) } split /\n/, slurp("$dir/json");
is_deeply [map { [@{$_}{qw(event direction offset bytes)}] } @events],
    [['data', 'sent', 0, 0], ['data', 'received', 0, 960],
    ['data', 'received', 960, 40]], '--json: data events, also of nothing';
is_deeply $events[1]{remote}, { ip => '127.0.0.1', port => $port },
    'with the peer';
is $events[2]{hex}, 'ff' x 40, 'and the bytes';

# What cannot be written.
SKIP: {
    skip 'no /dev/full', 4 unless -c '/dev/full';
    exits run('udp-send', '--no-reply', '-x', '/dev/full', @to, 'x'), 11,
        'a full disk is status 11', err => qr{/dev/full: no space left};
    my $p = start('udp-serve', '-4', '-x', '/dev/full', 0);
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send('x');
    exits $p->finish, 11, 'it ends the server too',
        err => qr{/dev/full: no space left};
}
is run('udp-send', '--no-reply', '-x', "$dir/no/such", @to, 'x')->{status}, 11,
    'so is a file that cannot be created';
is run('udp-send', '-x', '', @to, 'x')->{status}, 2, 'no name is refused';

# The server.
sub serve {
    my ($o, $messages, @args) = @_;
    my $p = start($o, 'udp-serve', '-4', @args, '--count', scalar @$messages,
        '0');
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    for my $message (@$messages) {
        $c->send($message);
        $c->recv(my $got, 70_000) if !grep { /discard|print/ } @args;
    }
    return ($p->finish, '127.0.0.1 port ' . $c->sockport);
}
($r, $peer) = serve({}, ['ab', ''], '-x', "$dir/serve", '--reply', '\0%s');
is $r->{status}, 0, 'udp-serve -x';
is dump_of("$dir/serve"), "< received from $peer at T: 2 bytes\n"
    . line(0, ' 61 62', 'ab')
    . "> sent to $peer at T: 3 bytes\n" . line(0, ' 00 61 62', '.ab')
    . "< received from $peer at T: 0 bytes\n"
    . "> sent to $peer at T: 1 byte\n" . line(0, ' 00', '.'),
    'messages and answers';
($r, $peer) = serve({}, ['ab'], '-x', '-', '--echo');
like $r->{out}, qr/\A< received from \Q$peer\E .*\n.*\n> sent to \Q$peer\E /,
    '-x - of a server';
($r, $peer) = serve({}, ['ab'], '-x', "$dir/print", '--print');
is $r->{out}, 'ab', '--print prints as usual';
like slurp("$dir/print"), qr/\A< received .*\n.*\n\z/, 'and it is recorded';
is run('udp-serve', '-x', '-', '--print', 0)->{status}, 2,
    'not both to stdout';
{
    my $p = start('udp-serve', '-4', '-v', '-x', "$dir/deny", '--deny',
        '127.0.0.2', '--count', 1, '0');
    my $denied = udp_socket(host => '127.0.0.2',
        peer => ['127.0.0.1', $p->port]);
    $denied->send('no');
    $p->expect(err => qr/rejected/);
    udp_socket(peer => ['127.0.0.1', $p->port])->send('yes');
    $p->finish;
    unlike slurp("$dir/deny"), qr/127\.0\.0\.2/, 'who is denied is left out';
}
{
    my $p = start('udp-serve', '-4', '-x', "$dir/program", '--count', 1, '0',
        '--', 'tr', 'a-z', 'A-Z');
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send('quiet');
    $c->recv(my $got, 100);
    $p->finish;
    like slurp("$dir/program"), qr/\|quiet\|\n> sent .*\n.*\|QUIET\|\n\z/,
        'the answer of a program';
}

done_testing;
