# Large transfers are whole and in order between pipes, files and files opened
# for appending, in both directions at once.
use Sockt;

my $dir = scratch();
my $text = join '', map { sprintf "%07d\n", $_ } 1 .. 400_000;    # 3.2 MB
my $other = reverse $text;
my $source = spew("$dir/source", $text);

# A peer that sends all of $other while it takes what we send.
sub both_ways {
    my ($l) = @_;
    pipe my $r, my $w or die;
    my $pid = peer($l, sub {
        my ($c) = @_;
        my $writer = Sockt::fork_child(sub { print $c $other; shutdown $c, 1 });
        local $/;
        my $got = <$c>;
        reap($writer);
        print $w $got eq $text ? 'same' : 'different';
        close $w;
    });
    close $w;
    return ($pid, $r);
}

sub verdict { my ($h) = @_; local $/; return scalar <$h> }

sub opened { open my $h, $_[0], $_[1] or die; return $h }

my $l;
for my $row (['pipe'], ['file', '>'], ['file for appending', '>>', 'before '],
    ['/dev/null', '>', '', '/dev/null']) {
    my ($name, $mode, $before, $to) = @$row;
    spew("$dir/out", $before //= '');
    $to //= "$dir/out";
    $l = tcp_listener();
    my ($pid, $said) = both_ways($l);
    my $r = run({ stdin => $name =~ /file/ ? opened('<', $source) : $text,
        $mode ? (stdout => opened($mode, $to)) : () }, 'connect', '-v',
        '--on-peer-eof', 'finish', '127.0.0.1', $l->sockport);
    exits $r, 0, "$name: both are counted",
        err => qr/sent 3200000 bytes, received 3200000,/;
    is verdict($said), 'same', "$name: the peer got what we sent";
    my $got = $mode ? slurp("$dir/out") : $r->{out};
    ok $got eq "$before$other", "$name: we got what it sent" if $to ne '/dev/null';
    reap($pid);
}

# A file that is not read from its start, and stays where reading ended.
my $in = opened('<', $source);
sysseek $in, 8 * 100_000, 0;
$l = tcp_listener();
my $p = start({ stdin => $in }, 'connect', '127.0.0.1', $l->sockport);
my $got = do { local $/; readline $l->accept };
ok $got eq substr($text, 8 * 100_000), 'what is behind its position is sent';
is $p->finish->{status}, 0, 'from the middle of a file: exit status';
is sysseek($in, 0, 1), length $text, 'and the position is the end';

# A reader that goes away in the middle of a large transfer.
$l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    for (1 .. 20) { print $c $text or last }
});
pipe my $r, my $w or die;
$p = start({ stdout => $w }, 'connect', '--recv-only', '127.0.0.1',
    $l->sockport);
close $w;
sysread $r, $got, 65536 for 1 .. 20;
close $r;
is $p->finish->{status}, 11, 'a stdout that its reader closed is status 11';
reap($pid);

# A peer that resets in the middle.
$l = tcp_listener();
$pid = peer($l, sub {
    my ($c) = @_;
    sysread $c, $got, 65536 for 1 .. 20;
    setsockopt $c, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0;
});
pipe $r, $w or die;
my $feeder = Sockt::fork_child(sub {
    close $r;
    1 while syswrite $w, $text;
});
close $w;
$p = start({ stdin => $r }, 'connect', '127.0.0.1', $l->sockport);
close $r;
exits $p->finish, 10, 'a reset in the middle is status 10',
    err => qr/the connection was lost after \d+ bytes sent/;
reap($_) for $pid, $feeder;

# A forwarder moves both directions too.
my $target = tcp_listener();
my $said;
($pid, $said) = both_ways($target);
$p = start('listen', '-4', '--to', '127.0.0.1:' . $target->sockport, 0);
my $c = tcp_client($p->port);
my $writer = Sockt::fork_child(sub { print $c $text; shutdown $c, 1 });
$got = do { local $/; <$c> };
ok $got eq $other, 'forwarded: what comes back is whole';
is verdict($said), 'same', 'forwarded: what goes there is whole';
is $p->finish->{status}, 0, 'and its status is 0';
reap($_) for $pid, $writer;

# With --crlf a queue that was full but for one byte was read into with no
# room at all, which was taken for the end of stdin: the rest was lost, with
# status 0.
my $lines = 600_000;
my $file = spew("$dir/in", "12345\n" x $lines);
$l = tcp_listener();
$pid = peer($l, sub {
    my ($c) = @_;
    # Slow at first, so that the queue fills.
    my ($n, $whole) = (0, '');
    while (my $got = sysread $c, my $piece, $n++ < 300 ? 777 : 1 << 16) {
        $whole .= $piece;
        select undef, undef, undef, 0.001 if $n < 200;
    }
    die 'got ' . length($whole) unless $whole eq "12345\r\n" x $lines;
});
exits run({ stdin => opened('<', $file) }, 'connect', '-C', '--sndbuf', '4k', '127.0.0.1',
    $l->sockport), 0, 'exit status';
is reap($pid), 0, 'every line arrives';

done_testing;
