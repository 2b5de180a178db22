# Every command's --help and -h: on stdout, status 0, at most 80 columns; all
# options, and those of every day, with which -h fits a terminal. The tables
# behind them are consistent.
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

my $wide = qr/^.{81}|[ \t]$/m;
for my $command (@commands) {
    my @options = @{ $options{$command} // [] };
    my $r = run($command, '--help');
    exits $r, 0, "$command --help", err => '', no_out => $wide,
        out => qr/\Ausage: sockt \Q$command\E .*^examples:\n/ms;
    unlike $r->{out}, qr/\(default: [^()]*\)\s+\(default:/, '  has each default once';
    is run('help', $command)->{out}, $r->{out}, "  is what help $command says";
    is join(' ', map { $_->{name} } grep { !mentions($r->{out}, $_) } @options),
        '', '  mentions every option';
    my %seen;
    is join(' ', grep { $seen{$_}++ } map { ($_->{name}, $_->{letter} // ()) }
        @options), '', '  no two options have one name';
    is join("\n", grep { !/^[^A-Z.]/ && !/^[A-Z]{2}/ || /\.$/ || length > 160 }
        map { $_->{help} } @options), '', '  explains in phrases';

    my $short = run($command, '-h');
    exits $short, 0, "$command -h, with one example and where to read on",
        err => '', no_out => $wide, out => [qr/\Ausage: sockt \Q$command\E /,
        qr/^example:\n  .+\n(?!  )/m,
        qr/@{[ @options ? "'sockt $command --help'.*" : '' ]}sockt-\Q$command\E\(1\)/];
    cmp_ok scalar(() = $short->{out} =~ /\n/g), '<=', 23,
        '  fits a terminal, with the prompt';
    is join("\n", grep { tr/(// != tr/)// } split /\n/, $short->{out}), '',
        '  closes each parenthesis in its line';
    cmp_ok scalar(() = $short->{out} =~ /^ +-/mg), '>=', 10,
        '  shows ten options or more' if @options > 10;
}

# What options exclude, or need, are options of some command, or facts.
my %known = map { $_->{name} => 1 } map { @$_ } values %options;
my $sources = join '', map { text($_) } files('src/cmd/*.c');
$known{$_} = 1 for 'program', $sources =~ /command_check\(\w+, "([^"]+)"/g;
my @listed = map { split ' ', s/"\s+"|"//gr }
    $sources =~ /\.(?:excludes|needs|dash_with|dash_without|usual) = ("[^"]+"(?:\s+"[^"]+")*)/g;
cmp_ok scalar @listed, '>', 50, 'lists of options are found';
is join(' ', grep { !$known{$_} } @listed), '', '  and name options';

exits run('help', @$_), 0, "help @$_ has no line over 80 columns", no_out => $wide
    for [], map { [$_] } qw(nc ncat socat tcpserver curl wget nmap wait-for-it);

done_testing;
