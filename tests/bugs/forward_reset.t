# A forwarder passes a reset on as a reset, behind everything that came before
# it: an answer that was cut off must not look whole, nor an upload.
use Sockt;
use Socket qw(:all);

# Each connection counts here, so no other test's may come.
own_network();

sub reset_it {
    my ($c) = @_;
    setsockopt $c, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $c;
}

# What comes until the end, and how it ends.
sub read_out {
    my ($s) = @_;
    my $text = '';
    while (1) {
        my $n = sysread $s, $text, 65536, length $text;
        return ($text, $!{ECONNRESET} ? 'reset' : "$!") if !defined $n;
        return ($text, 'end') if $n == 0;
    }
}

my $l = tcp_listener();
alarm 2 * $Sockt::PATIENCE;

sub forwarder {
    my $p = start('listen', '-v', '-4', '0', '--to',
        '127.0.0.1:' . $l->sockport);
    my $client = tcp_client($p->port);
    return ($p, $client, scalar $l->accept);
}

my $big = join '', map { chr $_ % 251 } 1 .. 200_000;
my ($p, $client, $target) = forwarder();
print $target $big;
$target->flush;
SKIP: {
    skip 'no word of what is acknowledged', 1 unless $^O eq 'linux';
    ok acknowledged($target), 'everything has left the target';
}
reset_it($target);
my ($text, $how) = read_out($client);
is length $text, length $big, 'the target: what came before the reset';
ok $text eq $big, 'is delivered whole';
is $how, 'reset', 'and the reset behind it';
my $r = $p->finish(10);
is $r->{status}, 10, 'exit status';
like $r->{err}, qr/the target was lost after 200000 bytes received from it /,
    'who was lost';
like $r->{err}, qr/closed .* reset by this side, status 10\n/,
    'how it ended: the client was reset after the target';

($p, $client, $target) = forwarder();
syswrite $client, 'half an upload';
is sysread($target, $text, 100), 14, 'the client: what came before';
reset_it($client);
is +(read_out($target))[1], 'reset', 'and the reset behind it';
$r = $p->finish(10);
is $r->{status}, 10, 'exit status';
like $r->{err}, qr/the connection was lost after 0 bytes sent and 14 received/,
    'who was lost';

($p, $client, $target) = forwarder();
syswrite $target, 'half an answer';
is sysread($client, $text, 100), 14, 'a client that has finished';
shutdown $client, SHUT_WR;
is sysread($target, $text, 100), 0, 'and said so';
reset_it($target);
is +(read_out($client))[1], 'reset', 'hears of it too';
is $p->finish(10)->{status}, 10, 'exit status';

# A reset that is met by writing first.
($p, $client, $target) = forwarder();
syswrite $target, 'half';
is sysread($client, $text, 100), 4, 'a target that takes nothing';
setsockopt $client, SOL_SOCKET, SO_SNDBUF, 1 << 20;
syswrite $client, $big;
reset_it($target);
is +(read_out($client))[1], 'reset', 'its reset, met by writing';
is $p->finish(10)->{status}, 10, 'exit status';

# An orderly end stays one.
($p, $client, $target) = forwarder();
syswrite $target, 'all';
close $target;
is join(' ', read_out($client)), 'all end', 'FIN is passed on as FIN';
close $client;
is $p->finish(10)->{status}, 0, 'exit status';

done_testing;
