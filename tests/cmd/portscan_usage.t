# portscan refuses what it cannot mean, before anything is sent.
use Sockt;

sub ports { return [map { "127.0.0.1 $_" } @_] }
sub hosts { return [map { "$_ 80" } @_] }

misused 'portscan',
    qr/from 1 to 65535/ => ports('0', '65536', '80x', '22,0', '+5'),
    qr/within 1-65535/ => ports('0-5', '1-65536', '1-2-3'),
    qr/empty/ => [['127.0.0.1', ''], @{ ports('1,,2', '1,') }, ' 80', '[]'],
    qr/reversed/ => ['127.0.0.1 90-80', '10.0.0.9-3 80'],
    qr/service/ => '127.0.0.1 no-such-service',
    qr/ports 'T:22': a scan is of TCP ports, or of UDP ports with --udp/ =>
        '127.0.0.1 T:22,U:53',
    qr/ports '\[1-1024\]': a range is written without brackets: LOW-HIGH$/m =>
        '127.0.0.1 [1-1024]',
    qr/ports 'http\*': services are named one by one/ => '127.0.0.1 http*',
    qr/ports '0'/ => '--exclude 0 127.0.0.1 80',
    qr/missing operand/ => [[]], qr/0 to 32/ => '10.0.0.0/33 80',
    qr/host '10\S+': a range is one of the last octet: 192\.0\.2\.10-20$/m =>
        hosts(qw(10.0.0.1-10.0.0.9 10.0.0.1-256 10.0.0.1- 10.0.0-5.1)),
    qr/host '2001:db8::1-5': a range is one of the last octet/ => '2001:db8::1-5 80',
    qr/8589934592 hosts with 65535 ports each are more than 281474976710656 ports/ =>
        '0.0.0.0/0,2001:db8::/96 -',
    qr/-6 permits only IPv6/ => '-6 127.0.0.1 80',
    qr/-4 permits only IPv4/ => '-4 ::1 80',
    qr/no port is left/ => '--exclude 1-100 127.0.0.1 80',
    qr/no host is left/ => ['--exclude-hosts 127.0.0.0/24 127.0.0.1 80',
        '--exclude-hosts ::1 ::1%1 80'],
    qr/host '127.0.0.0\/x'/ => '--exclude-hosts 127.0.0.0/x 127.0.0.1 80',
    qr/--shard: '\S+' is not I\/N/ => [map { "--shard $_ 127.0.0.1 80" }
        qw(0/4 5/4 9/4 1 1/0 a/b 1/2/3 -1/2 2-1/4 1-5/4 0-2/4 1-/4 1-2-3/4)],
    qr/--parallel/ => '--parallel 0 127.0.0.1 80',
    qr/--rate/ => '--rate 0 127.0.0.1 80',
    qr/--timeout/ => '-w 0 127.0.0.1 1',
    qr/lines for grep are printed by -q/ => '-g 53 127.0.0.1 80',
    qr/together/ => '-q -v 127.0.0.1 80',
    qr/ host '\S+': must be a host without a port; .*: sockt connect -z HOST:PORT\.\.\.$/m
        => ['127.0.0.1:22', '127.0.0.1:', '[::1]:22', 'localhost:ssh', ':22'],
    qr/host without a port/ => '--exclude-hosts 127.0.0.1:22 127.0.0.1 22',
    qr/a Unix socket has no ports/ => 'unix:/tmp/socket 80',
    qr/a URL/ => 'http://127.0.0.1/', qr/operand/ => '127.0.0.1 80 81',
    qr/./ => ['-n localhost 80', '--until open 127.0.0.1 1',
        '--until closed 127.0.0.1 1', '--until never 127.0.0.1 1',
        '--udp --banner 127.0.0.1 1'];
exits run('portscan', '--targets', '/nonexistent', '80'), 11,
    'a targets file that is not there', err => qr{/nonexistent: };
exits run('portscan', '--ports-file', '/nonexistent', '127.0.0.1'), 11,
    'so is a ports file';

done_testing;
