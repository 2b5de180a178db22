# A run that leaves by itself (--on-eof quit, --done) writes out what it has
# read, and does not keep the processor busy while it waits for that.
use Sockt;
use IO::Select;
use Socket qw(:all);
use Time::HiRes qw(sleep);
use IO::Socket::UNIX;

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);

# Sends until a peer takes no more for half a second.
sub fill {
    my ($c) = @_;
    $c->blocking(0);
    1 while IO::Select->new($c)->can_write(0.5) && syswrite $c, 'x' x 65536;
}

sub drain {
    my ($read) = @_;
    my $n = 0;
    while (IO::Select->new($read)->can_read(20) && sysread $read, my $got, 65536) {
        $n += length $got;
    }
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
    fill($c);
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
my $p = start({ stdout => $write, keep_stdin => 1 }, 'connect', '--on-eof', 'quit',
    '-o', scratch() . '/copy', '127.0.0.1', $l->sockport);
my $c = $l->accept;
# More than the pipe and the queue take: the queue is full.
fill($c);
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
cmp_ok drain($read), '>', 65536, 'what was received is written';
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

for my $row ([0, '', 'which is the end of a healthy run', qr/\A\z/],
    [10, "late\n", 'a byte that cannot be delivered is a loss',
        qr/lost.*; 5 bytes of stdin not delivered/]) {
    my ($status, $byte, $name, $says) = @$row;
    my ($l, $path) = unix_listener();
    my $pid = peer($l, answers(1));
    my $p = start({ keep_stdin => 1 }, 'connect', "unix:$path");
    $p->send_line("question\n");
    $p->expect(out => qr/answer to question\n/);
    reap($pid);
    sleep 0.3;
    ok is_running($p->{pid}), 'connect: it waits for the end of stdin';
    $p->send_line($byte);
    exits $p->finish(10), $status, $name, err => $says;
}

# Starts listen on a path.
sub listens {
    my ($path, @options) = @_;
    my $p = start({ keep_stdin => 1 }, 'listen', '-v', @options, "unix:$path");
    $p->expect(err => qr/listening/);
    return $p;
}

{
    my $p = listens("$dir/l");
    my $c = unix_client("$dir/l");
    syswrite $c, "to the server\n";
    $p->send_line("to the client\n");
    is <$c>, "to the client\n", 'listen: both ways';
    close $c;
    $p->expect(out => qr/to the server\n/);
    exits $p->finish(10), 0, 'the client has closed, nothing is lost',
        no_err => qr/lost/;
}

# Forwarders. A client reads the answer and closes, as curl and redis-cli do, or
# reads to the end, which the target has closed, as HTTP/1.0 does.
for my $ends ([1, 0], [0, 1], [1, 1]) {
    for my $closes ('client', 'target') {
        my ($unix_client, $unix_target) = @$ends;
        my $name = join(' to ', map { $_ ? 'unix' : 'TCP' } @$ends)
            . ", the $closes closes";
        my ($l, $path) = $unix_target ? unix_listener() : tcp_listener();
        my $pid = peer($l, answers($closes eq 'target'), 2);
        my @to = ('-k', '--to', $path ? "unix:$path" : '127.0.0.1:' . $l->sockport);
        my $at = "$dir/f" . ++$number;
        my $f = $unix_client ? listens($at, @to) : start('listen', '-4v', @to, 0);
        for (1, 2) {
            my $c = $unix_client ? unix_client($at) : tcp_client($f->port);
            syswrite $c, "question\n";
            is <$c>, "answer to question\n", "$name: the answer";
            if ($closes eq 'target') {
                is <$c>, undef, 'and the end';
                sleep 0.2;
            }
            close $c;
            ok eval { $f->expect(err => qr/(?:closed .*\n(?s:.*)){$_}/); 1 },
                'the connection ends';
        }
        unlike $f->stop->{err}, qr/lost|reset|broken/, 'in order';
        reap($pid);
    }
}

# The client has closed, and the target goes on: nobody will get that.
{
    my $l = tcp_listener();
    my $pid = peer($l, sub { my ($c) = @_; my $line = <$c>; print $c 'x';
        $c->flush; sleep 5 });
    my $f = listens("$dir/g", '--to', '127.0.0.1:' . $l->sockport);
    my $c = unix_client("$dir/g");
    syswrite $c, "question\n";
    sysread $c, my $got, 1;
    close $c;
    exits $f->finish(4), 0, 'a client that has closed is not waited for';
    kill 'KILL', $pid;
}

done_testing;
