# No function over 60 lines, most far shorter, and no file over 600.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Source;
use Test::More;

my (@long_files, @long_functions, @lengths);
for my $path (files('src/*.[ch]', 'src/*/*.[ch]', 'tests/*/*.[cht]',
    'tests/lib/*')) {
    my @lines = split /\n/, text($path);
    push @long_files, "$path: " . @lines if @lines > 600;
    next unless $path =~ /\.c$/;
    my ($name, $start);
    for my $i (0 .. $#lines) {
        ($name, $start) = ($1, $i) if $lines[$i] =~ /^(\w+)\(/;
        next unless $lines[$i] eq '}' && defined $start;
        my $n = $i - $start + 1;
        push @lengths, $n if $path =~ /^src/;
        push @long_functions, "$path: $name has $n lines" if $n > 60;
        undef $start;
    }
}
is join("\n", @long_files), '', 'no file has over 600 lines';
is join("\n", @long_functions), '', 'no function has over 60 lines';
@lengths = sort { $a <=> $b } @lengths;
cmp_ok scalar @lengths, '>', 300, 'the functions are found';
cmp_ok $lengths[@lengths / 2], '<=', 15, 'the median function is short';
cmp_ok $lengths[@lengths * 0.9], '<=', 30, 'nine in ten have at most 30';

done_testing;
