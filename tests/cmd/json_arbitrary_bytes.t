# --json: whatever the network says, every line is UTF-8 and one JSON object,
# as a strict parser sees it.
use Sockt;
use JSON::PP;
use Socket qw(:all);

my $json = JSON::PP->new;

# RFC 3629 section 4.
my $tail = qr/[\x80-\xbf]/;
my $utf8 = qr/\A(?:[\x00-\x7f] | [\xc2-\xdf] $tail
    | \xe0 [\xa0-\xbf] $tail | [\xe1-\xec\xee\xef] $tail{2}
    | \xed [\x80-\x9f] $tail | \xf0 [\x90-\xbf] $tail{2}
    | [\xf1-\xf3] $tail{3} | \xf4 [\x80-\x8f] $tail{2})*+\z/x;

# The objects of a text of lines; fails the test where one is not sound.
sub objects {
    my ($name, $text) = @_;
    my @objects;
    my @bad = grep {
        my $line = $_;
        my $o = $line =~ $utf8 && utf8::decode($line)
            && eval { $json->decode($line) };
        push @objects, $o if $o;
        !$o || ref $o ne 'HASH' || !exists $o->{event};
    } split /\n/, $text;
    is "@bad", '', "$name: every line is an object";
    ok $text =~ /\n\z/ && @objects, "$name: there are some";
    return @objects;
}

sub event {
    my ($event, @objects) = @_;
    return grep { $_->{event} eq $event } @objects;
}

# What is no UTF-8, what JSON has to escape, what terminals obey.
my @texts = (
    join('', map { chr } grep { $_ != 10 } 0 .. 255),
    "\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf",     # overlong
    "\xed\xa0\x80\xed\xb0\x80 \xed\xbf\xbf",      # surrogates
    "\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xff", # beyond the last
    "cut \xe2\x82",                               # in the middle
    "\x80\xbf\xbf",
    "\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf\xf4\x8f\xbf\xbf",
    "\"\\\"\\\\/\b\f\r\t\x7f\xc2\x80\xc2\x9b31m\e[31m",
    "\0\0\0",
    "\xf0\x9f\x98\x80" x 2000,
    '"' x 8000,
    "\xff" x 8000,
);

# --- serve-hello -----------------------------------------------------------

for my $n (0 .. $#texts) {
    my $p = start('serve-hello', '-4', '-v', '--json', 0);
    my $c = tcp_client($p->port);
    syswrite $c, "$texts[$n]\n";
    shutdown $c, SHUT_WR;
    do { local $/; <$c> };
    $p->expect(err => qr/"event":"closed"/);
    my @got = event('message', objects("serve-hello $n", $p->stop->{err}));
    ok scalar @got, "serve-hello $n: the message is told";
    # A text without what is no UTF-8 comes back as it was.
    my $sound = $texts[$n];
    ok $got[0]{text} eq $sound, "serve-hello $n: as it was"
        if $sound =~ $utf8 && utf8::decode($sound) && length $sound < 1000;
}

for my $n (0 .. $#texts) {
    my $p = start('serve-hello', '-4', '-v', '--json', '--http', 0);
    my $c = tcp_client($p->port);
    syswrite $c, "GET /$texts[$n] HTTP/1.1\r\nHost: x\r\nX: $texts[$n]\r\n\r\n";
    shutdown $c, SHUT_WR;
    do { local $/; <$c> };
    $p->expect(err => qr/"event":"closed"/);
    objects("serve-hello --http $n", $p->stop->{err});
}

# --- portscan --------------------------------------------------------------

for my $n (0 .. $#texts) {
    my $l = tcp_listener();
    my $pid = peer($l, sub { syswrite $_[0], $texts[$n] }, 5);
    my $r = run('portscan', '--json', '--banner', '127.0.0.1', $l->sockport);
    kill 'KILL', $pid;
    my ($port) = event('port', objects("portscan $n", $r->{out}));
    ok length($port->{banner} // ''), "portscan $n: a banner is told";
}

# --- http-get --------------------------------------------------------------

sub fetch {
    my ($name, $answer, @options) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        while (my $line = <$c>) { last if $line eq "\r\n" }
        syswrite $c, $answer;
    }, 3);
    my $r = run('http-get', '--json', @options,
        'http://127.0.0.1:' . $l->sockport . '/');
    kill 'KILL', $pid;
    return objects("http-get $name", $r->{err});
}

for my $n (0 .. $#texts) {
    my $text = $texts[$n];
    fetch("reason $n", "HTTP/1.1 404 $text\r\nContent-Length: 0\r\n\r\n");
    fetch("field $n",
        "HTTP/1.1 200 OK\r\nX: $text\r\nContent-Length: 0\r\n\r\n", '-v');
    fetch("Location $n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/$text\r\n\r\n",
        '-L');
    fetch("garbage $n", "$text\r\n\r\n");
}

# --- connect ---------------------------------------------------------------

for my $n (0 .. $#texts) {
    my $l = tcp_listener();
    my $pid = peer($l, sub { syswrite $_[0], $texts[$n] });
    my $r = run('connect', '-vv', '--json', '--expect', 'never',
        '127.0.0.1', $l->sockport);
    my ($e) = event('error', objects("connect $n", $r->{err}));
    like $e->{text}, qr/never/, "connect $n: what came instead is told";
    kill 'KILL', $pid;

    $l = tcp_listener();
    $pid = peer($l, sub {
        my ($c) = @_;
        while (my $line = <$c>) { last if $line eq "\r\n" }
        syswrite $c, "HTTP/1.1 403 $texts[$n]\r\n\r\n";
    });
    $r = run('connect', '--json', '--proxy',
        'http://127.0.0.1:' . $l->sockport, '127.0.0.1', 1);
    objects("connect --proxy $n", $r->{err});
    kill 'KILL', $pid;
}

# --- udp -------------------------------------------------------------------

for my $n (0 .. $#texts) {
    my $p = start('udp-serve', '-4', '-v', '--json', '--print', '--count', 1,
        0);
    my $s = udp_socket(peer => [ '127.0.0.1', $p->port ]);
    send $s, $texts[$n], 0;
    objects("udp-serve $n", $p->finish->{err});

    my $peer = udp_socket();
    $p = start('udp-send', '-v', '--json', '127.0.0.1', $peer->sockport, 'x');
    my $from = recv $peer, my $got, 100, 0;
    send $peer, $texts[$n], 0, $from;
    objects("udp-send $n", $p->finish->{out});
}

# --- What the user types ---------------------------------------------------

my $dir = scratch();
for my $name ("a\xff\x01\"\\b", "\xed\xa0\x80", "\xf0\x9f\x98\x80") {
    my $shown = $name =~ s/[^ -~]/?/gr;
    objects("connect unix:$shown",
        run('connect', '-vv', '--json', "unix:$dir/$name")->{err});
    objects("connect unix:\@$shown",
        run('connect', '-vv', '--json', "unix:\@$name")->{err});
    my ($e) = event('error', objects("listen -- $shown",
        run('listen', '-v', '--json', '-4', 0, '--', "$dir/$name")->{err}));
    is "$e->{kind} $e->{status}", 'program 127', "listen -- $shown: its kind";
    my $p = start('listen', '-vv', '--json', "unix:$dir/$name");
    $p->expect(err => qr/"listening"/);
    objects("listen unix:$shown", $p->stop->{err});
}

# Marks of direction in what a peer says reached the terminal: U+202E shows the
# rest of a line backwards, so that it seems to say something else.
my $mark = "\xe2\x80\xae";
my $says = "a${mark}fdp.exe";
my $want = qr/a\\xe2\\x80\\xaefdp\.exe/;

my $l   = tcp_listener();
my $pid = peer($l, sub { syswrite $_[0], "$says\n" }, 3);
my $r   = run('portscan', '--banner', '127.0.0.1', $l->sockport);
like $r->{out}, $want, 'in a banner';
$r = run('portscan', '--json', '--banner', '127.0.0.1', $l->sockport);
like $r->{out}, qr/a\\u202efdp\.exe/, 'in an event';
kill 'KILL', $pid;

my $p = start('serve-hello', '-4', 0);
my $c = tcp_client($p->port);
syswrite $c, "$says\n";
shutdown $c, 1;
do { local $/; <$c> };
like $p->stop->{err}, $want, 'in the log of a server';

$l   = tcp_listener();
$pid = peer($l, sub {
    my ($s) = @_;
    while (my $line = <$s>) { last if $line eq "\r\n" }
    print $s "HTTP/1.1 404 $says\r\nContent-Length: 0\r\n\r\n";
});
$r = run('http-get', 'http://127.0.0.1:' . $l->sockport . '/');
like $r->{err}, $want, 'in the reason of a response';
kill 'KILL', $pid;

# An object that ended at the very end of what an event may hold let every
# later member run over its buffer: http-get wrote thousands of bytes of its
# stack to stderr, for a URL of the right length and a body that came fast.
$json = JSON::PP->new;
my $body = 'x' x 20_000_000;
$l    = tcp_listener();
$pid  = peer($l, sub {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (my $line = <$c>) { last if $line eq "\r\n" }
    print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($body)
        . "\r\n\r\n$body";
}, 1000);
my $base = 'http://127.0.0.1:' . $l->sockport . '/';
open my $null, '>', '/dev/null' or die;

# The "response" event of a URL with a path of that length.
sub response {
    my ($n) = @_;
    my $r = run({ stdout => $null }, 'http-get', '--json', $base . 'a' x $n);
    is "$r->{status} " . ($r->{timed_out} ? 1 : 0), '0 0', "a path of $n bytes"
        or diag $r->{err};
    return (grep { /"event":"response"/ } split /\n/, $r->{err})[0] // '';
}

# How much of the line stands before what comes after the object in it.
my $short  = response(1);
my $before = index($short, ',"rate":') - 1;
cmp_ok $before, '>', 0, 'there is a member after an object';

my $cut = 0;
for my $end (8156 .. 8168) {
    my $line = response($end - $before);
    my $o    = eval { $json->decode($line) };
    ok $o && length($line) < 8192, '  is told in one object, in 8 KiB';
    $cut++ if $o && $o->{truncated};
}
cmp_ok $cut, '>', 3, 'some of them did not hold every member';
kill 'KILL', $pid;

done_testing;
