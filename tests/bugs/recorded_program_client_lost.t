# listen -x FILE -- PROGRAM lost a client whose host had vanished without a word,
# and its status was that of the program: 0.
use Sockt;

own_network() or plan skip_all => 'no network namespace';

# One retransmission, so that seconds are enough.
my $retries = '/proc/sys/net/ipv4/tcp_retries2';
plan skip_all => "no $retries" unless -w $retries;
spew($retries, "1\n");

my $dir = scratch();
my $p = start('listen', '-v', '-x', "$dir/dump", 0, '--', 'sh', '-c',
    'read go; echo first; read go; echo second; cat');
my $c = tcp_client($p->port);
print $c "go\n";
is scalar(<$c>), "first\n", 'the client is served';

# It is gone before the answer, not before the question.
$p->signal('STOP');
print $c "go\n";
set_loopback(0) or die "lo: $!";
$p->signal('CONT');
my $r = $p->finish;
is $r->{status}, 10, 'its loss is an error';
like $r->{err}, qr/the connection was lost after \d+ bytes sent and 6 received: \w/,
    'and told';

done_testing;
