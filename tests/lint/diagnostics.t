# sockt-errors(7) explains under CAUSES every row of the table of causes with its
# exit status, and no other phrase in parentheses.
use Source;

my ($table) = text('src/base/err.c') =~ /causes\[\] = \{\n(.+?)^\};/ms;
my %status = text('src/base/err.h') =~ /^\tERR_(\w+) = (\d+),? +\/\*/mg;
my %causes;
while ($table =~ /\{\w+, [\w |]+, \w+,\s+ERR_(\w+),\s+\w+,\s+("[^"]*"),\s*((?:"[^"]*"\s*)+|NULL)\}/g) {
    my ($status, $name, $meaning) =
        ($status{$1}, map { join '', /"([^"]*)"/g } $2, $3);
    $causes{"$name [$status]" . ($meaning eq '' ? '' : " ($meaning)")} = 1;
}
is scalar(keys %causes), scalar(() = $table =~ /^    \{/mg),
    'no two causes are told in the same way';
cmp_ok scalar keys %causes, '>', 60, 'the causes are found';

my ($page) = text('man/sockt-errors.7') =~ /^\.Sh CAUSES\n(.+?)^\.Sh /ms;
my %documented = map { $_ => 1 } $page =~ /^\.It (\N+)$/mg;
is join("\n", grep { !$documented{$_} } sort keys %causes), '',
    'every cause is explained, with its status';
is join("\n", grep { !$causes{$_} } sort keys %documented), '',
    'and nothing that is not a cause';
done_testing;
