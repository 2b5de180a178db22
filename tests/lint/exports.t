# What a function's name and place promise: the prefix is the file, public
# means used elsewhere, and a name means one function. The exceptions are in
# exports.known, "RULE NAME" on each line, and only shrink.
use Source;

my @sources = files('src/*.[ch]', 'src/*/*.[ch]');

# The module that a file belongs to: twins and their header are one.
sub unit { return $_[0] =~ s/(?:_linux|_posix)?\.[ch]$//r }

# Every definition, read from KNF: its name is in the first column, its result
# on the lines above.
my @functions;
for my $path (grep { /\.c$/ } @sources) {
    my $code = code($path);
    $code =~ s/^\s*#.*(?:\\\n.*)*//mg;
    while ($code =~ /((?:^\w[^\n;{}]*\n)+)^(\w+)\([^;{}]*\)\n\{/mg) {
        my ($result, $name) = ($1, $2);
        push @functions, { path => $path, name => $name,
            is_static => scalar($result =~ /\bstatic\b/) };
    }
}
my @public = grep { !$_->{is_static} && $_->{name} ne 'main' } @functions;
cmp_ok scalar @functions, '>', 500, 'the functions are found';

my $twin = qr/_(?:linux|posix)\.c$/;

# The files that mention each name, but for prototypes.
my %users;
for my $path (@sources) {
    my $code = code($path) =~ s/^\w[^\n;{}]*(?:\n[^\n;{}]+)*\);\n//mgr;
    $users{$_}{$path} = 1 for $code =~ /\b([a-z]\w+)\b/g;
}

my (@prefix, @unused, %static);
for my $f (@public) {
    my $unit = unit($f->{path});
    my ($stem) = $unit =~ m{([^/]+)$};
    push @prefix, $f->{name} unless $f->{name} =~ /^\Q$stem\E(?:_|$)/;
    # What the platform files of a module give to its common one is used.
    push @unused, $f->{name}
        unless grep { unit($_) ne $unit || !/$twin/ && $f->{path} =~ $twin }
        grep { unit($_) ne $unit || /\.c$/ } keys %{ $users{ $f->{name} } };
}
$static{ $_->{name} } = 1 for grep { $_->{is_static} } @functions;

my %found = (
    prefix    => \@prefix,
    unused    => \@unused,
    namesake  => [grep { $static{$_} } map { $_->{name} } @public],
);
my %means = (
    prefix    => 'a public function has the prefix of its file',
    unused    => 'a public function is used in another file',
    namesake  => 'no static function has the name of a public one',
);
for my $rule (sort keys %found) {
    my %is_found = map { $_ => 1 } @{ $found{$rule} };
    my %is_known = map { $_ => 1 }
        text('tests/lint/exports.known') =~ /^$rule (\S+)$/mg;
    is join("\n", grep { !$is_known{$_} } sort keys %is_found), '',
        $means{$rule};
    is join("\n", grep { !$is_found{$_} } sort keys %is_known), '',
        "every known exception is one: $rule";
}

done_testing;
