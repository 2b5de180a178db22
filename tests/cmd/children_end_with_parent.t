# Whatever ends sockt, its children end too: a process that looks a name up,
# where the name server is silent, and those of connections when the server is
# killed.
use Sockt;

plan skip_all => 'needs /proc' unless -e '/proc/self/stat';
my $names = built('sockt-names');
plan skip_all => "$names is not built" unless -x $names;
my $follows = run('--version')->{out} =~ /linux/;

# A zombie that nobody has reaped is no process that stays.
sub is_gone {
    my ($pid) = @_;
    for (1 .. 1000) {
        open my $f, '<', "/proc/$pid/stat" or return 1;
        return 1 if (<$f> // '') =~ /^\d+ .*\) [ZX] /;
        select undef, undef, undef, 0.005;
    }
    return 0;
}

for my $case (
    [ 'listen', 'silent.test', 0 ],
    [ 'listen', '-k', '--echo', 'silent.test', 0 ],
    [ 'serve-hello', 'silent.test', 0 ],
    [ 'udp-serve', 'silent.test', 0 ],
    [ 'connect', 'silent.test', 1 ],
) {
    for my $signal (qw(TERM INT HUP), $follows ? 'KILL' : ()) {
        my $p = start({ command => $names, keep_stdin => 1,
            env => { SOCKT_TEST_NAMES => 'silent.test=hang' } }, @$case);
        my $child = await_child($p->{pid});
        ok $child, "@$case: a process looks the name up";
        my $r = $p->stop($signal);
        ok is_gone($child), "and ends with it, by $signal";
        is $r->{err}, '', 'in silence';
    }
}

SKIP: {
    skip 'this system does not tell children', 1 unless $follows;
    for my $case (
        [ 'listen', '-k', '--echo', 0 ],
        [ 'serve-hello', 0 ],
        [ 'listen', '-k', 0, '--', 'cat' ],
        [ 'listen', 0, '--', 'cat' ],
    ) {
        my $p = start(@$case);
        my $c = tcp_client($p->port);
        syswrite $c, "x\n";
        sysread $c, my $answer, 1;
        my $child = await_child($p->{pid});
        ok $child, "@$case: a process serves";
        $p->stop('KILL');
        ok is_gone($child), 'and ends when the server is killed';
    }
}

done_testing;
