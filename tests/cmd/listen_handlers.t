# listen gives connections to handlers, each in a process of its own.
use Sockt;

my $every = join '', map { chr } 0 .. 255;

my $p = start('listen', '-k', '--echo', 0);
my $port = $p->port;
is exchange($port, $every x 400), $every x 400, '--echo: every byte value';
is exchange($port, 'again'), 'again', 'and once more';
is $p->stop->{status}, 0, 'stopped';

$p = start('listen', '-k', '--discard', 0);
is exchange($p->port, $every x 400), '', '--discard says nothing';
is $p->stop->{status}, 0, 'stopped';

$p = start('listen', '-k', 0, '--', 'cat');
$port = $p->port;
is exchange($port, $every x 400), $every x 400, '-- cat';
is $p->stop->{status}, 0, 'stopped';

$p = start('listen', '-k', '-e',
    'echo $PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP; cat', 0);
$port = $p->port;
is exchange($port, 'x'), "TCP 127.0.0.1 $port 127.0.0.1\nx",
    '-e runs a shell with the UCSPI variables';
is $p->stop->{status}, 0, 'stopped';

# The last words of a program that left input unread are not lost to a reset.
$p = start('listen', '-k', 0, '--', 'echo', 'go away');
$port = $p->port;
my $whole = 0;
for (1 .. 20) {
    $whole++ if exchange($port, 'unread' x 5000) eq "go away\n";
}
is $whole, 20, 'the last words arrive although input was left unread';
$p->stop;

my $gone = scratch() . '/program';
spew("$gone", "#!/bin/sh\n");
chmod 0755, "$gone";
$p = start('listen', '-k', 0, '--', $gone);
$port = $p->port;
unlink $gone;
is exchange($port, ''), '', 'a program that has gone: closed';
$p->expect(err => qr{cannot run \S+/program: no such file});
is exchange($port, ''), '', 'and the server goes on';
is $p->stop->{status}, 0, 'stopped';

my $target = tcp_listener();
my $peer = peer($target, sub {
    my ($c) = @_;
    local $/;
    my $all = <$c>;
    print $c "target got $all";
}, 2);
$p = start('listen', '-k', '--to', '127.0.0.1:' . $target->sockport, 0);
$port = $p->port;
is exchange($port, 'one'), 'target got one', '--to: half-close passes through';
is exchange($port, 'two'), 'target got two', 'and the next one';
reap($peer);
close $target;
is exchange($port, 'three'), '', 'a target that is gone: the client is closed';
$p->expect(err => qr/forwarding to: 127\.0\.0\.1 port \d+: refused/);
is $p->stop->{status}, 0, 'stopped';

my $r = run('listen', '--to', 'nowhere', 0);
is $r->{status}, 2, '--to without a port is a usage error';
$r = run('listen', '--echo', '--discard', 0);
is $r->{status}, 2, 'two handlers are a usage error';
like $r->{err}, qr/--echo and --discard cannot be used together/, 'it says so';
$r = run('listen', '--echo', 0, '--', 'cat');
is $r->{status}, 2, 'a handler and a program too';

# Without -k the program's status is ours.
$p = start('listen', 0, '--', 'sh', '-c', 'exit 3');
tcp_client($p->port);
is $p->finish->{status}, 3, "one connection: the program's status";

done_testing;
