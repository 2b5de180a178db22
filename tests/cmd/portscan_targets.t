# Which hosts and ports portscan asks: lists, files, exclusions, shards.
use Sockt;

my $r;
my @listeners = map { tcp_listener() } 1 .. 3;
my @ports = sort { $a <=> $b } map { $_->sockport } @listeners;
my $dir = scratch();

sub found { return [sort split /\n/, run('portscan', '-q', @_)->{out}] }
sub on { my ($ip, @p) = @_; return [map { "$ip:$_" } @p] }

is_deeply found('--exclude', $ports[1], '127.0.0.1', join ',', @ports),
    on('127.0.0.1', @ports[0, 2]), '--exclude';
spew("$dir/ports", "# these\n$ports[0] $ports[2]\n");
is_deeply found('--ports-file', "$dir/ports", '127.0.0.1'),
    on('127.0.0.1', @ports[0, 2]), '--ports-file';
is run({ stdin => "$ports[2]\n" }, 'portscan', '-q', '--ports-file', '-',
    '127.0.0.1')->{out}, "127.0.0.1:$ports[2]\n", '--ports-file - is stdin';
spew("$dir/bad", "1\n0\n");
like run('portscan', '--ports-file', "$dir/bad", '127.0.0.1')->{err},
    qr{bad line 2: ports '0'}, '  an error names the line';
for my $case ([4094, 0, out => qr/1 host, 3 ports/],
    [4095, 2, err => qr{/long line 2: longer than 4094 bytes$}m]) {
    my ($length, $status, %want) = @$case;
    spew("$dir/long", "80\n81" . ' ' x ($length - 2) . "\n82\n");
    exits run('portscan', '--dry-run', '--ports-file', "$dir/long", '127.0.0.1'),
        $status, "  a line of $length bytes", %want;
}

# What is wrong in a list: the first line of it, and how many follow.
spew("$dir/wrong", "127.0.0.1\n" . "127.0.0.9-3 10.0.0.0/99\n" x 100000 . '10.0.0.9-3 no.such.name');
exits run('portscan', '--targets', "$dir/wrong", '80'), 2,
    'wrong lines, one line for all of them',
    err => "sockt portscan: $dir/wrong line 2: host '127.0.0.9-3': "
    . "the range is reversed; 100000 more lines are wrong\n"
    . "sockt portscan: try 'sockt portscan --help'\n", out => '';

is_deeply found('--targets', spew("$dir/hosts", "127.0.0.1\n"), $ports[0]),
    on('127.0.0.1', $ports[0]), '--targets';
is run({ stdin => "127.0.0.1 # this one\n" }, 'portscan', '-q', '--targets',
    '-', $ports[0])->{out}, "127.0.0.1:$ports[0]\n", '--targets - is stdin';
my $all = tcp_listener(host => '0.0.0.0');
my $any = $all->sockport;
is_deeply found('127.0.0.0/30', $any),
    [map { "127.0.0.$_:$any" } 0 .. 3], 'a network'
    if $^O eq 'linux';
is_deeply found('127.0.0.1-3,127.0.0.2', $any),
    [map { "127.0.0.$_:$any" } 1 .. 3], 'a range; nobody twice'
    if $^O eq 'linux';
is_deeply found('::ffff:127.0.0.1-3,127.0.0.0/30', '--exclude-hosts',
    '127.0.0.1,::ffff:127.0.0.2/127', $any), ["127.0.0.0:$any"],
    'an IPv4-mapped address is that IPv4 address' if $^O eq 'linux';
is_deeply found('--targets', spew("$dir/nul", "127.0.0.1\x00127.0.0.2\x00"), $any),
    [map { "127.0.0.$_:$any" } 1 .. 2], 'a list separated by NUL bytes'
    if $^O eq 'linux';
is_deeply found('--exclude-hosts', '127.0.0.2', '127.0.0.1-3', $any),
    [map { "127.0.0.$_:$any" } 1, 3], '--exclude-hosts'
    if $^O eq 'linux';
like run('portscan', '127.0.0.1-2', $any)->{out},
    qr/^2 hosts: 2 with open ports, 0 without, 0 that did not answer$/m,
    'several hosts are summed up';

my $names = { env => { SOCKT_TEST_NAMES =>
    'both=127.0.0.2,127.0.0.1 mapped=::ffff:127.0.0.1,127.0.0.1 link=fe80::1' },
    command => built('sockt-names') };
my $both = qr/\A(?:127\.0\.0\.1:$any\n|127\.0\.0\.2:$any\n){2}\z/;
for my $row (['of a name, its first address', '-q both', 0, out => "127.0.0.2:$any\n"],
    ['--all-addresses: every one', '-q --all-addresses both', 0,
        out => [$both, qr/\.1:.*\.2:|\.2:.*\.1:/s]],
    ['an address of a name that is IPv4-mapped', '-q --all-addresses mapped', 0,
        out => "127.0.0.1:$any\n"],
    ['the name is shown', 'both', 0, out => qr/\Aboth \(127\.0\.0\.2\)\n/],
    ['  and with --json', '--json both', 0,
        out => qr/"event":"port",.*"host":"both","ip":"127\.0\.0\.2"/],
    ['a name with a link-local address: a line says what is missing', 'link', 7,
        err => "sockt portscan: host 'link': its address is link-local and needs "
        . "an interface: ADDRESS%INTERFACE\n"],
    ['a name that does not resolve is status 3', 'nobody', 3]) {
    my ($name, $args, $status, %want) = @$row;
    exits run($names, 'portscan', split(/ /, $args), $any), $status, $name, %want;
}

my @several = map { "n$_" } 1 .. 7;
$names->{env}{SOCKT_TEST_NAMES} = join ' ', map { "n$_=127.0.0.$_" } 1 .. 7;
$r = run($names, 'portscan', join(',', @several), $any);
is_deeply [sort $r->{out} =~ /^(n\d \(127\.0\.0\.\d\))$/mg],
    [map { "n$_ (127.0.0.$_)" } 1 .. 7], 'each of several names is shown at its host';

# Many hosts, the last one first, and networks that hold them: soon done.
my @many = map { join '.', 10, $_ >> 16, $_ >> 8 & 255, $_ & 255 }
    map { 2 * $_ } reverse 1 .. 40000;
spew("$dir/many", join "\n", @many, '10.0.0.0/14');
$r = run('portscan', '--dry-run', '--targets', "$dir/many", '80');
like $r->{out}, qr/\A262144 hosts, 1 port: 262144 to probe/,
    '40000 hosts and their network are that network';
cmp_ok $r->{seconds}, '<', $Sockt::PATIENCE / 3, '  found out at once';
like run('portscan', '--dry-run', '--exclude-hosts', join(',', @many[0 .. 3999]),
    '10.0.0.0/14', '80')->{out}, qr/\A258144 hosts/, 'many hosts are left out';

# Shards cover everything once, whatever was asked.
my %seen;
for my $i (1 .. 3) {
    my $part = run('portscan', '--json', '-a', '--shard', "$i/3",
        '127.0.0.1-3', "1-50,$any");
    $seen{$_}++ for $part->{out} =~ /"ip":"([^"]+","port":\d+)/g;
}
is scalar(keys %seen), 3 * 51, 'three shards ask everything';
is scalar(grep { $_ != 1 } values %seen), 0, '  and nothing twice';

exits run('portscan', '-q', '--shard', '4/4', '127.0.0.1-3', $any), 1,
    'a shard without a host, a line says so',
    err => "sockt portscan: part 4 of 4 has no host: nothing was scanned\n";
like run('portscan', '--shard', '1/3', '127.0.0.1-3', $any)->{out},
    qr/^3 hosts: 1 with open ports, .*, 2 not probed$/m,
    'the hosts of other shards are not probed';

# A list that is longer than what is kept in memory is scanned in parts.
my $list = join '', map { join('.', 127, $_ >> 16, $_ >> 8 & 255, $_ & 255)
    . "\n" } 1 .. 1_000_400;
my @args = ('--targets', spew("$dir/list", $list), '--shard', '7/10000', free_port());
like run('portscan', '-v', '--json', @args)->{out},
    qr/"hosts":1000400,"asked":101,.*"refused":101\b/,
    'a million and 400: 100 of the first, and one of the others';
like run('portscan', @args)->{err},
    qr/\Asockt portscan: more than 1000000 targets: they are scanned in parts, \N+\n\z/,
    'which a line says';
exits run('portscan', '--retry-for', 1, @args), 2, '--retry-for is refused';
spew("$dir/list", "999.1\n$list");
exits run('portscan', @args), '2 ', 'a wrong line: nothing is scanned',
    no_err => qr/one operand/;
# One that is cut off in its second part.
spew("$dir/list", "127.0.0.1\n" x 1_000_000 . "127.0.0.10-199\n");
my $p = start('portscan', '-a', '--rate', 20, '--targets', "$dir/list", free_port());
$p->expect(out => qr/127\.0\.0\.\d\d/);
like $p->stop('INT')->{err}, qr/repeat the command without the first 1000000 targets$/m,
    'how to continue a list that is longer';

# A scan that is cut off says how to continue: what is left is done by that, and
# little is done twice.
my @slow = ('-m', '0.3', '--rate', '200', '127.0.0.1-200', free_port());
exits run('portscan', @slow), 5, 'a scan that is cut off says how to continue',
    err => qr/^sockt portscan: to continue, repeat the command with --shard \d+-200\/200$/m;
my %times;
$r = run('portscan', '--json', '-a', @slow);
my ($rest) = $r->{out} =~ /"rest":"([^"]+)"/;
$times{$_}++ for $r->{out} =~ /"ip":"([^"]+)"/g;
$r = run('portscan', '--json', '-a', '--shard', $rest, @slow[4, 5]);
exits $r, 4, 'a complete one does not', no_out => qr/"rest"/;
$times{$_}++ for $r->{out} =~ /"ip":"([^"]+)"/g;
is scalar keys %times, 200, 'both together scan every host';
cmp_ok scalar(grep { $_ > 1 } values %times), '<', 20, 'hardly one of them twice';

$r = run('portscan', '--dry-run', '192.0.2.0/24', '1-100');
exits $r, 0, '--dry-run sends nothing, counts',
    out => qr/\A256 hosts, 100 ports: 25600 to probe, up to \d+ at once\n/;
is scalar(() = $r->{out} =~ /^192\.0\.2\.\d+ port \d+$/mg), 10,
    '  and shows the first probes';
is_deeply found('--parallel', '1', '127.0.0.1', join ',', @ports),
    on('127.0.0.1', @ports), '--parallel 1';

done_testing;
