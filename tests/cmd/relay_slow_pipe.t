# A pipe that pauses is sent to its end, whoever finishes first and whatever is
# in between; and a receiver that stops half-way is never status 0.
use Sockt;
use Time::HiRes qw(sleep);

# Each connection counts here, so no other test's may come.
own_network();

my @pieces = ("a\n", 'b' x 100_000, "c\n");
my $whole = join '', @pieces;
my $pause = 1.1;

# Pairs of a sender and a receiver that are fed at the same time.
my (@transfers, @proxied);
sub transfer { push @transfers, [@_] }

sub feed_all {
    for my $piece (@pieces) {
        sleep $pause;
        $_->[2]->send_line($piece) for @transfers;
        $_->[1]->send_line($piece) for @proxied;
    }
    for (@transfers) {
        my ($name, $receiver, $sender) = @$_;
        my $r = $sender->finish;
        is $r->{status}, 0, "$name: the sender";
        is $r->{err} =~ s/.*(?:listening on|waiting for the end of stdin).*\n//gr, '', 'says nothing';
        $r = $receiver->finish;
        is $r->{status}, 0, 'the receiver';
        ok $r->{out} eq $whole, 'gets everything';
    }
}

sub null { open my $h, '<', '/dev/null' or die; return $h }

# Proxies whose targets finish at once. They are there before any pipe that
# they could hold open.
my %answers = (
    socks5 => [3, "\x05\x00", 10, "\x05\x00\x00\x01" . "\0" x 6],
    http => [qr/\r\n\r\n\z/, "HTTP/1.1 200 OK\r\n\r\n"],
);
my (%proxies, %ports);
for my $scheme (sort keys %answers) {
    my $l = tcp_listener();
    $ports{$scheme} = $l->sockport;
    $proxies{$scheme} = peer($l, sub {
        my ($c) = @_;
        # Other tests' clients may come by first.
        until (shakes_hands($c, @{ $answers{$scheme} })) {
            $c = $l->accept or die;
        }
        shutdown $c, 1;
        local $/;
        die 'lost' unless <$c> eq $whole;
    });
}

# Whether a client says what is wanted; answers it.
sub shakes_hands {
    my ($c, @steps) = @_;
    while (my ($wanted, $answer) = splice @steps, 0, 2) {
        my $got = '';
        until (ref $wanted ? $got =~ $wanted : length $got == $wanted) {
            sysread $c, $got, 1, length $got or return 0;
        }
        syswrite $c, $answer;
    }
    return 1;
}

for my $option ([], ['--send-only']) {
    my $r = start({ stdin => null() }, 'listen', '-4', 0);
    transfer("connect @$option", $r, start({ keep_stdin => 1 }, 'connect',
        @$option, '127.0.0.1', $r->port));
    my $s = start({ keep_stdin => 1 }, 'listen', '-4', 0, @$option);
    $r = start({ stdin => null() }, 'connect', '127.0.0.1', $s->port);
    transfer("listen @$option", $r, $s);
}

my $path = scratch() . '/s';
my $r = start({ stdin => null() }, 'listen', '-v', "unix:$path");
$r->expect(err => qr/listening/);
transfer('a unix socket', $r,
    start({ keep_stdin => 1 }, 'connect', "unix:$path"));

$r = start({ stdin => null() }, 'listen', '-4', 0);
my $f = start('listen', '-4', 0, '--to', '127.0.0.1:' . $r->port);
transfer('a forwarder', $r,
    start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $f->port));

my $s = start({ keep_stdin => 1 }, 'listen', '-4', 0);
my $g = start('listen', '-4', 0, '--to', '127.0.0.1:' . $s->port);
$r = start({ stdin => null() }, 'connect', '127.0.0.1', $g->port);
transfer('a forwarder, the other way', $r, $s);

push @proxied, [$_, start({ keep_stdin => 1 }, 'connect', '--proxy',
    "$_://127.0.0.1:$ports{$_}", '192.0.2.7', 81)] for sort keys %ports;

feed_all();
for (@proxied) {
    my ($scheme, $p) = @$_;
    is $p->finish->{status}, 0, "a proxy, $scheme";
    is reap($proxies{$scheme}), 0, 'gets everything';
}
is $_->finish->{status}, 0, 'a forwarder' for $f, $g;

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
