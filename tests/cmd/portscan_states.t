# portscan finds exactly the listeners that the test opened, and its exit
# status tells the best state.
use Sockt;

# Ports that other programs hold on the same address while the test runs may
# be found too; ours must be, and a port that is closed here must not.
sub rows {
    my ($out) = @_;
    return { map { /^(\d+)\/tcp +(\w+)/ ? ($1 => $2) : () } split /\n/, $out };
}

sub hidden {
    my ($out) = @_;
    my $n = 0;
    $n += $_ for $out =~ /(?:^not shown: |, )(\d+) (?=closed|filtered)/mg;
    return $n;
}

# All ports are scanned: that would disturb the servers of other tests.
my $alone = own_network();

for my $host ('127.0.0.1', '::1') {
  SKIP: {
        skip 'no network namespace of our own', 6 if !$alone;
        skip 'this machine has no IPv6', 6 if $host eq '::1' && !has_ipv6();
        my @listeners = map { tcp_listener(host => $host) } 1 .. 5;
        my %ours = map { $_->sockport => 1 } @listeners;
        my $closed = free_port(host => $host);
        my $r = run({ timeout => 100 }, 'portscan', $host, '-');
        exits $r, 0, "$host: something is open", err => '';
        my $rows = rows($r->{out});
        is_deeply [grep { ($rows->{$_} // '') ne 'open' } sort keys %ours],
            [], '  every listener is found among all ports';
        ok !$rows->{$closed}, '  a port without one is not';
        is keys(%$rows) + hidden($r->{out}), 65535, '  the counts add up';
        my $list = join ',', sort keys %ours;
        $r = run('portscan', $host, "$list,$closed");
        is_deeply rows($r->{out}), { $closed => 'closed',
            map { $_ => 'open' } keys %ours }, '  exactly those of a list';
    }
}

my $l = tcp_listener();
my ($open, $closed) = ($l->sockport, free_port());
exits run('portscan', '127.0.0.1', $closed), 4,
    'all closed, a short list has a row for each port',
    out => qr/\A127\.0\.0\.1\nPORT +STATE +SERVICE +REASON\n$closed\/tcp +closed +- +refused\n\z/;
my $r = run('portscan', '127.0.0.1', join ',', $open, map { 1023 - $_ } 1 .. 19);
unlike $r->{out}, qr/not shown/, '  of 20';
$r = run('portscan', '127.0.0.1', join ',', $open, map { 1023 - $_ } 1 .. 20);
like $r->{out}, qr/^not shown: \d+ closed/m, '  not of 21';
$r = run('portscan', '127.0.0.1-2', $closed);
unlike $r->{out}, qr/$closed/, '  nor of several hosts';
exits run('portscan', '-a', '127.0.0.1', "$closed,$open"), 0,
    'one open is enough, -a: why it is open',
    out => [qr{^$open/tcp +open +\S+ +connected$}m,
    qr{^$closed/tcp +closed +\S+ +refused$}m], no_out => qr/not shown/;
$r = run('portscan', '-v', '127.0.0.1', $open);
like $r->{out}, qr{^$open/tcp +open +\S+ +connected$}m, '-v: with the reason';
like $r->{err}, qr/^sockt portscan: 1 port of 1 host decided, 1 open/m,
    '-v: a summary';

# Every ephemeral port is asked: a scan must not find its own sockets.
my $seen = 0;
for (1 .. 3) {
    my $port = free_port();
    $r = run('portscan', '-a', '127.0.0.1', join ',', ($port) x 3);
    $seen++ if $r->{out} =~ /open/;
    is scalar(() = $r->{out} =~ /^$port/mg), 1, 'a port asked twice is told once';
}
is $seen, 0, 'a closed port never seems open';

$r = run('portscan', '-vv', '127.0.0.1', "$open,$closed");
like $r->{err}, qr/connect .* to 127\.0\.0\.1 port $open\b.*: ok, /,
    '-vv: each connect';
like $r->{err}, qr/connect .* to 127\.0\.0\.1 port $closed\b.*: FAILED refused, /,
    '-vv: each refusal';

done_testing;
