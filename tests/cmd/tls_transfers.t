# Bytes on a TLS connection, from sockt to sockt: large and late ones, half-close
# in TLS 1.2 and 1.3, key updates, records that were damaged on the way.
use Sockt;
use Digest::SHA qw(sha1_hex);
use SocktTls;

plan skip_all => 'openssl is not installed' unless tls_is_available();

my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my $good = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1');
my @cert = ('--tls-cert', $good->{cert}, '--tls-key', $good->{key});
my @tls = ('--tls', '--tls-ca', "$dir/ca/ca.pem");
spew("$dir/1.2", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
    . "[c]\nMaxProtocol = TLSv1.2\n");

# What both have after the client's stdin, of so many bytes, has ended, for a
# program that answers late.
my $count = "$^X -e 'binmode STDIN; \$n += length while read STDIN, \$_, 65536;"
    . " select undef, undef, undef, 0.3; print 0 + \$n'";
for my $row (['1.3', 64 << 20], ['1.2', 8 << 20], ['1.3', 3], ['1.2', 0]) {
    my ($version, $size) = @$row;
    my %old = $version eq '1.2' ? (env => { OPENSSL_CONF => "$dir/1.2" }) : ();
    my $p = start('listen', '-4k', @cert, 0, '-e', $count);
    my $r = run({ %old, stdin => 'x' x $size, timeout => 60 }, 'connect', '-v',
        @tls, '--on-eof', 'fin', 'localhost', $p->port);
    is "$r->{status} $r->{out}", "0 $size", "TLS $version: $size bytes, half-close";
    like $r->{err}, qr/: TLSv\Q$version\E with /, '  with that version';
    $p->stop;
}
# And back, while as much is sent.
my $bytes = pack 'N*', map { $_ * 2654435761 } 1 .. 1 << 20;
my $p = start('listen', '-4k', @cert, '--echo', 0);
my $r = run({ stdin => $bytes, timeout => 60 }, 'connect', @tls, '--on-eof', 'fin',
    'localhost', $p->port);
is "$r->{status} " . sha1_hex($r->{out}), '0 ' . sha1_hex($bytes),
    'both directions at the same time';

# A record that is damaged: both ends say so, what came before it is delivered.
my $changes = 1;
my $middle = tls_middle($p->port, sub {
    my ($record) = @_;
    return $record if length $record < 5000 || !$changes--;
    substr($record, 4000, 1) ^= "\1";
    return $record;
});
my $q = start({ keep_stdin => 1 }, 'connect', @tls, 'localhost', $middle);
$q->send_line("before\n");
$q->expect(out => qr/before\n/);
$q->send_line('x' x 9000 . "\n");
exits $q->finish, "9 before\n", 'a damaged record',
    err => qr/: TLS: a record was damaged or tampered with on the way/;
$p->expect(err => qr/TLS: the peer reports an error: .*bad record mac/);
ok 1, '  the other end gets an alert in mid-stream, and says so';
is $p->stop->{status}, 0, '  and goes on';

# Key updates by the server, in mid-transfer.
my $s = tls_serve($good, '-tls1_3');
$q = start({ keep_stdin => 1 }, 'connect', @tls, 'localhost', $s->{port});
for my $command ('', 'k', 'K', 'k') {
    if ($command) {
        $s->{process}->send_line("$command\n");
        # What it reads together with a command is part of that.
        for (1 .. 50) {
            $s->{process}->send_line("after $command\n");
            last if eval { $q->expect(out => qr/after $command\n/, 0.1) };
        }
        $q->expect(out => qr/after $command\n/);
    }
    $q->send_line("answer $command\n");
    $s->{process}->expect(out => qr/answer $command\n/);
}
ok 1, 'key updates change nothing';
$s->{process}->send_line("Q\n");
like $s->{process}->finish->{out}, qr/(?:SSL_do_handshake -> 1\n.*){3}/s,
    '  and it has made them';
is $q->finish->{status}, 10, 's_server ends without close_notify, which is a loss';

done_testing;
