# make dist makes the same tarball of a commit in any clone, whoever makes it,
# with any configuration; it has every file but those of git and CI.
use Source;
use Digest::SHA;
use File::Glob qw(bsd_glob);
use File::Temp qw(tempdir);

plan skip_all => 'not a clone' if !-e "$Source::TOP/.git";
plan skip_all => 'no git' if system('git --version >/dev/null 2>&1') != 0;

my $top = tempdir(CLEANUP => 1);
chmod 0755, $top;
my $make = $ENV{MAKE} || 'make';
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

# Clones in a folder and returns the tarball that is made there, by an ordinary
# user if possible where there is an environment.
sub dist {
    my ($folder, $config, $prefix, %env) = @_;
    my $home = "$top/$folder-home";
    mkdir $home or die;
    open my $f, '>', "$home/.gitconfig" or die;
    print $f "[safe]\n\tdirectory = *\n[core]\n\tattributesFile = ",
        "$home/attributes\n$config";
    open $f, '>', "$home/attributes" or die;
    print $f "*.c text eol=crlf\nsrc export-ignore\n" if $config;
    close $f;
    local %ENV = (%ENV, HOME => $home, GIT_CONFIG_NOSYSTEM => 1);
    delete $ENV{XDG_CONFIG_HOME};
    my $path = "$top/$folder";
    is system("git clone -q '$Source::TOP' '$path'"),
        0, "a clone in $folder";
    system "git -C '$path' config core.autocrlf true" if $config;
    chmod 0755, $path;
    my $user = $> == 0 && %env ? 65534 : $>;
    system 'chown', '-R', $user, $path, $home if $user != $>;
    my $pid = fork // die;
    if ($pid == 0) {
        %ENV = (%ENV, %env);
        $> = $< = $user if $user != $>;
        exec "cd '$path' && $prefix $make -s dist >log 2>&1" or die;
    }
    waitpid $pid, 0;
    is $?, 0, 'make dist' or diag `cat '$path/log'`;
    my ($tarball) = bsd_glob "$path/build/sockt-*.tar.gz";
    return $tarball // '';
}

sub digest { return Digest::SHA->new(256)->addfile($_[0], 'b')->hexdigest }

my $one = dist('one', '', 'umask 022;');
my $two = dist('another folder', "[tar]\n\tumask = user\n", 'umask 077;',
    TZ => 'Asia/Kathmandu', LC_ALL => 'C.UTF-8', GZIP => '--rsyncable');
is digest($one), digest($two), 'both are the same';

my $name = $one =~ m{/(sockt-[\d.]+)\.tar\.gz$} ? $1 : '';
my @want = sort map { "$name/$_" }
    grep { !/^\.(?:ci|git)/ } split /\0/, `git -C '$top/one' ls-files -z`;
cmp_ok scalar @want, '>', 600, 'the files of the commit are found';
my @has = sort grep { !m{/$} } split /\n/, `tar tzf '$one'`;
is_deeply \@has, \@want, 'all of them are in it';
is join('', grep { !m{^[-d]rw.r-.r-. root/root } } `tar tvzf '$one'`), '',
    'with the owners and modes of any tarball';

done_testing;
