# While a socket pushed back, input was read over datagrams that were still
# unsent; and --no-reply waited for ever once they were sent.
use Sockt;
use Socket;

my $dir = scratch();
$ENV{TMPDIR} = $dir;
my $sent = join '', map { "line $_ " . 'x' x ($_ % 90) . "\n" } 1 .. 2000;

# A reader that begins when told, and pauses. What it got, through a file.
sub reader {
    my ($path, $answers) = @_;
    socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($path) or die "bind: $!";
    pipe my $r, my $w or die "pipe: $!";
    my $pid = Sockt::fork_child(sub {
        alarm 20;
        sysread $r, my $go, 1;
        my $got = '';
        for my $n (1 .. 2000) {
            my $from = recv $s, my $x, 1000, 0;
            $got .= "$x\n";
            send $s, $x, 0, $from if $answers;
            select undef, undef, undef, 0.01 if $n % 100 == 0;
        }
        spew("$path.got", $got);
    });
    return ($pid, $w);
}

my $number = 0;
for my $case ([['--no-reply', '--no-newline'], 0],
    [['--no-reply', '--no-newline', '--any-source'], 0],
    [['--no-newline', '-w', '0.3'], 1],
    [['--no-reply', '--size', '97'], 0], [['--window', '30'], 1]) {
    my ($options, $answers) = @$case;
    my $path = "$dir/s" . $number++;
    my $text = "@$options" =~ /size/ ? 'y' x (97 * 2000) : $sent;
    my $want = "@$options" =~ /size/ ? ('y' x 97 . "\n") x 2000 : $sent;
    my ($pid, $go) = reader($path, $answers);
    my $p = start({ keep_stdin => 1 }, 'udp-send', '-q', @$options,
        "unix:$path");
    # More comes after the queue has been full for a while.
    my $half = int(length($text) / 2);
    $p->send_line(substr $text, 0, 100);
    $p->send_line(substr $text, 100, 40_000 - 100);
    select undef, undef, undef, 0.2;
    syswrite $go, 'x';
    $p->{pending} = substr $text, 40_000;
    $p->_nonblock($p->{in});
    exits $p->finish(15), 0, "@$options";
    is reap($pid), 0, 'the reader has all';
    ok slurp("$path.got") eq $want, 'each as it was';
}

# A queue that nobody empties: waited for without spinning, for so long only.
socket my $stuck, AF_UNIX, SOCK_DGRAM, 0;
bind $stuck, pack_sockaddr_un("$dir/stuck");
for my $options ([], ['--any-source']) {
    my @before = times;
    my $r = run({ stdin => "x\n" x 2000 }, 'udp-send', '-q', '-w', '0.6',
        '--window', '2000', @$options, "unix:$dir/stuck");
    my @after = times;
    exits $r, 5, "@$options nobody reads",
        err => qr/unix:\S+: the receiver took no datagram within \S+ s \(--timeout\)/;
    cmp_ok $after[2] + $after[3] - $before[2] - $before[3], '<', 0.3,
        'without spinning';
}

done_testing;
