# Every header compiles alone, and is guarded by its own path.
use Source;
use File::Temp qw(tempdir);

chdir $Source::TOP or die;
my $dir = tempdir(CLEANUP => 1);
my @headers = files('src/*/*.h');
cmp_ok scalar @headers, '>', 25, 'the headers are found';
my ($all, @unguarded) = ('');
for my $path (@headers) {
    my $guard = uc($path =~ s{^src/}{}r) =~ s/\W/_/gr;
    push @unguarded, $path
        unless text($path) =~ /^#ifndef $guard\n#define $guard\n.*^#endif\n\z/ms;
    (my $name = $path) =~ s/\W/_/g;
    open my $f, '>', "$dir/$name.c" or die $!;
    printf $f qq{#include "%s"\n#include "%s"\n}, ($path =~ s{^src/}{}r) x 2;
    close $f;
}
is "@unguarded", '', 'guards are named for the path';
my $cc = $ENV{CC} || 'cc';
my $said = `$cc -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc -Wall -Wextra -Werror -fsyntax-only $dir/*.c 2>&1`;
is $?, 0, 'every header compiles alone, twice' or diag $said;

done_testing;
