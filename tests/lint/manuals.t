# The manual pages and the option tables say the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Events qw(event_table);
use Sockt;
use Source;
use Test::More;

# The option names in the .It lines of a page: "-w", "--timeout".
sub documented {
    my ($page) = @_;
    my %names;
    for my $line ($page =~ /^\.It (.*\bFl\b.*)$/mg) {
        while ($line =~ /\bFl (?:Fl )?(-*)([\w-]+)/g) {
            my ($dashes, $name) = ($1, $2);
            $names{ length $name > 1 || $dashes ? "--$name" : "-$name" } = 1;
        }
    }
    return \%names;
}

my (%want, %seen);
for my $o (list_options()) {
    $want{ $o->{command} }{"--$o->{name}"} = 1 if defined $o->{name};
    $want{ $o->{command} }{"-$o->{letter}"} = 1 if defined $o->{letter};
}
for my $command (run('help')->{out} =~ /^  (\S+) +\S/mg) {
    my $path = "man/sockt-$command.1";
    ok -e "$Source::TOP/$path", "$command has a page" or next;
    my $page = text($path);
    my $have = documented($page);
    delete $have->{'--help'};
    my $want = $want{$command} // {};
    is join(' ', grep { !$have->{$_} } sort keys %$want), '',
        "$path documents every option";
    is join(' ', grep { !$want->{$_} } sort keys %$have), '',
        "$path documents no option that does not exist";
    my ($summary) = run('help')->{out} =~ /^  \Q$command\E +(.+)$/m;
    like $page, qr/^\.Nm sockt-\Q$command\E\n\.Nd \Q$summary\E$/m,
        "$path names it as sockt help does";
    like $page, qr/^\.Sh EXIT STATUS\n/m, "$path tells the exit status";
    like $page, qr/^\.Sh EXAMPLES\n/m, "$path has examples"
        unless $command =~ /^(?:help|completion)$/;
}

# sockt(1) has the table of events, word for word.
my $main = text('man/sockt.1');
my ($events) = $main =~ /^\.Sh JSON EVENTS\n(.+?)^\.Sh /ms;
my @table = event_table(run('help', '--events')->{out});
cmp_ok scalar @table, '>', 15, 'the events are found';
my @documented;
for my $item (split /^\.El\n(?=\.It|\.El)/m, $events =~ s/.*?^(?=\.It)//msr) {
    my ($name, $meaning, $commands, $members) = $item
        =~ /\A\.It Ql (\S+)\n(.+?)\n(\.Pq Cm \N+|\(\N+\))\n\.Bl \N*\n(.+)\z/s
        or next;
    push @documented, {
        name => $name, meaning => lcfirst plain($meaning),
        commands => [split / , /, $commands =~ s/^\.Pq Cm |[()]//gr],
        members => [map { member($_) } $members =~ /^\.It Va (.+?)(?=^\.It|\z)/msg],
    };
}
delete $_->{type} for map { @{ $_->{members} } } @table;
is_deeply \@documented, \@table, 'sockt(1) documents every event and member';

# What a text reads without its macros.
sub plain {
    my ($text) = @_;
    return $text =~ s/^\.Fl /-/mgr =~ s/\s+/ /gr =~ s/ \z//r;
}

sub member {
    my ($name, $meaning) = split /\n/, $_[0], 2;
    my $optional = $meaning =~ s/^\.Pq optional\n//m;
    return { name => $name, optional => !!$optional,
        meaning => plain($meaning) };
}

done_testing;
