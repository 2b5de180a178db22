# A sandbox that denies socket(2) is no firewall in front of the port.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(uname);
use Sockt;
use Test::More;

plan skip_all => 'the filter is written for x86_64'
    unless (uname())[4] eq 'x86_64' && $^O eq 'linux';

# prctl(2) with a seccomp filter: socket (41) of a stream fails with EACCES.
my $sandbox = <<'END';
my @code = ([0x20, 0, 0, 0], [0x15, 0, 3, 41], [0x20, 0, 0, 24],
    [0x54, 0, 0, 15], [0x15, 1, 0, 1], [0x06, 0, 0, 0x7fff0000],
    [0x06, 0, 0, 0x0005000d]);
my $filter = join '', map { pack 'S C C L', @$_ } @code;
my $program = pack 'S x6 P', scalar @code, $filter;
syscall(157, 38, 1, 0, 0, 0) == 0 or exit 77;
syscall(157, 22, 2, $program, 0, 0) == 0 or exit 77;
exec @ARGV;
END

my $r = run({ command => $^X }, '-e', $sandbox, sockt(), 'portscan',
    '127.0.0.1', '1-3');
plan skip_all => 'no seccomp(2) here' if $r->{status} == 77;
is $r->{status}, 7, 'status 7: it is this machine that does not permit it';
like $r->{out}, qr/not shown: 3 unknown \(failed on this side\)/,
    'the ports are not told as filtered';
is $r->{err}, "sockt portscan: no port could be probed: permission denied "
    . "(this process is not allowed to open sockets)\n",
    'one line says what failed';
done_testing;
