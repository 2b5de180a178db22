# A datagram that has its reply and is awaited still, for others may come, was
# subtracted twice from those lost: "18446744073709551615 lost".
use Sockt;
use JSON::PP qw(decode_json);

my $p = start('udp-serve', '-4', '--echo', '0');
my $port = $p->port;
my @run = ('udp-send', '-w', '20', '-m', '0.5', '--stats', '127.0.0.1', $port);
for my $replies (0, 2) {
    my $r = run(@run, '--replies', $replies, 'hello', 'again');
    is $r->{status}, 5, '--max-time ends it';
    like $r->{out}, qr/^(\d) sent, \1 received, 0 lost \(0%\)/m,
        "--replies $replies: none is lost";
}
my $r = run(@run, '--json', '--replies', '0', 'hello');
is decode_json((grep { /"summary"/ } split /\n/, $r->{out})[0])->{lost}, 0,
    'nor in the event';
$p->stop;

my $s = udp_socket();
$r = run('udp-send', '-w', '0.2', '--stats', '--window', '2', '127.0.0.1',
    $s->sockport, 'a', 'b');
like $r->{out}, qr/2 sent, 0 received, 2 lost \(100%\)/,
    'those without a reply in time are';

done_testing;
