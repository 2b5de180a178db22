# Every .c file begins with a comment that says what it is: one line, or the
# first line of a longer one.
use Source;

my @files = files('src/*.c', 'src/*/*.c', 'tests/*/*.c', 'tests/*/*/*.c');
cmp_ok scalar @files, '>', 100, 'the sources are found';
is join("\n", grep { text($_) !~ m{\A/\*(?: |\n \* )\S.{9,}\n} } @files), '',
    'every .c file begins with its purpose';

done_testing;
