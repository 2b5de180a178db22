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
        map { split /-/ }
        grep { !m{[/_\@=:\\*<>\[\]|%.]\w|^-|\d|^[A-Z]{2,}s?\b} }
        split /\s+/, $text;
}

my %where;
my $help = help_texts();
my %text = (README => readme_text(),
    map({ $_ => page_text(text($_)) } files('man/*.[17]')),
    map({ ("sockt $_" => $help->{$_}) } keys %$help));
for my $place (sort keys %text) {
    for my $word (words($text{$place})) {
        $where{$word} //= $place if !$known{ lc $word =~ s/'s$//r };
    }
}
my ($file, $path) = tempfile(UNLINK => 1);
print $file map { "$_\n" } sort keys %where;
close $file or die "$path: $!";
my %unknown = map { (s/\n//r => 1) }
    `aspell --lang=en_US --encoding=utf-8 list <$path`;
die "aspell: status $?\n" if $?;
delete @unknown{keys %known};
print STDERR map {
    "'$_' in @{[$where{$_} // 'a word']}: correct it, or add it to "
        . "tests/lint/words\n"
} sort keys %unknown;
exit !!%unknown;
