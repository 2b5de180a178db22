# --retry-for waits for a name too, -w holds for its look-up, and --targets
# from something that never says anything ends with -m or a signal.
use Sockt;
use POSIX qw(mkfifo);

my $dir = scratch();
my $l = tcp_listener();
my $port = $l->sockport;

sub named {
    my ($names) = @_;
    return { env => { SOCKT_TEST_NAMES => $names },
        command => "$ENV{SOCKT_BUILD}/tests/sockt-names" };
}

my $r = run(named('x=127.0.0.1'), 'portscan', '-q', '--retry-for', '400ms',
    'nobody', $port);
is $r->{status}, 3, 'a name that never appears: status 3';
cmp_ok $r->{seconds}, '>=', 0.4, '  not before --retry-for has passed';
$r = run(named('x=127.0.0.1'), 'portscan', '--retry-for', '200ms',
    'nobody', $port);
like $r->{err}, qr/^sockt portscan: nobody: .*; trying again$/m,
    '  told once while it is waited for';

$r = run(named('slow=hang'), 'portscan', '-w', '300ms', 'slow', $port);
is $r->{status}, 5, '-w holds for the look-up of a name';
cmp_ok $r->{seconds}, '<', 5, '  which ends then';

mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
for my $option ('--targets', '--ports-file') {
    my @operands = $option eq '--targets' ? '80' : '127.0.0.1';
    $r = run('portscan', '-m', '300ms', $option, "$dir/fifo", @operands);
    is $r->{status}, 5, "$option FIFO: -m holds while nobody writes to it";
    pipe my $in, my $out or die "pipe: $!";
    $r = run({ stdin => $in }, 'portscan', '-m', '300ms', $option, '-',
        @operands);
    is $r->{status}, 5, "$option -: -m holds while nothing comes";
}
done_testing;
