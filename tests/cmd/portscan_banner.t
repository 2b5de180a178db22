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
my $r = run('portscan', '-n', '--banner', '127.0.0.1', $list);
is $r->{status}, 0, 'status 0';
like $r->{out}, qr/^PORT +STATE +BANNER$/m, 'a column more';
like $r->{out}, qr{^$port{plain}/tcp +open +220 mail\.test ESMTP$}m,
    'the first words, without their line end';
like $r->{out}, qr{^$port{evil}/tcp +open +\\x1b\[31mred\\x07\\x00 \\xff$}m,
    'nothing that steers a terminal';
like $r->{out}, qr{^$port{long}/tcp +open +x{256}$}m, '256 bytes at most';
like $r->{out}, qr{^$port{none}/tcp +open *$}m, 'an open port that says nothing';
$r = run('portscan', '--json', '--banner', '127.0.0.1', $list);
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
