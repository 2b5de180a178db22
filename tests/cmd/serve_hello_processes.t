# A process a client: as many as --max-conns, none left when it ends, and each
# step told with -vv.
use Sockt;
use IO::Select;

sub eventually {
    my ($code) = @_;
    my $until = time + 10;
    my $got;
    while (time <= $until) {
        return 1 if ($got = $code->());
        select undef, undef, undef, 0.01;
    }
    return 0;
}

my $p = start('serve-hello', '-4', '--max-conns', '3', '0');
my @c = map { tcp_client($p->port) } 1 .. 4;
for (@c[0 .. 2]) {
    $_->sysread(my $welcome, 100);
    is $welcome, 'Welcome!', 'one of three';
}
ok !IO::Select->new($c[3])->can_read(0.2), 'the fourth waits';
SKIP: {
    skip 'no /proc', 1 unless -d '/proc/self';
    is scalar(() = children($p->{pid})), 3, 'a process for each';
}
$c[0]->syswrite('exit');
$c[3]->sysread(my $welcome, 100);
is $welcome, 'Welcome!', 'until one has gone';
close $_ for @c[0, 1];
SKIP: {
    skip 'no /proc', 1 unless -d '/proc/self';
    ok eventually(sub { children($p->{pid}) == 2 }), 'the others are reaped';
}
my @served = children($p->{pid});
my $r = $p->stop;
is $r->{status}, 0, 'TERM: status 0';
cmp_ok $r->{seconds}, '<', 10, 'at once';
for (@c[2, 3]) {
    my $n = $_->sysread(my $x, 100);
    ok !$n, 'their connections have ended';
}
is join(' ', grep { is_running($_) } @served), '', 'no child is left';

# The steps.
$p = start('serve-hello', '-4', '-vv', '0');
my $c = tcp_client($p->port);
$c->syswrite("exit\n");
$p->expect(err => qr/shutdown SHUT_WR.*\n(?:.*\n)*.*close connection 1 /);
close $c;
$r = $p->stop;
like $r->{err}, qr/sockt serve-hello: $_/, "step: $_"
    for 'socket AF_INET SOCK_STREAM', 'bind .* to 127\.0\.0\.1 port 0: ok',
    'listen on .* backlog (?:\d+|\(the)', 'accept .* from 127\.0\.0\.1 port \d+ = \d+: ok',
    'shutdown SHUT_WR of .*: ok', 'close connection 1 \(fd \d+\): ok';

# One address may not have it all.
$p = start('serve-hello', '-4', '--max-per-host', '1', '0');
$c = tcp_client($p->port);
$c->sysread($welcome, 100);
my $second = tcp_client($p->port);
is $second->sysread(my $nothing, 100), 0, '--max-per-host closes the second';
$p->expect(err => qr/rejected \(--max-per-host\)/);
$p->stop;
$r = run('serve-hello', '--accept-timeout', '0.1', '0');
is $r->{status}, 5, '--accept-timeout';

done_testing;
