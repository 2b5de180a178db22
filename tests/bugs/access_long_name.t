# A name of more than 255 bytes in a file of --allow or --deny was cut off and
# looked up: the rule was about another host.
use Sockt;

my $names = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/sockt-names';
plan skip_all => "$names is not built" unless -x $names;

my $longest = 'a' x 255;
my $o = { command => $names, timeout => 5,
    env => { SOCKT_TEST_NAMES => "$longest=127.0.0.1" } };
my $dir = scratch();
for my $option ('--allow', '--deny') {
    my $list = spew("$dir/list", "$longest\n");
    my $p = start($o, 'serve-hello', '-4', $option, "\@$list", 0);
    $p->port;
    is $p->stop->{status}, 0, "$option: 255 bytes are a name";
    spew($list, "${longest}b\n");
    my $r = run($o, 'serve-hello', '-4', $option, "\@$list", 0);
    is $r->{status}, 2, "$option: 256 bytes are refused";
    like $r->{err}, qr/is neither an address, ADDRESS\/BITS nor a host name/,
        "$option: with the reason";
}

done_testing;
