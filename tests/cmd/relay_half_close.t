# The state table of the relay, cell by cell: whose end comes first, what
# stdin is, and what becomes of it. See Half-close in sockt(1).
use Sockt;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

sub rest { local $/; return scalar(readline $_[0]) // '' }
sub reset_close {
    setsockopt $_[0], SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    close $_[0];
}

# connect against a peer that runs code; what remains of @_ are its options.
sub against {
    my ($code, $o, @options) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, $code);
    my $p = start($o, 'connect', '127.0.0.1', $l->sockport, @options);
    return ($p, $pid);
}

# --- Own end first ---------------------------------------------------------

my $late = sub { my ($c) = @_; rest($c); sleep 1.5; print $c "late\n" };

my ($p, $pid) = against($late, { stdin => 'q' });
exits $p->finish, "0 late\n", 'fin: an answer 1.5 s after our end';

my $file = spew(scratch() . '/in', 'q');
open my $in, '<', $file or die;
($p) = against($late, { stdin => $in });
exits $p->finish, "0 late\n", 'fin: the same from a file';

open my $null, '<', '/dev/null' or die;
($p) = against($late, { stdin => $null });
exits $p->finish, "0 late\n", 'fin: the same from /dev/null';

($p) = against(sub {
    my ($c) = @_;
    sysread $c, my $got, 10;
    vec(my $bits = '', fileno $c, 1) = 1;
    my $fin = select($bits, undef, undef, 0.4);
    print $c $fin ? 'fin' : 'no fin';
}, { stdin => 'q' }, '--on-eof', 'keep');
exits $p->finish, '0 no fin', 'keep: the peer sees no FIN';

($p, $pid) = against(sub {
    my ($c) = @_;
    my $all = rest($c);
    die 'lost' unless length $all == 200_000;
    sleep 0.3;
    print $c "nobody waits for this\n";
}, { stdin => 'x' x 200_000 }, '--on-eof', 'quit');
exits $p->finish, 0, 'quit: leaves when everything is sent';
is reap($pid), 0, 'and everything arrived';

($p, $pid) = against(sub { my ($c) = @_; rest($c); sleep 60 },
    { stdin => 'q' }, '--linger', '300ms');
exits $p->finish, 5,
    'linger: a peer that never closes is status 5, the limit is named',
    err => qr/did not finish within 0\.3 s \(--linger\)/, within => 20;
kill 'KILL', $pid;

# --- The peer's end first --------------------------------------------------

my $bye = sub { my ($c) = @_; print $c "bye\n" };

# A peer that says something, finishes, and takes everything to the end.
sub takes {
    my ($wanted, $say) = @_;
    return sub {
        my ($c) = @_;
        print $c $say // "bye\n";
        shutdown $c, 1;
        my $all = rest($c);
        die 'lost: ' . length($all) . " bytes came" unless $all eq $wanted;
    };
}

($p, $pid) = against(takes('slowly'), { keep_stdin => 1 });
$p->expect(out => qr/bye/);
$p->send_line('slowly');
exits $p->finish, 0, 'finish is the default: a late first byte is sent';
is reap($pid), 0, 'and arrives';

($p, $pid) = against(takes(join '', map { "burst $_\n" } 1 .. 3),
    { keep_stdin => 1 });
$p->expect(out => qr/bye/);
for (1 .. 3) {
    $p->send_line("burst $_\n");
    sleep 1.2;
}
is $p->finish->{status}, 0, 'finish: bursts with pauses are sent to the end';
is reap($pid), 0, 'whole';

($p, $pid) = against(takes('.' x 100), { keep_stdin => 1 }, '--send-only');
for (1 .. 100) {
    $p->send_line('.');
    sleep 0.005;
}
is $p->finish->{status}, 0, '--send-only: a trickle is sent to its end';
is reap($pid), 0, 'whole';

($p, $pid) = against(takes('slowly'), { keep_stdin => 1 },
    '--on-peer-eof', 'finish');
$p->expect(out => qr/bye/);
$p->send_line('slowly');
is $p->finish->{status}, 0, 'finish, by name';
is reap($pid), 0, 'and what came late was sent';

my $big = 'y' x 3_000_000;
my $big_file = spew(scratch() . '/big', $big);
sub big { open my $h, '<', $big_file or die; return $h }

for my $policy ([], ['--send-only']) {
    ($p, $pid) = against(takes($big), { stdin => big() }, @$policy);
    is $p->finish->{status}, 0, "@$policy: a file is sent whole";
    is reap($pid), 0, 'and arrives';
}

($p, $pid) = against($bye, { keep_stdin => 1 }, '--on-peer-eof', 'quit');
is reap($p->{pid}, 5), 0, 'quit: exits at once';
$p->expect(out => qr/\Abye\n\z/);

($p, $pid) = against(sub { my ($c) = @_; print $c "bye\n"; shutdown $c, 1;
    sysread $c, my $got, 1; sleep 5 }, { stdin => big() },
    '--on-peer-eof', 'quit', '--sndbuf', '4k');
exits $p->finish, 10, 'quit: what it leaves of stdin is status 10, is counted',
    err => qr/finished first; \d+ bytes of stdin not delivered \(--on-peer-eof quit\)\n\z/;
kill 'KILL', $pid;

my $r = run('connect', '--send-only', '--on-peer-eof', 'quit', '127.0.0.1', 1);
is $r->{status}, 2, '--send-only with --on-peer-eof quit is refused';
like $r->{err}, qr/--send-only sends stdin to its end/, 'and why';

# --- The peer resets -------------------------------------------------------

($p) = against(sub {
    my ($c) = @_;
    sysread $c, my $got, 1;
    reset_close($c);
}, { stdin => 'xx', keep_stdin => 0 });
exits $p->finish, 10, 'a reset is status 10',
    err => qr/lost after \d+ bytes sent and 0 received: (connection reset|broken pipe)/;

# --- Nobody ends -----------------------------------------------------------

($p, $pid) = against(sub { sleep 5 }, { keep_stdin => 1 },
    '--idle-timeout', '200ms');
is reap($p->{pid}, 5) >> 8, 5, 'idle-timeout is status 5';
$p->expect(err => qr/nothing was sent or received within 0\.2 s \(--idle-timeout\)/);
kill 'KILL', $pid;

($p, $pid) = against(sub {
    my ($c) = @_;
    for (1 .. 100) { print $c '.'; sleep 0.05 }
}, { keep_stdin => 1 }, '-m', '300ms', '--idle-timeout', '2');
is reap($p->{pid}, 5) >> 8, 5, 'max-time cuts a peer that drips: status 5';
$p->expect(err => qr/stopped after 0\.3 s \(--max-time\)/);
kill 'KILL', $pid;

# --- stdin and stdout that are closed --------------------------------------

($p) = against($bye, { closed => [0] }, '--recv-only');
is $p->finish->{out}, "bye\n", '--recv-only does not need stdin';
($p, $pid) = against(sub { my ($c) = @_; die unless rest($c) eq 'q' },
    { stdin => 'q', closed => [1] }, '--send-only');
is $p->finish->{status}, 0, '--send-only does not need stdout';
is reap($pid), 0, 'and sends';

pipe my $read, my $write or die;
close $read;
($p) = against(sub { my ($c) = @_; print $c 'x' x 100_000; rest($c) },
    { keep_stdin => 1, stdout => $write });
is reap($p->{pid}, 5) >> 8, 11, 'a stdout without a reader is status 11';

SKIP: {
    open my $full, '>', '/dev/full' or skip 'no /dev/full', 1;
    ($p) = against($bye, { stdin => '', stdout => $full });
    exits $p->finish, 11, 'a full disk is status 11',
        err => qr/stdout: no space left/;
}

# --- Slow readers and writers ----------------------------------------------

($p, $pid) = against(sub {
    my ($c) = @_;
    my $n = 0;
    while (my $got = sysread $c, my $piece, 5000) {
        $n += $got;
        sleep 0.001 if $n % 50_000 < 5000;
    }
    print $c $n;
}, { stdin => 'z' x 1_000_000 });
exits $p->finish, '0 1000000', 'a slow reader gets it all';

($p) = against(sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c chr($_ % 256) for 0 .. 2000;
}, { stdin => '' });
is $p->finish->{out}, join('', map { chr($_ % 256) } 0 .. 2000),
    'a writer of single bytes is heard whole';

# A closed descriptor is never taken by a socket; stdout that is closed, full or
# gone is a row of results_write_errors.
# 0 or 1 closed, where they are needed, is an error before the connection.
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case ([0, 'stdin'], [1, 'stdout']) {
    my ($fd, $name) = @$case;
    exits run({ closed => [$fd] }, 'connect', @to), 11,
        "connect with $name closed", err => qr/$name is closed/;
}
$r = run({ closed => [0, 1, 2] }, 'connect', '-z', @to);
is $r->{status}, 0, 'connect -z needs none of them';

# Where they are not needed no socket lands there: what the peer sends would
# be our input, what we say would go to the peer.
my $leak = scratch() . '/leak';
$pid = peer($l, sub {
    my ($c) = @_;
    print $c "from the peer\n";
    shutdown $c, 1;
    local $/;
    my $all = <$c>;
    spew($leak, $all) if length($all // '');
}, 1000);
for (1 .. 2) {
    $r = run({ closed => [0] }, 'connect', '--recv-only', @to);
    is "$r->{status} $r->{out}", "0 from the peer\n", 'stdin closed';
    $r = run({ closed => [1] }, 'connect', '--send-only', '-v', @to);
    is $r->{status}, 0, 'stdout closed';
    $r = run({ closed => [2] }, 'connect', '--recv-only', '-vv', @to);
    is "$r->{status} $r->{out}", "0 from the peer\n", 'stderr closed';
}
kill 'KILL', $pid;
reap($pid);
ok !-e $leak, 'nothing of ours reached the peer but bytes of stdin';

done_testing;
