# listen --to given several times: the next target is tried when one cannot be
# reached; --retry-for, -m, --proxy and --via on the way to them. --tls is in
# listen_tls.
use Sockt;

my $dir = scratch();

# A server that answers with its name and what it got.
sub target {
    my ($name, $l) = @_;
    $l //= tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        local $/;
        my $all = <$c>;
        print $c "$name: $all";
    }, 100);
    return '127.0.0.1:' . $l->sockport;
}

sub to { return map { ('--to', $_) } @_ }

my ($first, $second) = (target('first'), target('second'));
my ($one, $two) = map { /(\d+)$/ } $first, $second;
my $refusing = '127.0.0.1:' . free_port();
my $missing = "unix:$dir/nobody";
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
my $program = 'case %h in bad) echo broken >&2; exit 3;; esac; echo %h; cat';
my $listening = qr/\A\N+listening on\N+\n/;
my $client = qr/^sockt listen: 127\.0\.0\.1 port \d+: /m;

# What a client gets for an x, what the server says, and its status.
for my $row (
    ['the first is reached', 'first: x', qr/\A(?!.*trying).*connected to 127\.0\.0\.1 port $one from/s,
        0, '-kv', to($first, $second)],
    ['the second, and why not the first', 'second: x',
        qr/: refused .*; trying 127\.0\.0\.1 port $two\n.*connected to 127\.0\.0\.1 port $two from/s,
        0, '-kv', to($refusing, $second)],
    ['the third', 'second: x', qr/: unix:\S+nobody: .*; trying 127.*\n.*: refused .*; trying 127/,
        0, '-kv', to($missing, $refusing, $second, $first)],
    ['a name that does not exist', 'second: x', qr/: localhost\.invalid: .*; trying 127/,
        0, '-kv', to('localhost.invalid:80', $second)],
    ['without -v nothing is said', 'second: x', qr/$listening\z/, 0, '-k',
        to($refusing, $second)],
    ['the event names the target and the connection', 'second: x',
        qr/"event":"connected"(?=\N*"connection":1\b)\N*"remote":\{\N+"port":$two\}/,
        0, '--json', to($refusing, $second)],
    ['no target: the client is closed, one line names both', '',
        qr/$listening${client}forwarding to: 127\.0\.0\.1 port \d+: refused \(.*\); unix:\S+nobody: \N+\n\z/,
        0, '-k', to($refusing, $missing)],
    ['without -k the status is that of the last', '', qr/refused/, 4,
        to($missing, $refusing)],
    ['--retry-for passes: the client is closed', '',
        qr/forwarding to: no connection within 0\.3 s \(--retry-for\); 127\.0\.0\.1 port \d+: refused/,
        0, '-k', '--retry-for', '300ms', to($refusing)],
    ['--max-time ends the attempts', '',
        qr/forwarding to: stopped after 0\.3 s \(--max-time\); .*: refused/,
        0, '-k', '-m', '300ms', '--retry-for', 20, to($refusing)],
    ['--proxy: the next target when the proxy cannot reach one', 'two.test:81 got x',
        qr/one\.test port 80: .*; trying two\.test port 81\n.*reached two\.test port 81 through/s,
        0, '-kv', '--proxy', 'http://127.0.0.1:' . $proxy->sockport,
        to('one.test:80', 'two.test:81')],
    ['a program is the target', "name.test 81\nx", $listening, 0, '-k', '-x',
        "$dir/dump", to('name.test:81'), '--via', 'echo %h %p; cat'],
    ['the next target when a program fails', "good\nx",
        qr/: bad port 1: .* status 3: broken; trying good port 2\n/, 0, '-kv',
        to('bad:1', 'good:2'), '--via', $program],
    ['both fail: one line names both', '',
        qr/forwarding to: bad port 1: .*broken; bad port 2: .*broken\n\z/, 10,
        to('bad:1', 'bad:2'), '--via', $program],
    ['a program that fails in the end is no success', 'x', qr/$client.*status 3/, 10,
        to('name.test:81'), '--via', 'cat; exit 3'],
) {
    my ($name, $answer, $says, $status, @options) = @$row;
    my $p = start('listen', '-4', @options, 0);
    is exchange($p->port, 'x'), $answer, "@options: $name";
    $p->expect(err => $says);
    exits $options[0] =~ /-k/ ? $p->stop : $p->finish, $status, '  status, log',
        err => $says;
}
like slurp("$dir/dump"), qr/^< received on connection 1 .*\n.*\|x\|/m,
    'what goes to a program is recorded';

# The targets start while the client waits.
sub waiting {
    my ($says, @options) = @_;
    my $p = start('listen', '-4', '-k', '--retry-for', 20, @options, 0);
    my $c = tcp_client($p->port);
    print $c 'x';
    shutdown $c, 1;
    $p->expect(err => $says);
    return ($p, $c);
}

for my $late (0, 1) {
    my @ports = (free_port(), free_port());
    my ($p, $c) = waiting(qr/: refused .*; 127\.0\.0\.1 port $ports[1]: refused .*; trying again for 20 s\n/,
        to(map { "127.0.0.1:$_" } @ports));
    target('late', tcp_listener(port => $ports[$late]));
    is <$c>, 'late: x', "target $late is reached once it has started";
    is $p->stop->{status}, 0, 'stopped';
}
my ($p, $c) = waiting(qr/not yet; trying again for 20 s/, to('late:1'), '--via',
    "test -e $dir/ready || { echo not yet >&2; exit 1; }; cat");
spew("$dir/ready", '');
is <$c>, 'x', '--retry-for: a program that works at last';
$p->stop;
($p) = waiting(qr/trying again/, to($refusing));
is $p->stop->{status}, 0, 'a server that waits for a target is stopped';

# Nothing that the server started lives on.
for my $how ([], ['-x', "$dir/dump"]) {
    $p = start('listen', '-4', '-k', @$how, to('name.test:81'), '--via',
        'trap "" TERM HUP INT; echo $$; while :; do sleep 0.1; done', 0);
    $c = tcp_client($p->port);
    my ($pid) = <$c> =~ /(\d+)/;
    exits $p->stop, 0, 'a server ends in silence', err => qr/$listening\z/;
    ok !is_running($pid), 'a program that ignores SIGTERM has ended, too';
}

misused 'listen',
    qr/--retry-for goes with --to$/m => '--echo --retry-for 1 0',
    qr/--proxy goes with --to/ => '--proxy http://127.0.0.1 0',
    qr/^sockt listen: --to: missing port after 'nowhere'/ => "--to $first --to nowhere 0",
    qr/--to: name\.test/ => "--to $first -n --to name.test:80 0",
    qr/--to: .*unix/ => "--to $first --proxy http://127.0.0.1 --to $missing 0",
    qr/cannot be used together/ => "--to $first --echo 0",
    qr/--via goes with --to/ => '--via cat 0',
    qr/--tls goes with --to: TLS of clients is --tls-cert FILE$/m => '--tls 0',
    qr/--tls-insecure goes with --tls/ => '--echo --tls-insecure 0',
    qr/--tls-insecure goes with --tls/ => '--to a:1 --tls-insecure 0',
    qr/--proxy does not apply with --via/ => '--to a:1 --via cat --proxy http://b 0',
    qr/--to: .*%x/ => [['--to', 'a:1', '--via', 'cat %x', 0]];

done_testing;
