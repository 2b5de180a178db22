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
my ($events) = $main =~ /^\.Ss JSON events\n(.+?)^\.Sh /ms;
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

# A number that a page has from the source is followed by the comment
#	.\" check: NAME [FILE] [s]
# with the constant that it comes from, FILE where several files define one of
# that name, and s where a constant without a unit in its name is in seconds.
my %constant;
for my $path (files("src/*/*.[ch]")) {
    my $code = code($path) =~ s/\\\n/ /gr;
    while ($code =~ /^#define (\w+)[ \t]+(\S.*)$/mg) {
        $constant{$1}{$path} = $2;
    }
}

# The value of a constant's definition: an expression, or the first number of
# an initializer.
sub value {
    my ($text) = @_;
    $text =~ s/\bU?INT(?:32|64)_C\((\d+)\)/$1/g;
    return eval $text if $text =~ /^[-\d ()*\/+<]+$/;
    return $text =~ /(\d+)/ ? $1 : undef;
}

# How a page may write a number of these units.
sub renderings {
    my ($n, $unit) = @_;
    my @words = qw(no one two three four five six seven eight nine ten);
    my @forms = $n;
    ($n, $unit) = ($n * 1000, 'ms') if $unit eq 's';
    @forms = "$n ms" if $unit eq 'ms';
    for (['s', 1000], ['seconds?', 1000], ['min', 60000], ['minutes?', 60000]) {
        last if $unit ne 'ms';
        my ($name, $ms) = @$_;
        my $count = $n / $ms;
        push @forms, "$count $name";
        push @forms, "$words[$count] $name" if $words[$count]
            && $count == int $count;
    }
    for (['KiB', 10], ['MiB', 20]) {
        my ($name, $bits) = @$_;
        push @forms, ($n >> $bits) . " $name"
            if $unit eq '' && $n % (1 << $bits) == 0;
    }
    return @forms;
}

my $checked = 0;
for my $path (files("man/*.[17]")) {
    my @bad;
    my @lines = split /\n/, text($path);
    for my $i (grep { $lines[$_] =~ /^\.\\" check: / } 0 .. $#lines) {
        my ($name, @more) = split ' ', $lines[$i] =~ s/^\S+ check: //r;
        my ($file) = grep { m{/} } @more;
        my %at = %{ $constant{$name} // {} };
        my %values = map { $_ => 1 }
            defined $file ? $at{$file} // () : values %at;
        my ($text) = keys %values;
        my $n = keys %values == 1 ? value($text) : undef;
        my $unit = $name =~ /_MS$/ ? 'ms'
            : $name =~ /SECONDS$/ || grep({ $_ eq 's' } @more) ? 's' : '';
        my @before = grep { !/^\.\\"/ } @lines[0 .. $i - 1];
        my $sentence = join ' ', @before[-2, -1];
        my $form = defined $n ? join '|', renderings($n, $unit) : '(?!)';
        push @bad, "$path:" . ($i + 1) . ": $name is " . ($n // 'not found')
            if $sentence !~ /(?<![\d.])(?:$form)(?![\d]|\.\d|\w)/;
        $checked++;
    }
    is join("\n", @bad), '', "$path: its numbers are those of the source";
}
cmp_ok $checked, '>', 40, 'the numbers are found';

done_testing;
