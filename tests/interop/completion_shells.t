# zsh and fish take the completions written for them.
use Sockt;

my $dir = scratch();
mkdir "$dir/bin";
symlink Sockt::sockt(), "$dir/bin/sockt" or die "symlink: $!";
$ENV{PATH} = "$dir/bin:$ENV{PATH}";
spew("$dir/_sockt", run('completion', 'zsh')->{out});
my $r = run({ command => 'zsh' }, '-f', '-c',
    'autoload -Uz compinit && compinit -D -u && source "$1" '
        . '&& print $_comps[sockt]', 'zsh', "$dir/_sockt");
is "$r->{out}$r->{err}", "_sockt\n", 'zsh knows who completes sockt';
spew("$dir/complete.bash", run('completion', 'bash')->{out});
my %begin = (
    zsh => "unsetopt zle_bracketed_paste; PS1= PS2= RPS1=; autoload -Uz compinit; "
        . "compinit -D -u; source $dir/_sockt; bindkey -e; setopt nolistbeep",
    bash => "PS1= PS2=; source $dir/complete.bash; "
        . "bind 'set enable-bracketed-paste off'",
);
my %alone = (zsh => ['-f'], bash => ['--norc', '--noprofile']);

# What becomes of a line when Tab is pressed at its end.
my $pty = built('pty');
sub completed {
    my ($shell, $line) = @_;
    my $keys = "$begin{$shell}\n$line\t\x01printf '%s\\n' '<\x05>'\nexit\n";
    my $r = run({ command => $pty, stdin => $keys, env => { HOME => $dir,
                TERM => 'dumb', HOSTFILE => "$dir/hosts" } },
        '-', '012', 200, $shell, @{ $alone{$shell} }, '-i');
    return $1 if $r->{out} =~ /(_sockt:[^\n]*)/;
    # A blank at the end is removed when the line is entered, or not.
    my ($completed) = $r->{out} =~ /^(?:bash\S* )?<([^\n]*?) ?>\r?$/m;
    return $completed // $r->{out};
}
spew("$dir/hosts", "127.0.0.1 localhost\n");
mkdir "$dir/.ssh";
spew("$dir/.ssh/known_hosts", "known.example ssh-ed25519 AAAA\n");
spew("$dir/some-file", '');
my %completes = (
    'conn'                          => 'connect',
    'connect localhos'              => 'connect localhost',
    'connect known.e'               => 'connect known.example',
    'connect localhost gophe'       => 'connect localhost gopher',
    'connect localhost:gophe'       => 'connect localhost:gopher',
    'connect pod2usa'               => 'connect pod2usa',
    'connect localhost 80 -- pod2usa' => 'connect localhost 80 -- pod2usage',
    "connect unix:$dir/so"          => "connect unix:$dir/some-file",
    'connect uni'                   => 'connect unix:',
    'listen --user roo'             => 'listen --user root',
    "connect -o $dir/so"            => "connect -o $dir/some-file",
    'connect --proxy socks5'        => 'connect --proxy socks5://',
    'connect --on-eof=ke'           => 'connect --on-eof=keep',
    'connect --idle'                => 'connect --idle-timeout',
    "connect --output=$dir/so"      => "connect --output=$dir/some-file",
    'connect fe80::1%l'             => 'connect fe80::1%lo',
    'listen --to=known.e'           => 'listen --to=known.example',
    'http-get http://localhos'      => 'http-get http://localhost/',
    'udp-send --multicast-interface l' => 'udp-send --multicast-interface lo',
);
for my $shell (qw(zsh bash)) {
    is completed($shell, "sockt $_"), "sockt $completes{$_}",
        "$shell completes '$_'" for sort keys %completes;
}

spew("$dir/sockt.fish", run('completion', 'fish')->{out});
my %offers = (
    'conn'                => qr/\Aconnect\t.+\n\z/,
    'connect --idle'      => qr/\A--idle-timeout\t.+\n\z/,
    'connect --on-eof '   => qr/\Afin\nkeep\nquit\n\z/,
    'connect localh'        => qr/\Alocalhost\n\z/,
    'connect known.e'       => qr/\Aknown\.example\n\z/,
    'connect h gophe'       => qr/\Agopher\n\z/,
    'connect h:gophe'       => qr/\Ah:gopher\n\z/,
    'connect pod2usa'       => qr/\A\z/,
    'connect h 80 -- pod2usa' => qr/\Apod2usage\b/,
    "connect unix:$dir/som" => qr/\Aunix:\Q$dir\E\/some-file\n\z/,
    'connect uni'           => qr/\Aunix:\n\z/,
    'connect fe80::1%l'     => qr/\Afe80::1%lo\n\z/,
    'listen --user roo'     => qr/\Aroot\t/,
    'listen --to=known.e'   => qr/\A--to=known\.example\b/,
    "connect --output=$dir/so" => qr/\Q--output=$dir\E\/some-file\n\z/,
    'connect -w5 localh'    => qr/\Alocalhost\n\z/,
    'http-get http'         => qr{^http://\nhttps://\n}m,
    "connect -o $dir/so"    => qr/\Q$dir\E\/some-file\n\z/,
    'connect -'             => qr/^-P\t/m,
    'http-get http://localh' => qr{\Ahttp://localhost/\n\z},
    'udp-send --multicast-interface l' => qr/\Alo\b/,
);
for my $typed (sort keys %offers) {
    $r = run({ command => 'fish', env => { HOME => $dir } }, '-c',
        "source $dir/sockt.fish; complete -C 'sockt $typed'");
    like $r->{out}, $offers{$typed}, "fish completes 'sockt $typed'";
    is $r->{err}, '', '  without complaint';
}

# It searches a directory where make install puts the file by default.
my $root = scratch();
$r = run({ command => 'make' }, '-s', '-C', $Sockt::TOP, 'install',
    '-o', ($ENV{SOCKT_BUILD} // "$Sockt::TOP/build") . '/sockt',
    "B=" . ($ENV{SOCKT_BUILD} // "$Sockt::TOP/build"), "DESTDIR=$root");
is $r->{status}, 0, 'make install' or diag $r->{err};
$r = run({ command => 'fish', env => { HOME => $dir } }, '-c',
    'set -e XDG_DATA_DIRS; string join \n $fish_complete_path');
cmp_ok scalar(grep { -e "$root$_/sockt.fish" } split /\n/, $r->{out}), '>', 0,
    'fish finds what make install has installed' or diag $r->{out};

done_testing;
