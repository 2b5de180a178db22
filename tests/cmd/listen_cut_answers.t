# An answer that is cut short ends with a reset, a complete one with a FIN.
use Sockt;
use Errno qw(ECONNRESET EPIPE);
use Time::HiRes qw(time);

my $was_reset;

# What a client reads, and how that ended: 'fin' or 'reset'.
sub rest {
    my ($c) = @_;
    my $text = '';
    while (1) {
        my $n = sysread $c, $text, 65536, length $text;
        return ($text, $! == ECONNRESET ? 'reset' : "$!") unless defined $n;
        return ($text, $was_reset ? 'reset' : 'fin') if $n == 0;
    }
}

my @half = ('--', 'sh', '-c', 'read l; echo first half; sleep 60; echo second');

my $portable = run('--version')->{out} =~ /posix/;
my @last = ('--', 'sh', '-c', 'read l; echo half; exec sleep 60');
my @dies = ('--', 'sh', '-c', 'read l; echo half; kill -9 $$');
my @exits = ('--', 'sh', '-c', 'read l; echo whole; exit 137');
# A client that receives little.
sub narrow {
    my ($port) = @_;
    socket my $c, Socket::AF_INET(), Socket::SOCK_STREAM(), 0 or die $!;
    setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 4096;
    connect $c, Socket::pack_sockaddr_in($port, "\x7f\0\0\1") or die $!;
    $was_reset = 0;
    return $c;
}

# Waits until a process waits.
sub asleep {
    my ($pid) = @_;
    select undef, undef, undef, 0.005 until is_asleep($pid) || !is_running($pid);
    return;
}

# Sends until the server takes no more.
sub flood {
    my ($c) = @_;
    my $idle = 0;
    $c->blocking(0);
    while ($idle < 20) {
        my $sent = syswrite $c, "Michael\n" x 1000;
        $was_reset ||= !defined $sent && ($! == ECONNRESET || $! == EPIPE);
        $idle = defined $sent ? 0 : $idle + 1;
        select undef, undef, undef, 0.01 if $idle;
    }
    $c->blocking(1);
    return;
}

my $flood = \&flood;
my $once = sub { syswrite $_[0], "Michael\n" };
my $many = sub { syswrite $_[0], "a\n" x 200 };
my $get = sub { syswrite $_[0], "GET / HTTP/1.0\r\n\r\n" };
my @k = ('listen', '-kv');
my @m = ('-m', '300ms');
my @small = ('--sndbuf', 4096);
my @idle = ('--idle-timeout', '300ms');
my @long = ('serve-hello', '--reply', 'x' x 30_000);
my @late = ('serve-hello', '--delay', 9);
my @via = ('--to', 'h:1', '--via');
my @dump = ('-x', scratch() . '/dump');

# Name, command, what the client sends, what ends it (a signal to the server, or
# nothing: a limit, a program), and what the client gets.
my @rows = (
    (map {
        my ($how, @how) = @$_;
        my @run = (@k, @how, 0);
        (["$how, -m", [@k, @m, @how, 0, @half], $once, '', 'reset'],
            (map { ["$how, $_", [@run, @half], $once, $_, 'reset'] } qw(TERM INT HUP)),
            ["$how, KILL", [@run, @last], $once, 'KILL', 'reset'],
            ["$how dies", [@run, @dies], $once, '', 'reset'],
            ["$how exits", [@run, @exits], $once, '', 'fin']);
    } ['a program'], ['recorded', @dump]),
    ['--via dies', [@k, @via, 'read l; echo half; kill -9 $$', 0], $once, '', 'reset'],
    ['--via fails', [@k, @via, 'read l; echo half; exit 3', 0], $once, '', 'reset'],
    ['--via exits', [@k, @via, 'read l; echo whole', 0], $once, '', 'fin'],
    ['--echo, -m', [@k, '-m', 1, @small, '--echo', 0], $flood, '', 'reset'],
    ['--echo, --idle-timeout', [@k, @idle, @small, '--echo', 0], $flood, '', 'reset'],
    ['--echo, TERM', [@k, @small, '--echo', 0], $flood, 'TERM', 'reset'],
    ['--echo, KILL', [@k, @small, '--echo', 0], $flood, 'KILL', 'reset'],
    ['--echo, -m, all echoed', [@k, @m, '--echo', 0], $once, '', 'fin'],
    ['--echo, TERM, all echoed', [@k, '--echo', 0], $once, 'TERM', 'fin'],
    ['the great reply, -m', [@long, @m, 0], $many, '', 'reset'],
    ['the great reply, KILL', [@long, 0], $many, 'KILL', 'reset'],
    ['the great reply, --idle-timeout', [@long, @idle, 0], $many, '', 'reset'],
    ['the great reply, INT', [@long, 0], $many, 'INT', 'reset'],
    ['a late reply, -m', [@late, @m, 0], $once, '', 'reset'],
    ['a late reply, HUP', [@late, 0], $once, 'HUP', 'reset'],
    ['all replies, TERM', ['serve-hello', 0], $once, 'TERM', 'fin'],
    ['all replies, KILL', ['serve-hello', 0], $once, 'KILL', 'fin'],
    ['--http, KILL', [@late, '--http', 0], $get, 'KILL', 'reset'],
    ['--http, TERM', [@late, '--http', 0], $get, 'TERM', 'reset'],
);
for my $row (@rows) {
    my ($name, $args, $send, $signal, $expected) = @$row;
    my $p = start(@$args);
    my $c = narrow($p->port);
    $send->($c);
    if ($signal && $name =~ /^(the gr|a late|--http)/) {
        $p->expect(err => $name =~ /^the/ ? qr/accepted/ : qr/says: (GET|Mi)/);
        asleep(await_child($p->{pid}));
    } elsif ($signal && $send != $flood) {
        # What is answered at once.
        my $text = '';
        1 while $text !~ /(?:half|Michael!?)\n\z/
            && sysread $c, $text, 100, length $text;
        asleep(await_child($p->{pid}));
    }
SKIP: {
        skip 'without Linux calls no process is told that sockt was killed', 1
            if $portable && $signal eq 'KILL';
        $p->signal($signal) if $signal;
        $p->expect(err => qr/closed .*reset by this side/)
            if $expected eq 'reset' && !$signal;
        my ($text, $how) = rest($c);
        is $how, $expected, $name;
    }
    close $c;
    $p->stop;
}

# Without -k a limit is status 5.
my $p = start('listen', '-m', '300ms', 0, @half);
my $c = tcp_client($p->port);
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
my $r = $p->finish;
SKIP: {
    skip 'without Linux calls the bytes of a program are not known', 1
        if $portable;
    like $r->{err}, qr/received 3,/, 'FIN and then a reset: three bytes';
}

done_testing;
