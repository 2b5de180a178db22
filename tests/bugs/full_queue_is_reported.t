# The queue of connections was looked at after accept had made room in it, so
# that a full one was hardly ever reported; and only the queue of one socket.
use Sockt;

my $version = run('--version')->{out};
plan skip_all => 'built without Linux calls' if $version !~ /linux/;

# One client is served, and two wait, which is one more than the backlog.
for my $host ('127.0.0.1', '::1') {
    next if $host eq '::1' && !has_ipv6();
    my $p = start('listen', '-kv', '--backlog', 1, '--max-conns', 1, '--echo',
        $host eq '::1' ? () : '-4', 0);
    my $port = $p->port;
    for my $round (1, 2) {
        my $served = tcp_client($port, $host);
        my $accepted = 3 * $round - 2;
        $p->expect(err => qr/(?:accepted .*){$accepted}/s);
        my @waiting = map { tcp_client($port, $host) } 1, 2;
        close $_ for $served, @waiting;
        $accepted += 2;
        $p->expect(err => qr/(?:closed .*){$accepted}/s);
        my $full = qr/\Q$host\E port $port: the queue of connections is full/;
        is scalar(() = $p->{err} =~
                /$full: 2 wait \(--backlog 1\), others get no answer\n/g),
            $round, "the full queue of $host is reported, $round";
    }
    $p->stop;
}

done_testing;
