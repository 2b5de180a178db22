# The manual pages and the option tables say the same.
use Sockt;
use Events qw(event_table);
use List::Util qw(uniq);
use Source;

# The options that a page describes itself: for each name its letter or
# long name with dashes, its text and its metavariables.
sub described {
    my ($page) = @_;
    my %found;
    my ($options) = $page =~ /^\.Sh OPTIONS\n(.+?)^\.Sh /ms or return {};
    $options =~ s/^\.Ss Common options\n.*?(?=^\.Ss |\z)//ms;
    for my $item ($options =~ /^\.It (.+?)(?=^\.It |^\.S[hs] |\z)/msg) {
        my ($head, $text) = split /\n/, $item, 2;
        my @names = $head =~ /(?:\bFl |, (?!Fl ))(-?[\w-]+)(?= |$)/g
            or next;
        my @args = map { split / \| / } $head =~ /\bAr (\w+(?: \| (?!Cm )\w+)*)/g;
        $found{"-$_"} = { head => $head, text => $text, args => \@args }
            for @names;
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
        push @{ $found{$to} }, map { "-$_" } $list =~ /^\.It Fl (-?[\w-]+)/mg;
    }
    return \%found;
}

# An option's line of help as an item of a list, under the head that it has on
# the page that describes it, with its argument once.
sub item {
    my ($head, $help, $arg) = @_;
    my %word = map { $_ => 1 } qw(HOST PORT), ($arg // '') =~ /[A-Z]+/g;
    my @lines = '';
    for my $w (split / /, $help =~ s/\\/\\e/gr) {
        my ($name, $mark) = $w =~ /^([A-Z]+(?::PORT)?)([,;]?)$/;
        if (defined $name && $word{ $name =~ s/:.*//r }) {
            push @lines, '.Ar ' . join(' : Ns Ar ', map { lc } split /:/, $name)
                . ($mark && " $mark"), '';
        } elsif ($lines[-1] ne '' && length("$lines[-1] $w") > 80) {
            push @lines, $w;
        } else {
            $lines[-1] .= ($lines[-1] ne '' ? ' ' : '') . $w;
        }
    }
    $head =~ s/^(Fl \w) .* , Fl /$1 , /;
    return join "\n", ".It $head", (map { s/^(?!\.Ar )(?=[.'])/\\&/r }
        grep { $_ ne '' } @lines), '';
}

# The line of -h about an option.
sub short_help {
    my ($command, $name) = @_;
    my ($text) = run($command, '-h')->{out}
        =~ /^ {2}(?:-\S,| {3}) \Q$name\E(?: \S+)?(?: {2,}|\n +)(\N+)/m;
    return $text;
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
        my %word = map { lc, 1 } ($o->{arg} // '') =~ /\b[A-Z]+/g;
        push @wrong, map { "$names[-1] $_" } grep { !delete $word{$_} }
            ($o->{arg} // '') =~ /^[a-z\d|]+$/ ? () : uniq(@{ $mine->{args} });
        push @wrong, map { "$names[-1] lacks $_" } keys %word;
    }
    delete @covered{qw(-h --help)};
    is join(' ', @missing), '', "$name documents every option";
    is join(' ', sort keys %covered), '',
        "$name documents no option that does not exist";
    is join(', ', @wrong), '', "$name has the rows' defaults and words for arguments";
    for my $to (sort keys %$pointers) {
        is join(' ', grep { !$own{$to}{$_} } @{ $pointers->{$to} }), '',
            "what $name points to is in $to(1)";
    }
    my ($summary) = run('help')->{out} =~ /^  \Q$command\E +(.+)$/m;
    like $page, qr/^\.Nm sockt-\Q$command\E\n\.Nd \Q$summary\E$/m,
        "$name names it as sockt help does";
}
# The lists that repeat lines of help: OPTIONS SUMMARY has those of -h, Common
# options those of --help about options that another page describes.
# MANUALS=update writes them anew.
for my $command (grep { $options{$_} } @commands) {
    my %row = map { my $o = $_; map { $_ => $o } "--$o->{name}",
        defined $o->{letter} ? "-$o->{letter}" : () } @{ $options{$command} };
    my $to_item = sub {
        my ($name, $help) = @_;
        my ($o) = $row{$name} or return ".It Fl $name: no such option\n";
        my ($at) = grep { defined } map { $own{$_}{"--$o->{name}"} }
            "sockt-$command", qw(sockt sockt-connect sockt-listen);
        return item($at->{head} // '', $help // $o->{help}, $o->{arg});
    };
    my @short = run($command, '-h')->{out} =~ /^ {2}(?:-\S,| {3}) (--[\w-]+)/mg;
    my $new = $page{"sockt-$command"} =~ s{(^\.Sh OPTIONS SUMMARY\n.*?^\.Bl \N+\n).*?(?=^\.El)}{
        $1 . join '', map { $to_item->($_, short_help($command, $_)) } @short }emsr;
    my ($common) = $new =~ /^(\.Ss Common options\n.*?)^\.S[hs] /ms;
    my $lists = ($common // '') =~ s{^\.It Fl (-?[\w-]+)\N*\n(?:(?!\.It |\.El).*\n)*}{
        $to_item->("-$1") }emgr;
    $new =~ s/\Q$common\E/$lists/ if $lists ne '';
    my $path = "$Source::TOP/man/sockt-$command.1";
    spew($path, $page{"sockt-$command"} = $new)
        if ($ENV{MANUALS} // '') eq 'update';
    ok $page{"sockt-$command"} eq $new
        && (@short < 10 || $new =~ /^\.Sh OPTIONS SUMMARY/m),
        "sockt-$command(1) repeats help as it is (MANUALS=update mends it)";
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
# sockt-json(7) has the events and members that the source names, and no others.
my @table = event_table();
cmp_ok scalar @table, '>', 15, 'the events are found';
my $code = join "", map { text($_) =~ s{/\*.*?\*/}{}gsr } files("src/*/*.c");
my %begun = map { $_ => 1 } $code =~ /\bbegin_event\("(\w+)"/g,
    $code =~ /_event_begin\(\s*"(\w+)"/g,
    $code =~ /log_message\([^;"]*"(\w+)"/g;
is_deeply [sort keys %begun], [sort keys %{ { map { $_->{name} => 1 } @table } }],
    'sockt-json(7) documents every event';
my %added = map { $_ => 1 }
    $code =~ /\b\w+_(?:text|bytes|number|seconds|bool|object|array|json)\(
    [^;"]*\bj,\s*"(\w+)"/gx;
delete @added{qw(event time path)};
my %documented = map { $_->{name} => 1 } map { @{ $_->{members} } } @table;
is join(' ', grep { !$documented{$_} } sort keys %added), '',
    'sockt-json(7) documents every member';
is join(' ', grep { !$added{$_} } sort keys %documented), '',
    'sockt-json(7) documents no member that the source lacks';

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
