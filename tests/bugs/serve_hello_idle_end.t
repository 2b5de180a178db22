# serve-hello: --accept-timeout ended the conversations of current clients.
use Sockt;

my $p = start('serve-hello', '-v', '--accept-timeout', '100ms', '-4', 0);
my $c = tcp_client($p->port);
sysread $c, my $greeting, 100;
select undef, undef, undef, 0.4;
syswrite $c, "Ann\nexit\n";
shutdown $c, 1;
is do { local $/; <$c> }, "Hello, Ann!\n",
    'a client that is being served may finish';
is $p->finish->{status}, 5, 'and the status is that of the limit';

done_testing;
