# listen --to given several times: the next target is tried when one cannot be
# reached; --retry-for, -w and --proxy on the way to them.
use Sockt;
use JSON::PP;
use SocktTls;

my $dir = scratch();
my $json = JSON::PP->new->utf8;

# A server that answers with its name and what it got.
sub target {
    my ($name, %o) = @_;
    my $l = $o{listener} // tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        local $/;
        my $all = <$c>;
        print $c "$name: $all";
    }, 100);
    return '127.0.0.1:' . $l->sockport;
}

my ($first, $second) = (target('first'), target('second'));
my $refusing = '127.0.0.1:' . free_port();
my $missing = "unix:$dir/nobody";

for my $row (
    [[$first, $second], 'first', ''],
    [[$refusing, $second], 'second', qr/: refused .*; trying 127\.0\.0\.1 port \d+\n/],
    [[$missing, $refusing, $second, $first], 'second',
        qr/: unix:\S+nobody: .*; trying 127.*\n.*: refused .*; trying 127/],
    [['localhost.invalid:80', $second], 'second',
        qr/: localhost\.invalid: .*; trying 127/],
) {
    my ($targets, $name, $said) = @$row;
    my $p = start('listen', '-4', '-k', '-v', (map { ('--to', $_) } @$targets), 0);
    is exchange($p->port, 'x'), "$name: x", "@$targets: $name is reached";
    is exchange($p->port, 'y'), "$name: y", 'by the next client too';
    my $r = $p->stop;
    like $r->{err}, $said, 'why not the others' if $said;
    unlike $r->{err}, qr/trying/, 'the others are not tried' if !$said;
    my ($port) = $targets->[$name eq 'first' ? 0 : -1] =~ /(\d+)$/;
    ($port) = $second =~ /(\d+)$/ if $name eq 'second';
    like $r->{err}, qr/connected to 127\.0\.0\.1 port $port from/, 'which one is reached';
}

my $p = start('listen', '-4', '-k', '--to', $refusing, '--to', $second, 0);
is exchange($p->port, 'x'), 'second: x', 'without -v';
is $p->stop->{err} =~ s/.*listening.*\n//r, '', 'nothing is said';

$p = start('listen', '-4', '--json', '--to', $refusing, '--to', $second, 0);
$p->expect(err => qr/listening/);
exchange($p->{err} =~ /"port":(\d+)/, 'x');
my ($connected) = grep { $_->{event} eq 'connected' }
    map { $json->decode($_) } split /\n/, $p->finish->{err};
is "$connected->{connection} 127.0.0.1:$connected->{remote}{port}", "1 $second",
    'the event names the target and the connection';

# --- None can be reached ---------------------------------------------------

$p = start('listen', '-4', '-k', '--to', $refusing, '--to', $missing, 0);
is exchange($p->port, 'x'), '', 'no target: the client is closed';
$p->expect(err => qr/nobody: .*\n/);
my @lines = grep { !/listening/ } split /\n/, $p->stop->{err};
is scalar @lines, 1, 'one line';
like $lines[0], qr/^sockt listen: 127\.0\.0\.1 port \d+: forwarding to: 127\.0\.0\.1 port \d+: refused \(.*\); unix:\S+nobody: /,
    'which names both';
$p = start('listen', '-4', '--to', $missing, '--to', $refusing, 0);
exchange($p->port, 'x');
is $p->finish->{status}, 4, 'without -k the status is that of the last';

# --- --retry-for -----------------------------------------------------------

# The targets start while the client waits.
for my $late (0, 1) {
    my @ports = (free_port(), free_port());
    $p = start('listen', '-4', '-k', '--retry-for', 20,
        (map { ('--to', "127.0.0.1:$_") } @ports), 0);
    my $c = tcp_client($p->port);
    print $c 'x';
    shutdown $c, 1;
    $p->expect(err => qr/: refused .*; 127\.0\.0\.1 port $ports[1]: refused .*; trying again for 20 s\n/);
    target('late', listener => tcp_listener(port => $ports[$late]));
    local $/;
    is scalar(<$c>), 'late: x', "target $late is reached once it has started";
    is $p->stop->{status}, 0, 'stopped';
}

$p = start('listen', '-4', '-k', '--retry-for', '300ms', '--to', $refusing, 0);
is exchange($p->port, 'x'), '', '--retry-for passes: the client is closed';
$p->expect(err => qr/forwarding to: no connection within 0\.3 s \(--retry-for\); 127\.0\.0\.1 port \d+: refused/);
is exchange($p->port, 'x'), '', 'and the next one';
$p->stop;

$p = start('listen', '-4', '-k', '-m', '300ms', '--retry-for', 20, '--to',
    $refusing, 0);
is exchange($p->port, 'x'), '', '--max-time ends the attempts';
$p->expect(err => qr/forwarding to: stopped after 0\.3 s \(--max-time\); .*: refused/);
$p->stop;

# Stopped while it waits.
$p = start('listen', '-4', '-k', '--retry-for', 20, '--to', $refusing, 0);
my $c = tcp_client($p->port);
$p->expect(err => qr/trying again/);
is $p->stop->{status}, 0, 'a server that waits for a target is stopped';

# --- --proxy ---------------------------------------------------------------

my $proxy = tcp_listener();
peer($proxy, sub {
    my ($c, $n) = @_;
    my $request = '';
    while (my $line = <$c>) {
        $request .= $line;
        last if $line eq "\r\n";
    }
    return print $c "HTTP/1.1 502 no\r\n\r\n" if $n == 1;
    print $c "HTTP/1.1 200 ok\r\n\r\n";
    local $/;
    print $c $request =~ /CONNECT (\S+)/, ' got ', scalar <$c>;
}, 2);
$p = start('listen', '-4', '-k', '-v', '--proxy',
    'http://127.0.0.1:' . $proxy->sockport, '--to', 'one.test:80', '--to',
    'two.test:81', 0);
is exchange($p->port, 'x'), 'two.test:81 got x',
    '--proxy: the next target when the proxy cannot reach one';
like $p->stop->{err}, qr/one\.test port 80: .*; trying two\.test port 81\n.*reached two\.test port 81 through/s,
    'which is said';

# --- Misuse ----------------------------------------------------------------

misused 'listen',
    qr/--retry-for is for reaching --to/ => [['--echo', '--retry-for', 1, 0]],
    qr/--proxy is for reaching --to/ => [['--proxy', 'http://127.0.0.1', 0]],
    qr/^sockt listen: --to: missing port after 'nowhere'/ => [['--to', $first, '--to', 'nowhere', 0]],
    qr/--to: name\.test/ => [['--to', $first, '-n', '--to', 'name.test:80', 0]],
    qr/--to: .*unix/ => [['--to', $first, '--proxy', 'http://127.0.0.1', '--to', $missing, 0]],
    qr/cannot be used together/ => [['--to', $first, '--echo', 0]];

# listen --to with --via and --tls: targets behind programs, also several, with
# retries and records.
$dir = scratch();

# --- --via -----------------------------------------------------------------

$p = start('listen', '-4', '-k', '-x', "$dir/dump", '--to', 'name.test:81',
    '--via', 'echo %h %p; cat', 0);
is exchange($p->port, 'x'), "name.test 81\nx", 'a program is the target';
my @clients = map { tcp_client($p->port) } 1 .. 10;
print { $clients[$_] } "client $_" for 0 .. 9;
shutdown $_, 1 for @clients;
my @got = map { local $/; scalar readline $_ } @clients;
is scalar(grep { $got[$_] ne "name.test 81\nclient $_" } 0 .. 9), 0,
    'each client has one of its own';
is $p->stop->{status}, 0, 'stopped';
like slurp("$dir/dump"), qr/^< received on connection 1 .*\n.*\|x\|/m,
    'and is recorded';

my $program = 'case %h in bad) echo broken >&2; exit 3;; esac; echo %h; cat';
$p = start('listen', '-4', '-k', '-v', '--to', 'bad:1', '--to', 'good:2',
    '--via', $program, 0);
is exchange($p->port, 'x'), "good\nx", 'the next target when a program fails';
like $p->stop->{err}, qr/: bad port 1: .* status 3: broken; trying good port 2\n/,
    'and why';

$p = start('listen', '-4', '--to', 'bad:1', '--to', 'bad:2', '--via', $program, 0);
is exchange($p->port, 'x'), '', 'both fail: the client is closed';
my $r = $p->finish;
like $r->{err}, qr/forwarding to: bad port 1: .*broken; bad port 2: .*broken\n\z/,
    'one line names both';
isnt $r->{status}, 0, 'and the status is not 0';

$p = start('listen', '-4', '-k', '--retry-for', 20, '--to', 'late:1', '--via',
    "test -e $dir/ready || { echo not yet >&2; exit 1; }; cat", 0);
$c = tcp_client($p->port);
print $c 'x';
shutdown $c, 1;
$p->expect(err => qr/not yet; trying again for 20 s/);
spew("$dir/ready", '');
is do { local $/; <$c> }, 'x', '--retry-for: a program that works at last';
$p->stop;

$p = start('listen', '-4', '--to', 'name.test:81', '--via', 'cat; exit 3', 0);
is exchange($p->port, 'x'), 'x', 'a program that fails in the end';
exits $p->finish, 10, 'is no success',
    err => qr/^sockt listen: 127\.0\.0\.1 port \d+: .*status 3/m;

# Nothing that the server started lives on.
for my $how ([], ['-x', "$dir/dump"]) {
    $p = start('listen', '-4', '-k', @$how, '--to', 'name.test:81', '--via',
        'trap "" TERM HUP INT; echo $$; while :; do sleep 0.1; done', 0);
    $c = tcp_client($p->port);
    my ($program) = <$c> =~ /(\d+)/;
    my $ended = $p->stop;
    is "$ended->{status} " . ($ended->{err} =~ s/^.*listening on.*\n//mr), '0 ',
        'a server ends in silence';
    ok !is_running($program), 'a program that ignores SIGTERM has ended, too';
}

# --- --tls -----------------------------------------------------------------

SKIP: {
    skip 'no openssl 3, or no libssl', 4 unless tls_is_available();
    system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key "
        . "-out $dir/ca -days 2 -subj /CN=localhost -addext "
        . 'subjectAltName=IP:127.0.0.1 >/dev/null 2>&1') == 0
        or skip 'no certificate', 4;
    # It serves one connection at a time: one for each part.
    my $server = sub {
        my $port = free_port();
        my $p = start({ command => 'openssl', keep_stdin => 1 }, 's_server',
            '-accept', "127.0.0.1:$port", '-key', "$dir/key", '-cert',
            "$dir/ca", '-rev');
        return ($p, '--retry-for', 20, '--to', "127.0.0.1:$port", '--tls');
    };
    my ($s, @to) = $server->();
    $p = start('listen', '-4', '-k', @to, '--tls-ca', "$dir/ca", '-x',
        "$dir/tls", 0);
    $c = tcp_client($p->port);
    print $c "hello\n";
    is scalar(<$c>), "olleh\n", '--tls: the target is reached';
    close $c;
    $p->stop;
    $s->signal('KILL');
    like slurp("$dir/tls"), qr/\|hello\.\|.*\|olleh\.\|/s,
        'the record shows what TLS hides';
    ($s, @to) = $server->();
    $p = start('listen', '-4', '-k', @to, 0);
    is exchange($p->port, "x\n"), '', 'without --tls-ca: not verified';
    $p->expect(err => qr/forwarding to: .*TLS: .*certificate/);
    ok 1, 'which is said';
    $p->stop;
    $s->signal('KILL');
}

# --- Misuse ----------------------------------------------------------------

misused 'listen',
    qr/--via is for reaching --to/ => [['--via', 'cat', 0]],
    qr/--tls is for reaching --to/ => [['--tls', 0]],
    qr/--tls-insecure is for reaching --to/ => [['--echo', '--tls-insecure', 0]],
    qr/--tls-insecure goes with --tls/ => [['--to', 'a:1', '--tls-insecure', 0]],
    qr/--proxy does not apply with --via/ => [['--to', 'a:1', '--via', 'cat', '--proxy', 'http://b', 0]],
    qr/--to: .*%x/ => [['--to', 'a:1', '--via', 'cat %x', 0]];

done_testing;
