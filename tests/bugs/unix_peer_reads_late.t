# What a peer on a unix socket had not read yet counted as not delivered, in
# other units than bytes: status 10 for a transfer that was whole.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

my $path = scratch() . '/s';
my $l = IO::Socket::UNIX->new(
    Local => $path, Listen => 1, Type => SOCK_STREAM) or die "$!";
my $p = start({ keep_stdin => 1 }, 'connect', "unix:$path");
my $c = $l->accept or die "accept: $!";
shutdown $c, 1;
$p->send_line('x' x 5000);
$p->close_stdin;
my $r = $p->finish;
is $r->{status}, 0, 'what the peer holds is delivered';
is $r->{err}, '', 'nothing is reported';
my $got = '';
1 while sysread $c, $got, 65536, length $got;
is $got, 'x' x 5000, 'and it has everything';

done_testing;
