# Large transfers are whole and in order between pipes, files and files opened
# for appending, in both directions at once.
use Sockt;
use Time::HiRes qw(time);

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

my @how = (
    ['pipe', sub { ({ stdin => $text }) }],
    ['file', sub {
        open my $in, '<', $source or die;
        open my $out, '>', "$dir/out" or die;
        ({ stdin => $in, stdout => $out });
    }],
    ['file for appending', sub {
        spew("$dir/out", 'before ');
        open my $in, '<', $source or die;
        open my $out, '>>', "$dir/out" or die;
        ({ stdin => $in, stdout => $out });
    }],
    ['/dev/null', sub {
        open my $out, '>', '/dev/null' or die;
        ({ stdin => $text, stdout => $out });
    }],
);
for my $h (@how) {
    my ($name, $make) = @$h;
    my $l = tcp_listener();
    my ($pid, $said) = both_ways($l);
    unlink "$dir/out";
    my $r = run($make->(), 'connect', '-v', '--on-peer-eof', 'finish',
        '127.0.0.1', $l->sockport);
    is $r->{status}, 0, "$name: exit status";
    is verdict($said), 'same', "$name: the peer got what we sent";
    my $want = $name =~ /append/ ? "before $other" : $other;
    my $got = $name eq 'pipe' ? $r->{out}
        : $name eq '/dev/null' ? $want : slurp("$dir/out");
    ok $got eq $want, "$name: we got what it sent";
    like $r->{err}, qr/sent 3200000 bytes, received 3200000,/,
        "$name: both are counted";
    reap($pid);
}

# A file that is not read from its start, and stays where reading ended.
open my $in, '<', $source or die;
sysseek $in, 8 * 100_000, 0;
my $l = tcp_listener();
pipe my $r, my $w or die;
my $pid = peer($l, sub {
    my ($c) = @_;
    local $/;
    my $t = <$c>;
    print $w $t;
    close $w;
});
close $w;
my $p = start({ stdin => $in }, 'connect', '127.0.0.1', $l->sockport);
my $got = do { local $/; <$r> };
is $p->finish->{status}, 0, 'from the middle of a file: exit status';
ok $got eq substr($text, 8 * 100_000), 'what is behind its position is sent';
is sysseek($in, 0, 1), length $text, 'and the position is the end';
reap($pid);

# A reader that goes away in the middle of a large transfer.
$l = tcp_listener();
$pid = peer($l, sub {
    my ($c) = @_;
    local $SIG{PIPE} = 'IGNORE';
    for (1 .. 20) { print $c $text or last }
});
pipe $r, $w or die;
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
open $in, '<', '/dev/zero' or die;
pipe $r, $w or die;
my $feeder = Sockt::fork_child(sub {
    local $SIG{PIPE} = 'IGNORE';
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

# Small writes do not wait for the peer's acknowledgement of what went before,
# which comes 40 ms later: not the second of two, nor the last of very many.
my $rounds = 30;

# Answers every two bytes.
sub answer {
    my ($c) = @_;
    my $n = 0;
    while (sysread $c, my $piece, 100) {
        for ($n += length $piece; $n >= 2; $n -= 2) {
            syswrite $c, 'r';
        }
    }
}

# The pause makes two writes of them.
sub median_ms {
    my ($write, $read) = @_;
    my @ms;
    for (1 .. $rounds) {
        my $start = time;
        $write->('a');
        select undef, undef, undef, 0.002;
        $write->('b');
        $read->() eq 'r' or return undef;
        push @ms, (time - $start) * 1000;
    }
    return (sort { $a <=> $b } @ms)[$rounds / 2];
}

sub direct_ms {
    my ($c) = @_;
    setsockopt $c, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
    return median_ms(sub { syswrite $c, $_[0] }, sub {
        sysread $c, my $got, 1;
        $got // '';
    });
}

# What this machine takes without sockt, three times over for its processes.
my $bound = do {
    my $l = tcp_listener();
    my $peer = peer($l, \&answer);
    30 + 3 * direct_ms(tcp_client($l->sockport));
};

{
    my $l = tcp_listener();
    my $peer = peer($l, \&answer);
    my $p = start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $l->sockport);
    my $ms = median_ms(sub { $p->send_line($_[0]) }, sub {
        $p->{out} = '';
        eval { $p->expect(out => qr/(r)/) } // '';
    });
    ok defined $ms && $ms < $bound, 'connect' or diag "median $ms ms";
    is $p->finish->{status}, 0, 'and it ends';
}
{
    my $target = tcp_listener();
    my $peer = peer($target, \&answer);
    my $f = start('listen', '127.0.0.1', 0, '--to',
        '127.0.0.1:' . $target->sockport);
    my $c = tcp_client($f->port);
    my $ms = direct_ms($c);
    ok defined $ms && $ms < $bound, 'forwarded' or diag "median $ms ms";
    close $c;
    $f->stop;
}

# Answers each Z with the milliseconds by which it came after the bytes before
# it: a busy machine delays both.
sub answer_last {
    my ($c) = @_;
    my $last = time;
    while (sysread $c, my $piece, 100_000) {
        my $now = time;
        printf $c "%.1f\n", ($now - $last) * 1000 if $piece =~ /Z/;
        $c->flush;
        $last = $now;
    }
}

{
    my $l = tcp_listener();
    my $peer = peer($l, \&answer_last);
    pipe my $r, my $w or die $!;
    my $p = start({ stdin => $r }, 'connect', '127.0.0.1', $l->sockport);
    close $r;
    my @ms;
    for (1 .. 15) {
        $p->{out} = '';
        syswrite $w, 'a' x 10 for 1 .. 5000;
        syswrite $w, 'Z';
        push @ms, eval { $p->expect(out => qr/(.*)\n/) } // last;
    }
    is @ms, 15, 'many in a row come through';
    # Nagle's algorithm would delay each of them by 40 ms.
    my $ms = (sort { $a <=> $b } @ms)[1];
    ok $ms < $bound, 'and the last of them at once' or diag "@ms";
    close $w;
    is $p->finish->{status}, 0, 'and it ends';
}

# With --crlf a queue that was full but for one byte was read into with no
# room at all, which was taken for the end of stdin: the rest was lost, with
# status 0.
$dir = scratch();
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
open $in, '<', $file or die;
exits run({ stdin => $in }, 'connect', '-C', '--sndbuf', '4k', '127.0.0.1',
    $l->sockport), 0, 'exit status';
is reap($pid), 0, 'every line arrives';

done_testing;
