# A machine without descriptors for a while is waited for once, not per port.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Errno qw(ENFILE);
use Sandbox;
use Test::More;

my $r = run_without_streams(ENFILE, 'portscan', '-m', 15,
    '127.0.0.1', '1-500');
like $r->{err}, qr/\Asockt portscan: no port could be probed: too many open .*\n\z/,
    'the shortage is what failed';
like $r->{out}, qr/not shown: 500 unknown \(failed on this side\)/,
    'every port is decided before the limit of the run';
is $r->{status}, 1, 'status 1: it is this machine';
done_testing;
