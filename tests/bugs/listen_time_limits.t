# listen: -m did not limit the wait for a connection; usage errors came after
# the port was bound; --accept-timeout ended clients that were being served.
use Sockt;

my $r = run({ timeout => 10 }, 'listen', '-m', '200ms', 0);
is $r->{status}, 5, '-m limits the wait for a connection';
like $r->{err}, qr/stopped after \S+ s \(--max-time\)/, 'and is named';
$r = run({ timeout => 10 }, 'listen', '-k', '-m', '200ms', 0);
is $r->{status}, 5, 'with -k too';

for my $case ([ '--done' ], [ '--expect-timeout', 1 ], [ '--append' ],
    [ '--user', 'no-such-user' ], [ '--max-per-host', 1 ]) {
    $r = run('listen', '-vv', @$case, 0);
    is $r->{status}, 2, "@$case: a usage error";
    unlike $r->{err}, qr/bind/, 'before anything was attempted';
}
for my $case ([ '-4' ], [ '--backlog', 1 ], [ '--ttl', 9 ]) {
    is run('listen', '--fd', 3, @$case)->{status}, 2,
        "--fd with @$case is a usage error";
}

my $p = start('listen', '-k', '--echo', '--accept-timeout', '300ms', 0);
my $c = tcp_client($p->port);
select undef, undef, undef, 0.6;
syswrite $c, 'still here';
shutdown $c, 1;
is do { local $/; <$c> }, 'still here',
    '--accept-timeout lets those finish who are being served';
is $p->finish->{status}, 5, 'and is status 5';

done_testing;
