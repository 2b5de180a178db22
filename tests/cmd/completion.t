# Completions come from the option tables: bash is asked for real.
use Sockt;
use Source;

for my $shell (qw(bash zsh fish)) {
    my $r = run('completion', $shell);
    is "$r->{status} $r->{err}", '0 ', "completion $shell";
    my @absent = grep {
        my $name = $_;
        $r->{out} !~ ($shell eq 'fish' ? qr/-l \Q$name\E /
                                       : qr/--\Q$name\E(?![\w-])/)
    } map { $_->{name} // () } list_options();
    is "@absent", '', '  knows every option';
}
my $r = run('completion', 'tcsh');
is $r->{status}, 2, 'another shell is a usage error';
like $r->{err}, qr/'tcsh' must be bash, zsh or fish/, 'that is told';
is run('completion')->{status}, 2, 'no shell is one too';

chomp(my $bash = `sh -c "command -v bash"` // q());
SKIP: {
    skip 'no bash here', 54 unless $bash;
    my $script = scratch() . '/sockt.bash';
    spew($script, run('completion', 'bash')->{out});

    my $home = scratch();
    mkdir "$home/.ssh";
    spew("$home/hosts", "127.0.0.1 localhost\n192.0.2.7 db.example db\n");
    spew("$home/.ssh/known_hosts", join '',
        "plain.example,192.0.2.8 ssh-ed25519 AAAA\n",
        "[port.example]:2222,[192.0.2.9]:2222 ssh-ed25519 AAAA\n",
        "|1|hashed=|hashed= ssh-ed25519 AAAA\n",
        "\@cert-authority *.ca.example ssh-ed25519 AAAA\n",
        "*.pattern.example ssh-ed25519 AAAA\n",
        "\$(touch\${IFS}$home/executed) ssh-ed25519 AAAA\n",
        "# plain comment\n");

    # What bash offers for these words, the last of which is being typed.
    my $offers = sub {
        my $r = run({ command => $bash,
                env => { HOME => $home, HOSTFILE => "$home/hosts" } },
            '--norc', '-c',
            'source "$1"; shift; COMP_WORDS=("$@"); '
                . 'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sockt; '
                . 'printf "%s\n" "${COMPREPLY[@]}"',
            'bash', $script, @_);
        is $r->{err}, '', "no complaint for '@_'";
        my %seen;
        return join ' ', sort grep { length && !$seen{$_}++ } split /\n/, $r->{out};
    };
    is $offers->('sockt', 'conn'), 'connect', 'a command';
    like $offers->('sockt', ''), qr/\bconnect\b.*\blisten\b/, 'all of them';
    is $offers->('sockt', 'connect', '--idle'), '--idle-timeout', 'an option';
    is $offers->('sockt', 'connect', '--on-eof', ''), 'fin keep quit',
        'the words of a choice';
    is $offers->('sockt', 'connect', '--on-eof', '=', 'k'), 'keep',
        'also behind =';
    is $offers->('sockt', 'help', 'li'), 'listen', 'a command for help';
    is $offers->('sockt', 'help', 'soc'), 'socat', 'a program for help';
    spew(scratch() . '/x', '');
    my $dir = scratch();
    spew("$dir/some-file", '');
    is $offers->('sockt', 'connect', '-o', "$dir/so"), "$dir/some-file",
        'a file';
    is $offers->('sockt', 'connect', '-o', '=', "$dir/so"), "$dir/some-file",
        'a file after =';
    spew("$dir/with blank", '');
    is $offers->('sockt', 'connect', '-x', "$dir/wi"), "$dir/with blank",
        'a file with a blank';
    is $offers->('sockt', 'completion', ''), 'bash fish zsh', 'the shells';
    is $offers->('sockt', 'connect', '-P'), '-P', 'a short option';
    like $offers->('sockt', 'connect', '-'), qr/\A(?:--[\w-]+ )+.*-w\b/,
        'all options';
    is $offers->('sockt', 'connect', 'd'), 'db db.example', 'hosts';
    is $offers->('sockt', 'connect', 'p'), 'plain.example port.example',
        'known hosts of ssh, without hashes and patterns';
    is $offers->('sockt', 'connect', '192.0.2'), '192.0.2.8 192.0.2.9',
        'addresses of known hosts';
    is $offers->('sockt', 'listen', '--to', 'db.'), 'db.example',
        'hosts for --to';
    ok !-e "$home/executed", 'what the files hold is not executed';
    is $offers->('sockt', 'connect', 'un'), 'unix:', 'a unix socket';
    is $offers->('sockt', 'connect', 'unix', ':', "$dir/so"), "$dir/some-file",
        'its path';
    is $offers->('sockt', 'http-get', 'ht'), 'http:// https://', 'schemes';
    is $offers->('sockt', 'http-get', 'http', ':', '//db.'), '//db.example/',
        'hosts of a URL';
    is $offers->('sockt', 'connect', '--proxy', 'so'), 'socks4:// socks5://',
        'kinds of proxies';
    like $offers->('sockt', 'listen', '--user', 'roo'), qr/\broot\b/, 'users';
    is $offers->('sockt', 'connect', '-w', ''), '', 'nothing for a time';
    is $offers->('sockt', 'connect', '-v', 'db', '--', 'pod2usa'), 'pod2usage',
        'programs';
    SKIP: {
        -e '/sys/class/net/lo' or skip 'no /sys/class/net', 4;
        is $offers->('sockt', 'udp-send', '--multicast-interface', 'lo'), 'lo',
            'interfaces';
        is $offers->('sockt', 'connect', 'fe80', '::', '1%lo'), '1%lo',
            'the scope of an address';
    }
}

done_testing;
