# What serve-hello says last always arrives: its end is a FIN and a drain,
# never a reset, although the client has sent what nobody reads.
use Sockt;
use Errno qw(ECONNRESET EPIPE);

# Everything up to the end; a reset is told.
sub rest {
    my ($c) = @_;
    my $got = '';
    while (1) {
        my $n = $c->sysread($got, 65536, length $got);
        return "$got($!)" unless defined $n;
        return $got unless $n;
    }
}

sub fifty {
    my ($name, $port, $sends, $want) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $good = 0;
    for (1 .. 50) {
        my $c = tcp_client($port);
        $c->syswrite($_) for @$sends;
        my $got = rest($c);
        $good++ if $got eq $want;
        diag "got '" . substr($got, 0, 60) . "'" if $got ne $want;
    }
    is $good, 50, "$name: 50 of 50";
}

my $p = start('serve-hello', '0');
my $port = $p->port;
fifty('unread input behind exit', $port,
    ["Michael\nexit\n", 'unread ' x 1000], "Welcome!Hello, Michael!\n");
fifty('a message beyond the bound', $port, ['x' x 50_000],
    "Welcome!error: a message may have 8192 bytes at most\n");
$p->stop;

$p = start('serve-hello', '--greeting=', '--messages', '1', '0');
fifty('more messages than are answered', $p->port, ["a\nb\nc\n" x 100],
    "Hello, a!\n");
$p->stop;

$p = start('serve-hello', '--http', '0');
my $head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
my $good = 0;
for (1 .. 50) {
    my $c = tcp_client($p->port);
    local $SIG{PIPE} = 'IGNORE';
    $c->syswrite($head . 'x' x 100_000);
    $good++ if rest($c) =~ /^HTTP\/1\.1 405 .*\n\z/s;
}
is $good, 50, 'an unread body: 50 of 50';
$p->stop;

done_testing;
