# A host with a bracket in it was looked up as a name.
use Sockt;

for my $operand ('[[]:80', '[]]:80', '[::1:80', '[a[b]:80', 'a]:80',
    '[name]:80', '[unix]:7', '[127.0.0.1]:80') {
    my $r = run('connect', $operand);
    is $r->{status}, 2, "'$operand' is a usage error";
    like $r->{err}, qr/bracket|missing port/, '  that says why';
}
is run('connect', '-z', '[', 80)->{status}, 2, 'with a port apart too';
is run('connect', '-z', '[::1]:1')->{status} != 2, 1, 'an address may have them';

done_testing;
