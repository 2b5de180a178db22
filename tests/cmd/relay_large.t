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

done_testing;
