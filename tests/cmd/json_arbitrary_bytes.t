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

# The first of an event.
sub event {
    my ($event, @objects) = @_;
    return (grep { $_->{event} eq $event } @objects)[0];
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

# A peer that answers a head with text, or says it at once; its port and pid.
sub says {
    my ($text, $reads_head, $count) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        while ($reads_head && defined(my $line = <$c>)) { last if $line eq "\r\n" }
        print $c $text;
    }, $count // 5);
    return ($l->sockport, $pid);
}

# A run against such a peer.
sub against {
    my ($text, $reads_head, @args) = @_;
    my ($port, $pid) = says($text, $reads_head);
    my $r = run(map { s/PORT/$port/r } @args);
    kill 'KILL', $pid;
    return $r;
}

# What a server says after a client has said text.
sub serving {
    my ($text, @args) = @_;
    my $p = start('serve-hello', '-4', '-v', '--json', @args, 0);
    exchange($p->port, $text);
    $p->expect(err => qr/"event":"closed"/);
    return $p->stop->{err};
}

for my $n (0 .. $#texts) {
    my $text = $texts[$n];
    my $message = event('message', objects("serve-hello $n", serving("$text\n")));
    ok $message, "serve-hello $n: the message is told";
    # A text without what is no UTF-8 comes back as it was.
    my $sound = $text;
    ok $message->{text} eq $sound, "serve-hello $n: as it was"
        if $sound =~ $utf8 && utf8::decode($sound) && length $sound < 1000;
    objects("serve-hello --http $n", serving(
        "GET /$text HTTP/1.1\r\nHost: x\r\nX: $text\r\n\r\n", '--http'));

    my $port = event('port', objects("portscan $n", against($text, 0, 'portscan',
        '--json', '--banner', '127.0.0.1', 'PORT')->{out}));
    ok length($port->{banner} // ''), "portscan $n: a banner is told";

    my @empty = "\r\nContent-Length: 0\r\n\r\n";
    for (['reason', "HTTP/1.1 404 $text@empty"],
        ['field', "HTTP/1.1 200 OK\r\nX: $text@empty", '-v'],
        ['Location', "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/$text\r\n\r\n", '-L'],
        ['garbage', "$text\r\n\r\n"]) {
        my ($name, $answer, @options) = @$_;
        objects("http-get $name $n", against($answer, 1, 'http-get', '--json',
            @options, 'http://127.0.0.1:PORT/')->{err});
    }

    my $e = event('error', objects("connect $n", against($text, 0, 'connect',
        '-vv', '--json', '--expect', 'never', '127.0.0.1', 'PORT')->{err}));
    like $e->{text}, qr/never/, "connect $n: what came instead is told";
    objects("connect --proxy $n", against("HTTP/1.1 403 $text\r\n\r\n", 1, 'connect',
        '--json', '--proxy', 'http://127.0.0.1:PORT', '127.0.0.1', 1)->{err});

    my $p = start('udp-serve', '-4', '-v', '--json', '--print', '--count', 1, 0);
    udp_socket(peer => ['127.0.0.1', $p->port])->send($text);
    objects("udp-serve $n", $p->finish->{err});
    my $peer = udp_socket();
    $p = start('udp-send', '-v', '--json', '127.0.0.1', $peer->sockport, 'x');
    my $from = recv $peer, my $got, 100, 0;
    send $peer, $text, 0, $from;
    objects("udp-send $n", $p->finish->{out});
}

# What the user types.
my $dir = scratch();
for my $name ("a\xff\x01\"\\b", "\xed\xa0\x80", "\xf0\x9f\x98\x80") {
    my $shown = $name =~ s/[^ -~]/?/gr;
    objects("connect $_$shown", run('connect', '-vv', '--json', "$_$name")->{err})
        for "unix:$dir/", 'unix:@';
    my $e = event('error', objects("listen -- $shown",
        run('listen', '-v', '--json', '-4', 0, '--', "$dir/$name")->{err}));
    is "$e->{kind} $e->{status}", 'program 127', "listen -- $shown: its kind";
    my $p = start('listen', '-vv', '--json', "unix:$dir/$name");
    $p->expect(err => qr/"listening"/);
    objects("listen unix:$shown", $p->stop->{err});
}

# Marks of direction in what a peer says reached the terminal: U+202E shows the
# rest of a line backwards, so that it seems to say something else.
my $says = "a\xe2\x80\xaefdp.exe";
my $want = qr/a\\xe2\\x80\\xaefdp\.exe/;
my @scan = ("$says\n", 0, qw(portscan --banner 127.0.0.1 PORT));
like against(@scan)->{out}, $want, 'in a banner';
like against(@scan, '--json')->{out}, qr/a\\u202efdp\.exe/, 'in an event';
my $p = start('serve-hello', '-4', 0);
exchange($p->port, "$says\n");
like $p->stop->{err}, $want, 'in the log of a server';
like against("HTTP/1.1 404 $says\r\nContent-Length: 0\r\n\r\n", 1, 'http-get',
    'http://127.0.0.1:PORT/')->{err}, $want, 'in the reason of a response';

# An object that ended at the very end of what an event may hold let every
# later member run over its buffer: http-get wrote thousands of bytes of its
# stack to stderr, for a URL of the right length and a body that came fast.
my $body = 'x' x 20_000_000;
my ($port, $pid) = says("HTTP/1.1 200 OK\r\nContent-Length: " . length($body)
    . "\r\n\r\n$body", 1, 1000);
my $base = "http://127.0.0.1:$port/";
open my $null, '>', '/dev/null' or die;

# The "response" event of a URL with a path of that length.
sub response {
    my ($n) = @_;
    my $r = run({ stdout => $null }, 'http-get', '--json', $base . 'a' x $n);
    exits $r, 0, "a path of $n bytes";
    return (grep { /"event":"response"/ } split /\n/, $r->{err})[0] // '';
}

# How much of the line stands before what comes after the object in it.
my $before = index(response(1), ',"rate":') - 1;
cmp_ok $before, '>', 0, 'there is a member after an object';
my $cut = 0;
for my $end (8156 .. 8168) {
    my $line = response($end - $before);
    my $o = eval { $json->decode($line) };
    ok $o && length($line) < 8192, '  is told in one object, in 8 KiB';
    $cut++ if $o && $o->{truncated};
}
cmp_ok $cut, '>', 3, 'some of them did not hold every member';
kill 'KILL', $pid;

done_testing;
