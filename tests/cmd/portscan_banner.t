# --banner shows what a service says first, escaped and bounded.
use Sockt;
use JSON::PP;

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
my $r = run('portscan', '--json', '--banner', '127.0.0.1', $list);
my %said = map { $_->{port} => $_->{banner} } grep { $_->{event} eq 'port' }
    map { decode_json($_) } split /\n/, $r->{out};
is $said{ $port{plain} }, '220 mail.test ESMTP', '--json: as it is';
is $said{ $port{none} }, undef, '--json: no member without one';
reap($_) for @pids;

# One that never says anything does not hold up the others for long.
my $silent = tcp_listener();
$r = run('portscan', '--banner', '127.0.0.1', $silent->sockport);
like $r->{out}, qr/open/, 'a silent service is open';
cmp_ok $r->{seconds}, '<', 10, '  and waited for within bounds';

done_testing;
