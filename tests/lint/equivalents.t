# "What you type today" has one home, src/cmd/equivalents.txt, which
# sockt help PROGRAM prints. README shows some of its rows, and sockt accepts
# every command line.
use Sockt;
use Source;

my @programs = run('completion', '--words', '--', 'help', '')->{out}
    =~ /^(\S+)\t$/mg;
is join(' ', grep { my $p = $_; !grep { $_ eq $p } @programs }
    qw(nc ncat socat tcpserver curl wget nmap wait-for-it)), '',
    'every program has rows';
my @rows = map { [split /\t/] } map { table(run('help', $_)->{out}) } @programs;
cmp_ok scalar @rows, '>', 50, 'the rows are found';
my %is_row = map { join("\t", @$_) => 1 } @rows;

# README's table is in two columns; what is indented in either continues it.
my ($readme) = text('README') =~ /^(What you type today +With sockt\n.+?)\n\n\n/ms;
my @shown = table($readme);
cmp_ok scalar @shown, '>', 15, 'README has the table';
cmp_ok scalar @shown, '<=', 20, 'which is short';
is join("\n", grep { !$is_row{$_} } @shown), '',
    'README shows only rows of sockt help PROGRAM';

# Accepted: it fails for want of descriptors, and not as a usage error.
my $names = built('sockt-names');
my $dir = scratch();
for my $line (map { $_->[1] } @rows) {
    my $dry = $line =~ s/^(sockt portscan)\b/$1 --dry-run/r =~ s/ [<>] \w+$//r;
    $dry =~ s/--targets \S+/--targets -/;
    # Programs are looked up first.
    $dry =~ s{ -- /bin/handler}{ -- handler};
    chmod 0755, spew("$dir/$1", '')
        if $dry =~ m{(?: -- | --via ')(?:\./)?(\w+)};
    my $r = run({ command => 'sh', stdin => "127.0.0.1\n" }, '-c',
        "cd '$dir' && PATH=$dir:\$PATH && ulimit -n 4; sockt() { exec '$names' \"\$@\"; }; $dry");
    ok $r->{status} != 2 && $r->{status} < 126, "accepted: $line"
        or diag $r->{err};
}

# The rows of a table in two columns of 40, as "today\there".
sub table {
    my ($text) = @_;
    my (@cells, @found);
    for my $line (split /\n/, $text =~ s/\A.*\n\n//r) {
        my ($left, $right) = unpack 'A40 A*', $line;
        push @found, [] if $left =~ /^\S/;
        for ([0, $left], [1, $right]) {
            my ($i, $cell) = @$_;
            $cell =~ s/^ +//;
            next if $cell eq '';
            $found[-1][$i] = join ' ', grep { defined } $found[-1][$i], $cell;
        }
    }
    return map { join "\t", @$_ } @found;
}

done_testing;
