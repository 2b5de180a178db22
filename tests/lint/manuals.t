# The manual pages and the option tables say the same.
use Sockt;
use Events qw(event_table);
use Source;

# The options that a page describes itself: for each name its letter or
# long name with dashes, its text and its metavariables.
sub described {
    my ($page) = @_;
    my %found;
    my ($options) = $page =~ /^\.Sh OPTIONS\n(.+?)^\.Sh /ms or return {};
    for my $item ($options =~ /^\.It (.+?)(?=^\.It |^\.S[hs] |\z)/msg) {
        my ($head, $text) = split /\n/, $item, 2;
        my @names = $head =~ /(?:\bFl |, (?!Fl ))(-?[\w-]+)(?= |$)/g
            or next;
        my @args = $head =~ /\bAr (\w+)/g;
        $found{"-$_"} = { text => $text, args => \@args } for @names;
    }
    return \%found;
}

# What it says of options that another page describes: page => names.
sub pointers {
    my ($page) = @_;
    my %found;
    my ($common) = $page =~ /^\.Ss Common options\n(.+?)^\.S[hs] /ms or return {};
    while ($common =~ /^\.Xr (\S+) 1\b[^\n]*\n(?:[^.]\N*\n)?\.Bl\N*\n(.+?)^\.El/msg) {
        my ($to, $list) = ($1, $2);
        push @{ $found{$to} }, map { map { "-$_" } split / , / }
            $list =~ /^\.Fl (\N+)$/mg;
    }
    return \%found;
}

# Where the defaults that a text and an option's row name differ. A number in
# the text is the row's, or comes from a constant, see below.
sub defaults {
    my ($o, $text) = @_;
    my ($row) = ($o->{default} // $o->{help} // '')
        =~ /^(\d+)\b|\(default: (\d+)\b/ ? $1 // $2 : ();
    my ($said) = $text =~ /\b[Dd]efault is (?:at most )?(\d+)/;
    my $is_checked = $text =~ /^\.\\" check: /m;
    return () if !defined $row && (!defined $said || $is_checked);
    return "the row says $row" if !defined $said && $text !~ /\b\Q$row\E\b/;
    return () if !defined $said || $is_checked;
    return $said == ($row // -1) ? () : "the default $said is not the row's";
}

# Their meaning depends on the command, so several pages may differ in them.
my %depends = map { $_ => 1 } qw(timeout idle-timeout max-time retry-for verbose
    quiet json reply);

my %options;
push @{ $options{ $_->{command} } }, $_ for list_options();
my (%texts, %page, %own);
my @commands = run('help')->{out} =~ /^  (\S+) +\S/mg;
for my $command (@commands) {
    ok -e "$Source::TOP/man/sockt-$command.1", "$command has a page" or next;
    $page{"sockt-$command"} = text("man/sockt-$command.1");
}
$page{sockt} = text('man/sockt.1');
$own{$_} = described($page{$_}) for keys %page;

for my $command (@commands) {
    my $page = $page{"sockt-$command"} // next;
    my $name = "sockt-$command(1)";
    my $own = $own{"sockt-$command"};
    my $pointers = pointers($page);
    my %covered = map { $_ => 1 } keys %$own, map { @$_ } values %$pointers;
    my (@missing, @wrong);
    for my $o (@{ $options{$command} // [] }) {
        my @names = (defined $o->{letter} ? "-$o->{letter}" : (),
            defined $o->{name} ? "--$o->{name}" : ());
        my ($mine) = grep { defined } map { $own->{$_} } @names;
        # A page that describes an option names it in full.
        push @missing, grep { $mine ? !$own->{$_} : 0 } @names;
        push @missing, $names[-1] if !grep { $covered{$_} } @names;
        delete @covered{@names};
        next if !$mine;
        push @{ $texts{"$names[-1]: " . ($o->{help} // '')} },
            [$name, $mine->{text}] if !$depends{ $o->{name} // '' };
        push @wrong, map { "$names[-1]: $_" } defaults($o, $mine->{text});
        my $unit = { T => 'time', SIZE => 'size' }->{ $o->{arg} // '' };
        push @wrong, "$names[-1] @{ $mine->{args} }"
            if $unit && grep { $_ ne $unit } @{ $mine->{args} };
    }
    delete @covered{qw(-h --help)};
    is join(' ', @missing), '', "$name documents every option";
    is join(' ', sort keys %covered), '',
        "$name documents no option that does not exist";
    is join(', ', @wrong), '', "$name has the rows' defaults, and calls a duration time";
    for my $to (sort keys %$pointers) {
        is join(' ', grep { !$own{$to}{$_} } @{ $pointers->{$to} }), '',
            "what $name points to is in $to(1)";
    }
    my ($summary) = run('help')->{out} =~ /^  \Q$command\E +(.+)$/m;
    like $page, qr/^\.Nm sockt-\Q$command\E\n\.Nd \Q$summary\E$/m,
        "$name names it as sockt help does";
}
for my $option (sort keys %texts) {
    my %text = map { $_->[1] => $_->[0] } @{ $texts{$option} };
    is join(', ', sort values %text), (sort values %text)[0],
        "$option: is described in one way";
}

# The statuses and their names are those of the source.
my %status = text('src/base/err.h') =~ /^\tERR_(\w+) = (\d+),? +\/\*/mg;
my ($statuses) = $page{sockt} =~ /^\.Sh EXIT STATUS\n(.+?)^\.El/ms;
my %kind = text('src/base/err.c') =~ /^    \[ERR_(\w+)\] = \{"(\w+)", /mg;
is_deeply [$statuses =~ /^\.It (\d+ ?\w*)$/mg],
    [map { $status{$_} == 0 ? '0' : "$status{$_} $kind{$_}" }
        sort { $status{$a} <=> $status{$b} } keys %status],
    'sockt(1) documents every exit status and its name in events';
for my $name (sort keys %page) {
    my ($section) = $page{$name} =~ /^\.Sh EXIT STATUS\n(.+?)^\.Sh /ms;
    my %known = map { $_ => 1 } values %status;
    is join(' ', grep { !$known{$_} } $section =~ /^\.It (\d+)$/mg), '',
        "$name(1) has no other status";
}
# sockt(1) has the events and members that the source names, and no others.
my @table = event_table();
cmp_ok scalar @table, '>', 15, 'the events are found';
my $code = join "", map { text($_) =~ s{/\*.*?\*/}{}gsr } files("src/*/*.c");
my %begun = map { $_ => 1 } $code =~ /\bbegin\("(\w+)"/g,
    $code =~ /_event_begin\(\s*"(\w+)"/g,
    $code =~ /(?:conn_event_message|log_message)\([^;"]*"(\w+)"/g;
is_deeply [sort keys %begun], [sort keys %{ { map { $_->{name} => 1 } @table } }],
    'sockt(1) documents every event';
my %added = map { $_ => 1 }
    $code =~ /\b\w+_(?:text|bytes|number|seconds|bool|object|array|json)\(
    [^;"]*\bj,\s*"(\w+)"/gx;
delete @added{qw(event time path)};
my %documented = map { $_->{name} => 1 } map { @{ $_->{members} } } @table;
is join(' ', grep { !$documented{$_} } sort keys %added), '',
    'sockt(1) documents every member';
is join(' ', grep { !$added{$_} } sort keys %documented), '',
    'sockt(1) documents no member that the source lacks';

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
    my %clock = (CLOCK_SECOND => 1e9, CLOCK_MS => 1e6);
    $text =~ s/\b(CLOCK_\w+)/$clock{$1}/g;
    $text =~ s/\bU?INT(?:32|64)_C\((\d+)\)/$1/g;
    return eval $text if $text =~ /^[-\d ()*\/+<]+$/;
    return $text =~ /(\d+)/ ? $1 : undef;
}

# How a page may write a number of these units.
sub renderings {
    my ($n, $unit) = @_;
    my @words = qw(no one two three four five six seven eight nine ten);
    my @forms = ($n, $words[$n] // ());
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
        $n /= 1000 if defined $n && $name =~ /_US$/;
        $n /= 1e6 if defined $n && $name =~ /_NS$/;
        my $unit = $name =~ /_[MUN]S$/ ? 'ms'
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
