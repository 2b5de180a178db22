# udp-send --rate waited for more input while lines that it had read were still
# to be sent: they stayed unsent until stdin had something more to say.
use Sockt;
use IO::Select;

my $s = udp_socket();
my $ready = IO::Select->new($s);
my $p = start({ keep_stdin => 1 }, 'udp-send', '--no-reply', '--rate', 20000,
    '127.0.0.1', $s->sockport);
my $count = 0;
for my $round (1 .. 20) {
    $p->send_line("line\n" x 50);
    while ($count < 50 * $round && $ready->can_read(5)) {
        $s->recv(my $x, 100);
        $count++;
    }
    last if $count < 50 * $round;
}
is $count, 1000, 'every line is sent while stdin stays open';
is $p->finish->{status}, 0, 'ends';

done_testing;
