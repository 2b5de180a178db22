# listen --to given several times: the next target is tried when one cannot be
# reached; --retry-for, -w and --proxy on the way to them.
use Sockt;
use JSON::PP;

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

for my $row (
    [['--echo', '--retry-for', 1], qr/--retry-for is for reaching --to/],
    [['--proxy', 'http://127.0.0.1'], qr/--proxy is for reaching --to/],
    [['--to', $first, '--to', 'nowhere'], qr/^sockt listen: --to: missing port after 'nowhere'/],
    [['--to', $first, '-n', '--to', 'name.test:80'], qr/--to: name\.test/],
    [['--to', $first, '--proxy', 'http://127.0.0.1', '--to', $missing], qr/--to: .*unix/],
    [['--to', $first, '--echo'], qr/cannot be used together/],
) {
    my ($options, $pattern) = @$row;
    exits run('listen', @$options, 0), 2, "@$options: status", err => $pattern;
}

done_testing;
