# --max-conns, --max-per-host, --accept-timeout, -m, --allow and --deny, and
# an orderly end.
use Sockt;
use Time::HiRes qw(time);

# Reads within a time: text, '' at the end, undef when nothing came.
sub hear {
    my ($c, $seconds) = @_;
    vec(my $bits = '', fileno $c, 1) = 1;
    return undef unless select $bits, undef, undef, $seconds // 10;
    sysread $c, my $text, 1000;
    return $text // '';
}

# Over --max-conns nobody is rejected: the next one waits.
my $p = start('listen', '-k', '--echo', '--max-conns', 2, 0);
my $port = $p->port;
my @c = map { tcp_client($port) } 1 .. 3;
syswrite $_, 'x' for @c;
is_deeply [map { hear($_) } @c[0, 1]], ['x', 'x'], 'two are served';
is hear($c[2], 0.5), undef, 'and no more';
close $c[0];
close $c[1];
is hear($c[2]), 'x', 'the third when there is room';
close $c[2];
$p->stop;

$p = start('listen', '-k', '--echo', '-v', '--max-per-host', 1, 0);
$port = $p->port;
my $c = tcp_client($port);
syswrite $c, 'x';
is hear($c), 'x', '--max-per-host: one is served';
ok is_reset($port), 'a second is reset';
$p->expect(err => qr/denied \(--max-per-host\)/);
close $c;
$p->stop;

# At -v, a full server is reported once until nobody waits.
$p = start('listen', '-k', '--echo', '-v', '--max-conns', 1, 0);
for my $episode (1, 2) {
    my @waiting = map { tcp_client($p->port) } 1 .. 4;
    $p->expect(err => qr/(?:.*?next client waits){$episode}/s);
    for (@waiting) {
        syswrite $_, 'x';
        is hear($_), 'x', 'full: it waits for its turn';
        close $_;
    }
    is scalar(() = $p->{err} =~ /1 connection open, as --max-conns allows/g), $episode,
        "full at -v: one line, episode $episode";
    # The end of the episode: the server waits for a client, and has none.
    select undef, undef, undef, 0.01 while children($p->{pid}) || !is_asleep($p->{pid});
}
$p->stop;

exits run('listen', '--accept-timeout', '200ms', 0), 5,
    '--accept-timeout is status 5',
    err => qr/no connection within 0\.2 s \(--accept-timeout\)/;

misused 'listen', qr/./ => [map({ "$_ 0" } '--max-conns 0', '--max-per-host x',
    '--max-per-host 1', '--backlog -1', '--accept-timeout soon', '--allow 1.2.3.4/33',
    '--connect-timeout 1', '--done', '--expect-timeout 1', '--append',
    '--user no-such-user'), map({ "--fd $_" } 'x', '3 -4', '3 --backlog 1',
    '3 --ttl 9'), [], '--idle-timeout 1 0 -- cat'];

# --accept-timeout ended clients that were being served.
$p = start('listen', '-k', '--echo', '--accept-timeout', 1, 0);
$c = tcp_client($p->port);
select undef, undef, undef, 1.3;
syswrite $c, 'still here';
shutdown $c, 1;
is do { local $/; <$c> }, 'still here',
    '--accept-timeout lets those finish who are being served';
is $p->finish->{status}, 5, 'and is status 5';

# The queue of connections was looked at after accept had made room in it, so
# that a full one was hardly ever reported; and only the queue of one socket.
# One client is served, and two wait, which is one more than the backlog.
for my $host ('127.0.0.1', '::1') {
    next if $host eq '::1' && !has_ipv6();
    last if run('--version')->{out} !~ /linux/;
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

# A limit is of what is done, not of each byte: a client that sends a little
# again and again does not hold its connection beyond it.

# A request's head that never ends, a byte each tenth of a second.
$p = start('serve-hello', '--http', '--idle-timeout', '0.5', 0);
$c = tcp_client($p->port);
my ($start, $got) = (time);
syswrite $c, "GET / HTTP/1.1\r\nX: ";
while (!defined $got && time - $start < 10) {
    syswrite $c, 'x';
    $got = hear($c, 0.1);
}
like $got, qr/^HTTP\/1\.1 408 /, 'a head in drops is answered 408';
cmp_ok time - $start, '<', 5, 'in time';
close $c;
$p->stop;

# A client that sends all the time: what it sends is there whenever it is
# looked for.
for my $handler ('--discard', '--echo') {
    $p = start('listen', $handler, '-m', '0.5', 0);
    $c = tcp_client($p->port);
    $c->blocking(0);
    $start = time;
    my $sent = 1;
    while (time - $start < 10) {
        $sent = syswrite $c, 'x' x 65536;
        last if !defined $sent && !$!{EAGAIN};
        1 while sysread $c, my $back, 65536;
    }
    cmp_ok time - $start, '<', 8, "$handler --max-time: a flood has an end";
    is $p->finish->{status}, 5, 'status 5';
}

# A server that runs out of descriptors says so once, waits, and goes on.
# Few descriptors: two listening sockets, the signal pipe, and not much more.
$p = start({ command => '/bin/sh' }, '-c',
    'ulimit -n 12; exec "$@"', 'sh', sockt(), 'listen', '-k', '-v', 0,
    '--', 'cat');
$port = $p->port;
@c = map { tcp_client($port) } 1 .. 12;
syswrite $_, "x\n" for @c;
$p->expect(err => qr/accepting pauses: too many open files/);
my $served = 0;
# Those that wait are served as soon as others have gone.
while (my $c = shift @c) {
    $served++ if (hear($c, 20) // '') eq "x\n";
}
is $served, 12, 'every client is served in the end';
my $r = $p->stop;
is $r->{status}, 0, 'stopped';
cmp_ok scalar(() = $r->{err} =~ /accepting pauses/g), '<', 12,
    'and it did not say so for each';

# Connections whose program has finished, and whose client has not: they are
# drained for a while, and count.
# --max-conns counts them.
$p = start('listen', '-kv', '--max-conns', 2, 0, '--', 'true');
$port = $p->port;
@c = map { tcp_client($port) } 1 .. 10;
select undef, undef, undef, 0.7;
$p->expect(err => qr/accepted .*accepted /s);
await_no_child($p->{pid});
is scalar(() = $p->{err} =~ /accepted /g), 2,
    '--max-conns: two drained connections are two';
close $_ for @c[0, 1];
$p->expect(err => qr/(?:accepted .*){4}/s);
ok 1, 'when their clients have gone the next two are served';
close $_ for @c;
$p->stop;

# --max-per-host too.
$p = start('listen', '-kv', '--max-per-host', 1, 0, '--', 'true');
@c = tcp_client($p->port);
$p->expect(err => qr/accepted /);
await_no_child($p->{pid});
ok is_reset($p->port), '--max-per-host: a drained connection';
$p->expect(err => qr/denied \(--max-per-host\)|closed .*closed/s);
like $p->{err}, qr/denied/, '--max-per-host counts them';
close $_ for @c;
$p->stop;

# A client that never stops sending is read for a while, not for good.
$p = start('listen', '-k', 0, '--', 'true');
$c = tcp_client($p->port);
(my $sent, $start) = (0, time);
while (time - $start < 10) {
    my $n = syswrite($c, 'x' x 65536) // last;
    $sent += $n;
}
# The kernel's buffers hold more than a drain reads.
cmp_ok $sent, '<', 24 << 20, 'at most 8 MiB are read after the program'
    or diag $sent;
close $c;
$p->stop;

# Many of them.
$p = start('listen', '-k', 0, '--', 'true');
@c = map { tcp_client($p->port) } 1 .. 150;
select undef, undef, undef, 0.5;
is exchange($p->port, ''), '', 'one more, after 150 that are drained';
close $_ for @c;
exits $p->stop, 0, 'the server stops as told, without a word',
    no_err => qr/^(?=.)(?!.*listening)/m;

done_testing;
