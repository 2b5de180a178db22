# Sandboxes: a seccomp(2) filter that makes a system call fail.
package Sandbox;

use strict;
use warnings;
use Exporter qw(import);
use Sockt;
use Test::More;

our @EXPORT = qw(run_without_streams);

# prctl(2) with a filter: socket (41) of a stream fails with the errno.
my $sandbox = <<'END';
my $errno = shift;
my @code = ([0x20, 0, 0, 0], [0x15, 0, 3, 41], [0x20, 0, 0, 24],
    [0x54, 0, 0, 15], [0x15, 1, 0, 1], [0x06, 0, 0, 0x7fff0000],
    [0x06, 0, 0, 0x00050000 + $errno]);
my $filter = join '', map { pack 'S C C L', @$_ } @code;
my $program = pack 'S x6 P', scalar @code, $filter;
syscall(157, 38, 1, 0, 0, 0) == 0 or exit 77;
syscall(157, 22, 2, $program, 0, 0) == 0 or exit 77;
exec @ARGV;
END

# Whether an ELF file is of this kind of machine, which numbers its calls so.
sub is_x86_64 { return unpack('x18 v', slurp($_[0])) == 62 }

# run() of sockt where socket(2) of a stream fails with errno. Skips the test
# where that cannot be had.
sub run_without_streams {
    my ($errno, @args) = @_;
    plan skip_all => 'the filter is written for x86_64'
        unless $^O eq 'linux' && is_x86_64(sockt());
    my $r = run({ command => $^X }, '-e', $sandbox, $errno, sockt(), @args);
    plan skip_all => 'no seccomp(2) here' if $r->{status} == 77;
    return $r;
}

1;
