# A server of every address said that it listens for IPv6, too, where there is
# none.
use Sockt;
use Errno qw(EAFNOSUPPORT);
use Sandbox;

for my $command ('listen', 'udp-serve') {
    my $r = run_without_ip6(EAFNOSUPPORT, $command, '-m', 0.1, '*', 0);
    is $r->{status}, 5, "$command *: it listens";
    like $r->{err}, qr/ing on every IPv4 address \(0\.0\.0\.0\), port/,
        '  and says where';
}

done_testing;
