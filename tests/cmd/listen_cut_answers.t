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
my $dump = ['-x', scratch() . '/dump'];

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
my @m = ('-m', '300ms');
my @small = ('--sndbuf', 4096);
my @flooded = ('-m', 1, @small);
my @idle = ('--idle-timeout', '300ms');
my @long = ('--reply', 'x' x 60_000);
my $many = sub { syswrite $_[0], "a\n" x 200 };

# Name, command, what the client sends, what ends it (a signal to the server, or
# nothing: a limit, a program), and what the client gets.
my @rows = (
    ['a program, -m', ['listen', '-kv', @m, 0, @half], $once, '', 'reset'],
    ['a program, TERM', ['listen', '-kv', 0, @half], $once, 'TERM', 'reset'],
    ['a program, INT', ['listen', '-kv', 0, @half], $once, 'INT', 'reset'],
    ['a program, HUP', ['listen', '-kv', 0, @half], $once, 'HUP', 'reset'],
    ['a program, KILL', ['listen', '-kv', 0, @last], $once, 'KILL', 'reset'],
    ['a program dies', ['listen', '-kv', 0, @dies], $once, '', 'reset'],
    ['a program exits', ['listen', '-kv', 0, @exits], $once, '', 'fin'],
    ['recorded, -m', ['listen', '-kv', @m, @$dump, 0, @half], $once, '',
        'reset'],
    ['recorded, TERM', ['listen', '-kv', @$dump, 0, @half], $once, 'TERM',
        'reset'],
    ['recorded, INT', ['listen', '-kv', @$dump, 0, @half], $once, 'INT',
        'reset'],
    ['recorded, HUP', ['listen', '-kv', @$dump, 0, @half], $once, 'HUP',
        'reset'],
    ['recorded, KILL', ['listen', '-kv', @$dump, 0, @last], $once, 'KILL',
        'reset'],
    ['recorded, dies', ['listen', '-kv', @$dump, 0, @dies], $once, '',
        'reset'],
    ['recorded, exits', ['listen', '-kv', @$dump, 0, @exits], $once, '',
        'fin'],
    ['--echo, -m', ['listen', '-kv', @flooded, '--echo', 0], $flood, '', 'reset'],
    ['--echo, --idle-timeout', ['listen', '-kv', @idle, @small, '--echo', 0], $flood,
        '', 'reset'],
    ['--echo, TERM', ['listen', '-kv', @small, '--echo', 0], $flood, 'TERM', 'reset'],
    ['--echo, KILL', ['listen', '-kv', @small, '--echo', 0], $flood, 'KILL', 'reset'],
    ['--echo, -m, all echoed', ['listen', '-kv', @m, '--echo', 0], $once, '',
        'fin'],
    ['--echo, TERM, all echoed', ['listen', '-kv', '--echo', 0], $once,
        'TERM', 'fin'],
    ['the great reply, -m', ['serve-hello', @long, @m, 0], $many, '', 'reset'],
    ['the great reply, KILL', ['serve-hello', @long, 0], $many, 'KILL',
        'reset'],
    ['the great reply, --idle-timeout', ['serve-hello', @idle, @long, 0],
        $many, '', 'reset'],
    ['the great reply, INT', ['serve-hello', @long, 0], $many, 'INT', 'reset'],
    ['a late reply, -m', ['serve-hello', '--delay', 9, @m, 0], $once, '',
        'reset'],
    ['a late reply, HUP', ['serve-hello', '--delay', 9, 0], $once, 'HUP',
        'reset'],
    ['all replies, TERM', ['serve-hello', 0], $once, 'TERM', 'fin'],
    ['all replies, KILL', ['serve-hello', 0], $once, 'KILL', 'fin'],
    ['--http, KILL', ['serve-hello', '--http', '--delay', 9, 0],
        sub { syswrite $_[0], "GET / HTTP/1.0\r\n\r\n" }, 'KILL', 'reset'],
    ['--http, TERM', ['serve-hello', '--http', '--delay', 9, 0],
        sub { syswrite $_[0], "GET / HTTP/1.0\r\n\r\n" }, 'TERM', 'reset'],
);
for my $row (@rows) {
    my ($name, $args, $send, $signal, $expected) = @$row;
    my $p = start(@$args);
    my $c = narrow($p->port);
    {
        local $SIG{PIPE} = 'IGNORE';
        $send->($c);
    }
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

my ($p, $c);
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
