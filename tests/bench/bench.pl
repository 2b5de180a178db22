# make bench: see README.md in this folder. Arguments: names of rows to run,
# separated by commas or spaces; none: all.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Bench;
use POSIX ();

$| = 1;
local $SIG{PIPE} = 'IGNORE';
local $SIG{INT} = local $SIG{TERM} = sub { exit 1 };

my @all = map { m{([^/]+)\.pl$} } sort glob "$FindBin::Bin/rows/*.pl";
my @wanted = map { split /[,\s]+/ } @ARGV;
my %known = map { $_ => 1 } @all;
for my $name (grep { !$known{$_} } @wanted) {
    die "bench: no row '$name'; there are: @all\n";
}
my ($kernel, $machine) = (POSIX::uname())[2, 4];
printf "%s, Linux %s %s, %d processors, median of %d\n",
    sockt(), $kernel, $machine, scalar(grep { /^processor\b/ }
        split /\n/, slurp('/proc/cpuinfo')), $Bench::ROUNDS;
for my $name (@wanted ? @wanted : @all) {
    my $done = do "$FindBin::Bin/rows/$name.pl";
    die "bench: $name: ", $@ || $!, "\n" unless defined $done;
}
