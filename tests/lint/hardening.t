# The flags that every build gets: the compiler's guards, unless the user's own
# flags or a mode take them away, and large files and late times.
use Source;

my $make = $ENV{MAKE} || 'make';
my $cc   = $ENV{CC}   || 'cc';
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS SANITIZE PORTABLE STATIC FUZZING
    CFLAGS)};

# How a source would be compiled.
sub compiling {
    my @settings = @_;
    my ($line) = grep { m{ src/base/buf\.c$} }
        qx($make -C "$Source::TOP" -n -B CC="$cc" @settings all 2>/dev/null);
    return $line // '';
}

sub knows {
    return system("$cc -Werror $_[0] -x c -c -o /dev/null /dev/null 2>/dev/null")
        == 0;
}

my $line = compiling();
like $line, qr/ -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 /,
    'files over 2 GiB, times after 2038';
like $line, qr/ -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 /, 'checked calls';
like $line, qr/ -Wformat-security /, 'formats are constant';
for my $flag (qw(-fstack-protector-strong -fcf-protection
    -mbranch-protection=standard)) {
    is scalar($line =~ / \Q$flag\E /), knows($flag) ? 1 : '', $flag;
}
like compiling("CFLAGS='-O2 -fno-stack-protector'"),
    qr/-fstack-protector-strong .* -fno-stack-protector /, 'the user decides';
for my $settings ("CFLAGS='-O0 -g'", "CFLAGS='-O2 -O0'", "CFLAGS=-g",
    'SANITIZE=1', 'FUZZING=1') {
    unlike compiling($settings), qr/-D_FORTIFY_SOURCE/,
        "$settings: no checked calls";
}

done_testing;
