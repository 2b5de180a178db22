# The peer reads a line, closes, and is sent another one: all bytes of that one
# are counted as not delivered. One was missing, in place of a FIN that had
# never been sent.
use Sockt;

own_network();
my $l = tcp_listener();
my $sender = start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $l->sockport);
my $peer = $l->accept or die;
$sender->send_line("one\n");
is scalar <$peer>, "one\n", 'the peer reads a line';
close $peer;
$sender->send_line("three\n");
my $r = $sender->finish;
is $r->{status}, 10, 'the connection is lost';
like $r->{err}, qr/; 6 bytes of stdin not delivered$/m, 'with all of the line';

done_testing;
