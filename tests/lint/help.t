# Every command's --help and -h: on stdout, status 0, at most 80 columns; all
# options with their defaults, and ten of them.
use Sockt;
use Source;

my %options;
push @{ $options{ $_->{command} } }, $_ for list_options();
my @commands = run('help')->{out} =~ /^  (\S+) +\S/mg;
cmp_ok scalar @commands, '>', 1, 'the commands are found';

sub mentions {
    my ($help, $o) = @_;
    return $help =~ /^ +(?:-\Q@{[$o->{letter} \/\/ 'x']}\E, )?--\Q$o->{name}\E(?![\w-])/m
        if defined $o->{name};
    return $help =~ /^ +-\Q$o->{letter}\E(?!\w)/m;
}

for my $command (@commands) {
    my $r = run($command, '--help');
    is $r->{status}, 0, "$command --help ends well";
    is $r->{err}, '', '  and says nothing on stderr';
    like $r->{out}, qr/\Ausage: sockt \Q$command\E /, '  begins with the usage';
    my @absent = map { $_->{name} // $_->{letter} }
        grep { !mentions($r->{out}, $_) } @{ $options{$command} };
    is "@absent", '', '  mentions every option';
    my @wide = grep { length > 80 } split /\n/, $r->{out};
    is join("\n", @wide), '', '  has no line over 80 columns';
    unlike $r->{out}, qr/[ \t]+$/m, '  has no blanks at line ends';
    is run('help', $command)->{out}, $r->{out}, "  is what help $command says";
    my @lost = grep {
        my ($name, $default) = ($_->{name}, $_->{default});
        defined $default
            && $r->{out} !~ /^ +(?:-\w, )?--\Q$name\E (?:(?!\n {2,6}-).)*\(default:\s+@{[join '\s+', map { quotemeta } split ' ', $default]}\)/ms;
    } @{ $options{$command} };
    is join(' ', map { $_->{name} } @lost), '', '  shows the defaults';
    is scalar(() = $r->{out} =~ /^examples:\n/mg), 1, '  shows examples';

    my $short = run($command, '-h');
    is "$short->{status} $short->{err}", '0 ', "$command -h ends well";
    like $short->{out}, qr/\Ausage: sockt \Q$command\E /, '  begins with the usage';
    cmp_ok scalar(() = $short->{out} =~ /^ +-/mg), '<=', 10,
        '  shows ten options';
    cmp_ok scalar(() = $short->{out} =~ /^ +-/mg), '>=', 10, '  not fewer'
        if @{ $options{$command} } > 10;
    my ($examples) = $short->{out} =~ /^examples:\n((?:  .+\n)+)/m;
    is scalar(() = ($examples // '') =~ /\n/g), 3, '  shows three examples';
    like $short->{out}, qr/'sockt \Q$command\E --help'.*sockt-\Q$command\E\(1\)/,
        '  and where to read on';
    is join("\n", grep { length > 80 } split /\n/, $short->{out}), '',
        '  has no line over 80 columns';
}

is join("\n", grep { length > 80 } map { split /\n/, run('help', @$_)->{out} }
    [], map { [$_] } qw(nc ncat socat tcpserver curl wget nmap wait-for-it)), '',
    'the overview and what replaces programs have no line over 80 columns';

done_testing;
