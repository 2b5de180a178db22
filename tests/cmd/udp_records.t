# -x and --textdump of udp-send and udp-serve: a dump of the datagrams of both directions,
# each with its peer.
use Sockt;
use JSON::PP;

my $dir = scratch();
my $s = udp_socket();
my $port = $s->sockport;
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

my $pid = answers(["yes\0"], [''], ['z' x 20]);
my $r = run('udp-send', '-x', "$dir/send", @to, "a\tb", '', 'last');
reap($pid);
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

$pid = answers(["yes\n"]);
$r = run('udp-send', '--textdump', "$dir/text", @to, "a\tb");
reap($pid);
is dump_of("$dir/text"), "> sent to $peer at T: 3 bytes\n  a\\tb\n"
    . "< received from $peer at T: 4 bytes\n  yes\\n\n", '--textdump';

# Replies from others, and the longest datagram.
my $stranger = udp_socket(host => '127.0.0.2');
$pid = Sockt::fork_child(sub {
    my $from = $s->recv(my $x, 70_000);
    $stranger->send('o', 0, $from);
});
my $long = 'l' x 65_507;
run({ stdin => $long }, 'udp-send', '--hexdump', "$dir/long", '--any-source',
    '--whole', @to);
reap($pid);
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
$s->recv(my $x, 10);

# With --json, events.
$pid = answers(["\xff" x 1000]);
$r = run('udp-send', '--json', '-x', "$dir/json", @to, '');
reap($pid);
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
