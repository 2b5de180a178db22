# Datagrams to and from nc, ncat and socat, and a question to a DNS server.
use Sockt;
use IO::Select;

my %path = map {
    my $name = $_;
    my ($found) = grep { -x } map { "$_/$name" }
        qw(/usr/bin /bin /usr/sbin /sbin);
    ok defined $found, "$name is there";
    ($name => $found);
} qw(nc.openbsd ncat socat dnsmasq);

# Clients of ours: each says one thing and prints one answer.
my %client = (
    'nc.openbsd' => sub { ('-u', '-W', '1', '127.0.0.1', $_[0]) },
    ncat  => sub { ('-u', '-i', '1', '127.0.0.1', $_[0]) },
    socat => sub { ('-T1', '-', "UDP:127.0.0.1:$_[0]") },
);
for my $name (sort keys %client) {
    my $p = start('udp-serve', '*', '0');
    my $c = start({ command => $path{$name}, keep_stdin => 1 },
        $client{$name}->($p->port));
    $c->send_line('Michael');
    is eval { scalar $c->expect(out => qr/(Hello, Michael!)/) },
        'Hello, Michael!', "$name is answered by udp-serve";
    $c->stop('KILL');
    is $p->stop->{status}, 0, 'ends';
}

# Servers for us. Their port is one that is free; until they listen on it,
# it refuses.
my %server = (
    'nc.openbsd' => sub { ('-u', '-l', '127.0.0.1', $_[0]) },
    ncat  => sub { ('-u', '-l', '127.0.0.1', $_[0]) },
    socat => sub { ('-', "UDP-LISTEN:$_[0],bind=127.0.0.1") },
);
for my $name (sort keys %server) {
    my $port = do { my $u = udp_socket(); $u->sockport };
    my $s = start({ command => $path{$name}, keep_stdin => 1 },
        $server{$name}->($port));
    my $r;
    for (1 .. 200) {
        my $p = start('udp-send', '-w', '5', '127.0.0.1', $port, 'to a peer');
        my $heard = eval { $s->expect(out => qr/to a peer/, 0.5) };
        $s->send_line("answer\n") if $heard;
        $r = $p->finish;
        last if $r->{status} != 4;
        select undef, undef, undef, 0.02;
    }
    is $r->{out}, "answer\n", "$name hears and answers udp-send";
    $s->stop('TERM');
}

# A question in DNS (RFC 1035), made here, sent by udp-send as it is.
# dnsmasq wants the same port for TCP.
my $port;
until ($port) {
    my $u = udp_socket();
    $port = $u->sockport if eval { tcp_listener(port => $u->sockport) };
}
my $dns = start({ command => $path{dnsmasq} }, '-k', '-C', '/dev/null',
    '--no-resolv', '--no-hosts', '--bind-interfaces', '-a', '127.0.0.1', '-p',
    $port, '--pid-file=', '--address=/sockt.test/192.0.2.53', '-u', 'root');
my $question = pack('n6', 0x1234, 0x0100, 1, 0, 0, 0)
    . join('', map { pack 'C/a', $_ } 'www', 'sockt', 'test')
    . pack('C n n', 0, 1, 1);
my $r;
for (1 .. 200) {
    $r = run({ stdin => $question }, 'udp-send', '--whole', '--raw', '-w', '2',
        '127.0.0.1', $port);
    last if $r->{status} != 4;
    select undef, undef, undef, 0.02;
}
is $r->{status}, 0, 'dnsmasq answers';
my ($id, $flags, $asked, $answers) = unpack 'n4', $r->{out};
is $id, 0x1234, 'this question';
is $flags & 0x800f, 0x8000, 'without an error';
is $answers, 1, 'with one answer';
is join('.', unpack 'C4', substr $r->{out}, -4), '192.0.2.53',
    'byte for byte: the address';
my $hex = join ' ', unpack '(H2)*', $question;
my $same = run('udp-send', '--hex', '-w', '2', '127.0.0.1', $port, $hex)->{out};
like $same, qr/^12 34 (?:[0-9a-f]{2} )+c0 00 02 35\n\z/,
    'the same question in hexadecimal, and its answer';
$r = run('udp-send', '--escapes', '--raw', '-w', '2', '127.0.0.1', $port,
    '\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x05sockt\x04test\0\0\x01\0\x01');
is join(' ', unpack '(H2)*', $r->{out}) . "\n", $same, 'and with escapes';
$dns->stop('TERM');

done_testing;
