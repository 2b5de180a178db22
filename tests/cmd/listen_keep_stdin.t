# listen -k: stdin belongs to the server, not to one connection.
use Sockt;

# A client that has sent something and finished makes room while stdin is idle.
my $p = start({ keep_stdin => 1 }, 'listen', '-kv', 0);
for my $n (1 .. 3) {
    my $c = tcp_client($p->port);
    syswrite $c, "from $n\n";
    shutdown $c, 1;
    is sysread($c, my $x, 100), 0, "client $n: a FIN";
    $p->expect(out => qr/from $n\n/);
}
$p->close_stdin;
my $c = tcp_client($p->port);
is sysread($c, my $x, 100), 0, 'an end of stdin is that of every client';
is $p->stop->{status}, 0, 'status 0';
unlike $p->{err}, qr/lost|not delivered/, 'nothing is lost';

# One that sent nothing but its FIN is a receiver: it stays until another comes.
# Each line goes to the client that is there, and all of them arrive.
$p = start({ keep_stdin => 1 }, 'listen', '-kv', 0);
my $last;
for my $n (1 .. 3) {
    my $c = tcp_client($p->port);
    is sysread($last, my $x, 100), 0, 'it ends when another comes' if $last;
    shutdown $c, 1;
    for my $line (1, 2) {
        $p->send_line("line $line for $n\n");
        my $text = '';
        sysread $c, $text, 100, length $text while $text !~ /\n/;
        is $text, "line $line for $n\n", "receiver $n";
        # Longer than stdin has to be idle.
        select undef, undef, undef, 0.3;
    }
    $last = $c;
}
is $p->stop->{status}, 0, 'status 0';

# A word of the user's holds: the second client waits for the end of stdin.
$p = start({ keep_stdin => 1 }, 'listen', '-kv', '--on-peer-eof', 'finish', 0);
my @clients = map {
    my $c = tcp_client($p->port);
    syswrite $c, "from $_\n";
    shutdown $c, 1;
    $c;
} 1, 2;
$p->expect(out => qr/from 1/);
select undef, undef, undef, 0.5;
is $p->{out}, "from 1\n", '--on-peer-eof finish: the first client is waited for';
$p->close_stdin;
$p->expect(out => qr/from 2/);
$p->stop;

# Many short clients, few descriptors.
$p = start({ keep_stdin => 1, command => 'sh' }, '-c',
    'ulimit -n 16; exec "$0" listen -k 0', sockt());
for my $n (1 .. 40) {
    my $c = tcp_client($p->port);
    syswrite $c, "short $n\n";
}
$p->expect(out => qr/short 40\n/);
is $p->{out}, join('', map { "short $_\n" } 1 .. 40),
    'forty clients with sixteen descriptors';
is $p->stop->{status}, 0, 'status 0';

done_testing;
