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
my @served = grep { defined hear($_, 0.5) } @c;
is scalar @served, 2, 'two are served';
close $c[0];
close $c[1];
is hear($c[2]), 'x', 'the third when there is room';
close $c[2];
$p->stop;

$p = start('listen', '-k', '--echo', '-v', '--max-per-host', 1, 0);
$port = $p->port;
my $first = tcp_client($port);
syswrite $first, 'x';
is hear($first), 'x', '--max-per-host: one is served';
is hear(tcp_client($port)) // 'nothing', '', 'a second is closed';
$p->expect(err => qr/rejected \(--max-per-host\)/);
close $first;
$p->stop;

exits run('listen', '--accept-timeout', '200ms', 0), 5,
    '--accept-timeout is status 5',
    err => qr/no connection within 0\.2 s \(--accept-timeout\)/;

# A program that runs too long is ended with what it started.
$p = start('listen', '-k', '-m', 1, 0, '--', 'sh', '-c',
    'sleep 60 & echo $!; wait');
my $c = tcp_client($p->port);
my $sleeper = hear($c);
chomp $sleeper;
is hear($c), '', '-m ends a program';
$p->expect(err => qr/the program took longer than allowed \(--max-time\)/);
my $until = time + 10;
1 while kill(0, $sleeper) && time < $until
    && !select undef, undef, undef, 0.01;
ok !kill(0, $sleeper), 'and what it started';
$p->stop;

$p = start('listen', '-k', '--echo', '--idle-timeout', '200ms', 0);
$c = tcp_client($p->port);
is hear($c), '', '--idle-timeout closes an idle client';
$p->expect(err => qr/--idle-timeout/);
$p->stop;

$p = start('listen', '-k', '--echo', '--deny', '127.0.0.0/8', 0);
is hear(tcp_client($p->port)), '', '--deny closes at once';
$p->stop;
$p = start('listen', '-k', '--echo', '--allow', '127.0.0.1', '--deny',
    '0.0.0.0/0', 0);
$c = tcp_client($p->port);
syswrite $c, 'x';
is hear($c), 'x', '--allow before --deny: the first match wins';
close $c;
$p->stop;

# TERM: no child and no zombie is left.
$p = start('listen', '-k', 0, '--', 'sh', '-c', 'echo $$; exec sleep 60');
$port = $p->port;
my @pids = map { my $h = tcp_client($port); push @c, $h; hear($h) + 0 } 1 .. 5;
exits $p->stop, 0, 'TERM';
is scalar(grep { kill 0, $_ } @pids), 0, 'no child is left';

for my $case ([ '--max-conns', 0 ], [ '--max-per-host', 'x' ], [ '--max-per-host', 1 ],
    [ '--backlog', -1 ], [ '--accept-timeout', 'soon' ],
    [ '--allow', '1.2.3.4/33' ], [ '--connect-timeout', 1 ], [ '--done' ],
    [ '--expect-timeout', 1 ], [ '--append' ], [ '--user', 'no-such-user' ]) {
    exits run('listen', '-vv', @$case, 0), 2, "@$case is a usage error",
        no_err => qr/bind/;
}
for my $case ([ 'x' ], [ 3, '-4' ], [ 3, '--backlog', 1 ], [ 3, '--ttl', 9 ]) {
    is run('listen', '--fd', @$case)->{status}, 2, "so is --fd @$case";
}
is run('listen')->{status}, 2, 'no port is a usage error';
is run('listen', '--idle-timeout', 1, 0, '--', 'cat')->{status}, 2,
    '--idle-timeout with a program is a usage error';

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
local $SIG{PIPE} = 'IGNORE';

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

# A pause of our own is no way around it either.
$p = start('serve-hello', '--greeting', '', '--delay', 20, '-m', '0.3', 0);
$c = tcp_client($p->port);
syswrite $c, "x\n";
is hear($c, 8), '', '--delay: --max-time ends the connection';
close $c;
ok $p->expect(err => qr/stopped after \S+ s \(--max-time\)/), 'and it is reported';
$p->stop;

done_testing;
