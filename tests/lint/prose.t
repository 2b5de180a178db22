# What a person reads is natural technical English: none of the habits below.
# Pages and README have no exceptions. Those of help ("help COMMAND:PHRASE"), of
# strings ("strings FILE:PHRASE") and of comments ("comments FILE", a file that
# is not checked yet) are in prose.known, which only shrinks.
use Source;
use Functions;
use Prose;

# A habit and what to write instead.
my @everywhere = (
    [qr/(?<!its )(?<!their )(?<!your )(?<!whose )(?<!'s )\bown\b(?! by\b)/i,
        'the local X, standard input, its own'],
    [qr/\b(?:tell|tells|told|telling)\b(?! (?:\w+ ){1,3}apart)/i, 'report, print, say'],
    [qr/(?<!left )\bbehind\b(?! (?:an? |the )?(?:firewall|proxy|router|NAT))/i, 'after'],
    [qr/\bso (?:long|many|often)\b/i, 'for T, at most N, N times'],
    [qr/\bby way of\b/i, 'through, with'],
    [qr/(?<!there )\b(?:is|are|was|were) (?:no(?! longer\b| more\b)\b|none of)\b/i,
        'is not a, must be one of'],
    [qr/\ba (?:line|file|process|row|name|record|datagram) an? \w+/i,
        'one X per Y'],
    [qr/\bleaves?\b(?= (?:when|after|with status|then)\b|[.;,)]|$)/i,
        'exit, stop'],
    [qr/\b(?:give|gives|gave|giving|given) (?:\w+ )?up\b/i, 'stop, time out'],
    [qr/\b(?:is|are|be) due\b/i, 'call X afterwards'],
    [qr/\b(?:has|have|had) come\b/i, 'arrive, is received'],
    [qr/\bturned away\b|\bturns? away\b/i, 'reject'],
    [qr/\ball the same\b/i, 'still, nevertheless'],
    [qr/\bby then\b/i, 'until that time'],
    [qr/\bheed(?:s|ed)?\b/i, 'ignore, use'],
    [qr/\bthe whole run\b/i, 'the command as a whole'],
    [qr/\b(?:we|our|ours|ourselves)\b|\bus\b(?!, peer)/i, 'sockt, this side'],
    [qr/\b(?:he|him|his)\b/i, 'the user, it'],
    [qr/\bwhom\b/i, 'name the subject'],
    [qr/\balso (?:where|when|if)\b/i, 'even if'],
    [qr/\b(?:hear|hears|heard)\b/i, 'receive'],
);
# In what users read, but not in comments.
my @for_users = (
    [qr/[;,] else\b/i, 'otherwise'],
    [qr/\bfolders?\b/i, 'directory'],
    [qr/\blook-ups?\b/i, 'lookup'],
    [qr/\bblanks?\b/i, 'space'],
    [qr/\b(?:is|are|has|have) gone\b/i, 'has exited, is closed'],
    [qr/\b(?:is|are) said\b/i, 'is reported'],
);
my @in_pages = ([qr/\bstd(?:in|out|err)\b/i, 'standard input, ...']);

# Each habit in a text, once: [phrase, what to write, where it stands].
sub habits {
    my ($text, @rules) = @_;
    my %seen;
    my @found;
    for my $rule (@rules) {
        my ($pattern, $say) = @$rule;
        while ($text =~ /$pattern/g) {
            my $phrase = lc $&;
            my $from = $-[0] < 30 ? 0 : $-[0] - 30;
            push @found, [$phrase, $say, substr $text, $from, 70]
                if !$seen{$phrase}++;
        }
    }
    return @found;
}

sub excerpts { return join "\n", map { "...$_->[2]...: $_->[1]" } habits(@_) }

my @pages = files('man/*.[17]');
cmp_ok scalar @pages, '>', 9, 'the pages are found';
is excerpts(page_text(text($_)), @everywhere, @for_users, @in_pages), '', $_
    for @pages;
is excerpts(readme_text(), @everywhere, @for_users), '', 'README';
my (%help, %strings, %comments);
my $help = help_texts();
for my $words (sort keys %$help) {
    $help{ key($words, $_) } = "...$_->[2]...: say $_->[1]"
        for habits($help->{$words}, @everywhere, @for_users);
}
for my $path (sources()) {
    for my $text (grep { / / } string_texts($path)) {
        $strings{ key($path, $_) } = "'$text': say $_->[1]"
            for habits($text, @everywhere, @for_users);
    }
    my @found = map { habits($_, @everywhere) } comment_texts($path);
    $comments{$path} = join ', ', map { "$_->[0]: $_->[1]" } @found if @found;
}

# A place and a habit as one word.
sub key {
    my ($place, $habit) = @_;
    return "$place:$habit->[0]" =~ s/[ ,;]+/-/gr;
}

for (['help', \%help], ['strings', \%strings], ['comments', \%comments]) {
    my ($rule, $found) = @$_;
    my ($new, $stale) = check_known('prose.known', $rule, keys %$found);
    is $new =~ s/^(\S+)$/$1: $found->{$1}/mgr, '', "$rule: no private phrase";
    is $stale, '', "$rule: every known exception is one";
}

done_testing;
