# A reset ends both directions: an input, a target or a script that has more
# to say does not keep the relay waiting.
use Sockt;
use Socket qw(:all);

sub reset_it {
    my ($c) = @_;
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $c;
}

my $l = tcp_listener();
my $target;
pipe my $idle, my $held or die;
my $p = start({ stdin => $idle }, 'connect', '--on-peer-eof', 'finish',
    '127.0.0.1', $l->sockport);
reset_it($l->accept);
is $p->finish(10)->{status}, 10, 'finish: an idle stdin is not waited for';

setsockopt $l, SOL_SOCKET, SO_RCVBUF, 4096;
my $text = 'a' x 130000;
$p = start('connect', '--sndbuf', '4k', '127.0.0.1', $l->sockport,
    map { ('--send', $text) } 1 .. 13);
$target = $l->accept;
sysread $target, my $got, 100;
reset_it($target);
is $p->finish(10)->{status}, 10, 'texts that do not fit are not waited for';

$p = start('listen', '-4', '0', '--to', '127.0.0.1:' . $l->sockport);
my $client = tcp_client($p->port);
syswrite $client, 'x';
$target = $l->accept;
sysread $target, $got, 1;
reset_it($client);
is $p->finish(10)->{status}, 10, 'a forwarder, the client: exit status';
is sysread($target, $got, 1), undef, 'and the target is told';
ok $!{ECONNRESET}, 'by a reset';

$p = start('listen', '-4', '0', '--to', '127.0.0.1:' . $l->sockport);
$client = tcp_client($p->port);
$target = $l->accept;
reset_it($target);
is sysread($client, $got, 1), undef, 'a forwarder, the target';
ok $!{ECONNRESET}, 'by a reset';
is $p->finish(10)->{status}, 10, 'exit status';

done_testing;
