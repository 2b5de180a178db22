# -w did not hold for the look-up of the name.
use Sockt;

my $names = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/sockt-names';
my $r = run({ command => $names, timeout => 10,
        env => { SOCKT_TEST_NAMES => 'slow.test=hang' } },
    'udp-send', '-w', '0.3', 'slow.test', '9999', 'x');
is $r->{status}, 5, '-w ends a look-up without an answer: status 5';
like $r->{err}, qr/slow\.test: no answer from a name server within/, 'and says so';
cmp_ok $r->{seconds}, '<', 5, 'in time';

done_testing;
