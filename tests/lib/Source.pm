# The tree as lint tests see it: files by kind, and C without what is no code.
package Source;

use strict;
use warnings;
use File::Glob qw(:bsd_glob);
use Sockt ();

our @ISA = qw(Exporter);
our @EXPORT = qw(files text code lines_with list_options);

our $TOP = $Sockt::TOP;

*import = \&Sockt::import;

# Paths below the top, for a shell pattern such as src/*/*.c.
sub files {
    return sort map { s{^\Q$TOP\E/}{}r } grep { -f } map { glob "$TOP/$_" } @_;
}

sub text {
    my ($path) = @_;
    open my $f, '<', "$TOP/$path" or die "$path: $!";
    local $/;
    return scalar <$f>;
}

# C with its comments, strings and characters blanked, line for line.
sub code {
    my ($path) = @_;
    my $c = text($path);
    $c =~ s{(/\*.*?\*/)|("(?:\\.|[^"\\])*")|('(?:\\.|[^'\\])*')}{
        defined $1 ? $1 =~ s/[^\n]/ /gr : defined $2 ? '""' : "' '"
    }gse;
    return $c;
}

# "path:line: text" of every line of code that matches.
sub lines_with {
    my ($path, $pattern) = @_;
    my ($n, @found) = (0);
    for my $line (split /\n/, code($path)) {
        $n++;
        push @found, "$path:$n: $line" if $line =~ $pattern;
    }
    return @found;
}

# The rows of sockt help --list: hashes with command, letter, name, kind, arg,
# choices, help and default; what is absent is undef.
sub list_options {
    open my $p, '-|', Sockt::sockt(), 'help', '--list' or die "sockt: $!";
    my @rows;
    while (my $line = <$p>) {
        chomp $line;
        my %row;
        @row{qw(command letter name kind arg choices help default)} =
            map { $_ eq '-' ? undef : $_ } split /\t/, $line;
        push @rows, \%row;
    }
    close $p or die 'sockt help --list failed';
    return @rows;
}

1;
