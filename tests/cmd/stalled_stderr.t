# Nobody reads standard error: a full pipe, or a terminal that was stopped with
# Ctrl-S. No limit waits for its reader, and what is not read is dropped.
use Sockt;
use Fcntl;
use POSIX ();

# A pipe that takes no more bytes: its ends.
sub full_pipe {
    pipe my $r, my $w or die "pipe: $!";
    my $flags = fcntl $w, F_GETFL, 0;
    fcntl $w, F_SETFL, $flags | O_NONBLOCK;
    for my $size (4096, 1) {
        1 while defined syswrite $w, 'x' x $size;
    }
    fcntl $w, F_SETFL, $flags;
    return ($r, $w);
}

# A terminal that was stopped: its ends, or nothing.
sub stopped_terminal {
    my $n = pack 'i', 0;
    open my $master, '+<', '/dev/ptmx' or return;
    # TIOCSPTLCK, TIOCGPTN
    ioctl $master, 0x40045431, $n or return;
    ioctl $master, 0x80045430, $n or return;
    open my $slave, '+<', '/dev/pts/' . unpack 'i', $n or return;
    POSIX::tcflow(fileno $slave, POSIX::TCOOFF) or return;
    return ($master, $slave);
}

my $mute = tcp_listener();
my $m = $mute->sockport;
my $silent = udp_socket();
my $u = $silent->sockport;
my @rows = (
    ["connect -m 1 --on-eof keep 127.0.0.1 $m", 5],
    ["connect --json -m 1 --on-eof keep 127.0.0.1 $m", 5],
    ["connect --idle-timeout .5 --on-eof keep 127.0.0.1 $m", 5],
    ["connect -w .5 --on-eof keep 127.0.0.1 $m", 5],
    ['listen -m 1 127.0.0.1 0', 5],
    ['listen --accept-timeout .5 127.0.0.1 0', 5],
    ['serve-hello --accept-timeout .5 127.0.0.1 0', 5],
    ["udp-send -m 1 -w 9 127.0.0.1 $u x", 5],
    ['udp-serve -m 1 127.0.0.1 0', 5],
    ['udp-serve --idle-timeout .5 127.0.0.1 0', 5],
    ["http-get -m 1 http://127.0.0.1:$m/", 5],
    ["http-get --idle-timeout .5 http://127.0.0.1:$m/", 5],
    ["portscan -m 1 --retry-for 9 --until open 127.0.0.1 1", 5],
);
my ($r, $w) = full_pipe();
my @runs = map {
    my ($command, @args) = split / /, $_->[0];
    [@$_, start({ stderr => $w, timeout => 15 }, $command, '-vv', @args)];
} @rows;
for my $run (@runs) {
    my ($line, $status, $p) = @$run;
    exits $p->finish, $status, "$line ends with a full pipe";
}

# A client's own process holds its limits, too.
{
    my $l = tcp_listener();
    my $p = start({ stderr => $w, stdin => $l, timeout => 15 }, 'serve-hello',
        '--idle-timeout', '.5', '--accept-timeout', 1, '--fd', 0);
    my $c = tcp_client($l->sockport);
    my $got;
    1 while sysread $c, $got, 4096;
    pass 'the idle limit of serve-hello ends a connection';
    is $p->stop->{status}, 0, 'and it stops';
}

SKIP: {
    my ($master, $slave) = stopped_terminal() or skip 'no terminals', 2;
    my $p = start({ stderr => $slave, timeout => 15 }, 'connect', '-vv', '-m',
        1, '--on-eof', 'keep', '127.0.0.1', $m);
    is $p->finish->{status}, 5, 'connect -m ends at a stopped terminal';
    POSIX::tcflow(fileno $slave, POSIX::TCOON);
    $p = start({ stderr => $slave, timeout => 15 }, 'connect', '-v', '-m', 1,
        '--on-eof', 'keep', '127.0.0.1', $m);
    my $got = '';
    alarm 10;
    sysread $master, $got, 4096, length $got or last
        while $got !~ /stopped after 1 s/;
    alarm 0;
    is $p->finish->{status}, 5, 'and at one that goes on, with its lines';
}

# A reader that comes back gets whole lines.
{
    my ($r2, $w2) = full_pipe();
    my $p = start({ stderr => $w2, timeout => 15 }, 'udp-serve', '-v',
        '--idle-timeout', 1, '127.0.0.1', '0');
    close $w2;
    sleep 1 while !is_asleep($p->{pid});
    my $text = '';
    1 while sysread $r2, $text, 65536, length $text;
    $p->finish;
    like $text, qr/^x+(?:sockt udp-serve: \N+\n){2,}(?<=received 0 datagrams\n)\z/,
        'a reader that comes back in time reads every line';
}
done_testing;
