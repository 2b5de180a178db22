# Answers leave from the address that was asked, whatever the route would
# choose: two namespaces, several addresses each, IPv4 and IPv6.
use Sockt;
use SocktNet;

need_root();
my ($server, $client) = map { namespace($_) } qw(server client);
my @four = map { "10.77.0.$_" } 1 .. 4;
my @six  = map { "fd77::$_" } 1 .. 4;
link_namespaces(
    $server, [(map { "$_/24" } @four), (map { "$_/64" } @six)],
    $client, ['10.77.0.9/24', '10.77.0.8/24', 'fd77::9/64', 'fd77::8/64']);
my ($local) = ip('-n', $server, '-6', 'address', 'show', 'dev', 'left',
    'scope', 'link') =~ /inet6 (fe80\S+)\//;

# An independent client, whose connected socket hears one address only.
my $ask = <<'END';
use IO::Socket::IP;
my ($host, $port, $from) = @ARGV;
my $s = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port,
    Proto => 'udp', ($from ? (LocalHost => $from) : ())) or die "open: $@";
$s->send("to $host") or die "send: $!";
$SIG{ALRM} = sub { print "silence"; exit };
alarm 30;
$s->recv(my $x, 1000) // die "recv: $!";
print $x;
END

for my $options (['*'], ['-6', '*'], ['-4', '*']) {
    my $p = start_in($server, 'udp-serve', @$options, '0');
    my $port = $p->port;
    my @hosts = ("@$options" =~ /-6/ ? () : @four,
        "@$options" =~ /-4/ ? () : (@six, "$local%right"));
    for my $host (@hosts) {
        my $r = in_namespace($client, $^X, '-e', $ask, $host, $port);
        is $r->{out}, "Hello, to $host!", "@$options: $host answers";
        $r = in_namespace($client, sockt(), 'udp-send', '-v', $host, $port,
            'x');
        is $r->{out}, "Hello, x!\n", "@$options: udp-send hears $host";
    }
    is $p->stop->{status}, 0, "@$options: ends";
}

# The client's own address is up to it.
my $p = start_in($server, 'udp-serve', '--reply', '%a', '*', '0');
for my $pair (['10.77.0.2', '10.77.0.8'], ['fd77::3', 'fd77::8']) {
    my $r = in_namespace($client, sockt(), 'udp-send', '-s', $pair->[1],
        $pair->[0], $p->port, 'x');
    is $r->{out}, "$pair->[1]\n", "udp-send -s $pair->[1]";
}
is $p->stop->{status}, 0, 'ends';

# Programs are told the address that was asked, and answer from it.
$p = start_in($server, 'udp-serve', '*', '0', '--', 'sh', '-c',
    'printf %s $UDPLOCALIP');
for my $host ($four[2], $six[2]) {
    is in_namespace($client, $^X, '-e', $ask, $host, $p->port)->{out}, $host,
        "a program that answers for $host";
}
is $p->stop->{status}, 0, 'ends';

done_testing;
