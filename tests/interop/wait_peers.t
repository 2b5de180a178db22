# connect -z beside wait-for-it: what a script sees is the same.
use Sockt;

for my $peer (qw(wait-for-it tcpclient mconnect-io)) {
    ok scalar(grep { -x "$_/$peer" } split(/:/, $ENV{PATH}), '/usr/sbin'),
        "$peer is installed";
}

# Each as a command line for [host, port], seconds, and a program.
my %how = (
    'wait-for-it' => sub {
        my ($to, $seconds, @program) = @_;
        ({ command => 'wait-for-it', stdin => 'in' }, "$to->[0]:$to->[1]", '-q',
            '--strict', '-t', $seconds, '--', @program);
    },
    'sockt' => sub {
        my ($to, $seconds, @program) = @_;
        ({ stdin => 'in' }, 'connect', '-qz', '--retry-for', $seconds, @$to,
            '--', @program);
    },
);
my $l = tcp_listener();
my @open = ('127.0.0.1', $l->sockport);
for my $who (sort keys %how) {
    my $r = run($how{$who}->(\@open, 5, 'sh', '-c', 'cat; exit 7'));
    is "$r->{status} $r->{out}", '7 in',
        "$who: the program has stdin and stdout, and its status counts";
    $r = run($how{$who}->(['127.0.0.1', free_port()], 1, 'echo', 'run'));
    is $r->{out}, '', "$who: nothing is run when the port stays closed";
    isnt $r->{status}, 0, '  and the status says so';
    my $port = free_port();
    my $p = start($how{$who}->(['127.0.0.1', $port], 20, 'echo', 'run'));
    select undef, undef, undef, 0.3;
    my $late = tcp_listener(port => $port);
    is $p->finish->{out}, "run\n", "$who: waits until it opens";
}

done_testing;
