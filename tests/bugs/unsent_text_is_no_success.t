# A --send whose text was not sent is neither status 0 nor ended with a FIN,
# although the peer has finished.
use Sockt;
use Socket qw(SOL_SOCKET SO_RCVBUF);

# A peer that finishes, and reads nothing; then how the connection ends.
sub against {
    my (@options) = @_;
    my $l = tcp_listener();
    setsockopt $l, SOL_SOCKET, SO_RCVBUF, 2048;
    my $p = start({}, 'connect', '--sndbuf', '4k', '--send', 'B' x 100_000,
        '--done', @options, '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    shutdown $c, 1;
    my $r = $p->finish;
    my $n;
    do { $n = sysread $c, my $got, 65536 } while $n;
    return ($r, defined $n ? 'fin' : $!{ECONNRESET} ? 'reset' : "$!");
}

my ($r, $end) = against('--on-peer-eof', 'quit');
is $r->{status}, 10, '--on-peer-eof quit';
like $r->{err}, qr/finished first; \d+ bytes of --send not delivered \(--on-peer-eof quit\)$/m,
    'says what was left';
is $end, 'reset', 'and resets';

($r, $end) = against('-m', '500ms');
is $r->{status}, 5, '--max-time';
is $end, 'reset', 'resets';

done_testing;
