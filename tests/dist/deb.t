# The Debian package: what it has, and that it is the same bytes twice.
use Sockt;
use Source;

my $deb = "$Source::TOP/$ENV{DEB}";
my $make = $ENV{MAKE} || 'make';
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
my $before = slurp($deb);
system($make, '-s', '-C', $Source::TOP, 'deb') == 0 or die;
ok slurp($deb) eq $before, 'the same bytes twice';

my $dir = scratch();
system('dpkg-deb', '--raw-extract', $deb, $dir) == 0 or die;
my ($version) = text('src/main.c') =~ /^#define VERSION "(.+)"$/m;
my $control = slurp("$dir/DEBIAN/control");
like $control, qr/^Version: \Q$version\E$/m, 'its version';
like $control, qr/^Depends: libc6 \(>= 2\.\d+\)$/m, 'its C library';
like $control, qr/^Recommends: libssl3$/m, 'TLS is recommended';

my @files = map { s/^\.//r } grep { !m{/$} }
    `dpkg-deb --fsys-tarfile '$deb' | tar -t` =~ /^(\S+)$/mg;
is join(' ', grep { !m{^/usr/} } @files), '', 'nothing outside /usr';
my @pages = map { m{^man/(.+\.(\d))$} ? "/usr/share/man/man$2/$1.gz" : () }
    files('man/*');
for my $want (@pages, '/usr/bin/sockt', '/usr/share/doc/sockt/copyright',
    '/usr/share/doc/sockt/changelog.gz',
    '/usr/share/bash-completion/completions/sockt',
    '/usr/share/zsh/vendor-completions/_sockt',
    '/usr/share/fish/vendor_completions.d/sockt.fish') {
    is scalar(grep { $_ eq $want } @files), 1, "it has $want";
}
is scalar(@files), @pages + 6, 'and nothing else';
is join('', grep { !m{^[-d]rw.r-.r-. root/root } }
    `dpkg-deb --contents '$deb'`), '', 'all is of root, and may be read';
is system("cd '$dir' && md5sum --quiet --check DEBIAN/md5sums"), 0,
    'its checksums';
is scalar(() = slurp("$dir/DEBIAN/md5sums") =~ /\n/g), scalar @files,
    'of every file';
like `zcat '$dir/usr/share/doc/sockt/changelog.gz'`,
    qr/\Asockt \(\Q$version\E\) unstable; .+\n\n  \* .+\n\n -- .+ <.+>  .+ \+0000\n/,
    'the changelog begins with this version';
like slurp("$dir/usr/share/doc/sockt/copyright"), qr/^License: ISC$/m,
    'the license';
unlike `readelf -S '$dir/usr/bin/sockt'`, qr/\.debug_|\.symtab/, 'stripped';
like run({ command => "$dir/usr/bin/sockt" }, '--version')->{out},
    qr/\Asockt \Q$version\E /, 'it runs';
SKIP: {
    skip 'no lintian', 1 if system('lintian --version >/dev/null 2>&1') != 0;
    # Who publishes the package sets MAINTAINER: there is no address before.
    is `lintian --allow-root --tag-display-limit 0 --suppress-tags \\
        bogus-mail-host,bogus-mail-host-in-debian-changelog '$deb' 2>&1`, '',
        'lintian has no complaint';
}

done_testing;
