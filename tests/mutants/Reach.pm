# Which tests reach which lines: each test runs once with sockt built for
# coverage, whose counters live in a file that processes share, so that those
# count that are forked or killed. The answers are kept under build/.
package Reach;

use strict;
use warnings;
use Exporter qw(import);
use File::Path qw(make_path remove_tree);

use Programs;
use Runner;

our @EXPORT = qw(measure_reach reaching);

my %reached;    # test => file => line => 1
my %seconds;    # test => seconds that it took

# The file where a test's answer is kept; no use is made of a test that failed.
sub answer { return "$_[0]/map/" . $_[1]{name} =~ tr{/}{-}r }

# Runs a test and keeps its lines: one row for each file.
sub measure {
    my ($build, $t, @sources) = @_;
    my $raw = "$build/raw/" . ($t->{name} =~ tr{/}{-}r) . ".$$";
    remove_tree($raw);
    make_path($raw, "$build/map");
    my %copy = (%$t, limit => 200, env => { %{ $t->{env} },
        LLVM_PROFILE_FILE => "$raw/%c%m.profraw" });
    my $r = run_test(\%copy, "$raw/out");
    my $text = sprintf "%s %.2f\n", $r->{passed} ? 'passed' : 'failed',
        $r->{seconds};
    my $lines = glob("$raw/*.profraw") ? `$ENV{LLVM_PROFDATA} merge -sparse \\
        -o $raw/all $raw/*.profraw 2>>$raw/log && $ENV{LLVM_COV} export \\
        -format=lcov -instr-profile=$raw/all $build/sockt @sources \\
        2>>$raw/log` : '';
    for my $part (split /^end_of_record\n/m, $lines) {
        my ($file) = $part =~ m{^SF:.*?(src/.*)$}m or next;
        my @hit = $part =~ /^DA:(\d+),[1-9]/mg or next;
        $text .= "$file @hit\n";
    }
    remove_tree($raw) if $r->{passed};
    my $answer = answer($build, $t);
    open my $f, '>', "$answer.$$" or die "$answer: $!\n";
    print $f $text;
    close $f or die "$answer: $!\n";
    rename "$answer.$$", $answer or die "$answer: $!\n";
    return;
}

# Reads a test's answer. False if there is none that is younger than the test
# and the sources.
sub read_answer {
    my ($build, $t, $age) = @_;
    my $answer = answer($build, $t);
    return 0 unless -e $answer && -M $answer < $age
        && -M $answer < -M $t->{path};
    open my $f, '<', $answer or die "$answer: $!\n";
    (my $status, $seconds{ $t->{name} }) = split ' ', <$f>;
    return 1 if $status ne 'passed';
    while (my $row = <$f>) {
        my ($file, @lines) = split ' ', $row;
        $reached{ $t->{name} }{$file}{$_} = 1 for @lines;
    }
    return 1;
}

# Measures the tests of which nothing is known yet, while may_go_on() holds.
# False if some are left.
sub measure_reach {
    my ($build, $jobs, $tests, $sources, $may_go_on) = @_;
    my ($age) = sort { $a <=> $b } map { -M } @$sources;
    my @left = grep { !read_answer($build, $_, $age) } @$tests;
    my $running = 0;
    for my $t (@left) {
        last unless $may_go_on->();
        if ($running == $jobs) {
            wait;
            $running--;
        }
        my $pid = fork // die "fork: $!\n";
        if ($pid == 0) {
            measure($build, $t, @$sources);
            POSIX::_exit(0);
        }
        $running++;
    }
    1 while wait > 0;
    return !grep { !read_answer($build, $_, $age) } @left;
}

# The tests that reach a line of a file, or any for lines outside of functions,
# the shortest first; each with its limit: three times what it took, and 10 s.
sub reaching {
    my ($file, $line, @tests) = @_;
    my @found = sort { $seconds{ $a->{name} } <=> $seconds{ $b->{name} } }
        grep {
            my $lines = $reached{ $_->{name} }{$file};
            defined $seconds{ $_->{name} } && (includes($_->{path}, $file)
                || $lines && (!defined $line || $lines->{$line}));
        } @tests;
    return map { +{ %$_, limit => 3 * $seconds{ $_->{name} } + 10 } } @found;
}

1;
