# -P: bytes and rate on the terminal, the part that is done where stdin is a
# file, and nothing left of it at the end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Test::More;

my $dir = scratch();
my $file = spew("$dir/in", 'x' x 20_000_000);
my $pty = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/pty';

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
my $r = run({ command => $pty, stdin => $in }, "$dir/tty", 2, 100, sockt(),
    'connect', '-P', '127.0.0.1', $l->sockport);
is $r->{status}, 0, 'exit status';
my $shown = slurp("$dir/tty");
like $shown, qr/\rsent [\d.]+ [KM]iB of 19\.1 MiB \(\d+%\), [\d.]+ [KMG]?i?B\/s, \d+ s left; received 6 B, [\d.]+ [KM]?i?B\/s\e\[K/,
    'bytes, part, rate, time left, both directions';
like $shown, qr/\r\e\[K(?:sockt connect: sent 19\.1 MiB, received 6 B in [\d.]+ m?s\r?\n)\z/, 'and nothing is left of it';
is $r->{out}, 'a line', 'stdout has data only';
reap($pid);

peer($l, sub { my ($c) = @_; 1 while sysread $c, my $got, 1 << 20 });
$r = run({ stdin => 'x' }, 'connect', '-P', '127.0.0.1', $l->sockport);
is $r->{err}, '', 'nothing where stderr is no terminal';
is run('connect', '-P', '-q', '127.0.0.1', 1)->{status}, 2,
    '-P and -q contradict one another';

done_testing;
