# A machine without descriptors for a while is waited for once, not per port.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(uname);
use Sockt;
use Test::More;

plan skip_all => 'the filter is written for x86_64'
    unless (uname())[4] eq 'x86_64' && $^O eq 'linux';

# prctl(2) with a seccomp filter: socket (41) of a stream fails with ENFILE.
my $sandbox = <<'END';
my @code = ([0x20, 0, 0, 0], [0x15, 0, 3, 41], [0x20, 0, 0, 24],
    [0x54, 0, 0, 15], [0x15, 1, 0, 1], [0x06, 0, 0, 0x7fff0000],
    [0x06, 0, 0, 0x00050017]);
my $filter = join '', map { pack 'S C C L', @$_ } @code;
my $program = pack 'S x6 P', scalar @code, $filter;
syscall(157, 38, 1, 0, 0, 0) == 0 or exit 77;
syscall(157, 22, 2, $program, 0, 0) == 0 or exit 77;
exec @ARGV;
END

my $r = run({ command => $^X }, '-e', $sandbox, sockt(), 'portscan', '-m', 15,
    '127.0.0.1', '1-500');
plan skip_all => 'no seccomp(2) here' if $r->{status} == 77;
like $r->{err}, qr/\Asockt portscan: no port could be probed: too many open .*\n\z/,
    'the shortage is what failed';
like $r->{out}, qr/not shown: 500 unknown \(failed on this side\)/,
    'every port is decided before the limit of the run';
is $r->{status}, 1, 'status 1: it is this machine';
done_testing;
