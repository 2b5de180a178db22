# connect -z beside wait-for-it, and connect --ucspi with the programs of
# ucspi-tcp: what a script sees is the same.
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

# The same program under tcpclient and under connect --ucspi. Nobody else has
# connected to this listener.
$l = tcp_listener();
@open = ('127.0.0.1', $l->sockport);
sub server {
    return peer($l, sub {
        my ($c) = @_;
        $c->autoflush(1);
        print $c 'you said: ' . <$c> for 1 .. 2;
    }, 2);
}
my %ucspi = (
    'tcpclient' => sub { ({ command => 'tcpclient', keep_stdin => 1 },
        '-HRl0', @open, @_) },
    'sockt' => sub { ({ keep_stdin => 1 }, 'connect', '--ucspi', @open, '--',
        @_) },
);
my $pid = server();
for my $who (sort keys %ucspi) {
    my $p = start($ucspi{$who}->('mconnect-io'));
    for my $word (qw(one two)) {
        $p->send_line("$word\n");
        ok $p->expect(out => qr/you said: $word\r?\n/),
            "mconnect-io under $who: $word";
    }
    is $p->finish->{status}, 0, '  and its end';
}
reap($pid);
my %env;
for my $who (sort keys %ucspi) {
    my $server = peer($l, sub { });
    my $r = run($ucspi{$who}->('sh', '-c', 'env | grep -E "^(PROTO|TCP)"'));
    $env{$who} = join ' ', sort map { s/(LOCALPORT=)\d+/$1N/r }
        grep { !/HOST=|INFO=/ } split /\n/, $r->{out};
    reap($server);
}
is $env{sockt}, $env{tcpclient}, 'and the same environment';

done_testing;
