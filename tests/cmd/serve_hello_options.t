# What serve-hello says, and when it leaves, is up to its options.
use Sockt;
use IO::Select;
use Time::HiRes qw(time);

# Starts a server, sends text, returns all it says until it closes.
sub talk {
    my ($text, @options) = @_;
    my $p = start('serve-hello', '-4', @options, '0');
    my $c = tcp_client($p->port);
    $c->syswrite($text);
    shutdown $c, 1 unless grep { /messages|idle/ } @options;
    my $got = do { local $/; <$c> } // '';
    close $c;
    $p->expect(err => qr/closed|rejected/);
    return ($got, $p->stop);
}

my ($got, $r) = talk('anything', '--greeting', '', '--reply', 'test server',
    '--messages', '1');
is $got, 'test server', 'the single-answer server';
like $r->{err}, qr/says: anything\n/, 'shows what it was sent';
is $r->{status}, 0, 'and ends well';

($got) = talk("a\nb\n", '--greeting', 'Hi\n', '--reply', '%n %s %a 100%%');
is $got, "Hi\n1 a 127.0.0.1 100%\n2 b 127.0.0.1 100%\n",
    'a format and its places';
($got) = talk("a\nb\nc\n", '--greeting=', '--messages', '2');
is $got, "Hello, a!\nHello, b!\n", 'so many messages and no more';

my $start = time;
($got) = talk("a\n", '--greeting=', '--delay', '0.2');
is $got, "Hello, a!\n", 'a late answer';
cmp_ok time - $start, '>=', 0.2, 'is late';

($got, $r) = talk("a\n", '--greeting=', '--idle-timeout', '0.1');
is $got, "Hello, a!\n", 'an answer before the limit';
like $r->{err}, qr/ 127\.0\.0\.1 port \d+: nothing was sent or received within \S+ m?s \(--idle-timeout\)/,
    'an idle client is let go';
($got, $r) = talk("a\n", '--greeting=', '--deny', '127.0.0.1');
is $got, '', 'a denied client is not served';
like $r->{err}, qr/rejected/, 'which is reported';

# JSON: each message is an event.
($got, $r) = talk("\xff\n", '--json');
like $r->{err}, qr/^\{"event":"listening",.*"local":\{"ip":"127.0.0.1"/m,
    'listening';
like $r->{err}, qr/^\{"event":"message",.*"bytes":1,"text":"\\u[0-9a-f]{4}"/m,
    'message';
like $r->{err}, qr/^\{"event":"closed",.*"received":2/m, 'closed';

# A port that is taken is status 7.
my $l = tcp_listener();
$r = run('serve-hello', '-4', $l->sockport);
is $r->{status}, 7, 'a port in use is status 7';
like $r->{err}, qr/cannot listen on 127\.0\.0\.1 port \d+: address in use/,
    'and told';

# Misuse.
for (['--messages', '0'], ['--delay', 'x'], ['--reply', '%q'],
    ['--reply', '%'], ['--reply', '100%'], ['--reply', '%%%'], ['--reply', '%S'],
    ['--greeting', '\\q'], ['--http', '--greeting', 'x'],
    ['--http', '--messages', '1'],
    ['--idle-timeout', '0'], ['65536']) {
    $r = run('serve-hello', @$_);
    is $r->{status}, 2, "@$_ is refused";
}

# serve-hello: --accept-timeout ended the conversations of current clients.
my $p = start('serve-hello', '-v', '--accept-timeout', 1, '-4', 0);
my $c = tcp_client($p->port);
sysread $c, my $greeting, 100;
select undef, undef, undef, 1.3;
syswrite $c, "Ann\nexit\n";
shutdown $c, 1;
is do { local $/; <$c> }, "Hello, Ann!\n",
    'a client that is being served may finish';
is $p->finish->{status}, 5, 'and the status is that of the limit';

# A process a client: as many as --max-conns, none left when it ends.
sub eventually {
    my ($code) = @_;
    my $until = time + 10;
    my $got;
    while (time <= $until) {
        return 1 if ($got = $code->());
        select undef, undef, undef, 0.01;
    }
    return 0;
}

$p = start('serve-hello', '-4', '--max-conns', '3', '0');
my @c = map { tcp_client($p->port) } 1 .. 4;
for (@c[0 .. 2]) {
    $_->sysread(my $welcome, 100);
    is $welcome, 'Welcome!', 'one of three';
}
ok !IO::Select->new($c[3])->can_read(0.2), 'the fourth waits';
SKIP: {
    skip 'no /proc', 1 unless -d '/proc/self';
    is scalar(() = children($p->{pid})), 3, 'a process for each';
}
$c[0]->syswrite('exit');
$c[3]->sysread(my $welcome, 100);
is $welcome, 'Welcome!', 'until one has gone';
close $_ for @c[0, 1];
SKIP: {
    skip 'no /proc', 1 unless -d '/proc/self';
    ok eventually(sub { children($p->{pid}) == 2 }), 'the others are reaped';
}
my @served = children($p->{pid});
$r = $p->stop;
is $r->{status}, 0, 'TERM: status 0';
cmp_ok $r->{seconds}, '<', 10, 'at once';
for (@c[2, 3]) {
    my $n = $_->sysread(my $x, 100);
    ok !$n, 'their connections have ended';
}
is join(' ', grep { is_running($_) } @served), '', 'no child is left';

done_testing;
