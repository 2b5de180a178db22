# A server listens on all addresses of a name.
use Sockt;

my $names = built('sockt-names');
plan skip_all => "$names is not built" unless -x $names;
plan skip_all => 'only Linux has all of 127.0.0.0/8' unless $^O eq 'linux';

my @hosts = map { "127.0.3.$_" } 1 .. 40;
for my $command (['listen', '-k', '--echo'], ['serve-hello'], ['udp-serve']) {
    my $p = start({ command => $names,
            env => { SOCKT_TEST_NAMES => 'n=' . join ',', @hosts } },
        @$command, 'n', 0);
    my $port = $p->port;
    $p->expect(err => qr/ing on 127\.0\.3\.40 port $port \(...\)\n/);
    my @told = $p->{err} =~ /ing on (\S+) port $port \(...\)\n/g;
    is "@told", "@hosts", "$command->[0] listens on all of them";
    ok tcp_client($port, $hosts[-1]), 'the last one is taken too'
        if $command->[0] ne 'udp-serve';
    is $p->stop->{status}, 0, 'and stops';
}

# They are served in turn: a busy address does not keep the others waiting.
{
    my $p = start({ command => $names,
            env => { SOCKT_TEST_NAMES => 'n=127.0.3.1,127.0.3.2' } },
        'listen', '-kv', '--max-conns', 1, '--discard', 'n', 0);
    my $port = $p->port;
    $p->expect(err => qr/on 127\.0\.3\.2 port/);
    my @waiting = map { tcp_client($port, $_) }
        '127.0.3.1', ('127.0.3.1') x 3, ('127.0.3.2') x 2;
    $_->close for @waiting;
    $p->expect(err => qr/(?:accepted[^\0]*?){6}closed/);
    my @order = $p->stop->{err} =~ /accepted \S+ port \d+ on 127\.0\.3\.(\d)/g;
    is "@order", '1 2 1 2 1 1', 'two addresses are served in turn';
}

done_testing;
