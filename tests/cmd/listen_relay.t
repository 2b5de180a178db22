# listen takes one connection and relays it to stdin and stdout.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Test::More;

# The classic transfer: the file is on the server, the client just listens.
my $response = spew(scratch() . '/response', 'answer' x 50_000);
open my $file, '<', $response or die;
my $p = start({ stdin => $file }, 'listen', 0);
my $c = tcp_client($p->port);
print $c 'question';
shutdown $c, 1;
my $got = do { local $/; <$c> };
my $r = $p->finish;
is $r->{status}, 0, 'exit status';
is $r->{out}, 'question', 'what the client said';
is length $got, 300_000, 'a client that finished first gets the whole answer';
like $r->{err}, qr/\Asockt listen: listening on 127\.0\.0\.1 port (\d+) \(TCP\)\n/,
    'says where it listens';
if (has_ipv6()) {
    my ($v4, $v6) = $r->{err} =~ /127\.0\.0\.1 port (\d+) \(TCP\)\n.* ::1 port (\d+) \(TCP\)\n/;
    is $v6, $v4, 'and on ::1 with the same number';
}

# An idle stdin does not keep it when that is asked for.
$p = start({ keep_stdin => 1 }, 'listen', '-4', '--on-peer-eof', 'quit', 0);
$c = tcp_client($p->port);
print $c "bye\n";
close $c;
$p->expect(out => qr/bye\n/);
my $status = reap($p->{pid}, 5);
is $status, 0, 'an idle stdin does not hold it when the peer finishes';

# -k: one after another, and TERM ends it.
$p = start({ keep_stdin => 1 }, 'listen', '-k', '--recv-only', 0);
my $port = $p->port;
for my $n (1 .. 3) {
    my $client = tcp_client($port);
    print $client "client $n\n";
    close $client;
    $p->expect(out => qr/client $n\n/);
}
$r = $p->stop;
is $r->{status}, 0, 'a server that is told to stop exits 0';
is $r->{out}, "client 1\nclient 2\nclient 3\n", 'three clients in turn';

# Without -k the port is free as soon as somebody came.
$p = start({ keep_stdin => 1 }, 'listen', '-4', 0);
$port = $p->port;
$c = tcp_client($port);
print $c "x\n";
$p->expect(out => qr/x/);
ok !eval { tcp_client($port); 1 }, 'a second client is refused';
close $c;
is $p->finish->{status}, 0, 'one connection, then done';

$r = run('listen', '-v', 'unix:/nowhere/at/all');
is $r->{status}, 7, 'an address that cannot be had is status 7';

done_testing;
