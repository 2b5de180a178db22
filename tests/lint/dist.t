# make dist makes the same tarball of a commit in any clone, whoever makes it,
# with any configuration; it has every file but those of git and CI.
use Sockt;

plan skip_all => 'not a clone' if !-e "$Sockt::TOP/.git";
plan skip_all => 'no git' if system('git --version >/dev/null 2>&1') != 0;

my $top = scratch();
chmod 0755, $top;
my $make = $ENV{MAKE} || 'make';
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

# The tarball that is made in a new clone, by an ordinary user if possible where
# there is a configuration.
sub dist {
    my ($folder, $config, $umask, %env) = @_;
    my ($path, $home) = ("$top/$folder", "$top/$folder-home");
    mkdir $home or die;
    spew("$home/.gitconfig", "[safe]\n\tdirectory = *\n[core]\n\t"
        . "attributesFile = $home/attributes\n$config");
    spew("$home/attributes", $config && "*.c text eol=crlf\nsrc export-ignore\n");
    local %ENV = (%ENV, HOME => $home, GIT_CONFIG_NOSYSTEM => 1, %env);
    delete $ENV{XDG_CONFIG_HOME};
    my $user = is_root() && $config ? 65534 : $>;
    is system('sh', '-c', <<'END', 'sh', $Sockt::TOP, $path, $home, $user), 0, 'a clone';
git clone -q --no-hardlinks "$1" "$2" && chmod 755 "$2" && chown -R "$4" "$2" "$3"
END
    # Otherwise the clone that is tested would get another owner, too.
    is join(' ', grep { -f && (stat _)[3] > 1 } glob "$path/.git/objects/*/*"), '',
        'which shares no file';
    my $pid = Sockt::fork_child(sub {
        chdir $path;
        umask $umask;
        $> = $< = $user;
        system($make, '-s', 'dist') == 0 or die 'make dist';
    });
    is Sockt::reap($pid), 0, "make dist in $folder";
    return (glob "$path/build/sockt-*.tar.gz")[0] // '';
}

my $one = dist('one', '', 0022);
my $two = dist('another folder', "[tar]\n\tumask = user\n[core]\n\tautocrlf = true\n",
    0077, TZ => 'Asia/Kathmandu', LC_ALL => 'C.UTF-8', GZIP => '--rsyncable');
ok slurp($one) eq slurp($two), 'both are the same';

my ($name) = $one =~ m{/(sockt-[\d.]+)\.tar\.gz$};
my @want = sort map { "$name/$_" }
    grep { !/^\.(?:ci|git)/ } split /\0/, `git -C '$top/one' ls-files -z`;
cmp_ok scalar @want, '>', 400, 'the files of the commit are found';
is_deeply [sort grep { !m{/$} } split /\n/, `tar tzf '$one'`], \@want,
    'all of them are in it';
is join('', grep { !m{^[-d]rw.r-.r-. root/root } } `tar tvzf '$one'`), '',
    'with the owners and modes of any tarball';

done_testing;
