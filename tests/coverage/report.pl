# Usage: report.pl BINARY PROFDATA LLVM_COV: what the tests reached in src/, for
# make coverage. Prints lines and branches reached, by folder and file, and
# writes what was not reached to build/coverage/unreached.
#
# tests/coverage/unreached lists the lines that are known not to be reached. Its
# entries stand below the reason that they share, a paragraph of "# " lines:
#
#	FILE FUNCTION: TEXT     lines that begin with this one, or all
#	? FILE FUNCTION: TEXT   lines that some runs reach
#
# as many times as there are such places. The list only shrinks: fails if an
# entry is missing, or if an entry is reached, which SHRINK=1 removes. Fails
# below the minimum, too.
#
# Conditions only count. What never was true or false, apart from what only
# leads to lines that are not reached, is in build/coverage/unreached to read:
#
#	FILE FUNCTION: never true: CONDITION
#
# Clang derives how often a condition was false from how often it was true, so
# that what follows fork(2) in the parent is only seen where fork(2) also fails.
#
# The lines are those that Clang counts, in the files that BINARY consists of:
# on Linux, that is not the *_posix.c files.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use List::Util qw(max sum0);
use Source;

my %MINIMUM = (lines => 97, branches => 90);
my $LIST    = 'tests/coverage/unreached';

my ($binary, $profile, $llvm_cov) = @ARGV;
my $found_path = $profile =~ s{[^/]*$}{unreached}r;

# What llvm-cov exports.
sub export {
    open my $p, '-|', $llvm_cov, 'export', $binary,
        "-instr-profile=$profile", @_ or die "$llvm_cov: $!";
    local $/;
    my $text = <$p>;
    close $p or die "$llvm_cov failed";
    return $text;
}

# Files by path, with source (its lines), functions (line => name) and lines
# (number => count; not those of the preprocessor).
sub read_lines {
    my (%files, $file);
    for (split /\n/, export('-format=lcov')) {
        if (s{^SF:\Q$Source::TOP\E/}{}) {
            $file = $files{$_} = { source => [ split /\n/, text($_) ] };
        }
        $file->{functions}{$1} = $2 if /^FN:(\d+),(?:.*:)?(\w+)$/;
        $file->{lines}{$1}     = $2
            if /^DA:(\d+),(\d+)/ && $file->{source}[ $1 - 1 ] !~ /^\s*#/;
    }
    return %files;
}

# Adds branches: sides (of conditions, by their places) with their counts. A
# function of a header counts once.
sub add_branches {
    my ($files) = @_;
    my $json = decode_json(export(qw(-skip-functions -skip-expansions)));
    for my $f (@{ $json->{data}[0]{files} }) {
        my $file = $files->{ $f->{filename} =~ s{^\Q$Source::TOP\E/}{}r };
        for my $branch (@{ $f->{branches} }) {
            my ($true, $false) = @$branch[4, 5];
            my $at = join ',', @$branch[0 .. 3];
            $file->{branches}{$at}{true}  += $true;
            $file->{branches}{$at}{false} += $false;
        }
    }
}

# "REACHED ALL" of numbers, some of which are 0.
sub reached { return [ scalar(grep { $_ } @_), scalar @_ ] }

sub count_file {
    my ($file) = @_;
    my @sides = map { @$_{qw(true false)} } values %{ $file->{branches} };
    $file->{counts} = {
        lines    => reached(values %{ $file->{lines} }),
        branches => reached(@sides) };
}

# The sum of counts of files.
sub total {
    my @counts = map { $_->{counts} } @_;
    return { map { my $kind = $_; ($kind => [ map { my $i = $_;
        sum0(map { $_->{$kind}[$i] } @counts) } 0, 1 ]) } keys %MINIMUM };
}

sub percent { return $_[0][1] ? 100 * $_[0][0] / $_[0][1] : 100 }

sub print_row {
    my ($name, $counts) = @_;
    printf "%-36s", $name;
    for my $kind (qw(lines branches)) {
        my $c = $counts->{$kind};
        printf " %6d of %6d %6.1f %%", @$c, percent($c);
    }
    print "\n";
}

sub print_table {
    my ($files) = @_;
    my %folders;
    push @{ $folders{s{[^/]*$}{}r} }, $_ for sort keys %$files;
    printf "%-36s %25s %25s\n", '', qw(lines branches);
    for my $folder (sort keys %folders) {
        my @paths = @{ $folders{$folder} };
        print_row($folder, total(@$files{@paths}));
        print_row("  $_", $files->{$_}{counts}) for @paths;
    }
    print_row('all', total(values %$files));
}

# The function of a line: its name and its first line.
sub function_at {
    my ($file, $line) = @_;
    my $first = max(grep { $_ <= $line } keys %{ $file->{functions} });
    return defined $first ? ($file->{functions}{$first}, $first) : ('', 0);
}

sub trim { return $_[0] =~ s/\s+/ /gr =~ s/^ | $//gr }

# The runs of lines that were not reached: first line => entry.
sub line_runs {
    my ($path, $file) = @_;
    my (%runs, $run);
    for my $line (sort { $a <=> $b } keys %{ $file->{lines} }) {
        my ($name, $first) = function_at($file, $line);
        $run = undef if $file->{lines}{$line} || $line == $first;
        next if $file->{lines}{$line};
        my $text = $line == $first ? 'all' : trim($file->{source}[$line - 1]);
        $run //= $line;
        $runs{$run} = "$path $name: $text"
            if ($runs{$run} // 'else') =~ /\belse$/;
    }
    return %runs;
}

# The first counted line after the parenthesis that a condition stands in.
sub line_after {
    my ($file, $line) = @_;
    my ($text, $last) = ('', max(keys %{ $file->{lines} }));
    while ($line <= $last) {
        $text .= $file->{source}[ $line++ - 1 ];
        last if ($text =~ tr/(//) <= ($text =~ tr/)//);
    }
    $line++ while $line <= $last && !defined $file->{lines}{$line};
    return $line;
}

# The text between two places, 1-based and without the last column.
sub text_at {
    my ($source, $l1, $c1, $l2, $c2) = @_;
    my @lines = @$source[ $l1 - 1 .. $l2 - 1 ];
    $lines[-1] = substr $lines[-1], 0, $c2 - 1;
    $lines[0]  = substr $lines[0], $c1 - 1;
    return trim(join ' ', @lines);
}

sub branch_entries {
    my ($path, $file, $runs) = @_;
    my @found;
    for my $at (sort keys %{ $file->{branches} }) {
        my $sides = $file->{branches}{$at};
        my ($line) = my @place = split /,/, $at;
        next unless $file->{lines}{$line};
        next if $runs->{ line_after($file, $line) };
        my ($name) = function_at($file, $line);
        my @never = grep { !$sides->{$_} } qw(true false);
        my $never = @never == 2 ? 'evaluated' : $never[0];
        my $text  = text_at($file->{source}, @place);
        push @found, "$path $name: never $never: $text" if @never;
    }
    return @found;
}

# The entries of all files.
sub unreached {
    my ($files) = @_;
    my @found;
    for my $path (sort keys %$files) {
        my %runs = line_runs($path, $files->{$path});
        push @found, map { $runs{$_} } sort { $a <=> $b } keys %runs;
        push @found, branch_entries($path, $files->{$path}, \%runs);
    }
    return @found;
}

# Compares with the list. Returns what is not listed, and what is listed and
# reached, which SHRINK=1 removes.
sub compare {
    my (%left, @stale, @kept);
    $left{$_}++ for @_;
    for (split /\n/, text($LIST)) {
        my ($may_be_reached, $entry) = /^(\? )?([^#].*)/;
        my $is_listed = defined $entry && ($left{$entry} // 0) > 0;
        my $is_stale  = defined $entry && !$may_be_reached && !$is_listed;
        $left{$entry}-- if $is_listed;
        push @stale, $_ if $is_stale;
        push @kept,  $_ unless $is_stale && $ENV{SHRINK};
    }
    if ($ENV{SHRINK} && @stale) {
        open my $f, '>', "$Source::TOP/$LIST" or die "$LIST: $!";
        print $f map { "$_\n" } @kept;
        close $f or die "$LIST: $!";
        @stale = ();
    }
    return ([ map { ($_) x max(0, $left{$_}) } sort keys %left ], \@stale);
}

my %files = read_lines();
add_branches(\%files);
count_file($_) for values %files;
print_table(\%files);

my @found = unreached(\%files);
open my $f, '>', $found_path or die "$found_path: $!";
print $f map { "$_\n" } @found;
close $f or die "$found_path: $!";

my ($missing, $stale) = compare(grep { !/: never / } @found);
print map { "not reached, not in $LIST: $_\n" } @$missing;
print map { "reached, remove it from $LIST: $_\n" } @$stale;

my $total = total(values %files);
my @low   = grep { percent($total->{$_}) < $MINIMUM{$_} } sort keys %MINIMUM;
print map { "less than $MINIMUM{$_} % of $_\n" } @low;
exit(@$missing || @$stale || @low ? 1 : 0);
