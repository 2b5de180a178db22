# A scanner or a health check resets its connection before it has sent
# anything: for a server that goes on that is a line at -v, not an error. A
# connection that had begun to talk, and the one of listen without -k, are
# lost.
use Sockt;
use Socket qw(SOL_SOCKET SO_LINGER);

# Connects, may send, waits for an answer of that length, resets.
sub probe {
    my ($port, $text, $length) = @_;
    my $c = tcp_client($port);
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    syswrite $c, $text if length $text;
    sysread $c, my $got, $length if $length;
    close $c;
}

# The portable build cannot know which side of a forwarder was reset.
my $is_portable = run('--version')->{out} =~ /posix/;

my $target = tcp_listener();
my $to = '127.0.0.1:' . $target->sockport;
for my $case (
    [ 'serve-hello', 8, 'serve-hello' ],
    [ 'listen -k --echo', 0, 'listen', '-k', '--echo' ],
    [ 'listen -k --discard', 0, 'listen', '-k', '--discard' ],
    [ 'listen -k --to', 0, 'listen', '-k', '--to', $to ],
    [ 'listen -k', 0, 'listen', '-k' ],
) {
    my ($name, $greeting, @command) = @$case;
    next if $is_portable && $name =~ /--to/;
    my $p = start({ keep_stdin => 1 }, @command, '-v', 0);
    probe($p->port, '', $greeting);
    $p->expect(err => qr/closed .*reset by the peer, status 10\n/);
    exits $p->stop, 0, "$name goes on after a probe, says so at -v",
        err => qr/: the connection was reset before anything was received/,
        no_err => qr/lost/;

    $p = start({ keep_stdin => 1 }, @command, '--json', 0);
    probe($p->port, '', $greeting);
    $p->expect(err => qr/"closed".*"status":10/);
    unlike $p->stop->{err}, qr/"error"/, 'with --json neither';
}

my $p = start('listen', '-k', '-q', '--echo', '--json', 0);
my $port = $p->port;
probe($port, 'x', 1);
$p->expect(err => qr/"error".*lost after 1 byte sent and 1 received/);
$p->stop;

# The one connection of listen: it was not served.
for my $handler ([], ['--echo']) {
    $p = start({ keep_stdin => 1 }, 'listen', @$handler, 0);
    probe($p->port, '', 0);
    exits $p->finish, 10, "listen @$handler, one connection",
        err => qr/lost after 0 bytes/;
}

done_testing;
