# A percent sign in --reply that was written as an escape is not a placeholder.
use Sockt;

my $p = start('udp-serve', '-4', '--reply', '\x00%s\x25s\x25\0', 0);
my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
$c->send('x');
$c->recv(my $got, 100);
is $got, "\0x%s%\0", 'bytes of a reply, whatever their value';
$p->stop;

done_testing;
