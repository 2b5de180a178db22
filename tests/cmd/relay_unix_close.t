# Unix sockets: most programs close one without a half-close before, which is
# the end of a healthy conversation; only a byte that cannot be delivered
# afterwards is a loss.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM SHUT_WR);
use Time::HiRes qw(sleep);

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
