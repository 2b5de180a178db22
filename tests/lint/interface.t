# What sockt(1), STABILITY, promises is what the list interface.known says:
# options, exit statuses, events and environment variables. A line that changes
# or goes breaks the promise; a new one extends it. INTERFACE=update writes the
# list anew.
use Sockt;
use Events qw(event_table);
use Source;

my @lines;
my %commands;
for my $o (list_options()) {
    my $name = join ' ', grep { defined }
        defined $o->{letter} ? "-$o->{letter}" : undef, "--$o->{name}",
        $o->{arg};
    push @{ $commands{$name} }, $o->{command};
}
push @lines, "command $_" for run('help')->{out} =~ /^  (\S+) +\S/mg;
push @lines, "option $_: @{[sort @{ $commands{$_} }]}"
    for sort { $a =~ s/^-\w //r cmp $b =~ s/^-\w //r } keys %commands;

my %status = text('src/base/err.h') =~ /^\tERR_(\w+) = (\d+),? +\/\*/mg;
my %kind = text('src/base/err.c') =~ /^    \[ERR_(\w+)\] = \{"(\w+)", /mg;
push @lines, map { "status $status{$_} $kind{$_}" }
    sort { $status{$a} <=> $status{$b} } keys %status;

my ($every) = text('man/sockt-json.7') =~ /^\.Sh DESCRIPTION\n(.+?)^\.Sh /ms;
push @lines, 'members of every event: '
    . join ' ', $every =~ /^\.Va (\w+) [,.]$/mg;
for my $event (sort { $a->{name} cmp $b->{name}
        || "@{ $a->{commands} }" cmp "@{ $b->{commands} }" } event_table()) {
    push @lines, "event $event->{name} of @{ $event->{commands} }: "
        . join ' ', map { $_->{optional} ? "[$_->{name}]" : $_->{name} }
            @{ $event->{members} };
}

my ($environment) = text('man/sockt.1') =~ /^\.Sh ENVIRONMENT\n(.+?)^\.Sh /ms;
my @variables = map { split / , / } $environment =~ /^\.It Ev (.+)$/mg;
push @lines, map { "variable $_" } @variables;
my $code = join '', map { text($_) } files('src/*/*.c');
my %is_known = map { $_ => 1 } @variables, qw(PATH TERM);
is join(' ', grep { !$is_known{$_} } $code =~ /\bgetenv\("(\w+)"/g), '',
    'sockt(1) documents every variable that is read';

my $path = "$Source::TOP/tests/lint/interface.known";
spew($path, join '', map { "$_\n" } @lines)
    if ($ENV{INTERFACE} // '') eq 'update';
my @known = split /\n/, slurp($path);
cmp_ok scalar @known, '>', 150, 'the list is found';
my (%is, %was);
@is{@lines} = @was{@known} = ();
is join("\n", grep { !exists $is{$_} } @known), '',
    'nothing that was promised is gone';
is join("\n", grep { !exists $was{$_} } @lines), '', 'nothing is new';

done_testing;
