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

# The options of every command: hashes with command, letter, name, help, arg and
# default; what is absent is undef. Names and help are those that sockt
# completion offers, the rest is from --help.
sub list_options {
    my @rows;
    for my $command (Sockt::run('help')->{out} =~ /^  (\S+) +\S/mg) {
        my $help = Sockt::run($command, '--help')->{out};
        my $offered = Sockt::run('completion', '--words', '--', $command, '-')->{out};
        while ($offered =~ /^--(?!help\t)(\S+)\t(.+)\n(?:-(\S)\t)?/mg) {
            my %row = (command => $command, name => $1, help => $2, letter => $3);
            my ($arg, $text) = $help =~
                /^ +(?:-\S, )?--\Q$row{name}\E(?: (\S+))?((?: {2,}|\n {28}).*\n(?: {28}.*\n)*)/m;
            $row{arg} = $arg;
            ($row{default}) = ($text // '') =~ s/\s+/ /gr =~ /\(default: ([^()]+)\) \z/;
            push @rows, \%row;
        }
    }
    return @rows;
}

1;
