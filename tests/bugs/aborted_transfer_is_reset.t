# What ends before everything was delivered ends with a reset: a FIN would make
# the other side take what it has for the whole.
use Sockt;

# Each connection counts here, so no other test's may come.
own_network();

# Reads to the end: 'fin' or 'reset'.
sub ending {
    my ($c) = @_;
    my $n;
    do { $n = sysread $c, my $got, 65536 } while $n;
    return defined $n ? 'fin' : $!{ECONNRESET} ? 'reset' : "$!";
}

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);

for my $signal (qw(KILL TERM INT HUP)) {
    my $p = start({ keep_stdin => 1 }, 'connect', @to);
    my $c = $l->accept;
    $p->send_line("half\n");
    sysread $c, my $got, 5;
    $p->signal($signal);
    is ending($c), 'reset', "a sender that SIG$signal ends half-way";
    $p->finish;
}

my $p = start({ keep_stdin => 1 }, 'connect', '-m', '300ms', @to);
my $c = $l->accept;
$p->send_line("half\n");
is ending($c), 'reset', 'a sender that --max-time ends';
is $p->finish->{status}, 5, 'is status 5';

# A receiver whose output fails has not got everything either.
pipe my $read, my $write or die;
$p = start({ stdin => '', stdout => $write }, 'connect', @to);
close $write;
$c = $l->accept;
close $read;
syswrite $c, 'x' x 1000;
is ending($c), 'fin', 'the end of its input';
local $SIG{PIPE} = 'IGNORE';
is $p->finish->{status}, 11, 'a receiver whose stdout breaks';
is syswrite($c, 'x'), undef, 'has reset the connection';

# A forwarder: cut off by a limit, both sides know.
for my $options (['-m', '2s'], ['--idle-timeout', '1s']) {
    my $f = start('listen', '-4', 0, '--to', join(':', @to), @$options);
    my $client = tcp_client($f->port);
    my $target = $l->accept;
    syswrite $target, 'some of it';
    # Over a limit before it relays, it has nothing to cut.
    is ending($client), 'reset', "a forwarder, @$options: the client";
    is ending($target), 'reset', 'and the target';
    is $f->finish->{status}, 5, 'status 5';
}

# And one that is told to stop.
my $f = start('listen', '-4', '-k', 0, '--to', join ':', @to);
my $client = tcp_client($f->port);
my $target = $l->accept;
syswrite $client, 'some';
sysread $target, my $got, 4;
$f->stop;
is ending($client), 'reset', 'a forwarder that ends: the client';
is ending($target), 'reset', 'and the target';

# A target that cannot be reached is not one that has nothing to say.
$f = start('listen', '-4', 0, '--to', '127.0.0.1:' . free_port());
# A blocking connect(2) has returned before the reset can come.
$client = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $f->port)
    or die;
is ending($client), 'reset', 'a target that refuses: the client';
is $f->finish->{status}, 4, 'status 4';

done_testing;
