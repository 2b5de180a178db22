# -P: bytes and rate on the terminal, the part that is done where stdin is a
# file, and nothing left of it at the end.
use Sockt;

my $dir = scratch();
my $file = spew("$dir/in", 'x' x 20_000_000);
my $pty = built('pty');

# A peer that begins to read when the terminal shows something.
my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    syswrite $c, 'a line';
    for (1 .. 1000) {
        last if -e "$dir/tty" && slurp("$dir/tty") =~ /sent/;
        select undef, undef, undef, 0.01;
    }
    1 while sysread $c, my $got, 1 << 20;
});
open my $in, '<', $file or die;
my @to = ('127.0.0.1', $l->sockport);
exits run({ command => $pty, stdin => $in }, "$dir/tty", 2, 100, sockt(),
    'connect', '-P', @to), '0 a line', 'stdout has data only';
my $shown = slurp("$dir/tty");
like $shown, qr/\r\[[#-]+\] sent [\d.]+ [KM]iB of 19\.1 MiB \(\d+%\), [\d.]+ [KMG]?i?B\/s, \d+ s left; received 6 B, [\d.]+ [KM]?i?B\/s\e\[K/,
    'bar, bytes, part, rate, time left, both directions';
my $rate = qr{\([\d.]+ [KMG]?i?B/s\)};
like $shown, qr/\r\e\[K\rsockt connect: sent 19\.1 MiB $rate, received 6 B $rate in [\d.]+ m?s\r?\n\z/,
    'and nothing is left of it but the total, with its rates';
reap($pid);

$pid = peer($l, sub { 1 while sysread $_[0], my $got, 1 << 20 }, 2);
exits run({ stdin => 'x' }, 'connect', '-P', @to), 0,
    'only the total where stderr is no terminal',
    err => qr/\Asockt connect: sent 1 B(?: $rate)?, received 0 B in \N+\n\z/;
exits run({ stdin => 'x' }, 'connect', '-P', '--json', @to), 0,
    'with --json the events say it', no_err => qr/^sockt|^sent/m;
reap($pid);

# Data on the same terminal: the line makes room for it, and does not appear
# after data that does not end its line.
unlink "$dir/tty";
$pid = peer($l, sub {
    my ($c) = @_;
    my $lines = sub { my $n = () = slurp("$dir/tty") =~ /sent/g; return $n };
    for my $data ("one\n", "two\n", 'three') {
        my $before = -e "$dir/tty" ? $lines->() : 0;
        for (1 .. 500) {
            last if -e "$dir/tty" && $lines->() > $before;
            select undef, undef, undef, 0.01;
        }
        syswrite $c, $data;
    }
    # Longer than the time between two updates.
    select undef, undef, undef, 0.5;
});
open $in, '<', '/dev/null' or die;
run({ command => $pty, stdin => $in }, "$dir/tty", '12', 100, sockt(), 'connect',
    '-P', @to);
my $seen = slurp("$dir/tty");
like $seen, qr/\r\e\[K\rone\r\n/, 'the line is removed before data';
like $seen, qr/one\r\n\e\[\?7l\rsent 0 B\N+\r\e\[K\rtwo\r\n/, 'and drawn after it';
like $seen, qr/\rthree\r\nsockt connect: sent 0 B, received 13 B/,
    'but not in the middle of a line; the total begins a line';
reap($pid);

# The user's terminal is for typing.
unlink "$dir/tty";
pipe my $typed, my $types or die;
$pid = peer($l, sub {
    my ($c) = @_;
    sysread $c, my $got, 100;
    select undef, undef, undef, 0.5;
    syswrite $c, 'bye';
});
syswrite $types, "hello\n";
run({ command => $pty, stdin => $typed }, "$dir/tty", '02', 100, sockt(), 'connect',
    '-P', @to);
close $types;
like slurp("$dir/tty"), qr/\A(?:hello\r?\n)?sockt connect: sent 6 B\N* received 3 B\N+\n\z/,
    'where stdin is a terminal there is only the total';
reap($pid);

# Each connection of a server has its total.
my $s = start({ stdin => '' }, 'listen', '-kP', '127.0.0.1', 0);
for my $data ('a', 'bcd') {
    my $c = tcp_client($s->port);
    print $c $data;
    shutdown $c, 1;
    my $n = length $data;
    $s->expect('err', qr/received $n B/);
}
exits $s->stop, '0 abcd', 'listen -k: one total for each connection, which it names',
    err => qr/^sockt listen: 127\.0\.0\.1 port \d+: sent 0 B, received 1 B\b\N+\n\N+ received 3 B\b/m;

# -q does not hide what -P asks for.
exits run('listen', '-q', '-P', '--accept-timeout', 1, 0), 5, 'listen takes -q -P';
$s = tcp_listener();
exits run({ stdin => 'x' }, 'connect', '-q', '-P', '--send-only', '127.0.0.1', $s->sockport), 0,
    'connect -q -P: its last line', err => qr/\Asockt connect: sent 1 B\N+\n\z/;

# The live line on terminals that know no escape sequences, and on narrow ones:
# it was taken for 80 columns wide and scrolled.
# What a terminal of that kind and width shows of a transfer's progress.
sub shown {
    my ($term, $columns) = @_;
    my $tty = "$dir/$term-$columns";
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
    exits run({ command => $pty, stdin => '', env => { TERM => $term } }, $tty, 2,
        $columns, sockt(), 'connect', '-P', @to), 0, "TERM=$term, $columns columns";
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

# A job in the background drew its line over the prompt.
my $log = spew("$dir/background", '');
my $silent = tcp_listener();
run({ command => $pty, stdin => '' }, $log, '012', 80, 'sh', '-c',
    'set -m; "$0" connect -P --recv-only -m 1 127.0.0.1 "$1" & wait $!', sockt(),
    $silent->sockport);
unlike slurp($log), qr{/s; received}, 'a job in the background draws no live line';
like slurp($log), qr/sent 0 B, received 0 B in/, '  but its last line';

done_testing;
