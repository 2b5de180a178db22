# --retry-for: waits for a port, then talks on that very connection.
use Sockt;

my $port = free_port();
my $p = start({ stdin => 'hi' }, 'connect', '--retry-for', 20, '127.0.0.1',
    $port);
my ($why) = $p->expect(err => qr/(.*trying again for.*)\n/);
like $why, qr/127\.0\.0\.1 port $port: refused .*; trying again for 20 s/,
    'the cause is told';
my $l = tcp_listener(port => $port);
my $c = $l->accept;
my $got = do { local $/; <$c> };
print $c 'there you are';
close $c;
my $r = $p->finish;
is $got, 'hi', 'talks on the connection that opened';
is "$r->{status} $r->{out}", '0 there you are', 'both ways';
my $told = () = $r->{err} =~ /refused/g;
is $told, 1, 'the same cause is told once';
vec(my $bits = '', fileno $l, 1) = 1;
is select($bits, undef, undef, 0), 0, 'no second connection was made';
close $l;

$r = run('connect', '-z', '--retry-for', '300ms', '127.0.0.1', $port);
exits $r, 5, 'gives up, which limit, and the last cause',
    err => qr/no connection within 0\.3 s \(--retry-for\); 127\.0\.0\.1 port $port: refused/;
cmp_ok $r->{seconds}, '>=', 0.3, 'not before';
cmp_ok $r->{seconds}, '<', 2, 'nor long after';

exits run('connect', '-z', '--retry-for', 20, '-m', '200ms', '127.0.0.1',
    $port), 5, 'a whole-run limit ends it too', err => qr/--max-time/;

$r = run('connect', '--retry-for', 5, '-s', '127.0.0.1', '::1', 1);
is $r->{status}, 7, 'what cannot pass is not tried again';

is run('connect', '--retry-for', 'x', 'h', 1)->{status}, 2,
    'a bad duration is a usage error';

done_testing;
