# The steps of -vv: in order, with the result and the meaning of each, at both
# ends of a TCP connection.
use Sockt;

# The steps of a run, without times and numbers that differ: "call subject:
# result". Queries, which are made as often as needed, are left out, and what
# only some kernels support.
sub steps {
    my ($err) = @_;
    my @steps;
    for my $line (split /\n/, $err) {
        next unless $line =~ s/^sockt [\w-]+: ((\w+) .*?: .*?)(?:, [\d.]+ m?s)? \(.*\)$/$1/;
        next if $line =~ /^(?:getsockopt|ioctl|tcp|confine) /;
        $line =~ s/port \d+/port N/g;
        $line =~ s/ \(fd \d+\)//g;
        $line =~ s/= \d+: ok$/= N: ok/;
        $line =~ s/process \d+/process N/;
        $line =~ s/of at most \d+/of at most N/;
        $line =~ s/backlog .*?:/backlog N:/;
        push @steps, $line;
    }
    return @steps;
}

my $s = start({ stdin => '' }, 'listen', '-vv', '-4', '--echo', 0);
my $r = run({ stdin => "hello\n" }, 'connect', '-vv', '127.0.0.1', $s->port);
my $rs = $s->finish;
is_deeply [ steps($r->{err}) ], [
    'socket AF_INET SOCK_STREAM (IPv4 TCP) = N: ok',
    'connect the socket to 127.0.0.1 port N: waiting',
    'connect the socket to 127.0.0.1 port N: ok',
    'getsockname of the connection: 127.0.0.1 port N',
    'setsockopt SO_LINGER = on, 0 s on the connection: ok',
    'send on the connection: 6 bytes',
    'shutdown SHUT_WR of the connection: ok',
    'recv from the connection: 6 bytes of at most N',
    'recv from the connection: 0 bytes of at most N',
    'setsockopt SO_LINGER = off on the connection: ok',
    'close the connection: ok',
], 'the steps of a client';
my @steps = steps($rs->{err});
# Two processes print.
my @parent = ('fork process N serves the connection: ok',
    'close the connection: ok');
is_deeply [ @steps[0 .. 7] ], [
    'socket AF_INET SOCK_STREAM (IPv4 TCP) = N: ok',
    'setsockopt SO_REUSEADDR = 1 on the socket: ok',
    'bind the socket to 127.0.0.1 port N: ok',
    'listen on the socket, backlog N: ok',
    'getsockname of the listening socket: 127.0.0.1 port N',
    'accept on the listening socket: waiting',
    'accept on the listening socket from 127.0.0.1 port N = N: ok',
    'getsockname of the connection: 127.0.0.1 port N',
], 'the steps of a server';
is $steps[8], 'close the listening socket: ok', 'it closes the listening one';
like $rs->{err}, qr/close the listening .*\(no more .*: -k was not given\)/,
    'and says why';
ok scalar(grep({ $_ eq $parent[0] } @steps)), 'the fork is a step';
is join(', ', grep { /^(?:recv|send|shutdown)/ } @steps),
    'recv from the connection: 6 bytes of at most N, '
    . 'send on the connection: 6 bytes, '
    . 'recv from the connection: 0 bytes of at most N', 'the child serves';
like $r->{err}, qr/: tcp of the connection .* round trip [\d.]+ ms, 0 of \d+ /,
    'the end of a connection: round trip and retransmissions'
    if run('--version')->{out} !~ /posix/;

# Failures have notes of their own.
my $port = free_port();
like run('connect', '-vv', '127.0.0.1', $port)->{err},
    qr/port $port: FAILED refused, .*\(the peer answered with RST/, 'refused';
my $l = tcp_listener();
like run('listen', '-vv', '127.0.0.1', $l->sockport)->{err},
    qr/bind .*: FAILED address in use, \S+ ms \(another socket holds/,
    'a port in use';
like run('listen', '-vv', '192.0.2.1', 0)->{err},
    qr/bind .*: FAILED .*\(that address is not one of this machine's\)/,
    'a foreign address';

# A peer that does not read.
my $p = start({ stdin => 'x' x 400_000 }, 'connect', '-vv', '--sndbuf', '8k',
    '127.0.0.1', $l->sockport);
my $c = $l->accept;
$p->expect(err => qr/(?:send|splice)[ ]on[ ].*:
    [ ](?:would[ ]block|accepted[ ]\d+[ ]of[ ]\d+[ ]bytes),
    .*the[ ]peer[ ]does[ ]not[ ]read/x);
pass 'a send that would block says why';
$p->stop;

# Equal steps are counted.
$s = start('listen', '-vv', '-4', '--discard', 0);
$r = run({ stdin => 'x' x 8_000_000 }, 'connect', '-vv', '127.0.0.1', $s->port);
$rs = $s->finish;
for my $err ($r->{err}, $rs->{err}) {
    cmp_ok scalar(() = $err =~ /\n/g), '<', 300, 'equal steps are counted';
    like $err, qr/: \d+ more times, \d+ bytes, /, 'with their bytes';
}

done_testing;
