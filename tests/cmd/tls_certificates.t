# What is told of certificates, how they are judged (--tls-days, --tls-pin,
# --tls-version), one that is made for a run (--tls-self), and SSLKEYLOGFILE.
use POSIX qw(strftime);
use Sockt;
use SocktTls;

plan skip_all => 'openssl is not installed' unless tls_is_available();

my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my @ca = ('--tls-ca', "$dir/ca/ca.pem");
my %c = (
    good => tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1,IP:::1', days => 1),
    month => tls_certificate($ca, 'month', 'DNS:localhost', days => 30),
    hours => tls_certificate($ca, 'hours', 'DNS:localhost',
        to => strftime('%Y%m%d%H%M%SZ', gmtime time + 61 * 3600)),
    old => tls_certificate($ca, 'old', 'DNS:localhost', days => -1),
    future => tls_certificate($ca, 'future', 'DNS:localhost', from => '20400101000000Z'),
    other => tls_certificate($ca, 'other', 'DNS:a.example,DNS:b.example'),
    self => tls_self_signed("$dir/self", 'DNS:localhost'),
);
my %port = map { $_ => tls_reverser($c{$_}) } keys %c;
my %digest = map { $_ => digest($c{$_}{cert}) } keys %c;

# As openssl prints it, with colons and in upper case.
sub digest {
    my ($file) = @_;
    return `openssl x509 -fingerprint -sha256 -noout -in $file` =~ /=(\S+)/ ? $1 : die;
}
sub plain { return lc $_[0] =~ s/://gr }

for my $row (
    ['enough days', 0, 'month', [@ca, '--tls-days', 1]],
    ['enough of a month', 0, 'month', ['--tls-insecure', '--tls-days', 29]],
    ['days are whole days', 9, 'hours', ['--tls-insecure', '--tls-days', 3],
        qr/the certificate of CN = hours expires in 2 days, on 20\S+Z \(--tls-days 3\)\n/],
    ['as many whole days', 0, 'hours', ['--tls-insecure', '--tls-days', 2, '-v'], qr/, expires in 2 days, /],
    ['too few days', 9, 'month', ['--tls-insecure', '--tls-days', 31],
        qr/the certificate of CN = month expires in (?:29|30) days, on 20\S+Z \(--tls-days 31\)\n/],
    ['an authority that expires', 9, 'month', [@ca, '--tls-days', 10],
        qr/the certificate of CN = authority expires in [12] days?, on 20\S+Z \(--tls-days 10\)\n/],
    ['an expired one that is not verified', 9, 'old', ['--tls-insecure', '--tls-days', 1],
        qr/the certificate of CN = old has expired, on 20\S+Z/],
    ['expired', 9, 'old', [@ca], qr/has expired: that of CN = old expired on 20\S+Z \(--tls-insecure/],
    ['not valid yet', 9, 'future', [@ca],
        qr/not yet valid: that of CN = future is valid from 2040-01-01T00:00:00Z on/],
    ['for other names', 9, 'other', [@ca],
        qr/it is not for localhost, but for a\.example, b\.example \(--tls-name/],
    ['of an unknown authority', 9, 'good', ['--tls-ca', "$dir/self.pem"],
        qr/it is of CN = good, issued by CN = authority \(--tls-ca/],
    ['a pin', 0, 'self', ['--tls-pin', $digest{self}]],
    ['a pin in lower case without colons', 0, 'self', ['--tls-pin', plain($digest{self})]],
    ['a pin of an expired one', 0, 'old', ['--tls-pin', $digest{old}]],
    ['a pin of one for other names', 0, 'other', ['--tls-pin', $digest{other}]],
    ['the wrong pin', 9, 'good', ['--tls-pin', $digest{self}],
        qr/its SHA-256 is \Q@{[plain($digest{good})]}\E \(--tls-pin\)\n/],
    ['a pin and days', 9, 'good', ['--tls-pin', $digest{good}, '--tls-days', 9],
        qr/CN = good expires in [01] days?, on/],
    ['TLS 1.2', 0, 'good', [@ca, '--tls-version', '1.2', '-v'], qr/: TLSv1\.2 with /],
    ['TLS 1.3', 0, 'good', [@ca, '--tls-version', '1.3', '-v'], qr/: TLSv1\.3 with /],
    ['the names and the digest at -v', 0, 'good', [@ca, '-v'],
        qr/, for localhost, 127\.0\.0\.1, ::1, .*, EC key of 256 bits, SHA-256 \Q@{[plain($digest{good})]}\E, in /],
    ['a pin that is none', 2, 'good', ['--tls-pin', 'ab:cd'], qr/'ab:cd' is not the SHA-256/],
    ['a pin that is too long', 2, 'good', ['--tls-pin', $digest{good} . '00'], qr/is not the SHA-256/],
    ['a pin with misplaced colons', 2, 'good', ['--tls-pin', 'a:' . substr $digest{good}, 1], qr/is not the SHA-256/],
    ['an empty pin', 2, 'good', ['--tls-pin', ''], qr/'' is not the SHA-256/],
    ['a pin beside an authority', 2, 'good', [@ca, '--tls-pin', $digest{good}], qr/--tls-ca/],
    ['another version', 2, 'good', ['--tls-version', '1.1'], qr/'1\.1' must be 1\.2 or 1\.3/],
    ['no days', 2, 'good', ['--tls-days', 0], qr/--tls-days/],
) {
    my ($name, $status, $certificate, $args, $err) = @$row;
    for my $how (['-z'], ['--on-eof', 'fin']) {
        my $r = run({ stdin => "hello\nCLOSE\n" }, 'connect', @$how, '--tls', @$args,
            'localhost', $port{$certificate}{port});
        is $r->{status}, $status, "$name (@$how): status $status" or diag $r->{err};
        like $r->{err}, $err, '  and why' if $err;
        is $r->{out}, '', '  and nothing is exchanged' if $status != 0;
    }
}
my $r = run('http-get', '--tls-pin', $digest{self}, "https://localhost:$port{good}{port}/");
is $r->{status}, 9, 'http-get: the wrong pin';
$r = run('connect', '-z', '--tls', @ca, '--json', 'localhost', $port{good}{port});
like $r->{out}, qr/"names":\["localhost","127\.0\.0\.1","::1"\],"not_before":"20\S+?Z","not_after":"20\S+?Z","sha256":"[0-9a-f]{64}","key_type":"EC","key_bits":256,"verified":true/,
    'the "secured" event';

# A certificate for a run.
for my $command ('listen', 'serve-hello') {
    my $p = start($command, '--tls-self', $command eq 'listen' ? ('--echo', '-k') : (),
        '127.0.0.1', 0);
    my $pin = $p->expect(err => qr/a certificate for this run; clients: --tls-pin ([0-9a-f]{64})\n/);
    my $port = $p->port;
    $r = run({ stdin => "hello\n" }, 'connect', '--tls', '--tls-pin', $pin, '127.0.0.1', $port);
    is $r->{status}, 0, "$command --tls-self and --tls-pin" or diag $r->{err};
    like $r->{out}, qr/hello/, '  and bytes go both ways';
    $r = run('connect', '-z', '--tls', '--tls-pin', $digest{good}, '127.0.0.1', $port);
    is $r->{status}, 9, '  but not with another pin';
    $p->stop;
}
$r = run('listen', '--tls-self', '--tls-cert', $c{good}{cert}, 0);
is $r->{status}, 2, '--tls-self with --tls-cert is misuse';

# Neither side is said to support nothing: the other version may be fine.
for (['-tls1_2', '1.3'], ['-tls1_3', '1.2']) {
    my ($theirs, $ours) = @$_;
    my $s = tls_serve($c{good}, $theirs);
    exits run('connect', '-z', '--tls', @ca, '--tls-version', $ours, 'localhost',
        $s->{port}), 9, "--tls-version $ours, and a server with $theirs",
        err => qr/: no common version \(--tls-version allows only TLS \Q$ours\E\)$/m;
    $s->{process}->stop;
}

# The secrets, as openssl writes them for the same connection.
my $keys = "$dir/keys";
my $s = tls_serve($c{good}, '-rev', '-keylogfile', "$dir/openssl");
for my $version ('1.2', '1.3') {
    $r = run({ stdin => "CLOSE\n", env => { SSLKEYLOGFILE => $keys } }, 'connect',
        '--tls', @ca, '--tls-version', $version, 'localhost', $s->{port});
    is $r->{status}, 0, "SSLKEYLOGFILE, TLS $version" or diag $r->{err};
    like $r->{err}, qr/the secrets of TLS are written to \Q$keys\E \(SSLKEYLOGFILE\): anyone who can read it can decrypt the connections$/m,
        '  is reported';
}
my %theirs = map { $_ => 1 } grep { /^[A-Z]/ } split /^/, slurp("$dir/openssl");
my @ours = split /^/, slurp($keys);
cmp_ok scalar @ours, '>=', 5, 'there are secrets of both connections';
is join('', grep { !$theirs{$_} } @ours), '', '  which are those of openssl';
is sprintf('%o', (stat $keys)[2] & 0777), '600', '  and nobody else reads them';
$r = run({ env => { SSLKEYLOGFILE => "$dir/nosuch/keys" } }, 'connect', '-z', '--tls',
    @ca, 'localhost', $port{good}{port});
is $r->{status}, 11, 'a file that cannot be made';
system('mkfifo', "$dir/fifo");
$r = run({ env => { SSLKEYLOGFILE => "$dir/fifo" } }, 'connect', '-z', '--tls',
    @ca, 'localhost', $port{good}{port});
is $r->{status}, 11, 'a FIFO is not waited for' or diag $r->{err};
like $r->{err}, qr/SSLKEYLOGFILE: \Q$dir\E\/fifo is not a regular file\n/, '  and why';
$r = run({ env => { SSLKEYLOGFILE => $dir } }, 'connect', '-z', '--tls',
    'localhost', 9);
is $r->{status}, 11, 'a folder is an error, too';
like $r->{err}, qr/SSLKEYLOGFILE: \Q$dir\E is not a regular file\n/, '  and why';
my $p = start({ env => { SSLKEYLOGFILE => "$dir/server" } }, 'listen', '--echo', '-k',
    '--tls-self', '127.0.0.1', 0);
$p->expect(err => qr/--tls-pin/);
$r = run({ stdin => 'x' }, 'connect', '--tls', '--tls-insecure', '127.0.0.1', $p->port);
is $r->{out}, 'x', 'a server';
like slurp("$dir/server"), qr/^(?:CLIENT_RANDOM|\w+_SECRET(?:_0)?) /m, '  writes its secrets, too';
done_testing;
