# Completions come from the option tables: shells ask sockt, and bash is asked
# for real.
use Sockt;
use Source;

exits run('completion', $_), 0, "completion $_ asks sockt", err => '',
    out => qr/ completion --words -- / for qw(bash zsh fish);
misused 'completion', qr/no completion for tcsh; there is bash, zsh and fish/ => 'tcsh', qr/./ => [[]],
    qr/unexpected operand 'zsh'/ => 'bash zsh';

# What completes the last of these words: the kind and where it starts, then
# words.
sub asks {
    my ($line, $kind, @words) = @_;
    my $r = run('completion', '--words', '--', split / /, $line, -1);
    exits $r, 0, "completion --words '$line'", err => '';
    my ($first, @rest) = split /\n/, $r->{out};
    is $first, $kind, '  its kind';
    is join(' ', map { s/\t.*//r } @rest), "@words", '  its words'
        if @words != 1 || $words[0] ne 'many';
    return $r->{out};
}
like asks('conn', 'word ', 'many'), qr/^connect\tconnect to .*^--version\t/ms,
    'commands with their summaries';
like asks('help ', 'word ', 'many'), qr/^listen\t.*^socat\t$/ms,
    'the operand of help';
is asks('frob x', undef), '', 'no such command';
# list_options() gets them from there: --help says the same.
for my $command (run('help')->{out} =~ /^  (\S+) +\S/mg) {
    my $r = asks("$command -", 'word ', 'many');
    my @help = run($command, '--help')->{out} =~ /^ +(?:-(\S), )?--(\S+)/mg;
    my @want;
    while (my ($letter, $name) = splice @help, 0, 2) {
        push @want, "--$name", defined $letter ? "-$letter" : ();
    }
    is join(' ', $r =~ /^(-\S+)\t/mg), join(' ', @want, '--help'),
        "  the options of $command";
}
asks(@$_) for
    ['connect --on-eof k',     'word ', qw(fin keep quit)],
    ['connect --on-eof=k',     'word --on-eof=',
        qw(--on-eof=fin --on-eof=keep --on-eof=quit)],
    ['connect -w 5 ',          'host ', 'unix:'],
    ['connect -w5 ',           'host ', 'unix:'],
    ['connect -w ',            'word '],
    ['connect -4w ',           'word '],
    ['connect -4w5',           'word -4w'],
    ['connect -vo fi',         'file '],
    ['connect -vofi',          'file -vo'],
    ['connect --output=fi',    'file --output='],
    ['connect --output= ',     'host ', 'unix:'],
    ['connect --frob ',        'host ', 'unix:'],
    ['connect h ',             'service '],
    ['connect h:',             'service h:'],
    ['connect [::1]:',         'service [::1]:'],
    ['connect ::1',            'word ::'],
    ['connect fe80::1%l',      'interface fe80::1%'],
    ['connect [fe80::1%l',     'interface [fe80::1%'],
    ['connect unix:/t',        'file unix:'],
    ['connect --via ss',       'command '],
    ['connect h 80 -- ls -',   'program 5'],
    ['connect -- -h 80 -- ls', 'program 6'],
    ['connect -- -',           'host ', 'unix:'],
    ['connect - ',             'service '],
    ['listen -k --to=ho',      'host --to=', '--to=unix:'],
    ['listen --fd ',           'word ', 'systemd'],
    ['listen --user ',         'user '],
    ['udp-serve --join ff02::1%', 'interface ff02::1%'],
    ['http-get ht',            'url ', 'http://', 'https://'],
    ['http-get http://h',      'url http://'],
    ['http-get --proxy=',      'word --proxy=',
        map { "--proxy=$_" } qw(socks5:// socks4:// http://)],
    ['http-get -- -- ht',      'url ', 'http://', 'https://'],
    ['completion ',            'word ', qw(bash zsh fish)];

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

    my $files = scratch();
    spew("$files/$_", '') for 'some-file', 'with blank';

    # What bash offers for these words, the last of which is being typed.
    for my $row (
        ['a command', 'connect', 'conn'],
        ['all of them', qr/\bconnect\b.*\blisten\b/, ''],
        ['an option', '--idle-timeout', qw(connect --idle)],
        ['the words of a choice', 'fin keep quit', qw(connect --on-eof), ''],
        ['also behind =', 'keep', qw(connect --on-eof = k)],
        ['a command for help', 'listen', qw(help li)],
        ['a program for help', 'socat', qw(help soc)],
        ['a file', "$files/some-file", 'connect', '-o', "$files/so"],
        ['a file after =', "$files/some-file", qw(connect --output =), "$files/so"],
        ['a file with a blank', "$files/with blank", 'connect', '-x', "$files/wi"],
        ['the shells', 'bash fish zsh', 'completion', ''],
        ['a short option', '-P', qw(connect -P)],
        ['all options', qr/\A(?:--[\w-]+ )+.*-w\b/, qw(connect -)],
        ['hosts', 'db db.example', qw(connect d)],
        ['known hosts of ssh, without hashes and patterns',
            'plain.example port.example', qw(connect p)],
        ['addresses of known hosts', '192.0.2.8 192.0.2.9', qw(connect 192.0.2)],
        ['hosts for --to', 'db.example', qw(listen --to db.)],
        ['a Unix socket', 'unix:', qw(connect un)],
        ['its path', "$files/some-file", qw(connect unix :), "$files/so"],
        ['schemes', 'http:// https://', qw(http-get ht)],
        ['hosts of a URL', '//db.example/', qw(http-get http : //db.)],
        ['kinds of proxies', 'socks4:// socks5://', qw(connect --proxy so)],
        ['users', qr/\broot\b/, qw(listen --user roo)],
        ['nothing for a time', '', qw(connect -w), ''],
        ['programs', 'pod2usage', qw(connect -v db -- pod2usa)],
        (-e '/sys/class/net/lo' ? (
            ['interfaces', 'lo', qw(udp-send --multicast-interface lo)],
            ['the scope of an address', '1%lo', qw(connect fe80 :: 1%lo)]) : ()),
    ) {
        my ($name, $want, @words) = @$row;
        my $r = run({ command => $bash,
                env => { HOME => $home, HOSTFILE => "$home/hosts" } },
            '--norc', '-c',
            'source "$1"; shift; COMP_WORDS=("$@"); '
                . 'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sockt; '
                . 'printf "%s\n" "${COMPREPLY[@]}"', 'bash', $script, sockt(), @words);
        my %seen;
        my $got = join ' ', sort grep { length && !$seen{$_}++ } split /\n/, $r->{out};
        exits { %$r, out => $got }, 0, $name, err => '', out => $want;
    }
    ok !-e "$home/executed", 'what the files hold is not executed';
}

done_testing;
