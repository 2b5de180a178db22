# An option for multicast groups was accepted for another peer, and ignored.
use Sockt;

my $peer = udp_socket();
for my $option (['--multicast-ttl', 3], ['--no-multicast-loop'],
    ['--multicast-interface', 'lo']) {
    my $r = run('udp-send', '-n', @$option, '127.0.0.1', $peer->sockport, 'x');
    is $r->{status}, 2, "@$option: a usage error";
    like $r->{err},
        qr/^sockt udp-send: \Q$option->[0]\E is about multicast groups, and 127\.0\.0\.1 is none$/m,
        '  which says why';
}

done_testing;
