# A count of repetitions of four digits was not refused as one of three is: it
# was text, which hardly any peer sends.
use Sockt;

for my $count ('256', '9999', '99999999999', '1,256', '1,9999', '9999,') {
    my $r = run('connect', '--done', '--expect', "a{$count}", '127.0.0.1',
        free_port());
    is $r->{status}, 2, "a{$count} is refused";
    like $r->{err}, qr/: a bad number of repetitions$/m, '  and why';
}

done_testing;
