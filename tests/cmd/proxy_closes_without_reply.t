# A SOCKS proxy that just closes after the request, as OpenSSH's does when it
# cannot connect: --retry-for asks it again, and the error says what that means.
use Sockt;

# Each connection counts here: those of other tests' scans must not.
own_network();

# A proxy that takes so many bytes, in these pieces, before it closes.
sub hanging_up {
    my ($listener, $count, @steps) = @_;
    return peer($listener, sub {
        my ($c, $number) = @_;
        for my $step (@steps) {
            my ($bytes, $answer) = @$step;
            read $c, my ($got), $bytes;
            syswrite $c, $answer;
        }
        return if $number < $count;
        # The last one gets through.
        syswrite $c, @steps > 1 ? "\x05\0\0\1\0\0\0\0\0\0"
            : "\0\x5a\0\0\0\0\0\0";
        1 while sysread $c, my $rest, 4096;
    }, $count);
}

my @socks5 = ([ 3, "\5\0" ], [ 16, '' ]);
my @socks4 = ([ 19, '' ]);
for my $case ([ 'socks5', @socks5 ], [ 'socks4', @socks4 ]) {
    my ($scheme, @steps) = @$case;
    my $l = tcp_listener();
    my $url = "$scheme://127.0.0.1:" . $l->sockport;
    my $pid = hanging_up($l, 3, @steps);
    exits run('connect', '-vz', '--retry-for', 20, '--proxy', $url,
        'name.test', 81), 0, "$scheme: asked again until it gets through",
        err => [qr/it cannot reach the target: ssh -D reports that in this way\); trying again/,
        qr/^sockt connect: reached name\.test port 81 through the SOCKS\d proxy 127\.0\.0\.1 port \d+ \(--proxy\) in /m];
    reap($pid);

    $pid = hanging_up($l, 2, @steps);
    exits run('connect', '-z', '--proxy', $url, 'name.test', 81), 8,
        "$scheme: without --retry-for that is status 8, one line",
        err => qr/^sockt connect: name\.test port 81: the SOCKS\d proxy \S+ port \d+ \(--proxy\): closed the connection without a reply \(it cannot reach the target: .*\)\n\z/;
    my $r = run('connect', '--json', '-z', '--proxy', $url, 'name.test', 81);
    like $r->{out}, qr/\{"event":"proxied","time":[\d.]+,"at":"[^"]+","host":"name\.test","port":81,"seconds":/,
        "$scheme: an event" or diag $r->{err};
    reap($pid);
}

# A close before the request says nothing about the target.
my $l = tcp_listener();
my $pid = peer($l, sub { read $_[0], my ($got), 3 });
my $r = run('connect', '-z', '--retry-for', 20, '--proxy',
    'socks5://127.0.0.1:' . $l->sockport, 'name.test', 81);
is $r->{status}, 9, 'a close during the greeting is malformed';
reap($pid);

done_testing;
