# An answer that is cut short ends with a reset, a complete one with a FIN.
use Sockt;
use Errno qw(ECONNRESET);
use Time::HiRes qw(time);

# What a client reads, and how that ended: 'fin' or 'reset'.
sub rest {
    my ($c) = @_;
    my $text = '';
    while (1) {
        my $n = sysread $c, $text, 65536, length $text;
        return ($text, $! == ECONNRESET ? 'reset' : "$!") unless defined $n;
        return ($text, 'fin') if $n == 0;
    }
}

my @half = ('--', 'sh', '-c', 'read l; echo first half; sleep 5; echo second');

# A limit, and each signal to the server.
{
    my $p = start('listen', '-kv', '-m', '300ms', 0, @half);
    my $c = tcp_client($p->port);
    syswrite $c, "go\n";
    my ($text, $how) = rest($c);
    is "$text$how", "first half\nreset", "-m: a reset";
    $p->expect(err => qr/closed .*reset by this side/);
    $p->stop;
    for my $signal ('TERM', 'INT', 'HUP') {
        $p = start('listen', '-k', 0, @half);
        $c = tcp_client($p->port);
        syswrite $c, "go\n";
        my $first = '';
        sysread $c, $first, 100;
        $p->signal($signal);
        ($text, $how) = rest($c);
        is "$first$text$how", "first half\nreset",
            "$signal to the server: a reset";
        $p->finish;
    }
    # A program that dies.
    $p = start('listen', '-k', 0, '--', 'sh', '-c',
        'read l; echo half; kill -9 $$');
    $c = tcp_client($p->port);
    syswrite $c, "go\n";
    ($text, $how) = rest($c);
    is "$text$how", "half\nreset", "a program that dies: a reset";
    # One that exits, with whatever status.
    $p->stop;
    $p = start('listen', '-k', 0, '--', 'sh', '-c',
        'read l; echo whole; exit 137');
    $c = tcp_client($p->port);
    syswrite $c, "go\n";
    ($text, $how) = rest($c);
    is "$text$how", "whole\nfin", "a program that exits: a FIN";
    $p->stop;
}

# The server is killed, and its program with it.
my $portable = run('--version')->{out} =~ /posix/;
my ($p, $c);
SKIP: {
    skip 'without Linux calls no process is told that sockt was killed', 1
        if $portable;
    $p = start('listen', '-k', 0, @half);
    $c = tcp_client($p->port);
    syswrite $c, "go\n";
    sysread $c, my $first, 100;
    $p->signal('KILL');
    my ($text, $how) = rest($c);
    is "$first$text$how", "first half\nreset", 'kill -9: a reset';
    $p->finish;
}

# Without -k a limit is status 5.
$p = start('listen', '-m', '300ms', 0, @half);
$c = tcp_client($p->port);
syswrite $c, "go\n";
rest($c);
is $p->finish->{status}, 5, 'a program that a limit ended is status 5';

# "received" does not count the FIN, also when a reset follows it.
$p = start('listen', '-v', 0, '--', 'sh', '-c', 'sleep 0.5');
$c = tcp_client($p->port);
syswrite $c, 'abc';
shutdown $c, 1;
acknowledged($c);
setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack('ii', 1, 0);
close $c;
my $err = $p->finish->{err};
SKIP: {
    skip 'without Linux calls the bytes of a program are not known', 1
        if $portable;
    like $err, qr/received 3,/, 'FIN and then a reset: three bytes';
}

done_testing;
