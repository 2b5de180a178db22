# Numbers with dots that are not a dotted quad are a usage error, in every
# command and wherever an address is written: the C library would read 1.2.3 as
# 1.2.0.3 and 8081 as 0.0.31.145. So is a link-local address that does not name
# its interface.
use Sockt;

# A mistake of this test must not reach anybody.
own_network() or plan skip_all => 'no network namespace';

for my $bad (qw(1.2.3 127.1 0x7f.1 0x7f000001 1.2.3.4.5 127.0.0.01
    1.2.3.256 127.0.0.1.)) {
    my $says = qr/'\Q$bad\E' is not an IPv4 address \(/;
    misused 'connect', $says => "$bad 80";
    misused 'udp-send', $says => "$bad 80 x";
}
my $number = qr/'8081' is a number and not a host/;
my $says = qr/'1\.2\.3' is not an IPv4 address \(/;
my $scope = qr/link-local address,? .*needs its interface: /;
my $neither = qr/'1\.2\.3(?:\/8)?' is neither a numeric address/;
misused 'connect', $number => '8081 80', $says => ['1.2.3:80',
    '--proxy 1.2.3:80 name.test 80', '--proxy socks5://127.0.0.1:1 1.2.3 80'],
    qr/'1\.2\.3' is not a numeric/ => '-s 1.2.3 ::1 1',
    qr/fe80::1 is a $scope.*fe80::1%eth0/ => 'fe80::1 80',
    $scope => ['[fe80::1]:80', '-s fe80::1 ::1 80'],
    # A host with a bracket in it was looked up as a name.
    qr/bracket|missing port|host/ => ['[[]:80', '[]]:80', '[::1:80', '[a[b]:80', 'a]:80',
        '[name]:80', '[unix]:7', '[127.0.0.1]:80', '-z [ 80'];
misused 'udp-send', $number => '8081 80 x', $scope => 'fe80::1 80 x';
misused 'listen', $says => ['1.2.3 0', '--to 1.2.3:80 0'], $scope => 'fe80::1 0',
    $neither => ['--allow 1.2.3 0', '--deny 1.2.3/8 0'];
misused 'serve-hello', $says => '1.2.3:0', $scope => 'fe80::1 0';
misused 'udp-serve', $says => '1.2.3 0', $scope => 'fe80::1 0';
misused 'portscan', $says => '1.2.3 80', $scope => 'fe80::1 80';
misused 'http-get', $says => ['http://1.2.3/', '--proxy http://127.0.0.1:1 http://1.2.3/'],
    $scope => 'http://[fe80::1]/';
is run({ env => { http_proxy => 'http://1.2.3:80' } }, 'http-get',
    'http://127.0.0.1:1/')->{status}, 2, 'in http_proxy too';
# Names that begin with digits, and the like, stay names.
for my $name (qw(1.2.3.example 3com 10-0-0-1 1.2.3.4x 0x7f.example deadbeef)) {
    is run('connect', '-w', 5, $name, 80)->{status}, 3, "$name is a name";
}

is run('connect', '-w', 1, 'fe80::1%lo', 80)->{status} == 2, '',
    'with its interface it is none';
is run('connect', '-z', '[::1]:1')->{status} != 2, 1, 'an address may have them';

# --interface, and addresses that contradict it.
my %rest = (connect => 'h 1', listen => '* 0', 'http-get' => 'http://h/',
    'udp-send' => 'h 1 x', 'udp-serve' => '* 0', portscan => 'h');
for my $command (sort keys %rest) {
    my @rest = split / /, $rest{$command};
    my $r = run($command, '--interface', 'nosuch', @rest);
    exits $r, 7, "$command: an interface that is missing",
        err => qr/^sockt \S+: --interface: this machine has no interface 'nosuch'$/m;
    misused $command, qr/'127\.0\.0\.1' is an address, .*--source \(-s\)/ =>
        [['--interface', '127.0.0.1', @rest], ['--interface=127.0.0.1', @rest]],
        qr/no interface ''/ => [['--interface', '', @rest]];
}
my $other = qr/fe80::1%9 names another interface than --interface/;
misused 'connect', $other => ['--interface lo fe80::1%9 1', '-s fe80::1%9 --interface lo h 1',
    '--interface lo -s fe80::1%9 h 1', '-z --interface lo 127.0.0.1:1 [fe80::1%9]:1'];
misused 'listen', $other => '--interface lo fe80::1%9 0',
    qr/--interface goes with an address: '\*' is/ => ['--interface lo 0'],
    qr/does not apply to a Unix socket/ => '--interface lo unix:/nosuch/x';
misused 'udp-send', $other => '--interface lo fe80::1%9 1 x',
    qr/cannot be used together/ => '--interface lo --multicast-interface lo 224.1.1.1 1 x';
misused 'udp-serve', $other => '--interface lo fe80::1%9 0',
    qr/224\.1\.1\.1%9 names another/ => '--interface lo --join 224.1.1.1%9 0';
misused 'portscan', $other => '--interface lo fe80::1%9 1',
    qr/another interface/ => '--interface lo fe80::1%9/126 1';
misused 'http-get', $other => '--interface lo http://[fe80::1%259]/';
like run('connect', '-vv', '-z', '--interface', 'lo', '127.0.0.1', 1)->{err},
    qr/setsockopt SO_BINDTODEVICE = lo on .*: ok/, 'it is a step';

done_testing;
