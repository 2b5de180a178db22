# Every command's --help and -h: on stdout, status 0, at most 80 columns; all
# options, and those of every day, with which -h fits a terminal. The tables behind them are consistent.
use Sockt;
use Source;

my %options;
push @{ $options{ $_->{command} } }, $_ for list_options();
my @commands = run('help')->{out} =~ /^  (\S+) +\S/mg;
cmp_ok scalar @commands, '>', 1, 'the commands are found';

sub mentions {
    my ($help, $o) = @_;
    my $letter = defined $o->{letter} ? "  -\Q$o->{letter}\E, " : '      ';
    return $help =~ /^$letter--\Q$o->{name}\E(?![\w-])/m;
}

for my $command (@commands) {
    my $r = run($command, '--help');
    is $r->{status}, 0, "$command --help ends well";
    is $r->{err}, '', '  and says nothing on stderr';
    like $r->{out}, qr/\Ausage: sockt \Q$command\E /, '  begins with the usage';
    my @absent = grep { !mentions($r->{out}, $_) } @{ $options{$command} };
    is join(' ', map { $_->{name} } @absent), '', '  mentions every option';
    my %seen;
    is join(' ', grep { $seen{$_}++ } map { ($_->{name}, $_->{letter} // ()) }
        @{ $options{$command} }), '', '  no two options have one name';
    is join("\n", grep { !/^[^A-Z.]/ && !/^[A-Z]{2}/ || /\.$/ || length > 160 }
        map { $_->{help} } @{ $options{$command} }), '', '  explains in phrases';
    my @wide = grep { length > 80 } split /\n/, $r->{out};
    is join("\n", @wide), '', '  has no line over 80 columns';
    unlike $r->{out}, qr/[ \t]+$/m, '  has no blanks at line ends';
    is run('help', $command)->{out}, $r->{out}, "  is what help $command says";
    is scalar(() = $r->{out} =~ /^examples:\n/mg), 1, '  shows examples';

    my $short = run($command, '-h');
    is "$short->{status} $short->{err}", '0 ', "$command -h ends well";
    like $short->{out}, qr/\Ausage: sockt \Q$command\E /, '  begins with the usage';
    cmp_ok scalar(() = $short->{out} =~ /\n/g), '<=', 23,
        '  fits a terminal, with the prompt';
    cmp_ok scalar(() = $short->{out} =~ /^ +-/mg), '>=', 10,
        '  shows ten options or more' if @{ $options{$command} } > 10;
    my ($examples) = $short->{out} =~ /^example:\n((?:  .+\n)+)/m;
    is scalar(() = ($examples // '') =~ /\n/g), 1, '  shows one example';
    like $short->{out}, qr/'sockt \Q$command\E --help'.*sockt-\Q$command\E\(1\)/,
        '  and where to read on';
    is join("\n", grep { length > 80 } split /\n/, $short->{out}), '',
        '  has no line over 80 columns';
}

# What options exclude, or need, are options of some command.
my %known = map { $_->{name} => 1 } map { @$_ } values %options;
my $sources = join '', map { text($_) } files('src/cmd/*.c');
my @listed = map { split ' ', s/"\s+"|"//gr }
    $sources =~ /\.(?:excludes|dash_with|dash_without|usual) = ("[^"]+"(?:\s+"[^"]+")*)/g;
cmp_ok scalar @listed, '>', 50, 'lists of options are found';
is join(' ', grep { !$known{$_} } @listed), '', '  and name options';

is join("\n", grep { length > 80 } map { split /\n/, run('help', @$_)->{out} }
    [], map { [$_] } qw(nc ncat socat tcpserver curl wget nmap wait-for-it)), '',
    'the overview and what replaces programs have no line over 80 columns';

done_testing;
