# connect --ucspi -- PROG: descriptors 6 and 7 are the connection, and stdin and
# stdout are sockt's, as tcpclient(1) has it.
use Sockt;

my $l = tcp_listener();
my $port = $l->sockport;
my @to = ('127.0.0.1', $port);

# A server that answers one line.
sub server {
    return peer($l, sub {
        my ($c) = @_;
        my $line = <$c> // '';
        print $c "answer to $line";
    });
}

for my $how (['--', 'sh', '-c'], ['-e']) {
    my $pid = server();
    my $script = 'read mine; echo "$mine" >&7; read theirs <&6;'
        . ' echo "$theirs to $TCPREMOTEPORT by $PROTO"; exit 5';
    my $r = run({ stdin => "question\n" }, 'connect', '--ucspi',
        $how->[0] eq '-e' ? ('-e', $script, @to) : (@to, @$how, $script));
    is "$r->{status} $r->{out}", "5 answer to question to $port by TCP\n",
        "@$how: 6 is read, 7 is written, 0 and 1 are sockt's";
    reap($pid);
}

SKIP: {
    skip 'no proc(5)', 2 unless -e '/proc/self/fd';
    # Descriptors that whoever started sockt has left open do not get through.
    my $pid = server();
    my $r = run({ command => 'sh' }, '-c', 'exec 5</dev/null 6</dev/null
        exec "$@" 5<&- </dev/null', 'sh', sockt(), 'connect', '--ucspi', @to,
        '--', 'sh', '-c', 'ls -l /proc/self/fd >&1; echo >&7');
    is join(' ', grep { $_ ne 3 } $r->{out} =~ / (\d+) -> /g), '0 1 2 6 7',
        'it has 0, 1, 2, 6 and 7';
    is scalar(() = $r->{out} =~ / [67] -> socket:/g), 2, 'these two a socket';
    reap($pid);
}

my $r = run('connect', '--ucspi', @to);
is $r->{status}, 2, 'without a program it is refused';
like $r->{err}, qr/--ucspi needs a program/, 'told';
$r = run('connect', '--ucspi', '-z', @to, '--', 'true');
is $r->{status}, 2, 'with -z too';
like $r->{err}, qr/--ucspi and --zero cannot be used together/, 'told';

done_testing;
