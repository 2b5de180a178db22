# A program of udp-serve that has exited while a child of it holds its output:
# the time limit, and the end of the server, also end that child.
use Sockt;

# Reports its process group. One process of it keeps the output open, and
# ignores what would end it.
my $program = '(trap "" HUP INT TERM; while :; do sleep 1; done) 2>/dev/null & '
    . 'echo $$ >&2';

# The server, and the group of its program, which has exited.
sub serve {
    my @args = @_;
    my $p = start('udp-serve', '-4', @args, '0', '--', 'sh', '-c', $program);
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send('x');
    $p->expect(err => qr/^(\d+)$/m);
    my ($group) = $p->{err} =~ /^(\d+)$/m;
    return ($p, $group);
}

my ($p, $group) = serve('-v', '--program-timeout', '0.5');
$p->expect(err => qr/the program took longer than allowed \(--program-timeout\)/);
ok group_ends($group, 10), '--program-timeout: nobody is left';
is $p->stop->{status}, 0, 'the server went on';

($p, $group) = serve();
my $r = $p->stop;
is $r->{status}, 0, 'TERM ends the server';
cmp_ok $r->{seconds}, '<', 10, 'which took its time, no more';
ok group_ends($group, 10), 'and nobody is left';

done_testing;
