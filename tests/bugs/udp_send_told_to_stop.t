# A sender that found room for every datagram never waited, and no signal ended
# it.
use Sockt;

alarm 60;
my ($s, %number) = (udp_socket(), TERM => 15, INT => 2);

for my $signal (sort keys %number) {
    my $p = start('udp-send', '--no-reply', '--count', 2_000_000_000,
        '127.0.0.1', $s->sockport, $signal);
    # What the one before has sent is here, too.
    my $x = '';
    recv $s, $x, 100, 0 while $x ne $signal;
    my $r = $p->stop($signal);
    is $r->{signal}, $number{$signal}, "$signal ends it";
    is $r->{timed_out}, !!0, 'soon';
}

done_testing;
