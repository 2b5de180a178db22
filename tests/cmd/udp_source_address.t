# Answers leave from the address that was asked, on a wildcard socket too.
use Sockt;
use IO::Select;

my $portable = run('--version')->{out} =~ /posix/;

# A connected client hears that address only.
sub ask {
    my ($host, $port) = @_;
    my $c = udp_socket(
        host => $host =~ /:/ ? '::' : '0.0.0.0', peer => [$host, $port]);
    $c->send("to $host");
    return undef unless IO::Select->new($c)->can_read(3);
    $c->recv(my $got, 1000) // return "error: $!";
    return $got;
}

my $p = start('udp-serve', '*', '0');
my $port = $p->port;
for my $host ('127.0.0.1', '127.0.0.2', '127.1.2.3',
    has_ipv6() ? '::1' : ()) {
    is ask($host, $port), "Hello, to $host!", "$host answers from $host";
}
is $p->stop->{status}, 0, 'ends';

SKIP: {
    skip 'strict POSIX does not tell an IPv4 datagram\'s destination', 1
        if $portable;
    $p = start('udp-serve', '-4', '--echo', '*', '0');
    is ask('127.0.0.3', $p->port), 'to 127.0.0.3',
        'an IPv4 socket does so too';
    $p->stop;
}

done_testing;
