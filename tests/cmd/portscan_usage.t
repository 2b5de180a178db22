# portscan refuses what it cannot mean, before anything is sent.
use Sockt;

sub refused {
    my ($why, @args) = @_;
    exits run('portscan', @args), 2,
        "portscan @args: a usage error, nothing else", err => $why, out => '';
}

refused(qr/from 1 to 65535/, '127.0.0.1', $_) for '0', '65536', '80x', '22,0', '+5';
refused(qr/within 1-65535/, '127.0.0.1', $_) for qw(0-5 1-65536 1-2-3);
refused(qr/reversed/, '127.0.0.1', '90-80');
refused(qr/empty/, '127.0.0.1', $_) for ('', '1,,2', '1,');
refused(qr/service/, '127.0.0.1', 'no-such-service');
refused(qr/ports 'T:22': a scan is of TCP ports, or of UDP ports with --udp/,
    '127.0.0.1', 'T:22,U:53');
refused(qr/ports '\[1-1024\]': a range is written without brackets: LOW-HIGH$/m,
    '127.0.0.1', '[1-1024]');
refused(qr/ports 'http\*': services are named one by one/, '127.0.0.1', 'http*');
refused(qr/missing operand/);
refused(qr/empty/, '', '80');
refused(qr/0 to 32/, '10.0.0.0/33', '80');
refused(qr/reversed/, '10.0.0.9-3', '80');
refused(qr/host '\Q$_\E': a range is one of the last octet: 192\.0\.2\.10-20$/m,
    $_, '80') for qw(10.0.0.1-10.0.0.9 10.0.0.1-256 10.0.0.1- 10.0.0-5.1
    2001:db8::1-5);
refused(qr/8589934592 hosts with 65535 ports each are more than 281474976710656 ports/,
    '0.0.0.0/0,2001:db8::/96', '-');
refused(qr/-6 permits only IPv6/, '-6', '127.0.0.1', '80');
refused(qr/-4 permits only IPv4/, '-4', '::1', '80');
refused(qr/no port is left/, '--exclude', '1-100', '127.0.0.1', '80');
refused(qr/no host is left/, '--exclude-hosts', '127.0.0.0/24', '127.0.0.1',
    '80');
refused(qr/ports '0'/, '--exclude', '0', '127.0.0.1', '80');
refused(qr/host '127.0.0.0\/x'/, '--exclude-hosts', '127.0.0.0/x',
    '127.0.0.1', '80');
refused(qr/--shard: '$_' is not I\/N/, '--shard', $_, '127.0.0.1', '80')
    for qw(0/4 5/4 9/4 1 1/0 a/b 1/2/3 -1/2 2-1/4 1-5/4 0-2/4 1-/4 1-2-3/4);
refused(qr/--parallel/, '--parallel', '0', '127.0.0.1', '80');
refused(qr/--rate/, '--rate', '0', '127.0.0.1', '80');
refused(qr/lines for grep are printed by -q/, '-g', '53', '127.0.0.1', '80');
refused(qr/together/, '-q', '-v', '127.0.0.1', '80');
refused(qr/ host '\Q$_\E': must be a host without a port; .*: sockt connect -z HOST:PORT\.\.\.$/m, $_)
    for '127.0.0.1:22', '127.0.0.1:', '[::1]:22', 'localhost:ssh', ':22';
refused(qr/empty/, '[]');
refused(qr/a unix socket has no ports/, 'unix:/tmp/socket', '80');
refused(qr/a URL/, 'http://127.0.0.1/');
refused(qr/host without a port/, '--exclude-hosts', '127.0.0.1:22', '127.0.0.1', '22');
refused(qr/operand/, '127.0.0.1', '80', '81');

exits run('portscan', '--targets', '/nonexistent', '80'), 11,
    'a targets file that is not there is status 11', err => qr{/nonexistent: };
my $r = run('portscan', '--ports-file', '/nonexistent', '127.0.0.1');
is $r->{status}, 11, 'so is a ports file';
$r = run('portscan', '-n', 'localhost', '80');
isnt $r->{status}, 0, '-n: names are refused';

done_testing;
