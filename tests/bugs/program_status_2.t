# A program's exit status has the number of a usage error: it is passed on, and
# nothing is said about sockt's own usage.
use Sockt;

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case (
    [ @to, '--', 'sh', '-c', 'exit 2' ],
    [ '-e', 'exit 2', @to ],
    [ '-q', '-e', 'exit 2', @to ],
) {
    my $pid = peer($l, sub { });
    my $r = run('connect', @$case);
    is $r->{status}, 2, "connect @$case: status 2";
    is $r->{err}, '', 'in silence';
    reap($pid);
}
my $pid = peer($l, sub { });
my $r = run('connect', '--json', '-e', 'exit 2', @to);
is $r->{status}, 2, 'connect --json: status 2';
unlike $r->{err}, qr/^[^{]|"error"/m, 'and no error';
reap($pid);

for my $case ([ '-e', 'exit 2', 0 ], [ 0, '--', 'sh', '-c', 'exit 2' ]) {
    my $p = start('listen', @$case);
    my $c = tcp_client($p->port);
    1 while sysread $c, my $rest, 100;
    close $c;
    $r = $p->finish;
    is $r->{status}, 2, "listen @$case: status 2";
    unlike $r->{err}, qr/^(?!sockt listen: listening on )/m,
        'and nothing but the announcement';
}

# A usage error of ours is told as ever.
$r = run('connect', '--nonsense', @to);
is $r->{status}, 2, 'a usage error';
like $r->{err}, qr/\n.*try 'sockt connect --help'\n/, 'with its hint';

done_testing;
