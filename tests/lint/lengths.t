# No function over 60 lines. A file over 1,000 is a smell, which is reported.
use Source;

my (@long_files, @long_functions);
my $count = 0;
for my $path (files('src/*.[ch]', 'src/*/*.[ch]', 'tests/*/*.[cht]',
    'tests/lib/*')) {
    my @lines = split /\n/, text($path);
    push @long_files, "$path: " . @lines if @lines > 1000;
    next unless $path =~ /\.c$/;
    my ($name, $start);
    for my $i (0 .. $#lines) {
        ($name, $start) = ($1, $i) if $lines[$i] =~ /^(\w+)\(/;
        next unless $lines[$i] eq '}' && defined $start;
        my $n = $i - $start + 1;
        $count++;
        push @long_functions, "$path: $name has $n lines" if $n > 60;
        undef $start;
    }
}
note "over 1,000 lines: $_" for @long_files;
is join("\n", @long_functions), '', 'no function has over 60 lines';
cmp_ok $count, '>', 300, 'the functions are found';

done_testing;
