# What udp-serve does with datagrams, by its options, against Perl sockets.
use Sockt;
use JSON::PP qw(decode_json);
use List::Util qw(sum);
use SocktUdp;
use Time::HiRes qw(time);

my ($p, $c) = udp_pair('--echo');
is ask($c, 'x' x 65507), 'x' x 65507, '--echo of the longest datagram';
is ask($c, ''), '', 'and of an empty one';
unlike $p->stop->{err}, qr/says/, 'not every datagram is told without -v';

($p, $c) = udp_pair('--discard', '-v', '--count', '2');
$c->send($_) for 'a', 'b';
exits $p->finish, 0, '--count leaves after so many, -v tells each',
    err => [qr/127\.0\.0\.1 port ${\$c->sockport} says: b\n/,
    qr/received 2 \(2 bytes\), answered 0 /];

my @messages = ("line\n", 'no newline', '');
my $file = join '', map { chr(65 + $_ % 26) x 1399 . ($_ % 2 ? "\n" : "\r") }
    1 .. 40;
for my $case (['--print: the bytes as they are', "line\nno newline", [], @messages],
    ['--lines: a line each', "line\nno newline\n\n", ['--lines'], @messages],
    ['a file in datagrams is the same file', $file, [], unpack '(a1400)*', $file]) {
    my ($name, $want, $options, @datagrams) = @$case;
    ($p, $c) = udp_pair('--print', @$options, '--count', scalar @datagrams);
    $c->send($_) for @datagrams;
    exits $p->finish, 0, $name, out => $want;
    is hear($c, 0), undef, 'and no answer';
}

# Lines of stdin go to the last sender.
($p, $c) = udp_pair({ keep_stdin => 1 }, '--print', '-v');
$p->send_line("early\n");
is ask($c, 'one'), "early\n", 'stdin waits for the first sender';
$p->send_line("two\nthree\n");
is hear($c), $_, 'each line is a datagram' for "two\n", "three\n";
my $second = udp_client($p);
$second->send('four');
$p->expect(out => qr/onefour/);
$p->send_line("five\n");
is hear($second), "five\n", 'stdin goes to the last sender';
$c->send('six');
$p->expect(out => qr/six/);
$p->send_line('no newline');
$p->close_stdin;
is hear($c), 'no newline', 'the last line, too';
$c->send('seven');
$p->expect(out => qr/seven/);
my $r = $p->stop;
exits $r, 0, 'the end of stdin is not the end, and no message is shown',
    no_err => qr/says/;
is scalar(() = $r->{err} =~ /receiving from 127\.0\.0\.1 port ${\$_->sockport}$/gm),
    1, '-v shows each sender once' for $c, $second;
($p, $c) = udp_pair({ keep_stdin => 1 }, '--print', '--recv-only');
$p->send_line("unread\n");
is ask($c, 'x', 0.3), undef, '--recv-only does not read stdin';
$p->stop;
($p, $c) = udp_pair({ keep_stdin => 1 }, '--print');
$c->send('x');
$p->expect(out => qr/x/);
$p->send_line('x' x 70_000 . "\n");
exits $p->finish, 1, 'a line that no datagram carries ends it',
    err => qr/a line of stdin is too long for a datagram/;
# A terminal: newlines are added; a job in the background does not read it.
for my $job ('', '&') {
    my $p = start({ command => built('pty'), keep_stdin => 1 }, '-', '01', 80, 'sh',
        '-c', 'set -m; "$@" ' . ($job ? '& wait' : ''), 'sh', sockt(),
        'udp-serve', '-4', '--print', '--count', 3, 0);
    my $c = udp_client($p);
    $c->send('one');
    $p->expect(out => qr/^one\r?\n/m);
    $p->send_line("typed\n");
    is hear($c, $job ? 1.5 : 10), $job ? undef : "typed\n",
        $job ? 'a background job does not read its terminal'
        : 'a line of the terminal';
    $c->send($_) for "\e", 'three';
    $p->expect(out => qr/^\\x1b\r?\nthree\r?\n/m);
    is $p->finish->{status}, 0, 'and ends';
}

like start('udp-serve', '-4', '0')->expect(err => qr/^(.*)\n/), qr/--print/,
    'the first line of the tutorial\'s server names --print';

($p, $c) = udp_pair('--reply', '%n: %s from %a:%p\n');
my $port = $c->sockport;
is ask($c, 'x'), "1: x from 127.0.0.1:$port\n", '--reply and its places';
is ask($c, 'y'), "2: y from 127.0.0.1:$port\n", 'numbers count';
$p->stop;
($p, $c) = udp_pair('-v', '--reply', '%s%s%s%s');
is ask($c, 'x' x 20_000, 0.2), undef, '--reply, too long: no answer';
$p->expect(err => qr/: ignored: the answer would be too long\n/);
is ask($c, 'xy'), 'xyxyxyxy', 'but to the next datagram';
$p->stop;
# A percent sign that was written as an escape is not a placeholder.
($p, $c) = udp_pair('--reply', '\x00%s\x25s\x25\0');
is ask($c, 'x'), "\0x%s%\0", 'bytes of a reply, whatever their value';
$p->stop;

# Who is let in.
($p, $c) = udp_pair('--echo', '-v', '--deny', '127.0.0.1', '--count', '1');
is ask($c, 'x', 0.2), undef, '--deny: no answer';
ok $p->expect(err => qr/ignored: denied/), 'told';
$c->send('x') for 1 .. 20;
is ask(udp_client($p, host => '127.0.0.2'), 'x'), 'x', 'others are answered';
$r = $p->finish;
exits $r, 0, 'what was not let in does not count, all of it in the summary',
    err => qr/ignored 21,/;
is scalar(() = $r->{err} =~ /ignored: denied/g), 1,
    'and is told once for each sender';

($p, $c) = udp_pair('--json', '--echo', '--deny', '127.0.0.1', '-v');
$c->send('x') for 1 .. 3;
$p->expect(err => qr/(?:\{"event":"ignored",.*"denied by --allow or --deny".*\n){3}/);
pass '--json: each one is an event';
$p->stop;

# Loops.
($p, $c) = udp_pair('-v');
my $twin = udp_client($p, host => '127.0.0.2', port => $p->port);
is ask($twin, 'x', 0.3), undef, 'its own port is never answered';
$p->expect(err => qr/ignored: it comes from this server's own port/);
is ask($c, 'x'), 'Hello, x!', 'other ports are';
$p->stop;

# No amplifier.
($p, $c) = udp_pair('--echo', '--max-rate', '5', '-v');
$c->send($_) for 1 .. 50;
my $n = 0;
$n++ while defined hear($c, 0.2);
cmp_ok $n, '>=', 5, '--max-rate: a second\'s worth at once';
cmp_ok $n, '<=', 7, 'and no more';
$p->expect(err => qr/^sockt udp-serve: 127\.0\.0\.1 port \d+ has reached the limit of 5 answers per second to one host \(--max-rate\): 1 datagram not answered$/m);
$p->expect(err => qr/: ignored: its host has reached the limit of answers \(--max-rate\)/);
is ask(udp_client($p, host => '127.0.0.2'), 'other'), 'other',
    'another host has a rate of its own';
is sum($p->stop->{err} =~ /--max-rate\): (\d+) datagrams? not/g), 50 - $n,
    'what was not answered is counted';

# Hosts do not lift each other's limit.
($p, $c) = udp_pair('--echo', '--max-rate', '10');
my @senders = map { udp_client($p, host => "127.1.0.$_") } 1 .. 5;
my ($all, $began) = (0, time);
for my $round (1 .. 100) {
    $_->send('x') for @senders;
    for my $s (@senders) { $all++ while defined hear($s, 0) }
}
cmp_ok $all, '<=', 5 * (10 + 10 * (time - $began)) + 5,
    "$all answers to 500 datagrams of five addresses";
$p->stop;

# Limits.
($p, $c) = udp_pair('--idle-timeout', '0.3');
is ask($c, 'x'), 'Hello, x!', 'before the limit';
exits $p->finish, 5, '--idle-timeout',
    err => qr/no datagram within 0\.\d+ s \(--idle-timeout\); received 1 datagram$/;
# One that came in time is served, however late the process looks.
($p, $c) = udp_pair('--idle-timeout', '0.4');
$p->signal('STOP');
$c->send('late');
select undef, undef, undef, 0.8;
$p->signal('CONT');
ok defined hear($c, 5), '--idle-timeout: a datagram that waits';
exits $p->finish, 5, 'and the limit holds again, after it',
    err => qr/received 1 datagram$/;

# Events.
($p, $c) = udp_pair('--json', '--count', '1');
is ask($c, "\e"), "Hello, \e!", 'answered';
my %event = map { ($_->{event} => $_) } map { decode_json($_) }
    split /\n/, $p->finish->{err};
is_deeply [@{ $event{message} }{qw(bytes text)}, $event{message}{remote}],
    [1, "\e", { ip => '127.0.0.1', port => $c->sockport }],
    'the event of a message';
is_deeply [@{ $event{summary} }{qw(received answered ignored)}], [1, 1, 0],
    'and of the end';

# Misuse.
misused 'udp-serve', qr/./ => ['--echo --discard', '--print --reply x', '--reply %q',
    '--count 0', '--max-rate -1', '--lines', '--echo --recv-only', '--join 10.0.0.1',
    '--join x', '--max-programs 1', '--program-timeout 1', '--allow 1.2.3',
    '--backlog 1', '--discard --max-rate 1', '--echo 0 -- cat', '65536', 'a b c',
    '-x - --print 0'];
misused 'udp-send', qr/./ => ['-x - 127.0.0.1 9 x', ['-x', '', '127.0.0.1', 9, 'x']];

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

# -x and --textdump of udp-send and udp-serve: a dump of the datagrams of both directions,
# each with its peer.
my $dir = scratch();
my $s = udp_socket();
my @to = ('127.0.0.1', $s->sockport);

# A dump with its times, and the port of its peer, replaced.
sub dump_of {
    return slurp("$dir/$_[0]") =~ s/127\.0\.0\.1 port \d+ at \d+\.\d{6} s: /PEER at T: /gr;
}

sub line { return sprintf "%08x %-49s  |%s|\n", @_ }

# Sends messages to Perl's socket, which gives these answers.
sub asks {
    my ($replies, $messages, @options) = @_;
    answers($s, scalar @$replies, sub { $replies->[$_[1]] });
    return run('udp-send', @options, @to, @$messages);
}

# Sends messages to a server, which answers each of them.
sub served {
    my ($messages, @options) = @_;
    my ($p, $c) = udp_pair('--count', scalar @$messages, @options);
    for my $message (@$messages) {
        $c->send($message);
        hear($c) if !grep { /print/ } @options;
    }
    return $p->finish;
}

exits asks(["yes\0", '', 'z' x 20], ["a\tb", '', 'last'], '-x', "$dir/send"), 0,
    'udp-send -x', out => "yes\0\n\n" . 'z' x 20 . "\n";
is dump_of('send'), "> sent to PEER at T: 3 bytes\n"
    . line(0, ' 61 09 62', 'a.b')
    . "< received from PEER at T: 4 bytes\n"
    . line(0, ' 79 65 73 00', 'yes.')
    . "> sent to PEER at T: 0 bytes\n"
    . "< received from PEER at T: 0 bytes\n"
    . "> sent to PEER at T: 4 bytes\n"
    . line(0, ' 6c 61 73 74', 'last')
    . "< received from PEER at T: 20 bytes\n"
    . line(0, ' 7a' x 8 . ' ' . ' 7a' x 8, 'z' x 16)
    . line(16, ' 7a' x 4, 'zzzz'),
    'each datagram with its direction, peer, length and bytes';
like slurp("$dir/send"), qr/to $to[0] port $to[1] at/, 'the peer';
asks(["yes\n"], ["a\tb"], '--textdump', "$dir/text");
is dump_of('text'), "> sent to PEER at T: 3 bytes\n  a\\tb\n"
    . "< received from PEER at T: 4 bytes\n  yes\\n\n", '--textdump';
exits served(['ab', ''], '-x', "$dir/serve", '--reply', '\0%s'), 0, 'udp-serve -x';
is dump_of('serve'), "< received from PEER at T: 2 bytes\n"
    . line(0, ' 61 62', 'ab')
    . "> sent to PEER at T: 3 bytes\n" . line(0, ' 00 61 62', '.ab')
    . "< received from PEER at T: 0 bytes\n"
    . "> sent to PEER at T: 1 byte\n" . line(0, ' 00', '.'),
    'messages and answers';
exits served(['ab'], '-x', "$dir/print", '--print'), 0, '--print prints as usual',
    out => 'ab';
like slurp("$dir/print"), qr/\A< received .*\n.*\n\z/, 'and it is recorded';
served(['quiet'], '-x', "$dir/program", '--', 'tr', 'a-z', 'A-Z');
like slurp("$dir/program"), qr/\|quiet\|\n> sent .*\n.*\|QUIET\|\n\z/,
    'the answer of a program';

# Replies from others, and the longest datagram.
my $stranger = udp_socket(host => '127.0.0.2');
Sockt::fork_child(sub {
    my $from = $s->recv(my $x, 70_000);
    $stranger->send('o', 0, $from);
});
run({ stdin => 'l' x 65_507 }, 'udp-send', '--hexdump', "$dir/long",
    '--any-source', '--whole', @to);
my $dump = slurp("$dir/long");
is scalar(() = $dump =~ /^[0-9a-f]{8} /mg), 4095 + 1,
    'all lines of the longest datagram';
like $dump, qr/^< received from 127\.0\.0\.2 port ${\$stranger->sockport} at \S+ s: 1 byte\n/m,
    'who has replied';
($p, $c) = udp_pair('-v', '-x', "$dir/deny", '--deny', '127.0.0.2', '--count', 1);
udp_client($p, host => '127.0.0.2')->send('no');
$p->expect(err => qr/denied/);
$c->send('yes');
$p->finish;
unlike slurp("$dir/deny"), qr/127\.0\.0\.2/, 'who is denied is left out';

# Where nothing is printed, it may be stdout.
like run('udp-send', '--no-reply', '-x', '-', @to, 'x')->{out},
    qr/^> sent to 127\.0\.0\.1 port $to[1] at .*: 1 byte\n.*\|x\|\n\z/,
    '-x - with --no-reply';
hear($s);
like served(['ab'], '-x', '-', '--echo')->{out},
    qr/\A< received from (127\.0\.0\.1 port \d+) .*\n.*\n> sent to \1 /,
    '-x - of a server';

# With --json, events.
asks(["\xff" x 1000], [''], '--json', '-x', "$dir/json");
my @events = map { decode_json($_) } split /\n/, slurp("$dir/json");
is_deeply [map { [@{$_}{qw(event direction offset bytes)}] } @events],
    [['data', 'sent', 0, 0], ['data', 'received', 0, 960],
    ['data', 'received', 960, 40]], '--json: data events, also of nothing';
is_deeply $events[1]{remote}, { ip => '127.0.0.1', port => $to[1] },
    'with the peer';
is $events[2]{hex}, 'ff' x 40, 'and the bytes';

# What cannot be written.
SKIP: {
    skip 'no /dev/full', 2 unless -c '/dev/full';
    exits run('udp-send', '--no-reply', '-x', '/dev/full', @to, 'x'), 11,
        'a full disk is status 11', err => qr{/dev/full: no space left};
    ($p, $c) = udp_pair('-x', '/dev/full');
    $c->send('x');
    exits $p->finish, 11, 'it ends the server too', err => qr{/dev/full: no space left};
}
is run('udp-send', '--no-reply', '-x', "$dir/no/such", @to, 'x')->{status}, 11,
    'so is a file that cannot be created';

done_testing;
