# What a terminal is shown: a live line of progress, and nothing that steers it.
use Sockt;
use SocktHttp;

my $dir = scratch();

# Runs http-get with descriptors fds on a terminal; adds what it showed.
sub on_terminal {
    my ($fds, $columns, $answers, @args) = @_;
    my $s = http_server($answers);
    unlink "$dir/tty";
    my $r = run({ command => built('pty') }, "$dir/tty", $fds, $columns,
        sockt(), 'http-get', @args, "$s->{url}/x");
    $r->{tty} = slurp("$dir/tty");
    return $r;
}

my $evil = "\e]0;title\a\x9b2J\xc2\x9b2J\x7f\1\xe2\x82\xac\tx\n";
my $safe = '\x1b]0;title\x07\x9b2J\xc2\x9b2J\x7f\x01' . "\xe2\x82\xac\tx\r\n";
my $page = answer('200 OK', $evil, "X-Evil: a\e[31mb\xc2\x9bc");

my $escaped = qr/X-Evil: a\\x1b\[31mb\\xc2\\x9bc\r+\n/;
my $raw = qr/X-Evil: a\e\[31mb\xc2\x9bc\r+\n/;
my $r = on_terminal('2', 80, $page);
like $r->{tty}, $escaped, 'the header is escaped on a terminal';
is $r->{out}, $evil, 'the body is not where stdout is none';
is on_terminal('1', 80, $page, '-q')->{tty}, $safe,
    'the body is escaped on a terminal';
like on_terminal('1', 80, $page, '-q', '-i')->{tty}, $escaped, 'with -i both are';
$r = on_terminal('12', 80, $page, '--raw');
like $r->{tty}, $raw, '--raw: the header is not';
like $r->{tty}, qr/\e\]0;title\a\x9b2J/, '--raw: nor the body';
like get($page, '/')->{err}, $raw, 'nor what is no terminal';

# What is no text filled the terminal with escapes.
my $binary = answer('200 OK', "ELF\0\1\2");
for my $row ([2, '-q'], [2, '-q', '-i'], [0, '-q', '--raw'], [0, '-q', '-o', "$dir/binary"]) {
    my ($status, @options) = @$row;
    $r = on_terminal('1', 80, $binary, @options);
    exits $r, $status, "a body with a NUL, @options: status $status",
        $status ? (err => qr/the body is binary: .*-o.*--raw/) : ();
    unlike $r->{tty}, qr/ELF/, '  and it is not shown' if $status;
}

# Cut between the bytes of a character.
$r = on_terminal('1', 80, sub {
    my ($c) = @_;
    syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";
    for my $byte (split //, "\xc2\x9b\xe2\x82\xac\r\n\xe2") {
        syswrite $c, $byte;
        select undef, undef, undef, 0.005;
    }
}, '-q');
is $r->{tty}, "\\xc2\\x9b\xe2\x82\xac\r\r\n\\xe2", 'cut anywhere';

# Progress. Each piece is sent when the one before is on the terminal; without
# shown, where nothing of it is to be seen, after a while.
sub slowly {
    my ($length, $pieces, $shown) = @_;
    return sub {
        my ($c) = @_;
        my $head = "HTTP/1.1 200 OK\r\n";
        $head .= "Content-Length: $length\r\n" if defined $length;
        syswrite $c, "$head\r\n";
        for my $n (1 .. $pieces) {
            syswrite $c, 'x' x 1024;
            for (1 .. ($shown ? 500 : 15)) {
                last if $shown && -e "$dir/tty"
                    && slurp("$dir/tty") =~ /\b$n\.0 KiB/;
                select undef, undef, undef, 0.02;
            }
        }
    };
}
$r = on_terminal('2', 80, slowly(4096, 4, 1), '-o', "$dir/a");
is $r->{status}, 0, 'progress: exit status';
like $r->{tty}, qr/\r\[#{6,8}-{20,}\] 1\.0 KiB of 4\.0 KiB \(25%\), \S+ \w+\/s, \d+ s left/,
    'bar, percentage, bytes, rate, time left';
# A long path breaks the line.
like $r->{tty} =~ s/\r?\n    / /r, qr{\r\e\[K\rsockt http-get: \Q$dir\E/a: 4\.0 KiB in \S+ m?s,\s+\S+\s+\S+/s\r\n\z},
    'a clean last line';
my ($took, $unit, $rate, $prefix) = $r->{tty} =~ m{in\s+(\S+)\s+(m?s),\s+(\S+)\s+(\w*)B/s\r\n\z};
$took /= 1000 if $unit eq 'ms';
$rate *= 1024 if $prefix eq 'Ki';
cmp_ok abs($took * $rate - 4096), '<', 400, '  with the rate';
is $r->{out}, '', 'nothing of it on stdout';

for my $case ([3 << 20, qr/\d+ min/], [1 << 30, qr/\d+\.\d h/]) {
    my ($length, $left) = @$case;
    $r = on_terminal('2', 80, slowly($length, 1, 1), '-o', "$dir/$length");
    exits { %$r, out => $r->{tty} }, 9, "$length bytes take $left, and do not all arrive",
        out => qr/\(0%\), \S+ \w+\/s, $left left/;
}
like on_terminal('2', 80, slowly(undef, 2, 1), '-o', "$dir/b")->{tty},
    qr/\rreceived 1\.0 KiB, \S+ \w+\/s\e\[K/, 'unknown total';
# As wide as the terminal, which has no bar and cuts the line where it is narrow.
my %text = (
    20  => qr/^\d\.0 KiB of 4\.0 KiB $/,
    40  => qr/^\d\.0 KiB of 4\.0 KiB \(\d+%\), \S+ \w+\/s, \d/,
    60  => qr/^\[[#-]{4,}\] \d\.0 KiB of 4\.0 KiB \(\d+%\), \S+ \w+\/s/,
    200 => qr/^\[[#-]{140,}\] \d\.0 KiB of 4\.0 KiB \(\d+%\), \S+ \w+\/s, \d+ s left$/,
    10  => qr/^\d\.0 KiB o$/,
);
for my $columns (sort { $a <=> $b } keys %text) {
    $r = on_terminal('2', $columns, slowly(4096, 4, 1), '-o', "$dir/c$columns");
    my @live = $r->{tty} =~ /l\r([^\r\e]+)\e/g;
    cmp_ok scalar @live, '>', 0, "$columns columns: there is a line";
    like $live[0], $text{$columns}, '  which has what there is space for';
    is scalar(grep { length $_ >= $columns } @live), 0, '  and is not wider';
    cmp_ok length $live[0], '>=', $columns - 1, '  nor narrower';
}

# Data on the same terminal.
like on_terminal('12', 80, slowly(3072, 3), '-P')->{tty},
    qr/\nx{3072}\r?\nsockt http-get: stdout: 3\.0 KiB in /,
    'no line in the middle of a line of data';
unlike on_terminal('12', 80, slowly(2048, 2))->{tty}, qr/KiB/,
    'none when the body goes to a terminal';
like on_terminal('2', 80, slowly(2048, 2, 1))->{tty}, qr/1\.0 KiB of 2\.0 KiB/,
    'when stdout is redirected';
unlike on_terminal('2', 80, answer('200 OK', 'short'))->{tty}, qr/5 B in/,
    'no line about a short one';
like on_terminal('2', 80, slowly(2048, 2, 1), '-q', '-P', '-o', "$dir/qp")->{tty},
    qr/1\.0 KiB of 2\.0 KiB/, '-P shows it with -q';
like slurp("$dir/tty"), qr{/qp: 2\.0 KiB in }, '  and its last line';
is on_terminal('2', 80, slowly(2048, 2), '-q', '-o', "$dir/d")->{tty}, '', 'none with -q';
exits get(slowly(2048, 2), '/', '-P', '-o', "$dir/e"), 0,
    'none where stderr is no terminal, but -P has its total',
    err => qr{^sockt http-get: \Q$dir\E/e: 2\.0 KiB in }m, no_err => qr/KiB of|\r\[/;

# A resized window.
unlink "$dir/tty";
my $p = start({ command => built('pty') }, "$dir/tty", '2', '80,65', sockt(),
    'http-get', '-o', "$dir/f", http_server(slowly(10_240, 10))->{url} . '/');
my $until = time + 30;
select undef, undef, undef, 0.02
    until (-e "$dir/tty" && slurp("$dir/tty") =~ /KiB of/) || time > $until;
$p->signal('USR1');
$r = $p->finish;
my @live = slurp("$dir/tty") =~ /\r(\[[#-]+\][^\r\e]*)/g;
is length $live[0], 79, 'before the resize';
is length $live[-1], 64, 'after it';
# The cursor is at the beginning of the line: what a terminal that wraps it now
# has below is erased once.
my @erased = slurp("$dir/tty") =~ /\e\[([JK])/g;
is scalar(grep { $_ eq 'J' } @erased), 1, 'nothing is left of the longer line';

done_testing;
