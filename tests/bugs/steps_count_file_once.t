# A file that was moved to the connection through a pipe was reported as sent
# twice: on its way into the pipe, which is no call on the socket, and out of it.
use Sockt;

my $file = spew(scratch() . '/file', 'x' x 3_000_000);
my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    1 while sysread $c, my $got, 1 << 20;
});
open my $in, '<', $file or die;
my $r = run({ stdin => $in }, 'connect', '-vv', '127.0.0.1', $l->sockport);
is $r->{status}, 0, 'exit status';
my $sent = 0;
$sent += $_ for $r->{err}
    =~ /(?:send|splice) on the connection \N*?(\d+) bytes,/g;
is $sent, 3_000_000, 'the steps send each byte once' or diag $r->{err};
reap($pid);

done_testing;
