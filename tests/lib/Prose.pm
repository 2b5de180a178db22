# Text that a person reads, taken from pages, help, sources and README.
package Prose;

use strict;
use warnings;
use Exporter qw(import);
use Source;

our @EXPORT = qw(page_text readme_text help_texts string_texts comment_texts);

# Macros whose arguments are names or literals, not words of a sentence.
my %is_literal = map { $_ => 1 }
    qw(Ql Li Cm Ev Dv Pa Va Xr Fl Ar Nm Sx Dl Pf Oo Op Oc Rs %A %T %R %D Dd Dt
       Os Bl El Bd Ed Nd Sm In Fn Ft);

# A manual page's sentences: without displays, comments and macros. A literal
# is a plain X, so that the words around it do not become neighbours.
sub page_text {
    my ($page) = @_;
    $page =~ s/^\.Bd.*?^\.Ed\n//msg;
    $page =~ s/^\.\\".*\n//mg;
    my @text;
    for my $line (split /\n/, $page) {
        $line =~ s/\\[&|]//g;
        $line =~ s/\\e\w*/X/g;
        if ($line =~ s/^\.(\S+) ?//) {
            my $macro = $1;
            $line =~ s/^(?:Li|Pa|Ql|Va|Cm|Sy) .*/X/ if $macro eq 'It';
            $line =~ s/\b(?:Fl|Ar|Cm|Ql|Li|Dv|Ev|Pa) [^ ]+/X/g
                if $macro eq 'It' || $macro eq 'Pq';
            $line =~ s/\b(?:Ns|No|Xr|Pf|Pq|Ar|Cm)\b//g;
            $line = $line =~ / [.,;:)]+$/ ? "X $&" : 'X' if $is_literal{$macro};
        }
        push @text, $line;
    }
    return join ' ', @text;
}

# README's paragraphs; what is indented is commands and tables.
sub readme_text {
    return join ' ', grep { /^\S/ } split /\n/, text('README');
}

# What every kind of help prints: "NAME: TEXT".
sub help_texts {
    my $sockt = $ENV{SOCKT} || "$Source::TOP/build/sockt";
    my %text;
    for my $words ('help', map { "$_ --help" }
            `$sockt help` =~ /^  (\S+) +\S/mg) {
        $text{$words} = `$sockt $words` =~ s/\s+/ /gr;
    }
    return \%text;
}

# The string literals of a C file, adjacent ones as one.
sub string_texts {
    my ($path) = @_;
    my $c = text($path) =~ s{/\*.*?\*/}{ }gsr;
    $c =~ s/^#include .*$//mg;
    my @found;
    while ($c =~ /((?:"(?:\\.|[^"\\\n])*"(?:\s|PRI\w+)*)+)/g) {
        my $literals = $1;
        push @found, join '', $literals =~ /"((?:\\.|[^"\\\n])*)"/g;
    }
    return map { s/\\n/ /gr } @found;
}

# The comments of a C file, each as one line.
sub comment_texts {
    my ($path) = @_;
    return map { s/^\s*\* ?//mgr =~ s/\s+/ /gr } text($path) =~ m{/\*(.*?)\*/}gs;
}

1;
