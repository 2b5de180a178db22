# Spells the manual pages, README and every help text with aspell. What it does
# not know and is right is in tests/lint/words, one word per line.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw(tempfile);
use Prose;
use Source;

my %known = map { $_ => 1 } split /\n/, text('tests/lint/words');

# Options, paths, URLs, numbers and names in capitals are not words.
sub words {
    my ($text) = @_;
    $text =~ s/(?<!\w)'[^']*'(?!\w)//g;
    return grep { /[a-z]/ } map { s/^[^A-Za-z]+|[^A-Za-z]+$//gr }
        grep { !m{[/_\@=:\\*<>\[\]|%.]\w|^-|\d|^[A-Z]{2,}s?\b} }
        split /\s+/, $text;
}

my %where;
my $help = help_texts();
my %text = (README => readme_text(),
    map({ $_ => page_text(text($_)) } files('man/*.[17]')),
    map({ ("sockt $_" => $help->{$_}) } keys %$help));
for my $place (sort keys %text) {
    $where{$_} //= $place for grep { !$known{ lc s{'s$}{}r } } words($text{$place});
}
my ($file, $path) = tempfile(UNLINK => 1);
print $file map { "$_\n" } sort keys %where;
close $file or die "$path: $!";
my %unknown = map { (s/\n//r => 1) }
    `aspell --lang=en_US --encoding=utf-8 list <$path`;
die "aspell: status $?\n" if $?;
print STDERR map { "'$_' in $where{$_} is misspelled, or belongs in "
        . "tests/lint/words\n" } sort keys %unknown;
exit !!%unknown;
