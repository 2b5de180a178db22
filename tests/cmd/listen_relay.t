# listen takes one connection and relays it to stdin and stdout.
use Sockt;

# The classic transfer: the file is on the server, the client just listens.
my $response = spew(scratch() . '/response', 'answer' x 50_000);
open my $file, '<', $response or die;
my $p = start({ stdin => $file }, 'listen', 0);
my $c = tcp_client($p->port);
print $c 'question';
shutdown $c, 1;
my $got = do { local $/; <$c> };
my $r = $p->finish;
is length $got, 300_000, 'a client that finished first gets the whole answer';
exits $r, '0 question', 'what the client said; says where it listens',
    err => qr/\Asockt listen: listening on 127\.0\.0\.1 port \d+ \(TCP\)\n/;
if (has_ipv6()) {
    my ($v4, $v6) = $r->{err} =~ /127\.0\.0\.1 port (\d+) \(TCP\)\n.* ::1 port (\d+) \(TCP\)\n/;
    is $v6, $v4, 'and on ::1 with the same number';
}

# An idle stdin does not keep it when that is asked for.
$p = start({ keep_stdin => 1 }, 'listen', '-4', '--on-peer-eof', 'quit', 0);
$c = tcp_client($p->port);
print $c "bye\n";
close $c;
$p->expect(out => qr/bye\n/);
is reap($p->{pid}, 5), 0, 'an idle stdin does not hold it when the peer finishes';

# -k: one after another, and TERM ends it.
$p = start({ keep_stdin => 1 }, 'listen', '-k', '--recv-only', 0);
my $port = $p->port;
for my $n (1 .. 3) {
    my $client = tcp_client($port);
    print $client "client $n\n";
    close $client;
    $p->expect(out => qr/client $n\n/);
}
exits $p->stop, 0, 'a server that is told to stop exits 0',
    out => "client 1\nclient 2\nclient 3\n";

# -k < file: the whole file for each, from where it was at the start; it grows.
my $path = spew(scratch() . '/page', "skipped\n" . 'page' x 100_000);
open $file, '<', $path or die;
sysseek $file, 8, 0;
my $client = sub {
    my ($port, $bytes) = @_;
    my $c = tcp_client($port);
    print $c 'x';
    my $got = '';
    1 while length $got < $bytes && sysread $c, $got, 1 << 16, length $got;
    close $c;
    return $got;
};
$p = start({ stdin => $file }, 'listen', '-k', 0);
is $client->($p->port, 1e9), 'page' x 100_000, '-k < file: the whole file';
$client->($p->port, 10);
is $client->($p->port, 1e9), 'page' x 100_000, 'after one who left early, too';
open my $more, '>>', $path or die;
syswrite $more, "more\n";
is $client->($p->port, 1e9), 'page' x 100_000 . "more\n", 'what was appended too';
exits $p->stop, 0, 'exit status';
is sysseek($file, 0, 1), 8 + 400_000 + 5, 'the position is where the last left it';
# What each of two clients gets of a file, and how much of it was read.
for my $row (["one\n", "one\n", 4, '--send-only'], ["one\n", "one\r\n", 4, '-C'],
    ['last', 'first ', 0, '--send', 'first ', '--done'],
    ['last', 'first last', 4, '--send', 'first ']) {
    my ($text, $sent, $position, @options) = @$row;
    spew($path, $text);
    open $file, '<', $path or die;
    $p = start({ stdin => $file }, 'listen', '-k', @options, 0);
    is $client->($p->port, 1e9), $sent, "@options: client $_" for 1, 2;
    $p->stop;
    is 0 + sysseek($file, 0, 1), $position, '  and its position';
}
# What can be read once is for the first.
$p = start({ stdin => "pipe\n" }, 'listen', '-k', 0);
is $client->($p->port, 1e9), "pipe\n", 'a pipe is for the first client';
is $client->($p->port, 1e9), '', 'and has ended for the second';
$p->stop;
open $file, '<', '/dev/null' or die;
$p = start({ stdin => $file }, 'listen', '-k', 0);
is $client->($p->port, 1e9), '', "/dev/null has ended for client $_" for 1, 2;
is $p->stop->{status}, 0, 'exit status';

# Without -k the port is free as soon as somebody came.
$p = start({ keep_stdin => 1 }, 'listen', '-4', 0);
$port = $p->port;
$c = tcp_client($port);
print $c "x\n";
$p->expect(out => qr/x/);
ok !eval { tcp_client($port); 1 }, 'a second client is refused';
close $c;
is $p->finish->{status}, 0, 'one connection, then done';

is run('listen', '-v', 'unix:/nowhere/at/all')->{status}, 7,
    'an address that cannot be had is status 7';

# listen -k: stdin belongs to the server, not to one connection.
# A client that has sent something and finished makes room while stdin is idle.
$p = start({ keep_stdin => 1 }, 'listen', '-kv', 0);
for my $n (1 .. 3) {
    my $c = tcp_client($p->port);
    syswrite $c, "from $n\n";
    shutdown $c, 1;
    is sysread($c, my $x, 100), 0, "client $n: a FIN";
    $p->expect(out => qr/from $n\n/);
}
$p->close_stdin;
$c = tcp_client($p->port);
is sysread($c, my $x, 100), 0, 'an end of stdin is that of every client';
is $p->stop->{status}, 0, 'status 0';
unlike $p->{err}, qr/lost|not delivered/, 'nothing is lost';

# One that sent nothing but its FIN is a receiver: it stays until another comes.
# Each line goes to the client that is there, and all of them arrive.
$p = start({ keep_stdin => 1 }, 'listen', '-kv', 0);
my $last;
for my $n (1 .. 3) {
    my $c = tcp_client($p->port);
    is sysread($last, my $x, 100), 0, 'it ends when another comes' if $last;
    shutdown $c, 1;
    for my $line (1, 2) {
        $p->send_line("line $line for $n\n");
        my $text = '';
        sysread $c, $text, 100, length $text while $text !~ /\n/;
        is $text, "line $line for $n\n", "receiver $n";
        # Longer than stdin has to be idle.
        select undef, undef, undef, 0.3;
    }
    $last = $c;
}
is $p->stop->{status}, 0, 'status 0';

# A word of the user's holds: the second client waits for the end of stdin.
$p = start({ keep_stdin => 1 }, 'listen', '-kv', '--on-peer-eof', 'finish', 0);
my @clients = map {
    my $c = tcp_client($p->port);
    syswrite $c, "from $_\n";
    shutdown $c, 1;
    $c;
} 1, 2;
$p->expect(out => qr/from 1/);
select undef, undef, undef, 0.5;
is $p->{out}, "from 1\n", '--on-peer-eof finish: the first client is waited for';
$p->close_stdin;
$p->expect(out => qr/from 2/);
$p->stop;

# Many short clients, few descriptors.
$p = start({ keep_stdin => 1, command => 'sh' }, '-c',
    'ulimit -n 16; exec "$0" listen -k 0', sockt());
for my $n (1 .. 40) {
    my $c = tcp_client($p->port);
    syswrite $c, "short $n\n";
}
$p->expect(out => qr/short 40\n/);
is $p->{out}, join('', map { "short $_\n" } 1 .. 40),
    'forty clients with sixteen descriptors';
is $p->stop->{status}, 0, 'status 0';

done_testing;
