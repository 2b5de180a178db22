# Limits of a scan: rate, time, descriptors, and an end by a signal.
use Sockt;

my $l = tcp_listener();
my $open = $l->sockport;

my $r = run('portscan', '-v', '--rate', '500', '127.0.0.1', "1-400,$open");
cmp_ok $r->{seconds}, '>=', 0.76, '--rate 500: 401 ports take 0.8 s';
like $r->{err}, qr/401 probes/, '  each of them is asked once';

$r = run('portscan', '-m', '300ms', '--rate', '10', '127.0.0.1', "$open,1-99");
is $r->{status}, 5, '-m: the end of the run is status 5';
like $r->{out}, qr/^partial: \d+ of 100 ports were not decided$/m,
    '  what is known is printed, and that it is partial';

my $p = start('portscan', '--json', '--rate', '20', '--order', 'ascending',
    '127.0.0.1', "$open,60000-60099") ;
$p->expect(out => qr/"port":$open\b/) if $open < 60000;
$p->signal('INT');
$r = $p->finish;
is $r->{signal}, 2, 'INT: it dies by the signal';
like $r->{out}, qr/"event":"summary".*"partial":true/,
    '  and says what it knows, and that it is partial';

# The limit of open files is raised as far as it may be.
sub at_once {
    my ($limits) = @_;
    run({ command => '/bin/sh' }, '-c',
        "$limits; exec \"\$0\" portscan --dry-run 127.0.0.1 1", sockt())->{out}
        =~ /up to (\d+) at once/;
    return $1;
}
cmp_ok at_once('ulimit -S -n 100'), '>', 200, 'a soft limit is raised';
is at_once('ulimit -S -n 100; ulimit -H -n 200'), 200 - 24, 'up to the hard one';

# With next to no descriptors it is slow, and right.
$r = run({ command => '/bin/sh' }, '-c',
    "ulimit -n 40; exec \"\$0\" portscan -n 127.0.0.1 1-3000,$open", sockt());
is $r->{status}, 0, '40 descriptors are enough';
like $r->{out}, qr{^$open/tcp +open$}m, '  to find what is open';
my ($hidden) = $r->{out} =~ /(\d+) closed/;
my $rows = () = $r->{out} =~ /^\d+\/tcp/mg;
is $hidden + $rows, 3000 + ($open > 3000), '  and to decide everything';
unlike $r->{out}, qr/unknown/, '  a local failure never becomes a state';

is run('portscan', '-w', '0', '127.0.0.1', '1')->{status}, 2,
    '-w 0 is refused';

# On a terminal a live line shows how far it is.
SKIP: {
    skip 'no terminals here', 2 unless -e '/dev/ptmx';
    my $dir = scratch();
    $r = run({ command => "$ENV{SOCKT_BUILD}/tests/pty" }, "$dir/tty", '2',
        '80', sockt(), 'portscan', '-n', '--rate', '100', '127.0.0.1',
        "$open,1-99");
    is $r->{status}, 0, 'on a terminal: status 0';
    like slurp("$dir/tty"), qr/\d+ of 100 ports \(\d+%\), \d open, \d+ per second, \d+ s left/,
        '  a live line: done, open, rate, time left';
}

done_testing;
