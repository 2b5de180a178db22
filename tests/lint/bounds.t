# Nothing that the other side sends, or a user gives, decides how far a
# subtraction wraps, how large a product grows or how deep a call goes.
use Source;

my @sources = files('src/*.[ch]', 'src/*/*.[ch]');

# The code of a file with each run of blanks as one, its preprocessor lines
# aside, and where each of its lines begins.
sub flat {
    my ($path) = @_;
    my $c = code($path) =~ s/^\s*#(?:.*\\\n)*.*//mgr;
    return $c =~ s/\s+/ /gr;
}

sub found {
    my ($pattern, @paths) = @_;
    my @found;
    for my $path (@paths) {
        my $c = flat($path);
        push @found, "$path: $&" while $c =~ /$pattern/g;
    }
    return join "\n", @found;
}

# --- Bounds ----------------------------------------------------------------

is found(qr/\bv?snprintf\( ?[^,()]* \+ [^,]*,/,
    grep { $_ ne 'src/base/text.c' } @sources), '',
    'text is appended by text_append()';

# A size less something that is not constant, compared.
my $size = qr/(?:sizeof ?\([^()]*\)|[\w.>\[\]-]*(?:size|capacity|room)\b
    |[A-Z_]*(?:SIZE|CAPACITY|MAX|MOST)[A-Z_]*)/x;
my $less = qr/$size(?: - [\w.>\[\]()-]+)* - (?!sizeof\b)[\w.>\[\](-]*[a-z]/;
is found(qr/[<>]=? (?:\(\w+\))?$less[^;&|?]*|\b$less[^;,&|?]* [<>]=? /,
    grep { $_ ne 'src/base/bounds.h' } @sources), '',
    'what fits is found out by bounds_fit()';

is found(qr/[a-z_)\]] \* CLOCK_\w+|CLOCK_\w+ \* \(?[a-z][^;]*/,
    grep { !m{^src/base/(?:clock|deadline)\.c$} } @sources), '',
    'time is multiplied by clock_ns(), which does not overflow';

# --- Recursion -------------------------------------------------------------

# The functions of each file and what they call: a name means the function of
# the same file, else an exported one. Calls by a pointer are not seen.
my (%calls, %where);
for my $path (grep { /\.c$/ } @sources) {
    my $c = code($path);
    while ($c =~ /^([^\n]*)\n(\w+)\([^;{}]*\)\n\{\n(.*?)^\}/msg) {
        my ($type, $name, $body) = ($1, $2, $3);
        $calls{"$path:$name"} = { map { $_ => 1 } $body =~ /(?<![.>])\b(\w+)\(/g };
        push @{ $where{$name} }, "$path:$name" unless $type =~ /\bstatic\b/;
    }
}
cmp_ok scalar keys %calls, '>', 900, 'the functions are found';

sub called_by {
    my ($caller) = @_;
    my ($path)   = $caller =~ /^(.*):/;
    my @called;
    for my $name (keys %{ $calls{$caller} }) {
        push @called, $calls{"$path:$name"} ? "$path:$name"
            : @{ $where{$name} // [] };
    }
    return @called;
}

# What a function reaches; one that reaches itself is recursive.
sub is_recursive {
    my ($start) = @_;
    my %seen;
    my @left = called_by($start);
    while (defined(my $next = pop @left)) {
        return 1 if $next eq $start;
        push @left, called_by($next) unless $seen{$next}++;
    }
    return 0;
}

is join("\n", grep { is_recursive($_) } sort keys %calls), '',
    'no function calls itself, not even through others';

done_testing;
