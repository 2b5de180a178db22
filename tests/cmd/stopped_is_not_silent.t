# Look before you judge: a process that was stopped (SIGSTOP, a suspended
# laptop) has not seen silence. What arrived meanwhile is received before a
# limit is judged, in every command.
use Sockt;
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(sleep);

# A byte every 0.1 s.
sub drips {
    my ($c) = @_;
    for (1 .. 25) {
        syswrite $c, '.';
        sleep 0.1;
    }
}

# Stops a process for 1.6 s, and returns how it ended.
sub stopped {
    my ($p) = @_;
    sleep 0.05 until is_asleep($p->{pid}) || !is_running($p->{pid});
    sleep 0.3;
    $p->signal('STOP');
    sleep 1.6;
    $p->signal('CONT');
    return $p->finish(10);
}

my @idle = ('--idle-timeout', 1);
my $here = '127.0.0.1';
my %case;

# Commands that connect, and what the peer does.
for my $row (
    ['connect', \&drips, 'connect', @idle],
    ['connect --expect', sub { sleep 0.7; syswrite $_[0], 'READY'; sysread $_[0], my $x, 1 },
        'connect', '--expect', 'READY', '--expect-timeout', 1, '--done'],
    ['connect --linger', sub { sleep 0.7; syswrite $_[0], 'x' }, 'connect', '--linger', 1],
    ['http-get', sub {
        sysread $_[0], my $request, 9999;
        syswrite $_[0], "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n";
        drips(@_);
    }, 'http-get', '-q', @idle],
) {
    my ($name, $code, @command) = @$row;
    $case{$name} = sub {
        my $l = tcp_listener();
        peer($l, $code);
        return start(@command, $command[0] eq 'connect' ? ($here, $l->sockport)
            : "http://$here:" . $l->sockport . '/');
    };
}
for my $handler ('', '--discard', '--to') {
    $case{"listen $handler"} = sub {
        my $l = tcp_listener();
        peer($l, \&drips) if $handler eq '--to';
        my $p = start('listen', @idle, $handler || (),
            $handler eq '--to' ? "$here:" . $l->sockport : (), $here, 0);
        my $c = tcp_client($p->port);
        Sockt::fork_child(sub {
            return drips($c) if $handler ne '--to';
            1 while sysread $c, my $x, 9;
        });
        close $c;
        return $p;
    };
}
# Every wait of http-get: what is written 0.7 s later is in time.
my $ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
my @late = ('', "${ok}ok");
my $chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
for my $row (
    ['a response, --max-time', ['-m', 1], @late],
    ['a response, --idle-timeout', [@idle], @late],
    ['a response, --timeout', ['-w', 1], @late],
    ['a response, --retry-for', ['--retry-for', 1], @late],
    ['a head', [@idle], 'HTTP/1.1 200 ', "OK\r\nContent-Length: 0\r\n\r\n"],
    ['a body, --max-time', ['-m', 1], "${ok}o", 'k'],
    ['chunks', [@idle], "${chunks}1\r\no\r\n", "1\r\nk\r\n0\r\n\r\n"],
    ['a FIFO, whose reader is late', ['-o', scratch() . '/fifo', @idle],
        "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" . 'x' x 400_000],
    ['progress', ['-P', @idle], "${ok}o", 'k'],
    ['the end of a body', [@idle], "HTTP/1.0 200 OK\r\n\r\nok", ''],
    ['a response to --unix', [@idle, '--unix', scratch() . '/socket'], @late],
    ['a SOCKS proxy', [@idle, '--proxy', 'socks5://%s'],
        '', "\5\0", "\5\0\0\1" . "\0" x 6, "${ok}ok"],
) {
    my ($name, $options, $first, @parts) = @$row;
    my @options = @$options;
    $case{"http-get, $name"} = sub {
        my $l = tcp_listener();
        my $at = "$here:" . $l->sockport;
        $l = IO::Socket::UNIX->new(Local => $options[-1], Listen => 1)
            if "@options" =~ /--unix/;
        peer($l, sub {
            my ($c) = @_;
            sysread $c, my $got, 9999;
            syswrite $c, $first;
            for my $part (@parts) {
                sleep 0.7 if $part eq $parts[0];
                syswrite $c, $part;
                sysread $c, $got, 9999 if ord($part) == 5;
            }
        });
        POSIX::mkfifo($options[1], 0600) if $name =~ /FIFO/;
        Sockt::fork_child(sub {
            open my $f, '<', $options[1] or die $!;
            sleep 1;
            1 while sysread $f, my $got, 9999;
            0;
        }) if $name =~ /FIFO/;
        return start('http-get', '-q', (map { s/%s/$at/r } @options),
            "http://$at/");
    };
}
$case{'udp-send --timeout'} = sub {
    my $s = udp_socket();
    Sockt::fork_child(sub {
        my $from = $s->recv(my $bytes, 99);
        sleep 0.7;
        $s->send('answer', 0, $from);
        0;
    });
    return start('udp-send', '-w', 1, $here, $s->sockport, 'question');
};

# All at once: they mostly sleep.
my %pid;
for my $name (sort keys %case) {
    pipe my $r, my $w or die;
    $pid{$name} = [$r, Sockt::fork_child(sub {
        my $p = $case{$name}->();
        my $end = stopped($p);
        print $w "$end->{status} $end->{err}";
        close $w;
        0;
    })];
    close $w;
}
for my $name (sort keys %pid) {
    my ($r, $pid) = @{ $pid{$name} };
    my $end = do { local $/; <$r> } // '';
    reap($pid);
    like $end, qr/\A0 /, "$name: what arrived while it was stopped counts"
        or diag $end;
}

# The process of a connection.
my $p = start('serve-hello', '--http', '--idle-timeout', 3, $here, 0);
my $c = tcp_client($p->port);
my $child = await_child($p->{pid});
kill 'STOP', $child;
syswrite $c, "GET / HTTP/1.0\r\n\r\n";
sleep 3.2;
kill 'CONT', $child;
sysread $c, my $response, 999;
like $response, qr/200 OK/, 'serve-hello --http: a request';
$p->stop;

# Silence is silence all the same.
my $l = tcp_listener();
$p = start({ keep_stdin => 1 }, 'connect', @idle, $here, $l->sockport);
$c = $l->accept;
is stopped($p)->{status}, 5, 'a silent peer is one';

# Whoever is stopped again and again is not waited for without end.
{
    my $p = start('listen', '--accept-timeout', 1, $here, 0);
    my $begin = time;
    while (is_running($p->{pid}) && time - $begin < 8) {
        $p->signal('STOP');
        select undef, undef, undef, 0.26;
        $p->signal('CONT');
        select undef, undef, undef, 0.03;
    }
    cmp_ok time - $begin, '<', 4, 'a limit holds for one that is stopped in turns';
    exits $p->finish, 5, '  with status 5';
}

done_testing;
