# udp-serve --to: datagrams go to a target, and its answers to the clients.
use Sockt;
use JSON::PP qw(decode_json);
use POSIX qw(WUNTRACED);
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);
use SocktUdp;
use TortureRun;

# A free UDP port here must not become another test's.
own_network();

my $dir = scratch();

# A forwarder to a port, and a client of it.
sub forwarder { return udp_pair('--to', '127.0.0.1:' . shift, @_) }

# Sends text through a forwarder to a target. What arrives there, and from whom.
sub reaches {
    my ($c, $target, $text) = @_;
    $c->send($text);
    return hear($target);
}

# Answers, sizes, order.
my $target = udp_socket();
my ($p, $c) = forwarder($target->sockport, '-v');
my ($other, $from) = udp_client($p);
for my $text ('a', '', 'x' x 65507) {
    (my $got, $from) = reaches($c, $target, $text);
    is $got, $text, length($text) . ' bytes to the target';
    $target->send("<$text", 0, $from) if length $text < 65507;
    $target->send($text, 0, $from) if length $text == 65507;
    is hear($c), length $text < 65507 ? "<$text" : $text, 'and back';
}
$target->send('', 0, $from);
is hear($c), '', 'an empty answer';
my ($got, $from2) = reaches($other, $target, 'b');
isnt $from2, $from, 'each client has a socket of its own';
$target->send('to b', 0, $from2);
$target->send('to a', 0, $from);
is hear($other), 'to b', 'the answer goes to its client';
is hear($c), 'to a', 'the other one, too';
my @many = map { "$_ " . 'x' x ($_ % 7 * 200) } 1 .. 40;
$c->send($_) for @many;
is_deeply [map { scalar hear($target) } @many], \@many, 'in order, none in parts';
$target->send($_, 0, $from) for @many;
is_deeply [map { scalar hear($c) } @many], \@many, 'so are the answers';
my $stranger = udp_socket();
$stranger->send('forged', 0, $from);
$target->send('true', 0, $from);
is hear($c), 'true', 'what others send to the socket of a session is dropped';
exits $p->stop, 0, 'the end of the server', err => [
    qr/127\.0\.0\.1 port ${\$c->sockport}: forwarding to 127\.0\.0\.1 port ${\$target->sockport}$/m,
    qr/port ${\$c->sockport}: end of its session \(end\): sent 43, received 46, refused 0$/m,
    qr/; 2 sessions, 0 evicted; refused 0$/m, qr/received 44 .* answered 47 /];

# Sessions end.
($p, $c) = forwarder($target->sockport, '-v', '--session-timeout', '300ms');
(undef, $from) = reaches($c, $target, 'a');
$p->expect(err => qr/end of its session \(idle\): sent 1, received 0/);
$target->send('late', 0, $from);
(undef, $from2) = reaches($c, $target, 'b');
isnt $from2, $from, 'after --session-timeout another session begins';
$target->send('b', 0, $from2);
is hear($c), 'b', 'which has no answer of the first';
$p->stop;

($p, $c) = forwarder($target->sockport, '-v', '--max-sessions', '2');
my @clients = ($c, map { udp_client($p) } 1 .. 2);
my @from = map { (reaches($clients[$_], $target, $_))[1] } 0, 1;
$target->send('keep', 0, $from[0]);
is hear($c), 'keep', 'an answer is a sign of life, too';
reaches($clients[2], $target, 2);
$p->expect(err => qr/2 sessions \(--max-sessions\): a new client ends the one that has been idle longest\n/);
$p->expect(err => qr/port ${\$clients[1]->sockport}: end of its session \(evicted\)/);
$target->send('still', 0, $from[0]);
is hear($c), 'still', '--max-sessions: the one idle longest has gone';
exits $p->stop, 0, 'that is counted', err => qr/; 3 sessions, 1 evicted;/;

# Refusals.
my $port = free_port();
($p, $c) = forwarder($port, '-v');
$c->send($_) for 'a', 'b';
$p->expect(err => qr/port ${\$c->sockport}: 127\.0\.0\.1 port $port: refused$/m);
$target = udp_socket(port => $port);
$c->send('c');
$got = hear($target);
# The second one may have been forwarded only now.
$got = hear($target) if $got eq 'b';
is $got, 'c', 'a target that begins later is reached';
exits $p->stop, 0, 'a refusal is told once, and counted',
    err => qr/refused [12]\n.*; 1 session, 0 evicted; refused [12]$/m;

# JSON, records, limits.
$target = udp_socket();
($p, $c) = forwarder($target->sockport, '--json', '-x', "$dir/dump", '--max-rate', 2);
(undef, $from) = reaches($c, $target, 'ask');
$target->send("answer $_", 0, $from) for 1 .. 3;
is hear($c), "answer $_", '--max-rate: answers' for 1, 2;
is hear($c, 0.2), undef, 'and no more';
my $r = $p->stop;
my %event = map { $_->{event} => $_ } map { decode_json($_) } split /\n/, $r->{err};
is_deeply [@{ $event{session} }{qw(sent received refused reason)}], [1, 3, 0, 'end'],
    'the session event';
is_deeply [@{ $event{summary} }{qw(sessions evicted refused)}], [1, 0, 0], 'the summary';
is $event{session}{target}{port}, $target->sockport, 'has the target';
is $event{message}{text}, 'ask', 'and the message event the datagram';
like $event{ignored}{reason}, qr/--max-rate/, 'what is not answered is told';
my $dump = slurp("$dir/dump");
like $dump, qr/"direction":"received"\N*"text":"ask"/, '-x has the datagram';
like $dump, qr/"direction":"sent"\N*"text":"answer 2"/, 'and the answer';
($p, $c) = forwarder($target->sockport, '--deny', '127.0.0.1', '-v');
$c->send('x');
$p->expect(err => qr/ignored: denied by --allow or --deny/);
is hear($target, 0), undef, '--deny: nothing is forwarded';
$p->stop;
($p, $c) = forwarder($target->sockport, '--idle-timeout', '300ms');
exits $p->finish, 5, '--idle-timeout ends the server', err => qr/no datagram within 0\.3 s/;
($p, $c) = forwarder($target->sockport, '--textdump', "$dir/text");
reaches($c, $target, "line\n");
$p->stop;
like slurp("$dir/text"), qr/^< received from .*\n  line\\n$/m, '--textdump';

# A target that is this server itself is refused: a datagram went in a circle
# for ever where the target was another local address, 0.0.0.0, a group that the
# server had joined, or another name of a Unix socket's path.
my $itself = qr/^sockt udp-serve: --to: \N* is this server itself: /;
sub circles {
    my ($name, $o, @args) = @_;
    exits run($o, 'udp-serve', @args), 2, "a target that is this server: $name",
        err => $itself;
}
my $has_ipv6 = has_ipv6();
for (['127.0.0.1', '127.0.0.1'], ['127.0.0.1', '[::ffff:127.0.0.1]'],
    ['127.0.0.1', '0.0.0.0'], ['::1', '[::1]', 1], ['::1', 'localhost', 1],
    ['::1', '[::1%1]', 1], ['*', '[::1%1]', 1],
    ['*', '127.0.0.1'], ['*', '127.0.0.2'], ['*', '0.0.0.0'],
    ['*', '[::ffff:127.0.0.2]'], ['*', '[::1]', 1], ['*', '[::]', 1],
    ['*', '239.1.2.3', 0, '--join', '239.1.2.3%lo']) {
    my ($at, $to, $needs_ip6, @more) = @$_;
    next if $needs_ip6 && !$has_ipv6;
    $port = free_port();
    circles("$to at $at", {}, @more, $at, $port, '--to', "$to:$port");
}
$target = udp_socket();
circles('--fd', { stdin => $target }, '--fd', 0, '--to',
    '127.0.0.1:' . $target->sockport);
symlink "$dir/self", "$dir/link" or die "symlink: $!";
circles($_->[0], {}, "unix:$_->[0]", '--to', "unix:$_->[1]") for
    ["$dir/self", "$dir/./self"], ["$dir/self", "$dir/link"], ["\@sockt$$", "\@sockt$$"];
$other = udp_socket(host => '127.0.0.2');
$p = start('udp-serve', '-v', '127.0.0.1', $other->sockport, '--to',
    '127.0.0.2:' . $other->sockport);
$p->port;
is scalar(reaches(udp_client($p), $other, 'x')), 'x', 'another address is another server';
$p->stop;
$p = start('udp-serve', '-v', "unix:$dir/self", '--to', "unix:$dir/later");
$p->expect(err => qr/receiving on/);
symlink "$dir/self", "$dir/later" or die "symlink: $!";
socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
send $s, 'x', 0, pack_sockaddr_un("$dir/self") or die "send: $!";
$p->expect(err => qr/cannot forward to \S+later is this server itself: /);
exits $p->stop, 0, 'a target that becomes this server has no session', err => qr/received 1 /;

# Unix sockets, at either side.
sub unix_socket {
    my ($path) = @_;
    unlink $path;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($path) or die "bind: $!";
    return $s;
}
$ENV{TMPDIR} = $dir;
my $unix = unix_socket("$dir/target");
($p, $c) = udp_pair('--to', "unix:$dir/target", '-v');
($got, $from) = reaches($c, $unix, 'ask');
is $got, 'ask', 'to a Unix socket';
send $unix, 'answer', 0, $from;
is hear($c), 'answer', 'and back';
$unix = unix_socket("$dir/target");
my $again;
for (1 .. 3) { $c->send("again $_"); $again = hear($unix, 1); last if defined $again }
like $again, qr/^again [12]$/, 'one that began anew is reached';
# Where the first of a batch ended the socket of its session, the next began one
# with a client without an address, to which no answer could be sent.
$unix = unix_socket("$dir/target");
$p->signal('STOP');
waitpid $p->{pid}, WUNTRACED;
$c->send("batch $_") for 1 .. 3;
$p->signal('CONT');
ok $p->expect(err => qr/ignored: unix:\S+target: refused/), 'the cause is told';
is hear($unix), 'batch 2', 'the rest of a batch reaches it';
($got, $from) = hear($unix);
send $unix, 'to the batch', 0, $from;
is hear($c, 3), 'to the batch', 'and its answers the client';
undef $unix;
unlink "$dir/target";
$c->send('x') for 1 .. 2;
$p->expect(err => qr/cannot forward to unix:\S+target: /);
is $p->stop->{status}, 0, 'ends';
is_deeply [glob "$dir/sockt.*"], [], 'and leaves nothing behind';
$unix = unix_socket("$dir/target");
($p, $c) = udp_pair('--to', "unix:$dir/target", '-v');
$c->send($_) for 1 .. 80;
$p->expect(err => qr/ignored: unix:\S+target: /);
exits $p->stop, 0, 'one that does not read has a session as others do',
    err => qr/; 1 session, /;
# A session that cannot be waited for says why.
SKIP: {
    skip 'calls cannot be made to fail here', 2 if sockt() =~ /sanitize/
        || run('--version')->{out} =~ /posix/ || !TortureRun::has_library();
    symlink built('inject.so'), "$dir/i" or die "symlink: $!";
    exits run({ env => { LD_PRELOAD => "$dir/i", TORTURE_TABLE => "$dir/table",
        TORTURE_PLAN => '0 epoll_create1 1 0 23' } }, 'udp-serve', 0, '--to', 'localhost:9'),
        1, 'nor any of them', err => qr/: waiting for sockets: too many open files/;
    ($p, $c) = udp_pair({ env => { LD_PRELOAD => "$dir/i", TORTURE_TABLE => "$dir/table",
        TORTURE_PLAN => '0 epoll_ctl 2 1 28' } }, '--to', '127.0.0.1:' . free_port());
    $c->send('x');
    ok $p->expect(err => qr/cannot forward to 127\N+: no space left/), 'the reason';
    $p->stop;
}
my $client = unix_socket("$dir/client");
$p = start('udp-serve', '-v', "unix:$dir/server", '--to', '127.0.0.1:' . $target->sockport);
$p->expect(err => qr/receiving on/);
send $client, 'ask', 0, pack_sockaddr_un("$dir/server") or die "send: $!";
($got, $from) = hear($target);
is $got, 'ask', 'from a Unix socket';
$target->send('answer', 0, $from);
is hear($client), 'answer', 'and back';
socket my $nameless, AF_UNIX, SOCK_DGRAM, 0;
send $nameless, 'log', 0, pack_sockaddr_un("$dir/server");
is hear($target), 'log', 'a client without a name can only send';
is $p->stop->{status}, 0, 'ends';

# What does not go together.
my @to = ('--to', 'localhost:9');
exits run('udp-serve', 0, @{ $_->[1] }), 2, "$_->[0]: misuse", err => $_->[2] for
    ['--echo', [@to, '--echo'], qr/--to .*--echo|--echo .*--to/],
    ['--print', [@to, '--print'], qr/--print/],
    ['--reply', [@to, '--reply', 'x'], qr/--reply/],
    ['--count', [@to, '--count', 1], qr/--count/],
    ['a program', [@to, '--', 'cat'], qr/program/],
    ['--session-timeout alone', ['--session-timeout', 1], qr/--to/],
    ['--max-sessions alone', ['--max-sessions', 1], qr/--to/],
    ['no port', ['--to', 'localhost'], qr/^sockt udp-serve: --to: .*port/],
    ['every address', ['--to', '*:80'], qr/--to: .*not a host/],
    ['a name with -n', ['-n', '--to', 'name:80'], qr/--to: .*numeric/],
    ['the other family', ['-4', '--to', '[::1]:80'], qr/--to: ::1 is not an IPv4 address/],
    ['--session-timeout 0', [@to, '--session-timeout', 0], qr/--session-timeout/],
    ['--max-sessions 0', [@to, '--max-sessions', 0], qr/--max-sessions/];
exits run('udp-serve', 0, '--to', 'name.invalid:9'), 3, 'a name that does not exist',
    err => qr/name\.invalid/;

done_testing;
