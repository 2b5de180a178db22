# No data of the peer makes an --expect take long: neither a limit nor a signal
# is held up, and what matches at last is found at once.
use Sockt;

my $l = tcp_listener();

# A long line for each of these patterns, in pieces: regexec(3) takes seconds
# for each piece.
my @slow = ('[a-z]+ OK', 'a.*b', '^(a|aa)*b$', 'a{1,50}c');

sub expecting {
    my ($pattern, @options) = @_;
    my $p = start({ stdout => do { open my $f, '>', '/dev/null'; $f } },
        'connect', '--done', @options, '--expect', $pattern, '127.0.0.1',
        $l->sockport);
    my $c = $l->accept;
    $c->autoflush(1);
    return ($p, $c);
}

sub drip {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    for (1 .. 256) {
        print $c 'a' x 512 or last;
        select undef, undef, undef, 0.001;
    }
}

for my $pattern (@slow) {
    my ($p, $c) = expecting($pattern, '-m', '1');
    drip($c);
    my $r = $p->finish(10);
    is $r->{status}, 5, "$pattern: --max-time ends it";
    cmp_ok $r->{seconds}, '<', 3, 'in time';
}

# A line that never ends, as fast as it is received.
sub flood {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    1 while syswrite $c, 'a' x 65536;
}

for my $limit (['-m', 1, 5], ['--expect-timeout', 1, 9]) {
    my ($option, $seconds, $status) = @$limit;
    my ($p, $c) = expecting($slow[0], $option, $seconds);
    my $pid = Sockt::fork_child(sub { flood($c) });
    close $c;
    my $r = $p->finish(10);
    is $r->{status}, $status, "an endless line: $option ends it";
    cmp_ok $r->{seconds}, '<', 4, 'in time';
    reap($pid);
}

my ($p, $c) = expecting($slow[0]);
drip($c);
$p->signal('TERM');
is $p->finish(4)->{signal}, 15, 'a signal ends it';

($p, $c) = expecting($slow[0]);
drip($c);
print $c "\nok OK";
is $p->finish(4)->{status}, 0, 'the match is found';

done_testing;
