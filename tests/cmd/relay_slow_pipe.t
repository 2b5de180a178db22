# A pipe that pauses is sent to its end, whoever finishes first and whatever is
# in between; and a receiver that stops half-way is never status 0.
use Sockt;
use Time::HiRes qw(sleep);

# Each connection counts here, so no other test's may come.
own_network();

my @pieces = ("a\n", 'b' x 100_000, "c\n");
my $whole = join '', @pieces;
my @proxied;

# What is fed at the same time: a name, the sender, and what has to end with
# everything, processes that have it on stdout or pids.
my @transfers;
sub transfer { push @transfers, [@_] }

sub null { open my $h, '<', '/dev/null' or die; return $h }

# Proxies whose targets finish at once. They are there before any pipe that
# they could hold open.
my %answers = (
    socks5 => [qr/^.{3}\z/s, "\x05\x00", qr/^.{10}\z/s, "\x05\x00\x00\x01" . "\0" x 6],
    http => [qr/\r\n\r\n\z/, "HTTP/1.1 200 OK\r\n\r\n"],
);
for my $scheme (sort keys %answers) {
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        my @steps = @{ $answers{$scheme} };
        while (my ($wanted, $answer) = splice @steps, 0, 2) {
            my $got = '';
            # Other tests' clients may come by first.
            sysread $c, $got, 1, length $got or return until $got =~ $wanted;
            syswrite $c, $answer;
        }
        shutdown $c, 1;
        local $/;
        POSIX::_exit(<$c> ne $whole);
    }, 100);
    push @proxied, ["a proxy, $scheme", $pid, "$scheme://127.0.0.1:" . $l->sockport];
}
transfer($_->[0], start({ keep_stdin => 1 }, 'connect', '--proxy', $_->[2],
    '192.0.2.7', 81), $_->[1]) for @proxied;

for my $option ([], ['--send-only']) {
    my $r = start({ stdin => null() }, 'listen', '-4', 0);
    transfer("connect @$option", start({ keep_stdin => 1 }, 'connect', @$option,
        '127.0.0.1', $r->port), $r);
    my $s = start({ keep_stdin => 1 }, 'listen', '-4', 0, @$option);
    transfer("listen @$option", $s,
        start({ stdin => null() }, 'connect', '127.0.0.1', $s->port));
}

my $path = scratch() . '/s';
my $r = start({ stdin => null() }, 'listen', '-v', "unix:$path");
$r->expect(err => qr/listening/);
transfer('a Unix socket', start({ keep_stdin => 1 }, 'connect', "unix:$path"), $r);

$r = start({ stdin => null() }, 'listen', '-4', 0);
my $f = start('listen', '-4', 0, '--to', '127.0.0.1:' . $r->port);
transfer('a forwarder', start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $f->port),
    $r, $f);

my $s = start({ keep_stdin => 1 }, 'listen', '-4', 0);
$f = start('listen', '-4', 0, '--to', '127.0.0.1:' . $s->port);
transfer('a forwarder, the other way', $s,
    start({ stdin => null() }, 'connect', '127.0.0.1', $f->port), $f);

for my $piece (@pieces) {
    sleep 1.1;
    $_->[1]->send_line($piece) for @transfers;
}
for (@transfers) {
    my ($name, $sender, $receiver, $forwarder) = @$_;
    exits $sender->finish, 0, "$name: the sender says nothing",
        no_err => qr/^(?=.)(?!.*(?:listening on|waiting for the end of stdin))/m;
    if (ref $receiver) {
        my $end = $receiver->finish;
        ok "$end->{status} $end->{out}" eq "0 $whole", '  the receiver gets everything';
    } else {
        is reap($receiver), 0, '  gets everything';
    }
    is $forwarder->finish->{status}, 0, '  a forwarder' if $forwarder;
}

# A reader that leaves half-way: the receiver's stdout breaks, and the sender
# learns that not everything was read.
for my $n (1 .. 5) {
    $r = start({ command => 'sh', stdin => null() }, '-c',
        "'" . sockt() . "' listen -4 0 | head -c 100000 | wc -c");
    my $port = $r->port;
    $s = start({ stdin => 'x' x 40_000_000 }, 'connect', '--send-only',
        '127.0.0.1', $port);
    is $s->finish->{status}, 10, "a reader that leaves: the sender, run $n";
    $r->finish;
}

done_testing;
