# Connections whose program has finished, and whose client has not: they are
# drained for a while, and count.
use Sockt;
use IO::Socket;
use Time::HiRes qw(time);

# --max-conns counts them.
my $p = start('listen', '-kv', '--max-conns', 2, 0, '--', 'true');
my $port = $p->port;
my @c = map { tcp_client($port) } 1 .. 10;
select undef, undef, undef, 0.7;
$p->expect(err => qr/closed .*closed /s);
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
$p->expect(err => qr/closed /);
push @c, tcp_client($p->port);
$p->expect(err => qr/rejected \(--max-per-host\)|closed .*closed/s);
like $p->{err}, qr/rejected \(--max-per-host\)/, '--max-per-host counts them';
close $_ for @c;
$p->stop;

# A client that never stops sending is read for a while, not for good.
$p = start('listen', '-k', 0, '--', 'true');
my $c = tcp_client($p->port);
local $SIG{PIPE} = 'IGNORE';
my ($sent, $start) = (0, time);
while (time - $start < 10) {
    my $n = syswrite $c, 'x' x 65536;
    last unless defined $n;
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
my $r = $p->stop;
is $r->{status}, 0, 'the server stops as told' or diag $r->{err};
is $r->{err} =~ s/^.*listening.*\n//mgr, '', 'without a word';

done_testing;
