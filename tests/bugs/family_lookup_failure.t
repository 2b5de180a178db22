# With -4 or -6, a failed lookup of that family was reported as "has no IPv6
# address" if the name had an address of the other one.
use Sockt;

my $names = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/sockt-names';
plan skip_all => "$names is not built" unless -x $names;

my %o = (command => $names,
    env => { SOCKT_TEST_NAMES => 'half=127.0.0.1,fail6 four=127.0.0.1' });
my $r = run(\%o, 'connect', '-6', 'half', 9);
is $r->{status}, 3, 'a lookup that failed for now';
like $r->{err}, qr/half: name not resolved .*may work later/, 'is told as that';
$r = run(\%o, 'connect', '-6', 'four', 9);
like $r->{err}, qr/four has no IPv6 address \(--ipv6\); it has 127\.0\.0\.1/,
    'a name without that family is told as before';

done_testing;
