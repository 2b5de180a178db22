# The forms of portscan's results: table, -q, --json.
use Sockt;
use JSON::PP;

my @listeners = map { tcp_listener() } 1 .. 2;
my ($low, $high) = sort { $a <=> $b } map { $_->sockport } @listeners;
my $closed = free_port();
my $ports = "$high,$closed,$low";

is run('portscan', '-n', '127.0.0.1', $ports)->{out},
    "127.0.0.1\nPORT       STATE    REASON\n" . join('',
    map { sprintf "%-10s %-8s %s\n", "$_/tcp", $_ == $closed ? ('closed',
    'refused') : ('open', 'connected') } sort { $a <=> $b } $low, $high,
    $closed), 'the table is sorted; with -n no services';

exits run('portscan', '-q', '127.0.0.1', $ports),
    "0 127.0.0.1:$low\n127.0.0.1:$high\n", '-q: only HOST:PORT, and not a word more',
    err => '';
SKIP: {
    skip 'this machine has no IPv6', 1 unless has_ipv6();
    my $l = tcp_listener(host => '::1');
    is run('portscan', '-q', '::1', $l->sockport)->{out},
        '[::1]:' . $l->sockport . "\n", '  IPv6 in brackets';
}

sub objects { map { decode_json($_) } split /\n/, $_[0] }

my @o = objects(run('portscan', '--json', '127.0.0.1', $ports)->{out});
my %open = map { $_->{port} => $_ } grep { $_->{event} eq 'port' } @o;
is_deeply [sort { $a <=> $b } keys %open], [$low, $high], '--json: an object a result';
is join(' ', @{ $open{$low} }{qw(state reason ip protocol)}),
    'open connected 127.0.0.1 tcp', '  its state, reason, address and protocol';
cmp_ok $open{$low}{seconds}, '>', 0, '  how long it took';
is join(' ', @{ $o[-1] }{qw(event open asked)}), 'summary 2 3',
    '  the summary comes last, and counts what was asked';
is_deeply $o[-1]{reasons}, { connected => 2, refused => 1 }, '  by reason';
ok !$o[-1]{partial}, '  it is whole';
is scalar(grep { $_->{event} eq 'port' } objects(run('portscan', '--json', '-a',
    '127.0.0.1', $ports)->{out})), 3, '--json -a: closed ports too';

# --banner shows what a service says first, escaped and bounded.
my %says = (
    plain => "220 mail.test ESMTP\r\n",
    evil  => "\e[31mred\x07\0 \xff\n",
    long  => ('x' x 5000) . "\n",
    none  => '',
);
my (%port, @pids);
for my $name (keys %says) {
    my $l = tcp_listener();
    $port{$name} = $l->sockport;
    push @pids, peer($l, sub { print { $_[0] } $says{$name} }, 2);
}
my $list = join ',', values %port;
exits run('portscan', '-n', '--banner', '127.0.0.1', $list), 0,
    'status 0, a column more', out => [qr/^PORT +STATE +BANNER$/m,
    qr{^$port{plain}/tcp +open +220 mail\.test ESMTP$}m,
    qr{^$port{evil}/tcp +open +\\x1b\[31mred\\x07\\x00 \\xff$}m,
    qr{^$port{long}/tcp +open +x{256}$}m, qr{^$port{none}/tcp +open *$}m];
my %said = map { $_->{port} => $_->{banner} } grep { $_->{event} eq 'port' }
    objects(run('portscan', '--json', '--banner', '127.0.0.1', $list)->{out});
is $said{ $port{plain} }, '220 mail.test ESMTP', '--json: as it is';
is $said{ $port{none} }, undef, '--json: no member without one';
reap($_) for @pids;

# One that never says anything does not hold up the others for long.
my $silent = tcp_listener();
exits run('portscan', '--banner', '127.0.0.1', $silent->sockport), 0,
    'a silent service is open, and waited for within bounds', out => qr/open/,
    within => 10;

done_testing;
