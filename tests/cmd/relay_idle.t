# A relay that can do nothing sleeps: in every state that lasts, it neither
# takes CPU time nor wakes up.
use Sockt;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Select;
use Socket qw(:all);

plan skip_all => 'no /proc to read CPU times from' unless -r "/proc/$$/stat";

my @held;    # ends that have to stay open
my %states;  # name => process

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);

# Writes until nothing more is taken for a while.
sub flood {
    my ($h) = @_;
    fcntl $h, F_SETFL, fcntl($h, F_GETFL, 0) | O_NONBLOCK;
    local $SIG{PIPE} = 'IGNORE';
    my $piece = 'a' x 65536;
    while (IO::Select->new($h)->can_write(0.1)) {
        last unless defined syswrite $h, $piece;
    }
}

# A pipe that is full and that nobody reads, or of which the reader has gone.
sub full_pipe {
    pipe my $r, my $w or die;
    push @held, $r, $w;
    flood($w);
    fcntl $w, F_SETFL, fcntl($w, F_GETFL, 0) & ~O_NONBLOCK;
    return $w;
}

sub unread_pipe {
    pipe my $r, my $w or die;
    push @held, $r;
    return $w;
}

# A connect whose other end is ours, with its stdin held open.
sub connects {
    my ($name, $o, @options) = @_;
    my $p = start({ keep_stdin => 1, %$o }, 'connect', @options, @to);
    my $c = $l->accept;
    push @held, $c;
    $states{"connect: $name"} = $p;
    return ($p, $c);
}

connects('idle', {});
my ($p, $c) = connects('own input has ended', {});
$p->close_stdin;
($p, $c) = connects('own input has ended, --on-eof keep', {}, '--on-eof',
    'keep');
$p->close_stdin;
($p, $c) = connects('the peer has finished, --on-peer-eof finish', {},
    '--on-peer-eof', 'finish');
shutdown $c, SHUT_WR;
($p, $c) = connects('stdout takes nothing', { stdout => unread_pipe() });
flood($c);
($p, $c) = connects('stdout is full', { stdout => full_pipe() });
syswrite $c, 'x';
($p, $c) = connects('stdout takes nothing, the peer has finished',
    { stdout => unread_pipe() });
flood($c);
shutdown $c, SHUT_WR;
($p, $c) = connects('stdout takes nothing, both have finished',
    { stdout => unread_pipe() });
flood($c);
shutdown $c, SHUT_WR;
$p->close_stdin;
($p, $c) = connects('stdout takes nothing, recorded',
    { stdout => unread_pipe() }, '-x', '/dev/null');
flood($c);
pipe my $gone, my $w or die;
close $gone;
connects("stdout's reader has gone", { stdout => $w });
($p, $c) = connects('the peer reads nothing', {});
flood($p->{in});
($p, $c) = connects('the peer reads nothing, own input has ended', {});
flood($p->{in});
$p->close_stdin;
($p, $c) = connects('the peer reads nothing and has finished', {},
    '--on-peer-eof', 'finish');
flood($p->{in});
shutdown $c, SHUT_WR;
($p, $c) = connects('nothing goes either way', { stdout => unread_pipe() });
flood($p->{in});
flood($c);
($p, $c) = connects('a pattern is waited for, stdin has something', {},
    '--expect', 'never');
$p->send_line("text\n");
connects('--recv-only, stdin has something', {}, '--recv-only');
$states{'connect: --recv-only, stdin has something'}->send_line("text\n");
($p, $c) = connects('--send-only', {}, '--send-only');
syswrite $c, 'dropped';
($p, $c) = connects('progress on no terminal', {}, '-P');
$p->close_stdin;

# A server with a client of ours.
sub serves {
    my ($name, @command) = @_;
    my $p = start({ keep_stdin => 1 }, @command);
    my $client = tcp_client($p->port);
    push @held, $client;
    $states{"@command[0 .. 1]: $name"} = $p;
    return ($p, $client);
}

my @here = ('-4', 0);
my $waiting = start('listen', '-k', @here);
$waiting->port;
$states{'listen: nobody has come'} = $waiting;
($p, $c) = serves('own input has ended', 'listen', @here);
$p->close_stdin;
($p, $c) = serves('the peer has finished, --on-peer-eof finish', 'listen',
    @here, '--on-peer-eof', 'finish');
shutdown $c, SHUT_WR;
($p, $c) = serves('idle', 'listen', '--echo', @here);
($p, $c) = serves('reads nothing', 'listen', '--echo', @here);
flood($c);
($p, $c) = serves('idle', 'listen', '--discard', @here);
($p, $c) = serves('one more has come', 'listen', '--max-conns', 1, '-k',
    '--echo', @here);
push @held, tcp_client($p->port);
($p, $c) = serves('its program has ended', 'listen', @here, '--', 'true');
($p, $c) = serves('part of a message', 'serve-hello', @here);
syswrite $c, 'x';
($p, $c) = serves('reads nothing', 'serve-hello', @here);
flood($c);

sub forwards {
    my ($name) = @_;
    my ($p, $client) = serves($name, 'listen', '--to', join(':', @to), @here);
    my $target = $l->accept;
    push @held, $target;
    return ($client, $target);
}

forwards('idle');
my ($client, $target) = forwards('the client has finished');
shutdown $client, SHUT_WR;
($client, $target) = forwards('the target has finished');
shutdown $target, SHUT_WR;
($client, $target) = forwards('the client reads nothing');
flood($target);
($client, $target) = forwards('the target reads nothing');
flood($client);
($client, $target) = forwards('neither reads');
flood($_) for $client, $target;
($client, $target) = forwards('the target reads nothing and has finished');
flood($client);
shutdown $target, SHUT_WR;
($client, $target) = forwards('the client reads nothing, both have finished');
flood($target);
shutdown $_, SHUT_WR for $client, $target;

# A process and its children: ticks of CPU time, times it went to sleep.
sub usage {
    my ($p) = @_;
    my ($ticks, $sleeps, @stat) = (0, 0);
    for my $path (glob '/proc/[0-9]*/stat') {
        open my $f, '<', $path or next;
        my ($pid, $rest) = (<$f> // '') =~ /^(\d+) \(.*\) (.*)/ or next;
        @stat = split / /, $rest;
        next unless $pid == $p->{pid} || $stat[1] == $p->{pid};
        $ticks += $stat[11] + $stat[12];
        open my $g, '<', "/proc/$pid/status" or next;
        while (my $line = <$g>) {
            $sleeps += $1 if $line =~ /^voluntary_ctxt_switches:\s+(\d+)/;
        }
    }
    return ($ticks, $sleeps);
}

# The states last once nothing sleeps anew: what was sent has moved on.
my ($seen, $was) = ('', undef);
for (1 .. 100) {
    ($was, $seen) = ($seen, join ' ', map { (usage($states{$_}))[1] }
        sort keys %states);
    last if $seen eq $was;
    select undef, undef, undef, 0.2;
}

my %before;
$before{$_} = [ usage($states{$_}), time ] for keys %states;
select undef, undef, undef, 0.5;
for my $name (sort keys %states) {
    my ($ticks, $sleeps) = usage($states{$name});
    # Of half a second, or what a busy machine makes of that.
    my $times = 1 + (time - $before{$name}[2]);
    cmp_ok $sleeps, '>', 0, "$name: it is there";
    # A loop that does not sleep takes what it can get of 50.
    cmp_ok $ticks - $before{$name}[0], '<=', 3 * $times, '  takes no CPU time';
    cmp_ok $sleeps - $before{$name}[1], '<=', 25 * $times, '  does not wake up';
}

done_testing;
