# A limit is of what is done, not of each byte: a client that sends a little
# again and again does not hold its connection beyond it.
use Sockt;
use Time::HiRes qw(time);

# Waits for bytes, or the end, of a connection: sysread's, or undef.
sub answer {
    my ($c, $seconds) = @_;
    vec(my $bits = '', fileno $c, 1) = 1;
    return undef unless select $bits, undef, undef, $seconds;
    sysread $c, my $got, 4096;
    return $got;
}

local $SIG{PIPE} = 'IGNORE';

# A request's head that never ends, a byte each tenth of a second.
my $p = start('serve-hello', '--http', '--idle-timeout', '0.5', 0);
my $c = tcp_client($p->port);
my ($start, $got) = (time);
syswrite $c, "GET / HTTP/1.1\r\nX: ";
while (!defined $got && time - $start < 10) {
    syswrite $c, 'x';
    $got = answer($c, 0.1);
}
like $got, qr/^HTTP\/1\.1 408 /, 'a head in drops is answered 408';
cmp_ok time - $start, '<', 5, 'in time';
close $c;
$p->stop;

# A client that sends all the time: what it sends is there whenever it is
# looked for.
for my $handler ('--discard', '--echo') {
    $p = start('listen', $handler, '-m', '0.5', 0);
    $c = tcp_client($p->port);
    $c->blocking(0);
    $start = time;
    my $sent = 1;
    while (time - $start < 10) {
        $sent = syswrite $c, 'x' x 65536;
        last if !defined $sent && !$!{EAGAIN};
        1 while sysread $c, my $back, 65536;
    }
    cmp_ok time - $start, '<', 8, "$handler --max-time: a flood has an end";
    is $p->finish->{status}, 5, 'status 5';
}

# A pause of our own is no way around it either.
$p = start('serve-hello', '--greeting', '', '--delay', 20, '-m', '0.3', 0);
$c = tcp_client($p->port);
syswrite $c, "x\n";
is answer($c, 8), '', '--delay: --max-time ends the connection';
close $c;
ok $p->expect(err => qr/stopped after \S+ s \(--max-time\)/), 'and it is reported';
$p->stop;

done_testing;
