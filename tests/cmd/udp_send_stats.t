# udp-send counts what was lost, came twice or too late, and times the rest.
use Sockt;
use JSON::PP qw(decode_json);
use POSIX qw(mkfifo);
use SocktUdp;

my $s = udp_socket();
my @to = ('127.0.0.1', $s->sockport);

answers($s, 10, sub { $_[0] });
my $r = run('udp-send', '--stats', '--count', '10', @to, 'x');
like $r->{out}, qr/^(x\n){10}10\ sent,\ 10\ received,\ 0\ lost\ \(0%\),
    \ 0\ duplicates,\ 0\ late\nround\ trip\ min\/avg\/max\/mdev\ =
    \ [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+\ ms\n\z/x, 'nothing lost';

# Every third is lost, every second of the others comes twice.
answers($s, 12, sub { ("re: $_[0]") x ((1, 2, 0)[$_[1] % 3]) });
$r = run('udp-send', '--stats', '--json', '--number', '--window', '12', '-w',
    '0.5', '--count', '12', @to, 'x');
exits $r, 5, 'a datagram without its reply is status 5, and told',
    err => qr/no reply to 4 of 12 datagrams within 0\.5 s/;
my @events = map { decode_json($_) } split /\n/, $r->{out};
is scalar(grep { $_->{event} eq 'reply' } @events), 12, 'events of replies';
my ($sum) = grep { $_->{event} eq 'summary' } @events;
is_deeply [@{$sum}{qw(sent received lost duplicates late)}], [12, 12, 4, 4, 0],
    'the summary counts them';
cmp_ok $sum->{min}, '<=', $sum->{avg}, 'times are in order';
cmp_ok $sum->{avg}, '<=', $sum->{max}, 'and so on';
is_deeply [$events[0]{event}, $events[0]{remote}],
    ['connected', { ip => '127.0.0.1', port => $to[1] + 0 }],
    'the first event says where to';

# Out of order, matched by their numbers; too late.
my @held;
my $last = sub {
    my ($order, $x, $n, $count) = @_;
    push @held, $x;
    return $n < $count - 1 ? () : $order ? reverse @held : @held;
};
answers($s, 3, sub { $last->(1, @_, 3) });
like run('udp-send', '--stats', '--number', '--window', '3', '--count', '3', @to,
    'x')->{out}, qr/\A#2 x\n#1 x\n#0 x\n3 sent, 3 received, 0 lost/,
    'replies in any order are all matched';
answers($s, 2, sub { $last->(0, @_, 2) });
exits run('udp-send', '-v', '--stats', '--number', '-w', '1', '--interval', '1.3',
    @to, 'slow', 'fast'), 5, 'a late reply is no reply, but is told, with -v at its time',
    out => qr/2 sent, 2 received, 1 lost \(50%\), 0 duplicates, 1 late/,
    err => qr/: no reply to 1 datagram in time \(--timeout\)$/m;

# What arrived in time was not lost, however late it is read: by a process that
# was stopped, or that had to wait for a slow reader of its output.
my $p = start('udp-send', '--stats', '-w', '0.5', @to, 'asked');
my (undef, $from) = hear($s);
select undef, undef, undef, 0.1;
$p->signal('STOP');
$s->send('in time', 0, $from);
select undef, undef, undef, 1;
$p->signal('CONT');
exits $p->finish, 0,
    'a reply that came while the process was stopped, is a reply',
    out => qr/^in time\n1 sent, 1 received, 0 lost \(0%\), 0 duplicates, 0 late\n/;
for my $case (['stdout', 'exec "$@" > $0'],
    ['a FIFO of -x', 'exec "$@" -x $0 > /dev/null']) {
    my ($what, $command) = @$case;
    my $fifo = scratch() . '/fifo';
    mkfifo $fifo, 0600 or die "mkfifo: $!";
    # The first replies fill the pipe, the others come meanwhile.
    my $pid = answers($s, 8, sub {
        select undef, undef, undef, 0.2 if $_[1] == 3;
        return 'x' x 60_000;
    });
    $p = start({ command => 'sh' }, '-c', $command, $fifo, sockt(), 'udp-send',
        '-w', '0.5', '--window', '8', '--count', '8', @to, 'x');
    open my $slow, '<', $fifo or die "open: $!";
    my $bytes = 0;
    for my $n (1 .. 4000) {
        select undef, undef, undef, $n == 1 ? 1.2 : 0;
        $bytes += sysread($slow, my $piece, 65_536) || last;
    }
    exits $p->finish, 0, "$what that is read late: no reply is lost";
    cmp_ok $bytes, '>=', 480_000, 'all is there';
    reap($pid);
}

# A reply belongs to the number after its first "#" that has one.
answers($s, 2, sub {
    $_[1] == 0 ? () : ('', 'none', '#', '#0', '#x', '# 0 ', '#-0 ', '#7 x',
        '#0x ', '#92233720368547758070 x', 'a # #b #1 x');
});
$r = run('udp-send', '--stats', '--number', '--window', '2', '--count', '2',
    '-w', '1', @to, 'x');
like $r->{out}, qr/2 sent, 11 received, 1 lost \(50%\), 10 duplicates, 0 late/,
    'replies without a number, or with that of nothing, are not awaited';

# A datagram that has its reply and is awaited still, for others may come, was
# subtracted twice from those lost: "18446744073709551615 lost".
$p = start('udp-serve', '-4', '--echo', '0');
my @run = ('udp-send', '-w', '20', '-m', '0.5', '--stats', '127.0.0.1', $p->port);
exits run(@run, '--replies', $_, 'hello', 'again'), 5,
    "--max-time ends it, --replies $_: none is lost",
    out => qr/^(\d) sent, \1 received, 0 lost \(0%\)/m for 0, 2;
like run(@run, '--json', '--replies', '0', 'hello')->{out},
    qr/"summary",.*"lost":0,/, 'nor in the event';
$p->stop;

$s = udp_socket();
like run('udp-send', '-w', '0.2', '--stats', '--window', '2', '127.0.0.1',
    $s->sockport, 'a', 'b')->{out}, qr/2 sent, 0 received, 2 lost \(100%\)/,
    'those without a reply in time are';

done_testing;
