# A matrix of what stdout is, of when its reader leaves, and of what the bytes
# come through: what is written, the status, and how long it takes. Where stdout
# shows that nobody reads it any more, a command with nothing left to send ends;
# elsewhere it waits for the peer. A part of it, by chance; SOCKT_MATRIX=1 runs
# all.
use Sockt;
use Fcntl qw(O_NONBLOCK O_RDONLY O_WRONLY F_SETFL);
use POSIX qw(mkfifo);
use Socket;
use SocktCarriers;
use SocktTls;
use Time::HiRes qw(sleep time);

my $dir = scratch();
my $number = 0;
my $has_tls = tls_is_available();
my $cert = $has_tls ? tls_self_signed("$dir/self", 'IP:127.0.0.1') : undef;

my $via = small_nc($dir);

# A terminal: its master and its name (pty(7)).
sub terminal {
    open my $master, '+<', '/dev/ptmx' or return;
    my $n = pack 'i', 0;
    ioctl $master, 0x40045431, $n or return;
    ioctl $master, 0x80045430, $n or return;
    return ($master, '/dev/pts/' . unpack 'i', $n);
}

# What sockt writes to, and what reads there.
my %stdout = (
    pipe => sub { pipe my $r, my $w or die; return ($w, $r) },
    FIFO => sub {
        my $path = "$dir/fifo" . ++$number;
        mkfifo($path, 0600) or die;
        sysopen my $r, $path, O_RDONLY | O_NONBLOCK or die;
        sysopen my $w, $path, O_WRONLY or die;
        fcntl $r, F_SETFL, 0;
        return ($w, $r);
    },
    terminal => sub {
        my ($master, $name) = terminal() or return;
        open my $w, '>', $name or return;
        return ($w, $master);
    },
    file => sub {
        my $path = "$dir/file" . ++$number;
        open my $w, '>', $path or die;
        return ($w, $path);
    },
    'Unix socket' => sub {
        socketpair my $w, my $r, AF_UNIX, SOCK_STREAM, 0 or die;
        return ($w, $r);
    },
    TCP => sub {
        my $l = tcp_listener();
        my $w = tcp_client($l->sockport);
        return ($w, $l->accept);
    },
    'stdin = stdout' => sub {
        socketpair my $w, my $r, AF_UNIX, SOCK_STREAM, 0 or die;
        shutdown $r, 1;
        return ($w, $r);
    },
);
my %shows = map { $_ => 1 } 'pipe', 'Unix socket', 'stdin = stdout';

# Starts sockt. Returns its process, and the peer's side of the connection.
sub connected {
    my ($carrier, $o) = @_;
    if ($carrier eq 'listen') {
        my $p = start($o, 'listen', '-4', 0);
        return ($p, tcp_client($p->port));
    }
    my $l = tcp_listener();
    my $front = $carrier eq 'TLS' ? tls_front($cert, $l->sockport) : undef;
    my @to = ('127.0.0.1', $front ? $front->port : $l->sockport);
    my $p = start($o,
          $carrier eq 'http-get' ? ('http-get', '-q', "http://$to[0]:$to[1]/")
        : $carrier eq '--via' ? ('connect', '--via', $via, @to)
        : $carrier eq 'TLS' ? ('connect', '--tls', '--tls-insecure', @to)
        :                     ('connect', @to));
    my $c = $l->accept;
    if ($carrier eq 'http-get') {
        sysread $c, my $request, 4096;
        syswrite $c, "HTTP/1.0 200 OK\r\n\r\n";
    }
    return ($p, $c, $front);
}

# Sends as much as a process beside the test, which closes the connection when
# the handle that is returned is closed, after more bytes, if that is written.
sub sends {
    my ($c, $n) = @_;
    pipe my $r, my $w or die;
    Sockt::fork_child(sub {
        # Among the others are the reader of stdout, and stdin.
        POSIX::close($_) for grep { $_ != fileno $c && $_ != fileno $r } 3 .. 255;
        print $c 'x' x $n;
        $c->flush;
        syswrite $c, $_ while sysread $r, $_, 10;
    });
    close $c;
    return $w;
}

# Reads as much as n. Returns how much.
sub takes {
    my ($r, $n) = @_;
    my $had = 0;
    local $SIG{ALRM} = sub { die "only $had of $n bytes\n" };
    alarm $Sockt::PATIENCE;
    while ($had < $n && sysread $r, my $got, $n - $had > 65536 ? 65536 : $n - $had) {
        $had += length $got;
    }
    alarm 10 * $Sockt::PATIENCE;
    return $had;
}

# Whether sockt ends in time by itself.
sub ends { return defined Sockt::reap($_[0]{pid}, $_[1]) }

# A reader that takes some of what is sent, of so many bytes, and leaves: the
# status, and what follows then.
my @cases = (
    ['stays', 1000], ['stays', 3_000_000], ['before', 0], ['in the middle', 1000],
    ['in the middle', 3_000_000], ['at the end', 1000], ['at the end', 3_000_000],
    ['at the end, with stdin', 1000], ['at the end, with stdin', 3_000_000],
    ['at the end, then a byte', 1000], ['at the end, then a byte', 3_000_000],
);

sub try_one {
    my ($carrier, $kind, $when, $n) = @_;
    my $name = "$carrier, $kind, leaves $when, $n bytes";
    my ($w, $r) = $stdout{$kind}->() or return pass("$name: no terminal");
    my $has_stdin = $when =~ /with stdin|byte/ && $kind ne 'stdin = stdout'
        && $carrier ne 'http-get';
    open my $null, '<', '/dev/null' or die;
    my ($p, $c, $front) = connected($carrier, { stdout => $w,
        $has_stdin ? (keep_stdin => 1)
        : (stdin => $kind eq 'stdin = stdout' && $carrier ne 'http-get' ? $w : $null) });
    close $w;
    my $feed = sends($c, $n);
    my ($taken, $wanted) = (0, $when eq 'before' ? 0 : $n);
    $wanted = 500 if $when eq 'in the middle';
    if ($kind eq 'file') {
        sleep 0.005 until -s $r == $n;
        $taken = $wanted;
    } else {
        $taken = takes($r, $wanted);
        # The byte that comes then is there when sockt looks.
        kill 'STOP', $p->{pid} if $when =~ /byte/;
        close $r if $when ne 'stays';
    }
    my $start = time;
    # More than what is between sockt and the reader is lost.
    my $status = $when eq 'in the middle' && $n > 500_000 && $kind ne 'file' ? 11 : 0;
    my $stays = $when eq 'stays' || $kind eq 'file';
    # The system takes any part of it for a TCP socket.
    my $may_fit = $status && $kind eq 'TCP';
    my ($late, $is_early) = (0, 0);
    if ($when =~ /byte/ && !$stays) {
        # A TCP socket accepts it.
        $status = $kind eq 'TCP' ? 0 : 11;
        syswrite $feed, 'y';
        sleep 0.1;
    } elsif (!$stays && !$status && !$has_stdin && $shows{$kind}) {
        $is_early = 1;
    } elsif (!$status && $when ne 'stays') {
        $late = ends($p, 0.25);
    }
    kill 'CONT', $p->{pid};
    close $feed if !$is_early && (!$status || $may_fit);
    $p->close_stdin;
    my $end = Sockt::reap($p->{pid}, 10);
    my $took = time - $start;
    my @wrong;
    push @wrong, "took $taken of $wanted" if $taken != $wanted;
    push @wrong, 'did not wait for the peer' if $late;
    push @wrong, !defined $end ? 'did not end'
        : $end != $status << 8 && !($may_fit && $end == 0)
        ? 'ended with ' . ($end >> 8) . " ($end) instead of $status" : ();
    push @wrong, "ended after $took s" if $is_early && $took > 3;
    ok !@wrong, $name or diag join "\n", @wrong, $p->{err};
    $p->finish(0);
    $front->stop if $front;
}

my @all;
for my $carrier ('connect', 'listen', 'http-get', '--via', $has_tls ? 'TLS' : ()) {
    for my $kind (sort keys %stdout) {
        push @all, map { [$carrier, $kind, @$_] } @cases;
    }
}
if (!$ENV{SOCKT_MATRIX}) {
    my $seed = time;
    srand $seed;
    note "srand $seed";
    my @some = map { splice @all, rand @all, 1 } 1 .. 40;
    @all = @some;
}
try_one(@$_) for @all;

done_testing;
