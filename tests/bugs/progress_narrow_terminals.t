# The live line on terminals that know no escape sequences, and on narrow ones:
# it was taken for 80 columns wide and scrolled.
use Sockt;

my $dir = scratch();
my $pty = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/pty';

# What a terminal of that kind and width shows of a transfer's progress.
sub shown {
    my ($term, $columns) = @_;
    my $tty = "$dir/$term-$columns";
    my $l   = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        # Until the line has been drawn, or would have been.
        for (1 .. 40) {
            syswrite $c, 'x';
            my $n = -e $tty ? () = slurp($tty) =~ /\r/g : 0;
            last if $n > 1;
            select undef, undef, undef, 0.02;
        }
    });
    my $r = run({ command => $pty, stdin => '', env => { TERM => $term } },
        $tty, 2, $columns, sockt(), 'connect', '-P', '127.0.0.1', $l->sockport);
    is $r->{status}, 0, "TERM=$term, $columns columns";
    reap($pid);
    return slurp($tty);
}

my $total = qr/sockt connect: sent 0 B, received \d+ B.*? in .*?\r?\n/;
my $text = shown('dumb', 100);
unlike $text, qr/\e/, '  no escape sequences';
like $text, qr/\rsent 0 B, 0 B\/s; received /, '  a line';
like $text, qr/\r +\r$total\z/, '  and only the total is left of it';
like shown('xterm', 100), qr/\e\[K\r$total\z/, '  an escape sequence';

for my $columns (2, 8) {
    for my $term ('dumb', 'xterm') {
        my @lines = split /\r/, shown($term, $columns)
            =~ s/$total\z//r =~ s/\e\[(?:K|\?7[lh])//gr;
        is scalar(grep { length $_ >= $columns } @lines), 0,
            '  no line is as wide as the terminal';
        is scalar(grep { /^[sr]/ } @lines) > 0, 1, '  it is shown';
    }
}
like shown('xterm', 1), qr{^$total\z}, '  where there is no space nothing is shown';

done_testing;
