# Names with several addresses: RFC 8305's order and pace, a dead address that
# costs a quarter of a second, a refusal that costs nothing, a resolver that
# never answers.
use Sockt;
use IO::Socket::IP;
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(time);

my $names = built('sockt-names');
plan skip_all => "$names is not built" unless -x $names;

# sockt with its own answers for names.
sub named {
    my ($list, @args) = @_;
    return run({ command => $names, env => { SOCKT_TEST_NAMES => $list } },
        @args);
}

# A listener whose queue is full: it answers no SYN, as a dead host does.
sub dead {
    my ($host, $port) = @_;
    my $l = tcp_listener(host => $host, port => $port, backlog => 0);
    my @fill;
    while (@fill < 20) {
        my $c = IO::Socket::IP->new(
            PeerHost => $host, PeerPort => $l->sockport, Timeout => 0.2);
        last unless $c;
        push @fill, $c;
    }
    return ($l, @fill);
}

# The addresses in the order in which they were tried.
sub tried {
    my ($r) = @_;
    return join ' ', $r->{err} =~ /connect the socket \S+ \d+\) to (\S+) port \d+: (?!waiting)/g;
}

subtest 'a dead first address, a live second one' => sub {
    my $l = tcp_listener(host => '127.0.0.3');
    my @dead = dead('127.0.0.2', $l->sockport);
    my ($r, $ms);
    for (1 .. 15) {    # the machine may be busy
        $r = named('two=127.0.0.2,127.0.0.3',
            'connect', '-vvz', 'two', $l->sockport);
        ($ms) = $r->{err} =~ /connected to .* in ([\d.]+) ms/;
        last if $ms && $ms < 300;
    }
    exits $r, 0, 'it connects', err => qr/connected to 127\.0\.0\.3 /;
    cmp_ok $ms, '>=', 250, 'after the delay of RFC 8305';
    # Without a second attempt it would take as long as the first one's limit.
    cmp_ok $ms, '<', 2500, 'and soon';
};

subtest 'a refused first address' => sub {
    my $l = tcp_listener(host => '127.0.0.3');
    my $r = named('two=127.0.0.2,127.0.0.3',
        'connect', '-vvz', 'two', $l->sockport);
    is $r->{status}, 0, 'it connects';
    is tried($r), '127.0.0.2 127.0.0.3', 'to the second';
    my ($ms) = $r->{err} =~ /connected to .* in ([\d.]+) ms/;
    cmp_ok $ms, '<', 200, 'at once';
};

subtest 'the order of families' => sub {
    plan skip_all => 'no IPv6 here' unless has_ipv6();
    my $port = free_port();
    my $r = named('n=::1,127.0.0.1,127.0.0.2,127.0.0.1,127.0.0.3',
        'connect', '-vv', 'n', $port);
    is $r->{status}, 4, 'all refused';
    is tried($r), '::1 127.0.0.1 127.0.0.2 127.0.0.3',
        'IPv6 first if it comes first, none twice';
    $r = named('n=127.0.0.1,127.0.0.2,::1', 'connect', '-vv', 'n', $port);
    is tried($r), '127.0.0.1 ::1 127.0.0.2', 'the families take turns';
    $r = named('n=127.0.0.1,::1', 'connect', '-6vv', 'n', $port);
    is tried($r), '::1', '-6 takes one family';
    $r = named('n=127.0.0.1', 'connect', '-6', 'n', $port);
    is $r->{status}, 3, 'a name without an address of that family';
};

subtest 'every address is told' => sub {
    my $port = free_port();
    my @dead = dead('127.0.0.2', $port);
    exits named('n=127.0.0.2,127.0.0.1', 'connect', '-w', '2.5', 'n', $port),
        4, 'the best error is the status, on one line, each with its reason',
        err => qr/^sockt connect: n port $port: no answer from 127\.0\.0\.2 within 2\.5 s \(--timeout\); refused \(127\.0\.0\.1 answered; [^)]+\)\n\z/;
    my $r = named('n=127.0.0.2', 'connect', '-w', '0.3', 'n', $port);
    is $r->{status}, 5, 'silence alone is status 5';
    like named('n=127.0.0.1,127.0.0.2', 'connect', '--json', '-w', '2.5', 'n',
        $port)->{err}, qr/"event":"error".*"status":4,"kind":"refused"/,
        'and as an event';
};

subtest 'a resolver that never answers' => sub {
    exits named('n=hang', 'connect', '-w', '0.4', 'n', 80), 5,
        'is cut off by -w', within => 3,
        err => qr/^sockt connect: n: no answer from a name server within 0\.4 s \(--timeout\)/;
    exits named('n=hang', 'connect', '-m', '0.4', 'n', 80), 5, 'and by -m';
    my $p = start({ command => $names, env => { SOCKT_TEST_NAMES => 'n=hang' } },
        'connect', '-vv', 'n', 80);
    my $children = "/proc/$p->{pid}/task/$p->{pid}/children";
    my $until = time + 10;
    1 while -r $children && slurp($children) eq '' && time < $until;
    $p->signal('INT');
    is $p->finish->{signal}, 2, 'and by a signal, of which it dies';
};

subtest 'one family is never answered' => sub {
    for my $host ('127.0.0.1', has_ipv6() ? '::1' : ()) {
        my $l = tcp_listener(host => $host);
        my ($family, $other) = $host eq '::1' ? (6, 4) : (4, 6);
        my $n = "n=hang$other,$host";
        exits named($n, 'connect', "-z$family", 'n', $l->sockport), 0,
            "-$family does not ask for the other";
        my $r = named($n, 'connect', '-zw', '0.3', 'n', $l->sockport);
        is $r->{status}, 5, 'without it both are waited for';
    }
};

subtest 'more addresses than fit into a line' => sub {
    # None of the first hundred is listened on; nothing is left out.
    my $l = tcp_listener(host => '127.0.2.1');
    my $many = join ',', (map { "127.0.1.$_" } 1 .. 100), '127.0.2.1';
    my $r = named("n=$many", 'connect', '-vz', 'n', $l->sockport);
    exits $r, 0, 'the last one is reached, the line says how many it left out',
        err => [qr/connected to 127\.0\.2\.1 /,
        qr/ n is 127\.0\.1\.1, .* and (\d+) more\n/];
    my ($list) = $r->{err} =~ / n is (.*) and/;
    like named("n=$many", 'connect', '-vvz', 'n', $l->sockport)->{err},
        qr/^sockt connect: resolve n to 127\.0\.1\.1, .* more: ok/m,
        'the step too';
    my $shown = () = $list =~ /127/g;
    my ($more) = $r->{err} =~ / and (\d+) more/;
    is $shown + $more, 101, 'which is right';
    $r = named("n=$many", 'portscan', '--all-addresses', 'n', $l->sockport);
    like $r->{err} . $r->{out}, qr/101 hosts/, 'portscan asks all of them';
    $r = named("n=$many", 'connect', 'n', free_port(host => '127.0.2.1'));
    like $r->{err}, qr/^sockt connect: n port \d+: refused \(127\.0\.1\.1, .* and 97 more answered; nothing listens there\)\n\z/,
        'an error says so as well';
};

subtest 'a local port and several addresses' => sub {
    my $l = tcp_listener(host => '127.0.0.3');
    my @dead = dead('127.0.0.2', $l->sockport);
    my $port = free_port();
    exits named('n=127.0.0.2,127.0.0.3', 'connect', '-vz', '-w', 10, '-p',
        $port, 'n', $l->sockport), 0, 'the second attempt uses the same port',
        err => qr/connected to 127\.0\.0\.3 .* from \S+ port $port /;
    SKIP: {
        skip 'no IPv6 here', 1 unless has_ipv6();
        my @six = dead('::1', $l->sockport);
        exits named('n=::1,127.0.0.3', 'connect', '-vz', '-w', 10, '-p',
            free_port(), 'n', $l->sockport), 0, 'of the other family too';
    }
};

subtest 'localhost' => sub {
    # This resolver does not know it.
    my $l = tcp_listener();
    for my $name (qw(localhost LocalHost localhost. app.localhost)) {
        my $r = named('', 'connect', '-vvz', $name, $l->sockport);
        is $r->{status}, 0, "$name is the loopback";
        like $r->{err}, qr/resolve \Q$name\E to 127\.0\.0\.1, ::1: ok/, 'both of it';
    }
    my $r = named('', 'connect', '-4vv', 'localhost', free_port());
    like $r->{err}, qr/resolve localhost to 127\.0\.0\.1: ok/, '-4 takes one';
    $r = named('', 'connect', '-6vv', 'localhost', free_port());
    like $r->{err}, qr/resolve localhost to ::1: ok/, '-6 the other';
    is named('', 'connect', 'nolocalhost', 80)->{status}, 3,
        'other names are looked up';
    is named('', 'connect', '-n', 'localhost', 80)->{status}, 2,
        '-n refuses it like any name';
    my $p = start({ command => $names, env => { SOCKT_TEST_NAMES => '' } },
        'listen', '-k', '--echo', 'localhost', 0);
    my $port = $p->port;
    ok tcp_client($port), 'a server listens on it';
    ok tcp_client($port, '::1'), 'on both addresses' if has_ipv6();
    $p->stop;
};

subtest 'names that are none' => sub {
    exits named('n=none', 'connect', 'n', 80), 3, 'not found is status 3',
        err => qr/^sockt connect: n: name not found \(.+\)\n\z/;
    exits named('n=nodata', 'connect', 'n', 80), 3,
        'a name without addresses, is told as that',
        err => qr/^sockt connect: n: no address \(the name exists, but no address belongs to it\)\n\z/;
    like named('n=nodata', 'connect', '-6', 'n', 80)->{err},
        qr/has no IPv6 address/, 'with the family that was asked for';
    my $r = named('n=127.0.0.1', 'connect', '-6', 'n', 80);
    is $r->{status}, 3, 'a name without addresses of the family';
    is $r->{err}, 'sockt connect: n: name not found, or it has no IPv6 '
        . "address (--ipv6)\n", 'and which';
    exits named('n=127.0.0.1,fail6', 'connect', '-6', 'n', 80), 3,
        'a lookup that failed for now, is not reported as such a name',
        err => qr/^sockt connect: n: name not resolved .*may work later/;
    $r = named('n=127.0.0.1', 'connect', '-n', 'n', 80);
    is $r->{status}, 2, '-n refuses a name';
    $r = named('n=127.0.0.1', 'connect', "a\e[0mb", 80);
    unlike $r->{err}, qr/\e/, 'a nasty name is escaped';
    my $many = join ',', map { "127.0.1.$_" } 1 .. 100;
    $r = named("n=$many", 'connect', 'n', free_port());
    is $r->{status}, 4, 'a hundred addresses';
};

# The proxy kept its name for fifteen further texts.
{
    my $r = named('many=' . join(',', map { "127.0.1.$_" } 1 .. 9), 'connect',
        '-vv', '--proxy', 'http://many:' . free_port(), '127.0.0.1', 80);
    like $r->{err}, qr/\n[^\n]*the HTTP proxy many port \d+ \(--proxy\): [^\n]*\n\z/,
        'a proxy with many addresses keeps its name';
}

done_testing;
