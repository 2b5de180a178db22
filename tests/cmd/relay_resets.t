# Resets: what came before one arrives, it ends both directions, a forwarder
# passes it on, and what was cut off ends with one.
use Sockt;
use Socket qw(:all);

# Each connection counts here, so no other test's may come.
own_network();

sub reset_it {
    my ($c) = @_;
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $c;
}

# What comes until the end, and how it ends.
sub read_out {
    my ($s) = @_;
    my $text = '';
    while (1) {
        my $n = sysread $s, $text, 65536, length $text;
        return ($text, $!{ECONNRESET} ? 'reset' : "$!") if !defined $n;
        return ($text, 'end') if $n == 0;
    }
}

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $big = join '', map { chr $_ % 251 } 1 .. 200_000;

# A forwarder passes a reset on as a reset, behind everything that came before
# it: an answer that was cut off must not look whole, nor an upload; and an
# orderly end stays one. Who ends, the text that came before, what happens once
# that has been read, and how it ends.
for my $row (
    ['the target', $big, undef, 'reset', 10,
        qr/the target was lost after 200000 bytes received from it /,
        qr/closed .* reset by this side.*, status 10\n/],
    ['the client', 'half an upload', undef, 'reset', 10,
        qr/the connection was lost after 0 bytes sent and 14 received/],
    ['the target, of a client that has finished', 'half an answer', sub {
        shutdown $_[0], SHUT_WR;
        sysread $_[1], my $end, 1;
    }, 'reset', 10],
    ['the target, met by writing', 'half', sub {
        setsockopt $_[0], SOL_SOCKET, SO_SNDBUF, 1 << 20;
        syswrite $_[0], $big;
    }, 'reset', 10],
    ['the target, by FIN', 'all', undef, 'end', 0],
) {
    my ($who, $text, $then, $end, $status, @says) = @$row;
    my $p = start('listen', '-v', '-4', '0', '--to', join ':', @to);
    my $client = tcp_client($p->port);
    my $target = $l->accept;
    my ($from, $to) = $who eq 'the client' ? ($client, $target) : ($target, $client);
    print $from $text;
    $from->flush;
    my $got = '';
    if ($then) {
        sysread $to, $got, length $text;
        $then->($to, $from);
    } elsif ($^O eq 'linux') {
        ok acknowledged($from), "$who: everything has left it";
    }
    $end eq 'end' ? close $from : reset_it($from);
    my ($rest, $how) = read_out($to);
    is $how, $end, "$who: its end is passed on";
    ok "$got$rest" eq $text, '  and what came before is delivered whole';
    close $to;
    exits $p->finish(10), $status, '  exit status, who was lost', err => \@says;
}

# What ends before everything was delivered ends with a reset: a FIN would make
# the other side take what it has for the whole.
sub ending { return (read_out($_[0]))[1] }

for my $row (['KILL', -9], ['TERM', -15], ['INT', -2], ['HUP', -1], ['-m', 5, '300ms']) {
    my ($how, $end, @limit) = @$row;
    my $p = start({ keep_stdin => 1 }, 'connect', @limit ? ($how, @limit) : (), @to);
    my $c = $l->accept;
    $p->send_line("half\n");
    sysread $c, my $got, 5;
    $p->signal($how) if !@limit;
    is ending($c), 'reset', "a sender that $how ends half-way";
    exits $p->finish, $end, '  and how it ends';
}

# A receiver whose output fails has not got everything either.
pipe my $read, my $write or die;
my $p = start({ stdin => '', stdout => $write }, 'connect', @to);
close $write;
my $c = $l->accept;
close $read;
syswrite $c, 'x' x 1000;
is ending($c), 'end', 'the end of its input';
is $p->finish->{status}, 11, 'a receiver whose stdout breaks';
is syswrite($c, 'x'), undef, 'has reset the connection';

# A forwarder, cut off by a limit or told to stop: both sides know.
for my $row ([5, '-m', '2s'], [5, '--idle-timeout', '1s'], [0, '-k']) {
    my ($status, @options) = @$row;
    my $f = start('listen', '-4', 0, '--to', join(':', @to), @options);
    my $client = tcp_client($f->port);
    my $target = $l->accept;
    syswrite $client, 'some of it';
    # Over a limit before it relays, it has nothing to cut.
    sysread $target, my $got, 10;
    $f->signal('TERM') if !$status;
    is ending($client), 'reset', "a forwarder, @options: the client";
    is ending($target), 'reset', 'and the target';
    is $f->finish->{status}, $status, "status $status";
}

# A target that cannot be reached is not one that has nothing to say.
my $f = start('listen', '-4', 0, '--to', '127.0.0.1:' . free_port());
# A blocking connect(2) has returned before the reset can come.
my $client = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $f->port)
    or die;
is ending($client), 'reset', 'a target that refuses: the client';
is $f->finish->{status}, 4, 'status 4';

# The peer reads a line, closes, and is sent another one: all bytes of that one
# are counted as not delivered. One was missing, in place of a FIN that had
# never been sent.
my $sender = start({ keep_stdin => 1 }, 'connect', @to);
my $peer = $l->accept or die;
$sender->send_line("one\n");
is scalar <$peer>, "one\n", 'the peer reads a line';
close $peer;
$sender->send_line("three\n");
exits $sender->finish, 10, 'the connection is lost, with all of the line',
    err => qr/; 6 bytes of stdin not delivered$/m;

# A reset is a loss, also if it is found while the FIN is sent.
$sender = start({ keep_stdin => 1 }, 'connect', @to);
$peer = $l->accept;
syswrite $peer, "half\n";
$sender->expect(out => qr/half/);
$sender->signal('STOP');
reset_it($peer);
$sender->close_stdin;
$sender->signal('CONT');
is $sender->finish->{status}, 10, 'a reset at the end of stdin is a loss';

# What the other side said last arrives, although it then resets us: it left
# our bytes unread.
my $runs = 50;
$l = tcp_listener();
@to = ('127.0.0.1', $l->sockport);
my $pid = peer($l, sub {
    my ($c) = @_;
    print $c "error: go away\n";
    $c->flush;
}, $runs);
my %ends;
# A file holds what there is to send at any time, a pipe only when it is fed.
my $file = spew(scratch() . '/in', 'x' x 200_000);
for (1 .. $runs) {
    open my $in, '<', $file or die;
    my $r = run({ stdin => $in }, 'connect', @to);
    $ends{"$r->{status} $r->{out}"}++;
}
is_deeply \%ends, { "10 error: go away\n" => $runs },
    'the line that came before the reset, and the lost connection is told each time';

# The same with more than one read takes.
SKIP: {
    skip 'no word of what is acknowledged', 3 unless $^O eq 'linux';
    open my $in, '<', $file or die;
    my $p = start({ stdin => $in }, 'connect', '--rcvbuf', '200k', @to);
    my $c = $l->accept;
    sysread $c, my $x, 1;
    $p->signal('STOP');
    my $size = 150_000;
    print $c 'x' x $size;
    $c->flush;
    # What is still to be sent would be lost with the reset.
    ok acknowledged($c), 'the peer has sent all';
    close $c;
    $p->signal('CONT');
    exits $p->finish, '10 ' . 'x' x $size, 'all that came before the reset, which is told';
}

# A reset ends both directions: an input or a script that has more to say does
# not keep the relay waiting.
pipe my $idle, my $held or die;
$p = start({ stdin => $idle }, 'connect', '--on-peer-eof', 'finish', @to);
reset_it($l->accept);
is $p->finish(10)->{status}, 10, 'finish: an idle stdin is not waited for';

setsockopt $l, SOL_SOCKET, SO_RCVBUF, 4096;
$p = start('connect', '--sndbuf', '4k', @to,
    map { ('--send', 'a' x 130000) } 1 .. 13);
$c = $l->accept;
sysread $c, my $some, 100;
reset_it($c);
is $p->finish(10)->{status}, 10, 'texts that do not fit are not waited for';

# A scanner or a health check resets its connection before it has sent
# anything: for a server that goes on that is a line at -v, not an error. A
# connection that had begun to talk, and the one of listen without -k, are
# lost.
# Connects, may send, waits for an answer of that length, resets.
sub probe {
    my ($port, $text, $length) = @_;
    my $c = tcp_client($port);
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    syswrite $c, $text if length $text;
    sysread $c, my $got, $length if $length;
    close $c;
}

# The portable build cannot know which side of a forwarder was reset.
my $is_portable = run('--version')->{out} =~ /posix/;

my $target = tcp_listener();
for my $command (['serve-hello'], ['listen', '-k', '--echo'], ['listen', '-k', '--discard'],
    ['listen', '-k', '--to', '127.0.0.1:' . $target->sockport], ['listen', '-k']) {
    my $greeting = @$command == 1 ? 8 : 0;
    next if $is_portable && @$command == 4;
    for my $form ('-v', '--json') {
        my $p = start({ keep_stdin => 1 }, @$command, $form, 0);
        probe($p->port, '', $greeting);
        $p->expect(err => qr/closed .*reset by the peer, status 10\n|"closed".*"status":10/);
        exits $p->stop, 0, "@$command $form goes on after a probe, and says so",
            no_err => qr/lost|"error"/, err => $form eq '-v'
            ? qr/: the connection was reset before anything was received/ : qr/"closed"/;
    }
}

$p = start('listen', '-k', '-q', '--echo', '--json', 0);
probe($p->port, 'x', 1);
$p->expect(err => qr/"error".*lost after 1 byte sent and 1 received/);
$p->stop;

# The one connection of listen: it was not served.
for my $handler ([], ['--echo']) {
    $p = start({ keep_stdin => 1 }, 'listen', @$handler, 0);
    probe($p->port, '', 0);
    exits $p->finish, 10, "listen @$handler, one connection",
        err => qr/lost after 0 bytes/;
}

# A peer that answers and resets at once: connect had nothing in a third of all
# tries, since it took the reset for one of connecting.
{
    my $l = tcp_listener();
    my $pid = peer($l, sub { my ($c) = @_; syswrite $c, "answer\n"; reset_it($c) }, 200);
    for my $row ([{ stdin => '' }], [{ stdin => 'x' x 100_000 }], [{}, '--recv-only'],
        [{ stdin => '' }, '-v']) {
        my ($o, @options) = @$row;
        my %got;
        for (1 .. 40) {
            my $r = run($o, 'connect', @options, '127.0.0.1', $l->sockport);
            $got{"$r->{status} $r->{out}"}++;
        }
        is join(',', %got), "10 answer\n,40", "connect @options: what was received is printed";
    }
    kill 'KILL', $pid;
}

# listen -x FILE -- PROGRAM lost a client whose host had vanished without a word,
# and its status was that of the program: 0.
# One retransmission, so that seconds are enough.
my $retries = '/proc/sys/net/ipv4/tcp_retries2';
done_testing, exit unless $ENV{SOCKT_OWN_NETWORK} && -w $retries;
spew($retries, "1\n");

my $dir = scratch();
system('mkfifo', "$dir/fifo") == 0 or die;
$p = start('listen', '-v', '-x', "$dir/dump", 0, '--', 'sh', '-c',
    "read go; echo first; read go; cat '$dir/fifo'; echo second; cat");
$c = tcp_client($p->port);
print $c "go\n";
is scalar(<$c>), "first\n", 'the client is served';

# It is gone after the question, which the program has read when it opens the
# FIFO, and before the answer.
print $c "go\n";
open my $fifo, '>', "$dir/fifo" or die;
set_loopback(0) or die "lo: $!";
close $fifo;
exits $p->finish, 10, 'its loss is an error',
    err => qr/the connection was lost after \d+ bytes sent and 6 received: \w/;

done_testing;
