# The functions of src/, for lint tests, read from KNF: a definition has its
# name in the first column and its result on the lines above.
package Functions;

use strict;
use warnings;
use Exporter qw(import);
use Source;

our @EXPORT = qw(functions sources unit check_known);

sub sources { return files('src/*.[ch]', 'src/*/*.[ch]') }

# The module that a file belongs to: twins and their header are one.
sub unit { return $_[0] =~ s/(?:_linux|_posix)?\.[ch]$//r }

# How many arguments a parameter list declares, without those of a format.
sub count_arguments {
    my ($list) = @_;
    $list =~ s/,\s*\.\.\.$//;
    return 0 if $list =~ /^\s*(?:void)?\s*$/;
    1 while $list =~ s/\([^()]*\)//;
    return 1 + ($list =~ tr/,//);
}

# Every definition: hashes with name, path, arguments and is_static.
sub functions {
    my @found;
    for my $path (grep { /\.c$/ } sources()) {
        my $code = code($path);
        $code =~ s/^\s*#.*(?:\\\n.*)*//mg;
        while ($code =~ /((?:^\w[^\n;{}]*\n)+)^(\w+)\(([^;{}]*)\)\n\{/mg) {
            my ($result, $name, $arguments) = ($1, $2, $3);
            push @found, { path => $path, name => $name,
                is_static => scalar($result =~ /\bstatic\b/),
                arguments => count_arguments($arguments) };
        }
    }
    return @found;
}

# Compares violations, a list of names, with the known ones of tests/lint/FILE
# ("RULE NAME" on each line). Returns what is new, and the lines to be removed,
# which SHRINK=1 in the environment removes.
sub check_known {
    my ($file, $rule, @found) = @_;
    my %found = map { $_ => 1 } @found;
    my @known = text("tests/lint/$file") =~ /^\Q$rule\E (\S+)$/mg;
    my %known = map { $_ => 1 } @known;
    my @stale = grep { !$found{$_} } @known;
    if ($ENV{SHRINK}) {
        remove($file, map { "$rule $_" } @stale);
        @stale = ();
    }
    return (join("\n", grep { !$known{$_} } sort keys %found),
        join("\n", map { "remove the line '$rule $_' from tests/lint/$file" }
            @stale));
}

sub remove {
    my ($file, @lines) = @_;
    my %remove = map { $_ => 1 } @lines;
    my @kept = grep { !$remove{$_} } split /\n/, text("tests/lint/$file");
    open my $f, '>', "$Source::TOP/tests/lint/$file" or die "$file: $!";
    print $f map { "$_\n" } @kept;
    close $f or die "$file: $!";
}

1;
