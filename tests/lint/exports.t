# A public function has the prefix of its file, and is used in another file: by
# the symbols of the objects.
use Source;

my $build = $ENV{SOCKT_BUILD} || "$Source::TOP/build";
my (%stem, %is_used);
for my $object (split /\n\n/, `nm -g '$build/libsockt.a' '$build/obj/main.o'`) {
    my ($stem) = $object =~ m{([^/\n]+?)(?:_linux|_posix)?\.o:\n} or next;
    $stem{$_} = $stem for $object =~ / T (\w+)$/mg;
    $is_used{$_} = 1 for $object =~ / U (\w+)$/mg;
}
delete $stem{main};
cmp_ok scalar keys %stem, '>', 300, 'the functions are found';
is join(' ', grep { !/^$stem{$_}(?:_|$)/ } sort keys %stem), '',
    'a public function has the prefix of its file';
is join(' ', grep { !$is_used{$_} } sort keys %stem), '',
    'a public function is used in another file';

is join(' ', grep { m{/link\.[ch]$} ? 0 : text($_) =~ /(?:->|\.)own\b/ }
        files('src/*.[ch]', 'src/*/*.[ch]')), '', 'what is link.c\'s own is used there alone';

done_testing;
