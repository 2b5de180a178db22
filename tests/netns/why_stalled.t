# Why a connection does not go on: the peer does not read, the path loses
# everything, or only what is large, or a part of what was sent; or the peer has
# everything and is silent. Each is told where it is so, and nowhere else.
use Sockt;
use SocktNet;
use SocktTls;

need_root('nft');
plan skip_all => 'the kernel is not asked by this build'
    if run('--version')->{out} =~ /posix/;
my ($client, $near, $far, $server) = routed_hosts();

# A server on a port of its own: what it does with its connection, in Perl.
our $port = 7000;
sub serve {
    my ($does) = @_;
    $port++;
    my $code = <<'END' . $does;
use strict; use IO::Socket::IP; use Socket qw(SOCK_STREAM SOL_SOCKET SO_RCVBUF);
my $l = IO::Socket::IP->new(LocalHost => '::', LocalPort => shift, Listen => 1,
    ReuseAddr => 1, V6Only => 0, Type => SOCK_STREAM) or die $@;
$| = 1; print "ready\n";
my $c = $l->accept; my $b;
END
    my $p = start({ command => 'ip', keep_stdin => 1 }, 'netns', 'exec', $server,
        $^X, '-e', $code, $port);
    $p->expect(out => qr/ready/);
    return $p;
}

# Runs sockt on the client.
sub on_client {
    my ($stdin, @args) = @_;
    return in_namespace({ stdin => $stdin }, $client, sockt(), @args);
}

my $SILENT = 'sleep 60;';
my $READER = '1 while sysread $c, $b, 65536; sleep 60;';
my %cause = (
    window => qr/the peer does not read \(its window has been full for [\d.]+ m?s\)/,
    broken => qr/nothing has been acknowledged for [\d.]+ m?s \(\d+ segments? lost, sent \d+ times\): the path is broken, or the peer is gone/,
    probes => qr/nothing has been acknowledged for [\d.]+ m?s \(\d+ window probes unanswered\): the path is broken/,
    mtu => qr/nothing has been acknowledged for [\d.]+ m?s \(\d+ segments? lost, sent \d+ times\); packets of 1500 bytes do not arrive, smaller ones did: a path MTU problem\?/,
    silent => qr/the peer has received everything and sends nothing/,
    gap => qr/a part of what the peer sent is missing, lost on the way; what follows it has arrived/,
);

# The cause, and none of the others.
sub tells {
    my ($text, $name, $what) = @_;
    for (sort keys %cause) {
        if ($_ eq $name) {
            like $text, $cause{$_}, "$what: $_";
        } else {
            unlike $text, $cause{$_}, "$what: not $_";
        }
    }
}

my $DROP = "nft 'add table inet d; add chain inet d f "
    . "{ type filter hook forward priority 0; policy drop; }'";
my $NO_NEWS = "nft 'add table inet m; add chain inet m o "
    . "{ type filter hook output priority 0; }; add rule inet m o icmp type "
    . "destination-unreachable drop; add rule inet m o icmpv6 type "
    . "packet-too-big drop'";
# The path carries 1400 bytes, and nobody says so.
sub black_hole {
    my ($on) = @_;
    ip('-n', $near, 'link', 'set', 'e', 'mtu', $on ? 1400 : 1500);
    ip('-n', $far, 'link', 'set', 'w', 'mtu', $on ? 1400 : 1500);
    inside($_, $on ? $NO_NEWS : 'nft delete table inet m') for $near, $far;
    ip('-n', $_, 'route', 'flush', 'cache') for $client, $server;
}

my $much = 'x' x 8_000_000;
for my $host ('10.9.3.2', 'fd09:3::2') {
    my $p = serve($SILENT);
    my $r = on_client($much, 'connect', '-w', '2.5', '--send-only', $host, $port);
    is $r->{status}, 5, "$host: a peer that does not read";
    tells($r->{err}, 'window', $host);
    like $r->{err}, qr/sent \d+ bytes/, "$host: the bytes are told";

    $p = serve($READER);
    $r = on_client('hello', 'connect', '-w', '1.5', $host, $port);
    is $r->{status}, 5, "$host: a peer that is silent";
    tells($r->{err}, 'silent', $host);

    $p = serve($SILENT);
    my $c = start({ command => 'ip', keep_stdin => 1 }, 'netns', 'exec', $client,
        sockt(), 'connect', '-v', '-m', '4', $host, $port);
    $c->expect(err => qr/connected/);
    inside($far, $DROP);
    $c->send_line("hello\n");
    $c->expect(err => qr/^sockt connect: nothing has been acknowledged/m);
    pass "$host: it is reported after 3 seconds";
    $r = $c->finish;
    inside($far, 'nft delete table inet d');
    is $r->{status}, 5, "$host: a path that is broken";
    tells($r->{err}, 'broken', $host);

    black_hole(1);
    $p = serve($READER);
    $r = on_client('x' x 20000, 'connect', '-w', '2', $host, $port);
    is $r->{status}, 5, "$host: large packets are lost";
    tells($r->{err}, 'mtu', $host);

    $p = serve($READER);
    $r = on_client('x' x 1000, 'connect', '-w', '1.5', $host, $port);
    tells($r->{err}, 'silent', "$host, small packets through the same hole");

    $p = serve('syswrite $c, "a" x 5000; select undef, undef, undef, 0.2;'
        . 'syswrite $c, "b"; sleep 60;');
    $r = on_client('hello', 'connect', '-w', '2', $host, $port);
    is $r->{status}, 5, "$host: a part of the answer is lost";
    tells($r->{err}, 'gap', $host);
    black_hole(0);
}

# Through TLS, a forwarder and http-get: whoever holds the socket is asked.
{
    my $host = '10.9.3.2';
    my $c = tls_self_signed(scratch() . '/self', 'DNS:server');
    my $s = start_in($server, 'listen', '-m', '5', '--tls-cert', $c->{cert},
        '--tls-key', $c->{key}, '--recv-only', '*', '0');
    my $port = $s->port;
    black_hole(1);
    my $r = on_client('x' x 20000, 'connect', '--tls', '--tls-insecure', '-w', '2',
        $host, $port);
    is $r->{status}, 5, 'TLS: large packets are lost' or diag $r->{err};
    tells($r->{err}, 'mtu', 'TLS');
    black_hole(0);
    $s->stop;

    my $p = serve($SILENT);
    my $f = start_in($client, 'listen', '-k', '-w', '3.5', '--to', "$host:$main::port", '0');
    $r = in_namespace({ stdin => $much }, $client, sockt(), 'connect', '-m', '3',
        '--send-only', '127.0.0.1', $f->port);
    $f->expect(err => qr/127\.0\.0\.1 port \d+: the target does not read \(its window has been full/);
    pass 'a forwarder names the target after three seconds';
    $f->stop;

    $p = serve($READER);
    $r = on_client('', 'http-get', '-w', '1.5', "http://$host:$main::port/");
    is $r->{status}, 5, 'http-get: a silent server';
    like $r->{err}, qr/the server has received everything and sends nothing/,
        'http-get: the request was acknowledged';
    $p = serve($READER);
    inside($far, "nft 'add table inet d; add chain inet d f "
        . "{ type filter hook forward priority 0; }; "
        . "add rule inet d f tcp dport $main::port tcp flags & (syn|psh) == psh drop'");
    $r = on_client('', 'http-get', '-w', '1.5', "http://$host:$main::port/");
    inside($far, 'nft delete table inet d');
    like $r->{err}, qr/nothing has been acknowledged for [\d.]+ m?s \(1 segment lost/,
        'http-get: the request never arrived';
}
done_testing;
