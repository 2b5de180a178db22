# A confined process may not look up the name of an interface: it knows it from
# before, and a link-local address has the same text in every line.
use Sockt;
use IO::Socket::IP;

plan skip_all => 'no network namespace can be made here' unless own_network();
plan skip_all => 'ip(8) cannot add an address'
    unless system('ip address add fe80::1/64 dev lo nodad 2>/dev/null') == 0;

# The system adds the route a moment later.
my $until = time + 10;
select undef, undef, undef, 0.01
    until IO::Socket::IP->new(PeerHost => 'fe80::1%lo', PeerPort => 9,
        Proto => 'udp') || time > $until;

sub numbered { return join ', ', shift =~ /(fe80::1%\d+ .*)/g }

for my $case (['serve-hello'], ['listen', '-k', '--echo'], ['listen']) {
    for my $at ('[fe80::1%lo]:0', '*:0') {
        my $p = start(@$case, '-v', $at);
        my $r = run({ stdin => "hello\n" }, 'connect', '-v',
            '[fe80::1%lo]:' . $p->port);
        is $r->{status}, 0, "@$case $at: connect";
        like $r->{err}, qr/closed fe80::1%lo port/, '  names the interface';
        is numbered($r->{err}), '', '  in every line';
        $p->expect(err => qr/closed/);
        $r = $p->stop;
        like $r->{err}, qr/closed fe80::1%lo port/, '  so does the server';
        is numbered($r->{err}), '', '  in every line';
    }
}
for my $at ('[fe80::1%lo]:0', '*:0') {
    my $p = start('udp-serve', '-v', $at);
    my $r = run('udp-send', '-v', '[fe80::1%lo]:' . $p->port, 'hello');
    is $r->{status}, 0, "udp-serve $at: udp-send";
    is numbered($r->{err}), '', '  names the interface';
    is numbered($p->stop->{err}), '', '  so does the server';
}

done_testing;
