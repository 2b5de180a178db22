# make install installs the binary, every page and the completions, and make
# uninstall removes them all.
use Source;
use File::Find;
use File::Temp qw(tempdir);

# A folder with a space, and a person whose files nobody else may read.
my $root = tempdir(CLEANUP => 1) . '/a b';
umask 077;
my $build = $ENV{SOCKT_BUILD} || "$Source::TOP/build";
my $binary = $build =~ s{^\Q$Source::TOP\E/}{}r . '/sockt';

# The binary is taken as it is, whatever flags it was built with.
sub make {
    my ($target, $prefix) = @_;
    my $make = $ENV{MAKE} || 'make';
    my $out = `$make -s -C '$Source::TOP' $target -o '$binary' \\
        DESTDIR='$root' PREFIX='$prefix' 2>&1`;
    is $?, 0, "make $target PREFIX=$prefix ends well" or diag $out;
}

sub installed {
    return () unless -d $root;
    my @found;
    find({ no_chdir => 1, wanted => sub {
        push @found, s{^\Q$root\E}{}r if -f } }, $root);
    return sort @found;
}

# fish of a package finds /etc/fish/completions under any XDG_DATA_DIRS.
for my $prefix ('/usr', '/usr/local') {
    my $share = "$prefix/share";
    my @want = ("$prefix/bin/sockt",
        map({ m{^man/(.+\.(\d))$} ? "$share/man/man$2/$1" : () }
            files('man/*')),
        "$share/bash-completion/completions/sockt",
        "$share/zsh/site-functions/_sockt",
        "$share/fish/vendor_completions.d/sockt.fish");
    push @want, '/etc/fish/completions/sockt.fish' if $prefix =~ /local/;
    make('install', $prefix);
    is_deeply [installed()], [sort @want], 'everything is installed';
    my @closed;
    find({ no_chdir => 1, wanted => sub {
        push @closed, $_ if ((stat)[2] & 0444) != 0444
            || (-d && ((stat)[2] & 0111) != 0111) } }, "$root$prefix");
    is join(' ', @closed), '', 'everybody can read it, whatever the umask';
    for my $f (grep { m{_sockt|completions} } installed()) {
        my $shell = $f =~ /fish/ ? 'fish' : $f =~ /zsh/ ? 'zsh' : 'bash';
        open my $in, '<', "$root$f" or die;
        like join('', <$in>), qr/^# $shell completion/m, "$f is for $shell";
    }
    make('uninstall', $prefix);
    is_deeply [installed()], [], 'and removed';
}

done_testing;
