# A sandbox that denies socket(2) is no firewall in front of the port.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Errno qw(EACCES);
use Sandbox;
use Test::More;

my $r = run_without_streams(EACCES, 'portscan',
    '127.0.0.1', '1-3');
is $r->{status}, 7, 'status 7: it is this machine that does not permit it';
like $r->{out}, qr/not shown: 3 unknown \(failed on this side\)/,
    'the ports are not told as filtered';
is $r->{err}, "sockt portscan: no port could be probed: permission denied "
    . "(this process is not allowed to open sockets)\n",
    'one line says what failed';
done_testing;
