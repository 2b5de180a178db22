# udp-send -p with a port in use did not name the process that holds it: it had
# confined itself before it bound, and could not read /proc any more.
use Sockt;

plan skip_all => 'no /proc/net/udp' unless -r '/proc/net/udp';

my $s = udp_socket();
my $port = $s->sockport;
for my $source ([], [ '-s', '127.0.0.1' ]) {
    my $r = run('udp-send', '--no-reply', @$source, '-p', $port,
        '127.0.0.1', 9, 'x');
    is $r->{status}, 7, "@$source -p with a port in use: status 7";
    like $r->{err}, qr/ port $port: address in use.* \(held by process $$ /,
        'and who holds it';
}

done_testing;
