# connect --starttls: the lines before the handshake, of five protocols. The peer
# speaks them, and then passes bytes on to openssl s_server.
use Sockt;
use SocktTls;

plan skip_all => 'openssl is not installed' unless tls_is_available();

my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my $server = tls_reverser(tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1'));
my @ca = ('--tls-ca', "$dir/ca/ca.pem");

# A peer that sends the lines of @says, each after a line of the client (the
# first, a greeting, at once; without one if it is ''). What the client says is
# kept in a file. Then it is the server. Returns its port.
my $heard = "$dir/heard";
sub peer_of {
    my ($size, @says) = @_;
    my $l = tcp_listener();
    Sockt::fork_child(sub {
        my $c = $l->accept;
        my $log = '';
        syswrite $c, shift @says;
        while (@says) {
            my $line = '';
            while ($size ? length $line < $size : $line !~ /\n/) {
                sysread $c, $line, 1, length $line or last;
            }
            last if $line eq '';
            $log .= $line;
            spew($heard, $log);
            syswrite $c, shift @says;
        }
        SocktTls::pass($c, tcp_client($server->{port}), sub { $_[0] });
    });
    return $l->sockport;
}

sub run_starttls {
    my ($protocol, $says, @args) = @_;
    unlink $heard;
    my $port = peer_of($protocol eq 'postgres' ? 8 : 0, @$says);
    return run({ stdin => "hello\nCLOSE\n", timeout => 30 }, 'connect',
        '--starttls', $protocol, @ca, @args, 'localhost', $port);
}

my %good = (
    smtp => [["220-mx\r\n220 ready\r\n", "250-mx\r\n250-8BITMIME\r\n250 STARTTLS\r\n",
        "220 go\r\n"], "EHLO localhost\r\nSTARTTLS\r\n"],
    imap => [["* OK ready\r\n", "* CAPABILITY IMAP4\r\na OK go\r\n"], "a STARTTLS\r\n"],
    pop3 => [["+OK ready\r\n", "+OK go\r\n"], "STLS\r\n"],
    ftp => [["220-a\r\nfree text\r\n500 users\r\n2200 files\r\n220 b\r\n", "234 go\r\n"],
        "AUTH TLS\r\n"],
    postgres => [['', 'S'], pack('NN', 8, 80877103)],
);
for my $protocol (sort keys %good) {
    my ($says, $want) = @{ $good{$protocol} };
    my $r = run_starttls($protocol, $says, '-v');
    is $r->{status}, 0, "$protocol: TLS begins" or diag $r->{err};
    is $r->{out}, "olleh\n", '  and bytes go both ways';
    is slurp($heard), $want, '  after what the protocol says';
    like $r->{err}, qr/the server agrees to TLS \($protocol\) in /, '  which -v reports';
    my @injected = @$says;
    $injected[-1] .= "250 injected\r\n";
    $r = run_starttls($protocol, \@injected);
    is $r->{status}, 9, "$protocol: bytes after the agreement are refused";
    like $r->{err}, qr/--starttls $protocol: 14 bytes came after the server had agreed/,
        '  and reported';
    is $r->{out}, '', '  and never taken for data';
}

for my $row (
    ['smtp declines', 'smtp', ["220 mx\r\n", "250 mx\r\n", "502 5.5.1 no \e[2J\r\n"], 8,
        qr/declined \(STARTTLS\): 502 5\.5\.1 no \\x1b\[2J\n/],
    ['smtp is busy', 'smtp', ["421 later\r\n"], 8, qr/declined \(the connection\): 421 later\n/],
    ['imap declines', 'imap', ["* OK\r\n", "a NO not here\r\n"], 8, qr/declined \(a STARTTLS\): a NO/],
    ['imap knows the client', 'imap', ["* PREAUTH\r\n"], 8, qr/declined \(the connection\)/],
    ['pop3 declines', 'pop3', ["+OK\r\n", "-ERR\r\n"], 8, qr/declined \(STLS\): -ERR\n/],
    ['ftp declines', 'ftp', ["220 a\r\n", "500 no\r\n"], 8, qr/declined \(AUTH TLS\): 500 no\n/],
    ['postgres declines', 'postgres', ['', 'N'], 8, qr/declined \(SSLRequest\): N\n/],
    ['another protocol', 'smtp', ["SSH-2.0-x\r\n"], 9, qr/answers the connection with 'SSH-2\.0-x'\n/],
    ['another protocol than ftp', 'ftp', ["SSH-2.0-x\r\n"], 9, qr/answers the connection with 'SSH-2\.0-x'\n/],
    (map { ["not even a line ($_)", $_, ['SSH-2.0-x'], 9, qr/answers the connection with 'SSH-2\.0-x'\n/] }
        qw(ftp imap pop3 smtp)),
    ['a line that comes in pieces', 'pop3', ['+'], 5, qr/did not answer within/],
    ['another answer', 'postgres', ['', "\0"], 9, qr/answers SSLRequest with '\\x00'\n/],
    ['a NUL byte', 'pop3', ["+OK \0\r\n"], 9, qr/has a NUL byte\n/],
    ['a NUL byte first', 'smtp', ["\0"], 9, qr/has a NUL byte\n/],
    ['ftp declines in lines', 'ftp', ["530-no\r\n220 x\r\n530 no\r\n"], 8,
        qr/declined \(the connection\): 530 no\n/],
    ['a line without an end', 'smtp', ['220 ' . 'x' x 5000], 9, qr/a line of more than 2047 bytes\n/],
    ['an answer without an end', 'smtp', ["220-x\r\n" x 200], 9, qr/more than 128 lines\n/],
    ['silence', 'smtp', ["220-x\r\n"], 5, qr/did not answer within 0\.5 s \(--timeout\)\n/],
) {
    my ($name, $protocol, $says, $status, $err) = @$row;
    my $r = run_starttls($protocol, $says, '-w', $status == 5 ? 0.5 : 20);
    is $r->{status}, $status, "$name: status $status" or diag $r->{err};
    like $r->{err}, $err, '  with the reason';
}
my $l = tcp_listener();
Sockt::fork_child(sub { close $l->accept });
my $r = run('connect', '-z', '--starttls', 'imap', 'localhost', $l->sockport);
is $r->{status}, 9, 'a server that closes the connection';
$r = run_starttls('smtp', $good{smtp}[0], '-z');
is $r->{status}, 0, 'with -z, too';
$r = run('connect', '--starttls', 'telnet', 'h', 1);
is $r->{status}, 2, 'an unknown protocol is misuse';
done_testing;
