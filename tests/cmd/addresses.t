# Numbers with dots that are not a dotted quad are a usage error, in every
# command and wherever an address is written: the C library would read 1.2.3 as
# 1.2.0.3 and 8081 as 0.0.31.145. So is a link-local address that does not name
# its interface.
use Sockt;

# A mistake of this test must not reach anybody.
own_network() or plan skip_all => 'no network namespace';

sub refused {
    my ($pattern, @args) = @_;
    exits run({ timeout => 10 }, @args), 2, "@args: a usage error",
        err => $pattern;
}

for my $bad (qw(1.2.3 127.1 0x7f.1 0x7f000001 1.2.3.4.5 127.0.0.01
    1.2.3.256 127.0.0.1.)) {
    my $says = qr/'\Q$bad\E' is not an IPv4 address \(/;
    refused($says, 'connect', $bad, 80);
    refused($says, 'udp-send', $bad, 80, 'x');
}
refused(qr/'8081' is a number and not a host/, 'connect', '8081', 80);
refused(qr/'8081' is a number and not a host/, 'udp-send', '8081', 80, 'x');
my $says = qr/'1\.2\.3' is not an IPv4 address \(/;
refused($says, 'connect', '1.2.3:80');
refused($says, 'connect', '--proxy', '1.2.3:80', 'name.test', 80);
refused($says, 'connect', '--proxy', 'socks5://127.0.0.1:1', '1.2.3', 80);
refused($says, 'listen', '1.2.3', 0);
refused($says, 'listen', '--to', '1.2.3:80', 0);
refused($says, 'serve-hello', '1.2.3:0');
refused($says, 'udp-serve', '1.2.3', 0);
refused($says, 'portscan', '1.2.3', 80);
refused($says, 'http-get', 'http://1.2.3/');
refused($says, 'http-get', '--proxy', 'http://127.0.0.1:1', 'http://1.2.3/');
refused(qr/'1\.2\.3' is neither an address/, 'listen', '--allow', '1.2.3', 0);
refused(qr{'1\.2\.3/8' is neither an address}, 'listen', '--deny', '1.2.3/8', 0);
refused(qr/'1\.2\.3' is not a numeric/, 'connect', '-s', '1.2.3', '::1', 1);
is run({ env => { http_proxy => 'http://1.2.3:80' } }, 'http-get',
    'http://127.0.0.1:1/')->{status}, 2, 'in http_proxy too';
# Names that begin with digits, and the like, stay names.
for my $name (qw(1.2.3.example 3com 10-0-0-1 1.2.3.4x 0x7f.example deadbeef)) {
    is run('connect', '-w', 5, $name, 80)->{status}, 3, "$name is a name";
}

my $scope = qr/link-local address,? .*needs its interface: /;
refused(qr/fe80::1 is a $scope.*fe80::1%eth0/, 'connect', 'fe80::1', 80);
refused($scope, 'connect', '[fe80::1]:80');
refused($scope, 'connect', '-s', 'fe80::1', '::1', 80);
refused($scope, 'listen', 'fe80::1', 0);
refused($scope, 'serve-hello', 'fe80::1', 0);
refused($scope, 'udp-serve', 'fe80::1', 0);
refused($scope, 'udp-send', 'fe80::1', 80, 'x');
refused($scope, 'portscan', 'fe80::1', 80);
refused($scope, 'http-get', 'http://[fe80::1]/');
is run('connect', '-w', 1, 'fe80::1%lo', 80)->{status} == 2, '',
    'with its interface it is none';

# A host with a bracket in it was looked up as a name.
for my $operand ('[[]:80', '[]]:80', '[::1:80', '[a[b]:80', 'a]:80',
    '[name]:80', '[unix]:7', '[127.0.0.1]:80') {
    refused(qr/bracket|missing port/, 'connect', $operand);
}
is run('connect', '-z', '[', 80)->{status}, 2, 'with a port apart too';
is run('connect', '-z', '[::1]:1')->{status} != 2, 1, 'an address may have them';

done_testing;
