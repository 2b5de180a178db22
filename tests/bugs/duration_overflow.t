# A duration of centuries overflowed when it was turned into nanoseconds: "no
# limit" became "at once". What is too long is refused, and every duration that
# is taken can be waited for.
use Sockt;
use Source;

my $l   = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    print $c "late\n" if defined readline $c;
}, 100);
my @to = ('127.0.0.1', $l->sockport);

for my $long ('9999999999', '99999999999999999999h', '2207520001') {
    my $r = run('connect', '--idle-timeout', $long, @to);
    is $r->{status}, 2, "--idle-timeout $long is refused";
    like $r->{err}, qr/--idle-timeout: '$long' is too long/, '  as too long';
}
my $r = run({ stdin => "x\n" }, 'connect', '--idle-timeout', 613200 . 'h',
    '-m', 613200 . 'h', @to);
is "$r->{status} $r->{out}", "0 late\n", '70 years can be waited for';
kill 'KILL', $pid;

# Every option that takes a duration, of every command.
my @options = grep { $_->{kind} eq 'duration' } list_options();
cmp_ok scalar @options, '>', 20, 'there are options of that kind';
for my $o (@options) {
    my $name = "--$o->{name}";
    $r = run($o->{command}, $name, '9999999999', '127.0.0.1', 1);
    like $r->{err}, qr/$name: '9999999999' is too long/,
        "$o->{command} $name";
}

$r = run('connect', '-w', '.5', '-z', '127.0.0.1', free_port());
is $r->{status}, 4, 'half a second may be written as .5';

done_testing;
