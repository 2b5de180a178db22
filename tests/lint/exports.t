# What a function's name and place promise: the prefix is the file, public
# means used elsewhere, and a name means one function. The exceptions are in
# exports.known, which only shrinks.
use Source;
use Functions;

my @functions = functions();
my @public = grep { !$_->{is_static} && $_->{name} ne 'main' } @functions;
cmp_ok scalar @functions, '>', 500, 'the functions are found';

my $twin = qr/_(?:linux|posix)\.c$/;

# The files that mention each name, but for prototypes.
my %users;
for my $path (sources()) {
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
    arguments =>
        [map { $_->{name} } grep { $_->{arguments} > 4 } @functions],
);
my %means = (
    prefix    => 'a public function has the prefix of its file',
    unused    => 'a public function is used in another file',
    namesake  => 'no static function has the name of a public one',
    arguments => 'a function has at most four arguments',
);
for my $rule (sort keys %found) {
    my ($new, $stale) = check_known('exports.known', $rule, @{ $found{$rule} });
    is $new, '', $means{$rule};
    is $stale, '', "every known exception is one: $rule";
}

done_testing;
