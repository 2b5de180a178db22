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

# The sockets take turns: clients of one do not keep those of another waiting.
SKIP: {
    skip 'no IPv6', 1 unless has_ipv6();
    $p = start('listen', '-k', '--echo', '-v', '--max-conns', 1, 0);
    $port = $p->port;
    @c = tcp_client($port);
    $p->expect(err => qr/accepted /);
    push @c, map { tcp_client($port, $_) } '127.0.0.1', '127.0.0.1', '::1';
    close $c[0];
    $p->expect(err => qr/accepted .*accepted /s);
    like $p->{err}, qr/accepted ::1 port/, 'the one of the other socket is next'
        or diag $p->{err};
    close $_ for @c;
    $p->stop;
}

$p = start('listen', '-k', '--echo', '-v', '--max-per-host', 1, 0);
$port = $p->port;
my $first = tcp_client($port);
syswrite $first, 'x';
is hear($first), 'x', '--max-per-host: one is served';
is hear(tcp_client($port)) // 'nothing', '', 'a second is closed';
$p->expect(err => qr/rejected \(--max-per-host\)/);
close $first;
$p->stop;

my $r = run('listen', '--accept-timeout', '200ms', 0);
is $r->{status}, 5, '--accept-timeout is status 5';
like $r->{err}, qr/no connection within 0\.2 s \(--accept-timeout\)/,
    'and says which limit';

# A program that runs too long is ended with what it started.
$p = start('listen', '-k', '-m', '200ms', 0, '--', 'sh', '-c',
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
$r = $p->stop;
is $r->{status}, 0, 'TERM: status 0';
is scalar(grep { kill 0, $_ } @pids), 0, 'no child is left';

for my $case ([ '--max-conns', 0 ], [ '--max-per-host', 'x' ],
    [ '--backlog', -1 ], [ '--accept-timeout', 'soon' ],
    [ '--allow', '1.2.3.4/33' ], [ '-w', 1 ],
    [ '--user', 'no-such-user' ], [ '--fd', 'x' ]) {
    is run('listen', @$case, $case->[0] eq '--fd' ? () : 0)->{status}, 2,
        "@$case is a usage error";
}
is run('listen')->{status}, 2, 'no port is a usage error';
is run('listen', '--idle-timeout', 1, 0, '--', 'cat')->{status}, 2,
    '--idle-timeout with a program is a usage error';

done_testing;
