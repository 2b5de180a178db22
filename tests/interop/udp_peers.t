# Datagrams to and from nc, ncat and socat, and a question to a DNS server; DNS,
# syslog and a measurement through a forwarder.
use Sockt;
use JSON::PP qw(decode_json);

# Nobody else takes a port here.
own_network() if is_root();
$ENV{PATH} .= ':/usr/sbin';

# Clients of ours: each says one thing and prints one answer.
my %client = (
    'nc.openbsd' => sub { ('-u', '-W', '1', '127.0.0.1', $_[0]) },
    ncat  => sub { ('-u', '-i', '1', '127.0.0.1', $_[0]) },
    socat => sub { ('-T1', '-', "UDP:127.0.0.1:$_[0]") },
);
# Servers for us.
my %server = (
    'nc.openbsd' => sub { ('-u', '-l', '127.0.0.1', $_[0]) },
    ncat  => sub { ('-u', '-l', '127.0.0.1', $_[0]) },
    socat => sub { ('-', "UDP-LISTEN:$_[0],bind=127.0.0.1") },
);
for my $name (sort keys %client) {
    my $p = start('udp-serve', '-4', '*', 0);
    my $c = start({ command => $name, keep_stdin => 1 },
        $client{$name}->($p->port));
    $c->send_line('Michael');
    ok $c->expect(out => qr/Hello, Michael!/), "$name is answered by udp-serve";
    $c->stop('KILL');
    is $p->stop->{status}, 0, '  which ends';

    my $port = free_port();
    my $s = start({ command => $name, keep_stdin => 1 }, $server{$name}->($port));
    await_listener($port, 'udp');
    $p = start('udp-send', '-w', 30, '127.0.0.1', $port, 'to a peer');
    $s->expect(out => qr/to a peer/);
    $s->send_line("answer\n");
    exits $p->finish, "0 answer\n", "$name hears and answers udp-send";
    $s->stop;
}

# A question in DNS (RFC 1035), made here, sent by udp-send as it is.
my $port = free_port();
my $dns = start({ command => 'dnsmasq' }, '-k', '-C', '/dev/null',
    '--no-resolv', '--no-hosts', '--bind-interfaces', '-a', '127.0.0.1', '-p',
    $port, '--pid-file=', '--address=/sockt.test/192.0.2.53', '-u', 'root');
await_listener($port, 'udp');
my $question = pack('n6', 0x1234, 0x0100, 1, 0, 0, 0)
    . join('', map { pack 'C/a', $_ } 'www', 'sockt', 'test')
    . pack('C n n', 0, 1, 1);
my @ask = ('udp-send', '-w', 30, '127.0.0.1', $port);
my $r = run({ stdin => $question }, @ask, '--whole', '--raw');
is $r->{status}, 0, 'dnsmasq answers';
my ($id, $flags, $asked, $answers) = unpack 'n4', $r->{out};
is_deeply [$id, $flags & 0x800f, $answers], [0x1234, 0x8000, 1],
    'this question, without an error';
is join('.', unpack 'C4', substr $r->{out}, -4), '192.0.2.53',
    'byte for byte: the address';
my $hex = join ' ', unpack '(H2)*', $question;
my $same = run(@ask, '--hex', $hex)->{out};
like $same, qr/^12 34 (?:[0-9a-f]{2} )+c0 00 02 35\n\z/,
    'the same question in hexadecimal, and its answer';
$r = run(@ask, '--escapes', '--raw',
    '\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x05sockt\x04test\0\0\x01\0\x01');
is join(' ', unpack '(H2)*', $r->{out}) . "\n", $same, 'and with escapes';

my $forwarder = start('udp-serve', '-4', 0, '--to', "127.0.0.1:$port");
$r = run({ command => 'dig' }, '@127.0.0.1', '-p', $forwarder->port, '+short',
    'www.sockt.test');
exits $r, "0 192.0.2.53\n", 'dig asks through udp-serve --to';
$forwarder->stop;
$dns->stop;

my $log = udp_socket();
$forwarder = start('udp-serve', '-4', 0, '--to', '127.0.0.1:' . $log->sockport);
exits run({ command => 'logger' }, '-d', '-n', '127.0.0.1', '-P', $forwarder->port,
    '-t', 'sockt', 'a line'), 0, 'logger sends through it';
$log->recv(my $line, 1000);
like $line, qr/ sockt\b.* a line$/, 'and the line arrives';
$forwarder->stop;

# iperf3 uses one port number for its TCP and its UDP connections. Its rate is
# what the buffer of its socket holds for a fifth of a second.
my $iperf = free_port();
my $s = start({ command => 'iperf3' }, '-s', '-1', '-B', '127.0.0.2', '-p', $iperf);
await_listener($iperf);
my $control = start('listen', '-4', '-k', '127.0.0.1', $iperf, '--to', "127.0.0.2:$iperf");
$forwarder = start('udp-serve', '-4', '127.0.0.1', $iperf, '--to', "127.0.0.2:$iperf");
await_listener($iperf, 'udp');
$r = run({ command => 'iperf3', timeout => 60 }, '-c', '127.0.0.1', '-p', $iperf, '-u',
    '-b', '5M', '-n', '1M', '-l', '1400', '-J');
my $sum = decode_json($r->{out})->{end}{sum};
is "$r->{status} $sum->{lost_packets}", '0 0', 'iperf3 -u loses nothing'
    or diag $r->{out};
cmp_ok $sum->{bytes}, '>=', 1e6, 'of all that it sends';
$_->stop for $forwarder, $control, $s;

done_testing;
