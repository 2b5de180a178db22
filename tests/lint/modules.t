# Modules (a header, its sources, its twins) include each other in no circle.
# The circles that there still are stand in modules.known, which only shrinks.
use Source;
use Functions;

my %includes;
for my $path (sources()) {
    my $from = unit($path) =~ s{^src/}{}r;
    for my $header (text($path) =~ /^\s*#\s*include "([\w\/]+)\.h"/mg) {
        $includes{$from}{$header} = 1 unless $header eq $from;
    }
}

# Which modules a module includes, in the end.
sub reached {
    my ($from) = @_;
    my (%seen, @next) = ();
    @next = keys %{ $includes{$from} };
    while (defined(my $module = shift @next)) {
        push @next, keys %{ $includes{$module} } unless $seen{$module}++;
    }
    return \%seen;
}
my %reached = map { $_ => reached($_) } keys %includes;
my %circles;
for my $module (keys %reached) {
    my @circle = grep { $reached{$_} && $reached{$_}{$module} }
        keys %{ $reached{$module} };
    $circles{ join ',', sort @circle } = 1 if @circle > 1;
}
my ($new, $stale) = check_known('modules.known', 'circle', keys %circles);
is $new, '', 'modules include each other in no circle';
is $stale, '', 'every known circle is one';

done_testing;
