# connect relays stdin to the peer and the peer to stdout, and half-closes.
use Sockt;

my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    local $/;
    my $all = <$c>;
    print $c "got " . length($all) . "\n";
});
my $r = run({ stdin => 'x' x 300_000 }, 'connect', '127.0.0.1', $l->sockport);
is $r->{status}, 0, 'exit status';
is $r->{out}, "got 300000\n", 'the answer behind our FIN arrives';
is $r->{err}, '', 'nothing is said without -v';
is reap($pid), 0, 'the peer is content';

my $port = free_port();
$r = run('connect', '127.0.0.1', $port);
is $r->{status}, 4, 'a refused port is status 4';
like $r->{err},
    qr/^sockt connect: 127\.0\.0\.1 port $port: refused \(.+\)\n\z/,
    'one line says what was tried, what came back, what it means';

# A reset is a loss, also if it is found while the FIN is sent.
{
    my $l = tcp_listener();
    my $p = start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    syswrite $c, "half\n";
    $p->expect(out => qr/half/);
    $p->signal('STOP');
    setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0;
    close $c;
    $p->close_stdin;
    $p->signal('CONT');
    is $p->finish->{status}, 10, 'a reset at the end of stdin is a loss';
}

done_testing;
