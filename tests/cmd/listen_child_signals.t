# A connection's process answers signals as any other does, and its end is
# nobody else's.
use Sockt;

plan skip_all => 'needs /proc' unless -e '/proc/self/stat';

my $target = tcp_listener();
for my $case (
    [ 'serve-hello', 'Welcome!', 'serve-hello' ],
    [ 'listen --echo', '', 'listen', '-k', '--echo' ],
    [ 'listen --to', '', 'listen', '-k', '--to',
        '127.0.0.1:' . $target->sockport ],
) {
    my ($name, $greeting, @command) = @$case;
    for my $signal (qw(TERM INT)) {
        my $p = start(@command, '-v', 0);
        my $c = tcp_client($p->port);
        is do { sysread $c, my $said, length $greeting; $said }, $greeting,
            "$name: served" if length $greeting;
        accept my $held, $target if $name =~ /--to/;
        my $child = await_child($p->{pid});
        ok $child && kill($signal, $child), "$name: its process gets $signal";
        my $got = sysread $c, my $rest, 1;
        ok !$got, 'and ends: its connection does too';
        my $again = tcp_client($p->port);
        ok $again, 'the server goes on';
        close $again;
        close $c;
        is $p->stop->{status}, 0, 'and stops when it is told to';
    }
}

# It has the connection alone: no listening socket, which would keep the port
# when the server has ended.
for my $command (['serve-hello'], ['listen', '-k', '--echo'],
    ['listen', '-k', '-e', 'cat']) {
    my $p = start(@$command, '127.0.0.1', 0);
    my $port = $p->port;
    my $c = tcp_client($port);
    print $c 'x';
    $c->flush;
    sysread $c, my $said, 1;
    my ($inode) = slurp('/proc/net/tcp') =~
        sprintf('0100007F:%04X 00000000:0000 0A (?:\S+ +){5}(\d+) ', $port);
    my @links = map { readlink // () } map { glob "/proc/$_/fd/*" }
        children($p->{pid});
    is scalar(grep { $_ eq "socket:[$inode]" } @links), 0,
        "@$command: a connection's process does not listen" or diag "@links";
    cmp_ok scalar(@links), '>', 0, '  as its descriptors show';
    close $c;
    $p->stop;
}

# With the signals blocked that stop a server it could not be stopped.
use Sockt;
use POSIX ();
my $set = POSIX::SigSet->new(POSIX::SIGTERM(), POSIX::SIGINT());
my $old = POSIX::SigSet->new;
POSIX::sigprocmask(POSIX::SIG_BLOCK(), $set, $old);
my $p = start('listen', '-k', '--echo', 0);
POSIX::sigprocmask(POSIX::SIG_SETMASK(), $old);
is exchange($p->port, 'x'), 'x', 'started with TERM and INT blocked: it serves';
is $p->stop->{status}, 0, 'and can be stopped';

# A child that the shell left behind ends while listen relays: its signal does
# not end the relay.
my $dir = scratch();
system('mkfifo', "$dir/go") == 0 or die;
$p = start({ command => '/bin/sh' }, '-c',
    '(cat "$1"; echo gone) & exec "$2" listen -4 0', 'sh', "$dir/go", sockt());
my $client = tcp_client($p->port);
syswrite $client, "one\n";
$p->expect(out => qr/one/);
open my $go, '>', "$dir/go" or die $!;
close $go;
$p->expect(out => qr/gone/);
syswrite $client, "two\n";
close $client;
exits $p->finish, 0, 'everything came', out => "one\ngone\ntwo\n";

done_testing;
