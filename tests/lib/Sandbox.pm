# Sandboxes: a seccomp(2) filter that makes a system call fail.
package Sandbox;

use strict;
use warnings;
use Exporter qw(import);
use Sockt;

our @EXPORT = qw(run_without_streams run_without_ip6);

# Filters, without their last two steps: permit, refuse. socket (41) of a
# stream, or one of IPv6.
my $streams = '32,0,0,0 21,0,3,41 32,0,0,24 84,0,0,15 21,1,0,1';
my $ip6 = '32,0,0,0 21,0,2,41 32,0,0,16 21,1,0,10';

# prctl(2) with a filter: what it refuses fails with the errno.
my $sandbox = <<'END';
my $errno = shift;
my @code = map { [split /,/] } split / /, shift;
push @code, [0x06, 0, 0, 0x7fff0000], [0x06, 0, 0, 0x00050000 + $errno];
my $filter = join '', map { pack 'S C C L', @$_ } @code;
my $program = pack 'S x6 P', scalar @code, $filter;
syscall(157, 38, 1, 0, 0, 0) == 0 or exit 77;
syscall(157, 22, 2, $program, 0, 0) == 0 or exit 77;
exec @ARGV;
END

# Whether an ELF file is of this kind of machine, which numbers its calls so.
sub is_x86_64 { return unpack('x18 v', slurp($_[0])) == 62 }

# run() of sockt where socket(2) of a stream or of IPv6 fails with errno; undef
# where that cannot be had: the filters are for Linux on x86_64.
sub run_without_streams { return run_with_filter($streams, @_) }
sub run_without_ip6 { return run_with_filter($ip6, @_) }

sub run_with_filter {
    my ($filter, $errno, @args) = @_;
    return undef unless $^O eq 'linux' && is_x86_64(sockt());
    my $r = run({ command => $^X }, '-e', $sandbox, $errno, $filter,
        sockt(), @args);
    return $r->{status} == 77 ? undef : $r;
}

1;
