# -x with programs: the bytes go through a process that records them, and what
# the client and the program see is as without it.
use Sockt;
use JSON::PP;

my $dir = scratch();
my $json = JSON::PP->new->utf8;
my $every = join '', map { chr } 0 .. 255;

# The bytes of a hex dump in one direction.
sub dumped {
    my ($direction, $text) = @_;
    my ($bytes, $is_wanted) = ('', 0);
    for (split /\n/, $text) {
        $is_wanted = $1 eq $direction if /^[<>] (\w+) /;
        $bytes .= pack 'H*', $1 =~ s/ //gr
            if $is_wanted && /^[0-9a-f]{8,} ([0-9a-f ]+?)  +\|/;
    }
    return $bytes;
}

for my $program (['--', 'cat'], ['-e', 'cat']) {
    my @before = $program->[0] eq '-e' ? @$program : ();
    my @after = @before ? () : @$program;
    my $p = start('listen', '-4', '-k', '-x', "$dir/dump", '-o',
        "$dir/%n.%d", @before, 0, @after);
    my $text = $every x 2000;
    ok exchange($p->port, $text) eq $text, "$program->[0] cat: every byte";
    is exchange($p->port, 'second'), 'second', 'and a second client';
    is $p->stop->{status}, 0, 'stopped';
    my $dump = slurp("$dir/dump");
    ok dumped('received', $dump) eq "${text}second", 'what was received';
    ok dumped('sent', $dump) eq "${text}second", 'what was sent';
    ok slurp("$dir/1.received") eq $text && slurp("$dir/1.sent") eq $text,
        'and in files';
    is slurp("$dir/2.sent"), 'second', 'of the second client too';
}

my $p = start('listen', '-4', '-k', '-x', "$dir/dump", '-e',
    'echo $PROTO $TCPLOCALPORT $TCPREMOTEIP; read line; echo "<$line>"', 0);
my $port = $p->port;
is exchange($port, "x\n"), "TCP $port 127.0.0.1\n<x>\n",
    'the UCSPI variables are the client\'s';
my @clients = map { tcp_client($port) } 1 .. 20;
print { $clients[$_] } "client $_\n" for 0 .. 19;
my @got = map { local $/; scalar readline $_ } @clients;
is scalar(grep { $got[$_] ne "TCP $port 127.0.0.1\n<client $_>\n" } 0 .. 19), 0,
    'many at a time';
$p->stop;
is scalar(() = slurp("$dir/dump") =~ /^= connection/mg), 21, 'all in the dump';

# The last words of a program that left input unread are not lost to a reset.
$p = start('listen', '-4', '-kv', '-x', "$dir/dump", 0, '--', 'echo', 'go away');
my $whole = 0;
for (1 .. 20) {
    $whole++ if exchange($p->port, 'unread' x 5000) eq "go away\n";
}
is $whole, 20, 'the last words arrive although input was left unread';
$p->expect(err => qr/(?:: closed .*){20}/s);
is join('', grep { !/: (?:listening|accepted|closed) / } split /^/,
    $p->stop->{err}), '', 'which is no error';

# --- The program's status and end ------------------------------------------

for my $row (['exit 3', 3], ['kill -9 $$', 137], ['exit 0', 0], ['exit 2', 2]) {
    my ($command, $status) = @$row;
    $p = start('listen', '-4', '-v', '--json', '-x', "$dir/dump", '-e',
        $command, 0);
    $p->expect(err => qr/listening/);
    exchange($p->{err} =~ /"port":(\d+)/, '');
    my $r = $p->finish;
    is $r->{status}, $status, "$command: the status is the program's";
    my ($closed) = grep { $_->{event} eq 'closed' }
        map { $json->decode($_) } split /\n/, $r->{err};
    is "$closed->{status} $closed->{connection}", "$status 1",
        'also in the event';
    unlike $r->{err}, qr/"error"/, 'and nothing else is said';
}
spew("$dir/nothing", "#!/bin/sh\n");
chmod 0755, "$dir/nothing";
$p = start('listen', '-4', '-k', '-x', "$dir/dump", 0, '--', "$dir/nothing");
$p->port;
unlink "$dir/nothing";
is exchange($p->port, ''), '', 'a program that has gone: closed';
$p->expect(err => qr{cannot run \S+/nothing: no such file});
is $p->stop->{status}, 0, 'and the server goes on';

$p = start('listen', '-4', '-k', '-m', '300ms', '-x', "$dir/dump", '-e',
    'trap "echo last words; exit 4" TERM; echo begun; while :; do sleep 0.01; done', 0);
my $c = tcp_client($p->port);
is scalar(<$c>), "begun\n", '--max-time: the program runs';
is scalar(<$c>), "last words\n", 'until then, and what it says at last arrives';
is scalar(<$c>), undef, 'and then the connection is closed';
$p->expect(err => qr/the program took longer than allowed \(--max-time\)/);
$p->stop;

for my $command ('trap "" TERM; echo $$; while :; do sleep 0.01; done',
    'echo $$; exec sleep 100') {
    $p = start('listen', '-4', '-k', '-x', "$dir/dump", '-e', $command, 0);
    $c = tcp_client($p->port);
    my ($pid) = <$c> =~ /(\d+)/;
    ok is_running($pid), 'a program runs';
    is $p->stop->{status}, 0, 'the server is stopped';
    ok !is_running($pid), 'and so is the program';
}

# Its connection goes on as long as what it has started keeps it.
$p = start('listen', '-4', '-k', '-x', "$dir/dump", '-e',
    'exec 3<&0; (read line <&3; echo "later: $line") & exit 0', 0);
$c = tcp_client($p->port);
print $c "text\n";
is join('', <$c>), "later: text\n", 'a process that it started';
$p->stop;

# A client that resets the connection, and one that sends nothing.
$p = start('listen', '-4', '-k', '-v', '-x', "$dir/dump", 0, '--', 'cat');
$c = tcp_client($p->port);
setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'II', 1, 0;
print $c 'x';
sysread $c, my $back, 1;
close $c;
$p->expect(err => qr/closed .*received 1, in .*reset.* the peer/);
is exchange($p->port, ''), '', 'a client without data';
is $p->stop->{status}, 0, 'the server goes on';

done_testing;
