# A server without an address listens on the loopback that there is, IPv4 or
# IPv6 alone too.
use Sockt;
use Socket qw(AF_INET);

own_network() or plan skip_all => 'no network namespace';
plan skip_all => 'no IPv6' unless has_ipv6();

# The addresses that a server announces.
sub announced {
    my (@command) = @_;
    my $p = start(@command);
    my $port = eval { $p->port } // return '';
    $p->stop;
    return join ' ', $p->{err} =~ /ing on (\S+) port $port \(...\)\n/g;
}

sub everywhere {
    my ($want, $name) = @_;
    for my $command (['listen', 0], ['listen', '-k', '--echo', 'localhost', 0],
        ['serve-hello', 0], ['udp-serve', 0], ['udp-serve', 'localhost', 0]) {
        is announced(@$command), $want, "$name: @$command";
    }
}

everywhere('127.0.0.1 ::1', 'both');

# SIOCSIFADDR: 0.0.0.0 takes the address of lo away.
my $s = udp_socket(host => '0.0.0.0');

sub set_address {
    my ($address) = @_;
    my $request = pack 'a16 S x2 a4 x8', 'lo', AF_INET, $address;
    ioctl $s, 0x8916, $request or die "SIOCSIFADDR: $!";
}
set_address("\0\0\0\0");
everywhere('::1', 'no IPv4');
is run('listen', '-4', 0)->{status}, 7, '-4 insists on it';
is run('listen', '127.0.0.1', 0)->{status}, 7, 'and so does its address';

set_address("\x7f\0\0\1");
SKIP: {
    my $off = '/proc/sys/net/ipv6/conf/lo/disable_ipv6';
    open my $f, '>', $off or skip "$off: $!", 6;
    print $f "1\n";
    close $f or skip "$off: $!", 6;
    everywhere('127.0.0.1', 'no IPv6');
    is run('listen', '-6', 0)->{status}, 7, '-6 insists on it';
}

done_testing;
