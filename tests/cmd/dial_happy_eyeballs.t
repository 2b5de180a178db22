# Names with several addresses: RFC 8305's order and pace, a dead address that
# costs a quarter of a second, a refusal that costs nothing, a resolver that
# never answers.
use Sockt;
use IO::Socket::IP;
use Time::HiRes qw(time);
use TortureRun;

# A local port here must not become another test's.
own_network();

my $names = built('sockt-names');
plan skip_all => "$names is not built" unless -x $names;

# sockt with its own answers for names.
sub named {
    my ($list, @args) = @_;
    return run({ command => $names, env => { SOCKT_TEST_NAMES => $list } },
        @args);
}

# It answers no SYN, as a dead host does.
sub dead {
    my ($host, $port) = @_;
    return full_listener(host => $host, port => $port);
}

# The addresses in the order in which they were tried.
sub tried {
    my ($r) = @_;
    return join ' ', $r->{err} =~ /connect the socket \S+ \d+\) to (\S+) port \d+: (?!waiting)/g;
}

# After how many milliseconds it was connected.
sub delay { return ($_[0]{err} =~ /connected to .* in ([\d.]+) ms/)[0] // 9999 }

# A port that is free at each of the addresses.
my ($l, $port);
for (1 .. 20) {
    $port = has_ipv6() ? free_port(host => '::1') : 0;
    last if $l = eval { tcp_listener(host => '127.0.0.3', port => $port) };
}
$port = $l->sockport;
my $two = 'two=127.0.0.2,127.0.0.3';
my $r = named($two, 'connect', '-vvz', 'two', $port);
is $r->{status}, 0, 'a refused first address: it connects';
is tried($r), '127.0.0.2 127.0.0.3', 'to the second';
for (1 .. 15) {    # the machine may be busy
    last if delay($r) < 200;
    $r = named($two, 'connect', '-vvz', 'two', $port);
}
cmp_ok delay($r), '<', 200, 'at once';

my @dead = dead('127.0.0.2', $port);
for (1 .. 15) {    # the machine may be busy
    $r = named($two, 'connect', '-vvz', 'two', $port);
    last if delay($r) < 300;
}
exits $r, 0, 'a dead first address, a live second one: it connects',
    err => qr/connected to 127\.0\.0\.3 /;
cmp_ok delay($r), '>=', 250, 'after the delay of RFC 8305';
# Without a second attempt it would take as long as the first one's limit.
cmp_ok delay($r), '<', 2500, 'and soon';
my $local = free_port();
exits named($two, 'connect', '-vz', '-w', 10, '-p', $local, 'two', $port), 0,
    'the second attempt uses the same local port',
    err => qr/connected to 127\.0\.0\.3 .* from \S+ port $local /;

my $closed = free_port();
@dead = dead('127.0.0.2', $closed);
SKIP: {
    skip 'no IPv6 here', 6 unless has_ipv6();
    my @six = dead('::1', $port);
    exits named('n=::1,127.0.0.3', 'connect', '-vz', '-w', 10, '-p',
        free_port(), 'n', $port), 0, 'of the other family too';
    for my $row (
        [4, '::1 127.0.0.1 127.0.0.4 127.0.0.3', 'IPv6 first if it comes first, none twice',
            '::1,127.0.0.1,127.0.0.4,127.0.0.1,127.0.0.3', '-vv'],
        [4, '127.0.0.1 ::1 127.0.0.4', 'the families take turns',
            '127.0.0.1,127.0.0.4,::1', '-vv'],
        [4, '::1', '-6 takes one family', '127.0.0.1,::1', '-6vv'],
    ) {
        my ($status, $order, $name, $list, $options) = @$row;
        $r = named("n=$list", 'connect', $options, 'n', free_port());
        is "$r->{status} " . tried($r), "$status $order", $name;
    }
}

# What is said of names, and how long they are waited for.
for my $row (
    ['the best error is the status, on one line, each with its reason', 4,
        '127.0.0.2,127.0.0.1', ['-w', '2.5', 'n', $closed],
        err => qr/^sockt connect: n port $closed: no answer from 127\.0\.0\.2 within 2\.5 s \(--timeout\); refused \(127\.0\.0\.1 answered; [^)]+\)\n\z/],
    ['and as an event', 4, '127.0.0.1,127.0.0.2', ['--json', '-w', '2.5', 'n', $closed],
        err => qr/"event":"error".*"status":4,"kind":"refused"/],
    ['silence alone is status 5', 5, '127.0.0.2', ['-w', '0.3', 'n', $closed]],
    ['a resolver that never answers is cut off by -w', 5, 'hang', ['-w', '0.4', 'n', 80],
        within => 3,
        err => qr/^sockt connect: n: no answer from a name server within 0\.4 s \(--timeout\)/],
    ['and by -m', 5, 'hang', ['-m', '0.4', 'n', 80]],
    ['not found is status 3', 3, 'none', ['n', 80],
        err => qr/^sockt connect: n: name not found \(.+\)\n\z/],
    ['a name without addresses, is told as that', 3, 'nodata', ['n', 80],
        err => qr/^sockt connect: n: no address \(the name exists, but no address belongs to it\)\n\z/],
    ['with the family that was asked for', 3, 'nodata', ['-6', 'n', 80],
        err => qr/has no IPv6 address/],
    ['a name without addresses of the family, and which', 3, '127.0.0.1', ['-6', 'n', 80],
        err => "sockt connect: n: name not found, or it has no IPv6 address (--ipv6)\n"],
    ['a lookup that failed for now, is not reported as such a name', 3,
        '127.0.0.1,fail6', ['-6', 'n', 80],
        err => qr/^sockt connect: n: name not resolved .*may work later/],
    ['a nasty name is escaped', 3, '127.0.0.1', ["a\ecb", 80], no_err => qr/\e/],
    ['other names than localhost are looked up', 3, '127.0.0.1', ['nolocalhost', 80]],
    ['-n refuses localhost like any name', 2, '127.0.0.1', ['-n', 'localhost', 80]],
) {
    my ($name, $status, $list, $args, %want) = @$row;
    exits named("n=$list", 'connect', @$args), $status, $name, %want;
}
my $p = start({ command => $names, env => { SOCKT_TEST_NAMES => 'n=hang' } },
    'connect', '-vv', 'n', 80);
my $children = "/proc/$p->{pid}/task/$p->{pid}/children";
my $until = time + 10;
1 while -r $children && slurp($children) eq '' && time < $until;
is $p->stop('INT')->{signal}, 2, 'and by a signal, of which it dies';

# One family is never answered.
for my $host ('127.0.0.1', has_ipv6() ? '::1' : ()) {
    my $held = tcp_listener(host => $host);
    my ($family, $other) = $host eq '::1' ? (6, 4) : (4, 6);
    my @to = ('n', $held->sockport);
    exits named("n=hang$other,$host", 'connect', "-z$family", @to), 0,
        "-$family does not ask for the other";
    exits named("n=hang$other,$host", 'connect', '-zw', '0.3', @to), 5,
        'without it both are waited for';
}

# More addresses than fit into a line. None of the first hundred is listened on;
# nothing is left out.
$l = tcp_listener(host => '127.0.2.1');
my $many = join ',', 'n=127.0.1.1', (map { "127.0.1.$_" } 2 .. 100), '127.0.2.1';
$r = named($many, 'connect', '-vz', 'n', $l->sockport);
exits $r, 0, 'the last one is reached, the line says how many it left out',
    err => qr/connected to 127\.0\.2\.1 /;
my ($list, $more) = $r->{err} =~ / n is (127\.0\.1\.1, .*) and (\d+) more\n/;
is $more + (() = $list =~ /127/g), 101, 'which is right';
like named($many, 'connect', '-vvz', 'n', $l->sockport)->{err},
    qr/^sockt connect: resolve n to 127\.0\.1\.1, .* more: ok/m, 'the step too';
$r = named($many, 'portscan', '--all-addresses', 'n', $l->sockport);
like $r->{err} . $r->{out}, qr/101 hosts/, 'portscan asks all of them';
exits named($many, 'connect', 'n', free_port(host => '127.0.2.1')), 4,
    'an error says so as well',
    err => qr/^sockt connect: n port \d+: refused \(127\.0\.1\.1, .* and 97 more answered; nothing listens there\)\n\z/;
# The proxy kept its name for fifteen further texts.
like named($many, 'connect', '-vv', '--proxy', 'http://n:' . free_port(),
    '127.0.0.1', 80)->{err}, qr/\n[^\n]*the HTTP proxy n port \d+ \(--proxy\): [^\n]*\n\z/,
    'a proxy with many addresses keeps its name';

# Each address was said to have failed as the last one whose option was refused.
SKIP: {
    skip 'calls cannot be made to fail here', 1
        if sockt() =~ /sanitize/ || !TortureRun::has_library();
    # A path with a space is two for LD_PRELOAD.
    my $dir = scratch();
    symlink built('inject.so'), "$dir/i" or die "symlink: $!";
    my $refused = qr/not permitted \([^)]*\)/;
    exits run({ command => $names, env => { SOCKT_TEST_NAMES => "n=127.0.0.2,127.0.0.3",
        LD_PRELOAD => "$dir/i", TORTURE_TABLE => "$dir/table",
        TORTURE_PLAN => '0 setsockopt 2 1 1' } },
        'connect', '--tos', 8, '--ttl', 5, 'n', 1), 7,
        'each address has its own error of an option',
        err => qr/^sockt connect: n port 1: 127\.0\.0\.2: --ttl 5: $refused; 127\.0\.0\.3: --tos 8: $refused\n\z/;
}
exits named('n=127.0.0.2,127.0.0.3', 'connect', '--interface', 'nosuch', 'n', 1), 7,
    'the error of all of them names none', no_err => qr/127\.0/;

# localhost, which this resolver does not know.
$l = tcp_listener();
for my $name (qw(localhost LocalHost localhost. app.localhost)) {
    exits named('', 'connect', '-vvz', $name, $l->sockport), 0,
        "$name is the loopback, both of it",
        err => qr/resolve \Q$name\E to 127\.0\.0\.1, ::1: ok/;
}
for my $row (['-4vv', '127.0.0.1'], ['-6vv', '::1']) {
    my ($family, $address) = @$row;
    like named('', 'connect', $family, 'localhost', free_port())->{err},
        qr/resolve localhost to $address: ok/, "$family takes one";
}
$p = start({ command => $names, env => { SOCKT_TEST_NAMES => '' } },
    'listen', '-k', '--echo', 'localhost', 0);
ok tcp_client($p->port), 'a server listens on it';
ok tcp_client($p->port, '::1'), 'on both addresses' if has_ipv6();
$p->stop;

done_testing;
