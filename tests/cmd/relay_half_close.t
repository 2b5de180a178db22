# The state table of the relay, cell by cell: whose end comes first, what
# stdin is, and what becomes of it. See Half-close in sockt(1). Pauses in what is
# sent after the peer's end are in relay_slow_pipe, resets in relay_resets.
use Sockt;
use Time::HiRes qw(sleep);

sub rest { local $/; return scalar(readline $_[0]) // '' }

# connect against a peer that runs code; what remains of @_ are its options.
sub against {
    my ($code, $o, @options) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, $code);
    my $p = start($o, 'connect', '127.0.0.1', $l->sockport, @options);
    return ($p, $pid);
}

# A handle that reads from a file.
sub input { open my $h, '<', $_[0] or die; return $h }

# A pipe's reader gets the end of the peer, though stdin is still sent.
for my $record ('', '-o /dev/stdout') {
    my $l = tcp_listener();
    my $p = start({ command => 'sh', keep_stdin => 1 }, '-c',
        "\"\$0\" connect 127.0.0.1 \"\$1\" $record | { cat; echo end; }", sockt(),
        $l->sockport);
    my $c = $l->accept;
    syswrite $c, "word\n";
    shutdown $c, 1;
    $p->expect(out => $record ? qr/word\n/ : qr/word\nend\n/);
    $p->send_line("more\n");
    is scalar(<$c>), "more\n", "the end of stdout is not that of stdin $record";
    $p->close_stdin;
    like $p->finish->{out}, qr/word\nend\n\z/, 'each end was one';
}

# A peer that finishes, and takes everything to the end.
sub takes {
    my ($wanted) = @_;
    return sub {
        my ($c) = @_;
        print $c "bye\n";
        shutdown $c, 1;
        my $all = rest($c);
        die 'lost: ' . length($all) . " bytes came" unless $all eq $wanted;
    };
}

my $late = sub { my ($c) = @_; rest($c); sleep 1.5; print $c "late\n" };
my $stays = sub { my ($c) = @_; rest($c); sleep 60 };
my $drips = sub { my ($c) = @_; for (1 .. 100) { print $c '.'; sleep 0.05 } };
my $bye = sub { my ($c) = @_; print $c "bye\n" };
my $sees = sub {
    my ($c) = @_;
    sysread $c, my $got, 10;
    vec(my $bits = '', fileno $c, 1) = 1;
    my $fin = select($bits, undef, undef, 0.4);
    print $c $fin ? 'fin' : 'no fin';
};
my $half = sub {
    my ($c) = @_;
    print $c "bye\n";
    shutdown $c, 1;
    sysread $c, my $got, 1;
    sleep 60;
};
my $bytes = join '', map { chr($_ % 256) } 0 .. 2000;
my $singly = sub { my ($c) = @_; $c->autoflush(1); print $c $_ for split //, $bytes };
my $much = 'x' x 200_000;
my $big = 'y' x 3_000_000;
my $dir = scratch();
my $file = spew("$dir/in", 'q');
my $big_file = spew("$dir/big", $big);
pipe my $idle, my $typist or die;
my $full;
undef $full unless open $full, '>', '/dev/full';

# A peer that takes something has to get it whole, the others are not asked.
for my $row (
    ['fin: an answer 1.5 s after our end', "0 late\n", $late, { stdin => 'q' }],
    ['fin: the same from a file', "0 late\n", $late, { stdin => input($file) }],
    ['fin: the same from /dev/null', "0 late\n", $late, { stdin => input('/dev/null') }],
    ['keep: the peer sees no FIN', '0 no fin', $sees, { stdin => 'q' }, [qw(--on-eof keep)]],
    ['quit: leaves when everything is sent', 0,
        sub { die 'lost' unless rest($_[0]) eq $much; sleep 0.3; $bye->(@_) },
        { stdin => $much }, [qw(--on-eof quit)], takes => 1],
    ['linger: a peer that never closes is status 5, the limit is named', 5, $stays,
        { stdin => 'q' }, [qw(--linger 300ms)], within => 20,
        err => qr/did not finish within 0\.3 s \(--linger\)/],
    ['--send-only: a file is sent whole', 0, takes($big), { stdin => input($big_file) },
        ['--send-only'], takes => 1],
    ['finish: a file is sent whole', 0, takes($big), { stdin => input($big_file) }, [],
        takes => 1],
    ['finish, by name', 0, takes('slowly'), { stdin => 'slowly' },
        [qw(--on-peer-eof finish)], takes => 1],
    ['quit: exits at once', "0 bye\n", $bye, { stdin => $idle }, [qw(--on-peer-eof quit)]],
    ['quit: what it leaves of stdin is status 10, is counted', 10, $half,
        { stdin => input($big_file) }, [qw(--on-peer-eof quit --sndbuf 4k)],
        err => qr/finished first; \d+ bytes of stdin not delivered \(--on-peer-eof quit\)\n\z/],
    ['idle-timeout is status 5', 5, $stays, { stdin => $idle }, [qw(--idle-timeout 200ms)],
        err => qr/nothing was sent or received within 0\.2 s \(--idle-timeout\)/],
    ['max-time cuts a peer that drips: status 5', 5, $drips, { stdin => $idle },
        [qw(-m 300ms --idle-timeout 2)], err => qr/stopped after 0\.3 s \(--max-time\)/],
    ['--recv-only does not need stdin', "0 bye\n", $bye, { closed => [0] }, ['--recv-only']],
    ['--send-only does not need stdout', 0, sub { die unless rest($_[0]) eq 'q' },
        { stdin => 'q', closed => [1] }, ['--send-only'], takes => 1],
    $full ? ['a full disk is status 11', 11, $bye, { stdout => $full }, [],
        err => qr/stdout: no space left/] : (),
    ['a writer of single bytes is heard whole', "0 $bytes", $singly, {}],
) {
    my ($name, $end, $code, $o, $options, %want) = @$row;
    my $takes = delete $want{takes};
    my ($p, $pid) = against($code, $o, @{ $options // [] });
    exits $p->finish, $end, $name, %want;
    is reap($pid), 0, '  and all of it arrives' if $takes;
    kill 'KILL', $pid if !$takes;
}

exits run('connect', '--send-only', '--on-peer-eof', 'quit', '127.0.0.1', 1), 2,
    '--send-only with --on-peer-eof quit is refused, and why',
    err => qr/--send-only sends stdin to its end/;

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
is run({ closed => [0, 1, 2] }, 'connect', '-z', @to)->{status}, 0,
    'connect -z needs none of them';

# Where they are not needed no socket lands there: what the peer sends would
# be our input, what we say would go to the peer.
my $leak = scratch() . '/leak';
my $pid = peer($l, sub {
    my ($c) = @_;
    print $c "from the peer\n";
    shutdown $c, 1;
    my $all = rest($c);
    spew($leak, $all) if length $all;
}, 1000);
for (1 .. 2) {
    exits run({ closed => [0] }, 'connect', '--recv-only', @to),
        "0 from the peer\n", 'stdin closed';
    exits run({ closed => [1] }, 'connect', '--send-only', '-v', @to), 0,
        'stdout closed';
    exits run({ closed => [2] }, 'connect', '--recv-only', '-vv', @to),
        "0 from the peer\n", 'stderr closed';
}
kill 'KILL', $pid;
reap($pid);
ok !-e $leak, 'nothing of ours reached the peer but bytes of stdin';

done_testing;
