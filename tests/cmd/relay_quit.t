# A run that leaves by itself (--on-eof quit, --done) writes out what it has
# read, and does not keep the processor busy while it waits for that.
use Sockt;
use IO::Select;
use Socket qw(:all);
use Time::HiRes qw(sleep);
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM SHUT_WR);

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);

# Waits until what was sent to a peer that takes no more stays the same.
sub wait_full {
    my ($c) = @_;
    $c->blocking(0);
    my ($n, $idle) = (0, 0);
    while ($idle < 5) {
        my $done = syswrite $c, 'x' x 65536;
        $n += $done // 0;
        $idle = $done ? 0 : $idle + 1;
        sleep 0.1 unless $done;
    }
    return $n;
}

sub drain {
    my ($read) = @_;
    my $n = 0;
    while (my $done = sysread $read, my $got, 65536) { $n += $done }
    return $n;
}

# How many bytes may still be on their way to the reader at the other end of a
# connection: those not acknowledged, and those not read there (proc(5)).
sub unread {
    my ($c) = @_;
    my ($ours, $theirs) = map { sprintf '%04X', $_ } $c->sockport, $c->peerport;
    my $table = slurp('/proc/net/tcp');
    my ($unsent) = $table =~ /: \w+:$ours \w+:$theirs \w+ (\w+):/;
    my ($waiting) = $table =~ /: \w+:$theirs \w+:$ours \w+ \w+:(\w+) /;
    return hex($unsent) + hex $waiting;
}

# Seconds of processor time of a process.
sub busy {
    my ($pid) = @_;
    my @fields = split ' ', slurp("/proc/$pid/stat") =~ s/.*\) //sr;
    return ($fields[11] + $fields[12]) / 100;
}

SKIP: {
    skip 'no /proc', 3 unless -r '/proc/net/tcp' && -r "/proc/$$/stat";
    pipe my $read, my $write or die;
    my $p = start({ stdout => $write, keep_stdin => 1 }, 'connect', '--on-eof',
        'quit', @to);
    my $c = $l->accept;
    syswrite $c, 'x' x 150_000;
    # Its stdout is full, or it has made that larger and read everything, when
    # its input ends.
    sleep 0.002 while IO::Select->new($write)->can_write(0) && unread($c);
    my $held = 150_000 - unread($c);
    close $write;
    $p->close_stdin;
    cmp_ok drain($read), '>=', $held,
        '--on-eof quit: everything read is written';
    is $p->finish->{status}, 0, 'status 0';

    setsockopt $l, SOL_SOCKET, SO_RCVBUF, 2048;
    pipe $read, $write or die;
    # The last text is not acknowledged for a while.
    $p = start({ stdout => $write }, 'connect', '--expect', 'ok', '--send',
        'B' x 50_000, '--done', @to);
    close $write;
    $c = $l->accept;
    syswrite $c, 'ok';
    sysread $c, my $begin, 1;
    wait_full($c);
    my $before = busy($p->{pid});
    sleep 1;
    cmp_ok busy($p->{pid}) - $before, '<', 0.15, '--done: waits without haste';
    $p->signal('KILL');
    $p->finish;
}

# connect --on-eof quit ends when its output is written, also if the peer resets
# the connection meanwhile. It kept the processor busy, and never ended.
$l = tcp_listener();
pipe my $read, my $write or die;
my $p = start({ stdout => $write, keep_stdin => 1, timeout => 20 }, 'connect',
    '--on-eof', 'quit', '-o', scratch() . '/copy', '127.0.0.1',
    $l->sockport);
my $c = $l->accept;

# More than the pipe and the queue take: the queue is full.
$c->blocking(0);
1 while IO::Select->new($c)->can_write(0.5) && syswrite $c, 'x' x 65536;
ok !IO::Select->new($write)->can_write(0), 'its stdout is full';
close $write;
$p->send_line('x');
$p->close_stdin;
# It does not sleep before it has read the end, too.
IO::Select->new($c)->can_read(20) && sysread $c, my $x, 1;
is $x, 'x', 'it reads its stdin';
select undef, undef, undef, 0.01 until is_asleep($p->{pid});
setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
close $c;

my $n = 0;
while (IO::Select->new($read)->can_read(20) && sysread $read, my $got, 65536) {
    $n += length $got;
}
cmp_ok $n, '>', 65536, 'what was received is written';
exits $p->finish, 0, 'it ends, with status 0: nothing was left to send';

# Unix sockets: most programs close one without a half-close before, which is
# the end of a healthy conversation; only a byte that cannot be delivered
# afterwards is a loss.
my $dir = scratch();
my $number = 0;

sub unix_listener {
    my $path = "$dir/s" . ++$number;
    my $l = IO::Socket::UNIX->new(
        Local => $path, Listen => 9, Type => SOCK_STREAM) or die $!;
    return ($l, $path);
}

sub unix_client {
    my ($path) = @_;
    return IO::Socket::UNIX->new(Peer => $path, Type => SOCK_STREAM)
        // die "$path: $!";
}

# Answers a line, and closes when told so.
sub answers {
    my ($closes) = @_;
    return sub {
        my ($c) = @_;
        $c->autoflush(1);
        my $line = <$c> // return;
        print $c "answer to $line";
        return if $closes;
        1 while <$c>;
        # Whoever is still interested would get this.
        select undef, undef, undef, 0.3;
    };
}

# --- connect ---------------------------------------------------------------

for my $byte ('', "late\n") {
    my ($l, $path) = unix_listener();
    my $pid = peer($l, answers(1));
    my $p = start({ keep_stdin => 1 }, 'connect', "unix:$path");
    $p->send_line("question\n");
    $p->expect(out => qr/answer to question\n/);
    reap($pid);
    sleep 0.3;
    ok is_running($p->{pid}), "connect: it waits for the end of stdin";
    $p->send_line($byte) if $byte;
    my $r = $p->finish(10);
    is $r->{status}, $byte ? 10 : 0,
        $byte ? 'a byte that cannot be delivered is a loss'
        : 'which is the end of a healthy run';
    $byte ? like $r->{err}, qr/lost.*; 5 bytes of stdin not delivered/
        : is $r->{err}, '', 'and what is said';
}

# --- listen ----------------------------------------------------------------

{
    my $path = "$dir/l";
    my $p = start({ keep_stdin => 1 }, 'listen', '-v', "unix:$path");
    $p->expect(err => qr/listening/);
    my $c = unix_client($path);
    print $c "to the server\n";
    $c->flush;
    $p->send_line("to the client\n");
    is <$c>, "to the client\n", 'listen: both ways';
    close $c;
    $p->expect(out => qr/to the server\n/);
    exits $p->finish(10), 0, 'the client has closed, nothing is lost',
        no_err => qr/lost/;
}

# --- Forwarders ------------------------------------------------------------

# Runs a client of listen -k, whose target does what code does.
sub forwarded {
    my ($name, $unix_client, $unix_target, $code, $client) = @_;
    my ($l, $path) = $unix_target ? unix_listener() : tcp_listener();
    my $pid = peer($l, $code, 2);
    my $to = $unix_target ? "unix:$path" : '127.0.0.1:' . $l->sockport;
    my $at = "$dir/f" . ++$number;
    my $f = start('listen', '-k', '-v', '--to', $to,
        $unix_client ? "unix:$at" : (-4, 0));
    $f->expect(err => qr/listening/);
    for (1, 2) {
        $client->($unix_client ? unix_client($at) : tcp_client($f->port));
        ok eval { $f->expect(err => qr/(?:closed .*\n(?s:.*)){$_}/); 1 },
            "$name: the connection ends";
    }
    unlike $f->stop->{err}, qr/lost|reset|broken/, "$name: in order";
    reap($pid);
}

# Reads the answer and closes, as curl and redis-cli do.
my $closes = sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c "question\n";
    is <$c>, "answer to question\n", 'the answer';
    close $c;
};
# Reads to the end, as HTTP/1.0 does.
my $reads_on = sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c "question\n";
    is <$c>, "answer to question\n", 'the answer';
    is <$c>, undef, 'and the end';
    sleep 0.2;
    close $c;
};
for my $ends ([1, 0], [0, 1], [1, 1]) {
    my $name = ($ends->[0] ? 'unix' : 'TCP') . ' to '
        . ($ends->[1] ? 'unix' : 'TCP');
    forwarded("$name, the client closes", @$ends, answers(0), $closes);
    forwarded("$name, the target closes", @$ends, answers(1), $reads_on);
}

# The client has closed, and the target goes on: nobody will get that.
{
    my $l = tcp_listener();
    my $pid = peer($l, sub { my ($c) = @_; my $line = <$c>; print $c 'x';
        $c->flush; sleep 5 });
    my $f = start('listen', '-v', '--to', '127.0.0.1:' . $l->sockport,
        "unix:$dir/g");
    $f->expect(err => qr/listening/);
    my $c = unix_client("$dir/g");
    print $c "question\n";
    $c->flush;
    sysread $c, my $got, 1;
    close $c;
    exits $f->finish(4), 0, 'a client that has closed is not waited for';
    kill 'KILL', $pid;
}

done_testing;
