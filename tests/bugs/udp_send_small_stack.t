# udp-send kept its batches on the stack and died where that is small.
use Sockt;

plan skip_all => 'a sanitized build needs more' if sockt() =~ /sanitize/;
my $p = start({ command => 'sh' }, '-c', 'ulimit -s 64 && exec "$@"', 'sh',
    sockt(), 'udp-serve', '--echo', '-4', '0');
my $port = $p->port;
for my $args (['-4', 'localhost', $port], ['--json', '127.0.0.1', $port],
    ['-vv', '--window', '100', '--number', '--stats', '127.0.0.1', $port]) {
    my $r = run({ command => 'sh', stdin => "a\nb\n" x 50 }, '-c',
        'ulimit -s 64 && exec "$@"', 'sh', sockt(), 'udp-send', @$args);
    is $r->{signal}, 0, "udp-send @$args in a stack of 64 KiB";
    is $r->{status}, 0, 'works' or diag $r->{err};
}
is $p->stop->{status}, 0, 'so does udp-serve';

done_testing;
