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
exits $r, 0, 'shows what it was sent, ends well', err => qr/says: anything\n/;

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
exits run('serve-hello', '-4', $l->sockport), 7, 'a port in use is status 7',
    err => qr/cannot listen on 127\.0\.0\.1 port \d+: address in use/;

# Misuse.
for (['--messages', '0'], ['--delay', 'x'], ['--reply', '%q'],
    ['--reply', '%'], ['--reply', '100%'], ['--reply', '%%%'], ['--reply', '%S'],
    ['--greeting', '\\q'], ['--http', '--greeting', 'x'],
    ['--http', '--messages', '1'],
    ['--idle-timeout', '0'], ['65536']) {
    exits run('serve-hello', @$_), 2, "@$_ is refused";
}

done_testing;
