# make mutants: changes one token of a source, and looks whether a test fails.
#
# How it works. Out of all one-token changes of the folders' sources (see
# Mutations.pm), a seed draws a number. A drawn change that does not compile,
# or makes the same object, is replaced by the next. Each other one is a mutant:
# the tests that reach its line (see Reach.pm) run until one fails, unit tests
# and fuzzers' corpora first, then what runs sockt, the shortest first. A test
# that fails is run again, since a busy machine may be the cause: only a test
# that fails twice, or takes too long twice, has killed the mutant. What survives
# may be found by sanitizers, with which CI runs all tests once more: in a stage
# of its own, the same tests run with their programs.
#
# What is known is kept in build/mutants/results, so that a run goes on where
# the last one stopped, and later runs with the same mutants take no time. The
# mutants that survive are printed. In tests/mutants/equivalent stand those that
# change nothing that a test could see, each with the reason in the next line.
#
# It needs root, for namespaces, and clang with llvm-cov and llvm-profdata.
#
# The environment, where make sets it from its variables:
#   MUTANTS_BUILD    the build folder
#   MUTANTS_FOLDERS  folders of src/, separated by commas
#   MUTANTS_COUNT    how many of each draw
#   MUTANTS_SEED     which
#   MUTANTS_BUDGET   seconds after which no other test or mutant is begun
#   MUTANTS_RETEST   tests survivors, and what is open, again: 1, or a part of
#                    their names
#   MUTANTS_STAGE    unit: leaves to a later run what unit tests do not kill;
#                    sanitize: tests survivors with sanitizers
#   MUTANTS_PROGRAMS the build folder with the programs of the stage
#   MUTANTS_JOBS     tests at a time
#   LLVM_COV, LLVM_PROFDATA
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Compare qw(compare);
use File::Path qw(make_path);
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../lib";

use Mutations;
use Programs;
use Reach;
use Runner;
use Source;

my $BUILD  = $ENV{MUTANTS_PROGRAMS};
my $WORK   = abs_path($ENV{MUTANTS_BUILD}) . '/mutants';
my $STAGE  = $ENV{MUTANTS_STAGE} // '';
my $NOW    = "$WORK/seed-$ENV{MUTANTS_SEED}$STAGE";    # of built mutants
my $START  = time;
my @FOLDERS = split /,/, $ENV{MUTANTS_FOLDERS};
my $RETEST = $ENV{MUTANTS_RETEST} // '';
my $UNIT_ONLY = $STAGE eq 'unit';
my $SANITIZES = $STAGE eq 'sanitize';

sub may_go_on {
    return !$ENV{MUTANTS_BUDGET} || time - $START < $ENV{MUTANTS_BUDGET};
}

# The tests of this stage, with programs of the build folder.
sub tests {
    my ($build) = @_;
    my %env = (SOCKT => "$build/sockt", SOCKT_BUILD => $build);
    my @unit = map {
        my ($kind, $name) = m{^tests/(unit|fuzz)/(\w+)\.c$};
        { name => "$kind/$name", path => $_, is_unit => 1, env => \%env,
            command => ["$build/tests/$kind/$name"] };
    } files('tests/unit/*.c', 'tests/fuzz/*.c');
    return @unit if $UNIT_ONLY;
    return @unit, map { {
        name => m{^tests/(.*)\.t$}, path => $_, env => \%env,
        command => ['perl', $_],
    } } files(map { "tests/$_/*.t" } qw(cmd bugs examples netns));
}

# What is known: key => result.
sub read_results {
    my %result;
    if (open my $f, '<', "$WORK/results") {
        while (my $row = <$f>) {
            chomp $row;
            my ($key, $result) = split /\t/, $row;
            $result{$key} = $result;
        }
    }
    return %result;
}

sub record {
    my ($key, $result) = @_;
    open my $f, '>>', "$WORK/results" or die "$WORK/results: $!\n";
    print $f "$key\t$result\n";
    close $f or die "$WORK/results: $!\n";
    return $result;
}

# The survivors that no test can kill.
sub read_equivalent {
    return map { $_ => 1 }
        grep { /^src/ } split /\n/, text('tests/mutants/equivalent');
}

# Compiles a mutant. What is wrong with it, or undef.
sub compile_mutant {
    my ($m) = @_;
    my $original = "$NOW/original/" . $m->{file} =~ tr{/}{-}r . '.o';
    make_path("$NOW/original");
    if (!-e $original || -M $original > -M $m->{file}) {
        compile_changed($m->{file}, text($m->{file}), $original)
            or die "$m->{file} does not compile\n";
    }
    return 'does not compile'
        unless compile_changed($m->{file}, mutated($m), "$NOW/mutant.o");
    return 'same code' if compare($original, "$NOW/mutant.o") == 0;
    return undef;
}

# Links what the tests of commands run.
sub link_commands {
    my ($m) = @_;
    link_changed("$BUILD/$_", $m->{file}, "$NOW/mutant.o", "$NOW/$_")
        for qw(sockt tests/sockt-names);
    for my $same (qw(pty inject.so link)) {
        symlink abs_path("$BUILD/tests/$same"), "$NOW/tests/$same";
    }
    return;
}

# The tests, first the one that is named for the mutant's file.
sub own_test_first {
    my ($m, @tests) = @_;
    my ($name) = $m->{file} =~ m{(\w+)\.c$};
    my @own = grep { $_->{name} eq "unit/${name}_test" } @tests;
    return @own, grep { $_->{name} ne "unit/${name}_test" } @tests;
}

# Runs the tests that reach the mutant, without unit tests if these have been
# run. Its result.
sub examine {
    my ($m, $is_open) = @_;
    my $useless = compile_mutant($m);
    return $useless if $useless;
    my @tests = reaching($m->{file}, $m->{function} && $m->{line},
        tests($NOW));
    $_->{limit} *= $SANITIZES ? 3 : 1 for @tests;
    my ($unit, $other) =
        $SANITIZES ? ('sanitize', 'sanitize') : ('unit', 'loopback');
    my @unit = own_test_first($m, grep { $_->{is_unit} } @tests);
    for my $t ($is_open ? () : @unit) {
        link_changed("$BUILD/tests/$t->{name}", $m->{file},
            "$NOW/mutant.o", $t->{command}[0]);
        return "$unit $t->{name}" if run_until_one_fails(1, $NOW, $t);
    }
    my @loopback = grep { !$_->{is_unit} } @tests;
    return 'open' if $UNIT_ONLY;
    link_commands($m) if @loopback;
    my $killer = run_until_one_fails($ENV{MUTANTS_JOBS}, $NOW, @loopback);
    return "$other $killer" if $killer;
    return 'unreached' unless @tests;
    return ($SANITIZES ? 'survived sanitizers ' : 'survived ') . @tests;
}

sub is_mutant {
    return $_[0] =~ /^(?:unit|loopback|sanitize|survived|unreached|open
        |equivalent)\b/x;
}

sub has_survived { return $_[0] =~ /^(?:survived|unreached|open)\b/ }

sub is_tested_again {
    my ($key, $result) = @_;
    return 0 unless has_survived($result);
    return 1 if $SANITIZES && $result =~ /^survived \d/;
    return $RETEST && ($RETEST eq '1' || index($key, $RETEST) >= 0);
}

# The mutants of the sample, each with its result, and whether that is all.
sub examine_sample {
    my %result = read_results();
    my %equivalent = read_equivalent();
    my @sample;
    for my $m (sampled($ENV{MUTANTS_SEED}, map { mutations($_) }
        grep { is_built($_) } files(map { "src/$_/*.c" } @FOLDERS))) {
        last if @sample == $ENV{MUTANTS_COUNT};
        my $result = $equivalent{ $m->{key} } ? 'equivalent'
            : $result{ $m->{key} };
        my $is_open = $result && $result eq 'open';
        undef $result if $result && is_tested_again($m->{key}, $result);
        if (!$result || $is_open && $STAGE eq '') {
            return (0, @sample) unless may_go_on();
            $result = record($m->{key}, examine($m, $is_open && !$RETEST));
            print "$result: $m->{key}\n";
        }
        push @sample, { %$m, result => $result } if is_mutant($result);
    }
    return (1, @sample);
}

# Prints the survivors and a table.
sub report {
    my (@sample) = @_;
    my (%n, %total);
    for my $m (@sample) {
        my ($folder) = $m->{file} =~ m{^src/(\w+)/};
        my $kind = $m->{result} =~ /^(unit|loopback|sanitize|open|equivalent)/
            ? $1 : 'survived';
        $n{$folder}{$_}++, $total{$_}++ for $kind, 'mutants';
        print "$m->{result}, line $m->{line}: $m->{key}\n"
            if $kind eq 'survived';
    }
    my @columns = qw(mutants unit loopback sanitize open equivalent
        survived);
    printf "%-8s%s\n", '', join '', map { sprintf '%12s', $_ } @columns;
    for my $folder (@FOLDERS, 'all') {
        my $row = $folder eq 'all' ? \%total : $n{$folder};
        printf "%-8s%s\n", $folder,
            join '', map { sprintf '%12d', $row->{$_} // 0 } @columns;
    }
    my $killed = 0;
    $killed += $total{$_} // 0 for qw(unit loopback sanitize);
    my $possible = @sample - ($total{equivalent} // 0);
    printf "killed: %.1f %% of all, %.1f %% of those that are no equivalents\n",
        100 * $killed / @sample, 100 * $killed / $possible if $possible;
    return;
}

$| = 1;
die "make mutants: only root makes namespaces\n" if $> != 0;
chdir $Source::TOP or die "$Source::TOP: $!\n";
make_path("$NOW/tests");
read_commands($BUILD, "$WORK/commands");
my @sources = grep { is_built($_) } files(map { "src/$_/*.c" } @FOLDERS);
measure_reach("$WORK/reach", $ENV{MUTANTS_JOBS},
    [tests("$WORK/reach")], \@sources, \&may_go_on)
    or print("the tests' reach is not all known yet\n"), exit 0;
my ($is_whole, @sample) = examine_sample();
report(@sample) if @sample;
print "the sample is not whole yet\n" unless $is_whole;
