# sockt(1) explains under DIAGNOSTICS every row of the table of causes, and no
# other phrase in parentheses.
use Source;

my ($table) = text('src/base/err.c') =~ /^\} causes\[\] = \{\n(.+?)^\};/ms;
my %causes;
while ($table =~ /\{\w+, [\w |]+, ERR_\w+,\s+("[^"]*"),\s*((?:"[^"]*"\s*)+|NULL)\}/g) {
    my ($name, $meaning) = map { join '', /"([^"]*)"/g } $1, $2;
    $causes{$name} = 1;
    $causes{"($meaning)"} = 1 if $meaning ne '';
}
cmp_ok scalar keys %causes, '>', 60, 'the causes are found';

my ($page) = text('man/sockt.1') =~ /^\.Sh DIAGNOSTICS\n.*?^\.Ss Errors\n(.+?)^\.Ss /ms;
$page =~ s/\\\(aq/'/g;
my %documented;
for my $item (split /^\.It /m, $page =~ s/^.*?(?=^\.It )//msr) {
    my ($name, $rest) = $item =~ /\A(\N+)\n(.*)\z/s or next;
    $documented{$name} = 1 unless $name =~ /\(/ || $rest !~ /\A[(\w]/;
    my ($meaning) = $rest =~ /\A(\(.+?\))$(?=\n\.|\n?\z)/ms;
    $documented{ $meaning =~ s/\n/ /gr } = 1 if defined $meaning;
}
is join("\n", grep { !$documented{$_} } sort keys %causes), '',
    'every cause is explained';
is join("\n", grep { !$causes{$_} } sort keys %documented), '',
    'and nothing that is not a cause';
done_testing;
