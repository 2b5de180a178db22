# connect --tls, --via and https with real peers: nginx, openssl s_server, socat
# and ncat as servers of TLS, microsocks and tinyproxy on the way to them, nc,
# ncat and socat as programs. Large transfers both ways are compared by checksum.
use Sockt;
use Digest::SHA qw(sha256_hex);
use SocktTls;

$ENV{PATH} .= ':/usr/sbin';
for my $peer (qw(openssl nginx socat ncat nc.openbsd microsocks tinyproxy)) {
    ok scalar(grep { -x "$_/$peer" } split /:/, $ENV{PATH}),
        "$peer is installed";
}
my $SIZE = 20 << 20;
my $dir = scratch();
chmod 0755, $dir;
mkdir "$dir/www" or die $!;
srand 15;
my $block = join '', map { pack 'L', rand 2**32 } 1 .. 1 << 18;
spew("$dir/www/large", $block x 20);
spew("$dir/www/small", "small\n");
spew("$dir/www/chunked.shtml", 'a<!--#include virtual="/small" -->b' x 50);
my $sum = sha256_hex($block x 20);
my %mark = (env => { TMPDIR => $dir }, timeout => 120);

my $ca = tls_authority("$dir/ca");
my $other = tls_authority("$dir/other");
my %certificate = (
    good    => tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1'),
    wrong   => tls_certificate($ca, 'wrong', 'DNS:other.test'),
    expired => tls_certificate($ca, 'expired', 'DNS:localhost', days => -1),
    unknown => tls_certificate($other, 'unknown', 'DNS:localhost'),
    self    => tls_self_signed("$dir/ca/self", 'DNS:localhost'),
);
my @ca = ('--tls-ca', "$dir/ca/ca.pem");

# Starts a program beside the test and waits until it listens on the port.
sub serve {
    my ($port, @command) = @_;
    my $p = start({ command => $command[0], env => { TMPDIR => $dir } },
        @command[1 .. $#command]);
    for (1 .. 600) {
        return $p if IO::Socket::IP->new(PeerHost => '127.0.0.1',
            PeerPort => $port);
        select undef, undef, undef, 0.05;
    }
    $p->finish(0.1);
    die "$command[0] does not listen: $p->{err}$p->{out}";
}

sub tls {
    my %o = (%mark, ref $_[0] eq 'HASH' ? %{ shift() } : ());
    return run(\%o, 'connect', '--tls', @_);
}

# nginx, one port for each certificate.
my %port = map { $_ => free_port() } sort keys %certificate;
my $servers = join '', map { <<"C" } sort keys %certificate;
    server {
        listen 127.0.0.1:$port{$_} ssl;
        ssl_certificate $certificate{$_}{cert};
        ssl_certificate_key $certificate{$_}{key};
        root $dir/www;
        location /slow { alias $dir/www/large; limit_rate 200k; }
        location /brisk { alias $dir/www/large; limit_rate 8m; }
        location ~ shtml\$ { ssi on; }
    }
C
spew("$dir/nginx.conf", <<"C");
daemon off;
master_process off;
pid $dir/nginx.pid;
events { }
http {
    access_log $dir/access;
    default_type text/html;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2;
    fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
$servers
}
C
my $nginx = serve($port{good}, 'nginx', '-c', "$dir/nginx.conf", '-e',
    "$dir/nginx.err");
sub request { return "GET /$_[0] HTTP/1.0\r\n\r\n" }
sub body { return $_[0] =~ s/.*?\r\n\r\n//sr }

for my $host ('localhost', '127.0.0.1') {
    my $r = tls({ stdin => request('small') }, @ca, $host, $port{good});
    is "$r->{status} $r->{err}", '0 ', "nginx as $host";
    is body($r->{out}), "small\n", '  answers';
}
for my $case ([wrong => qr/hostname mismatch/],
    [expired => qr/certificate has expired/],
    [unknown => qr/unable to \w+/], [self => qr/self-signed certificate/]) {
    my ($name, $reason) = @$case;
    my $r = tls('-z', @ca, 'localhost', $port{$name});
    is $r->{status}, 9, "nginx, certificate $name: status 9";
    like $r->{err}, qr/not accepted: $reason/, '  with the reason';
    $r = tls({ stdin => request('small') }, '--tls-insecure', 'localhost',
        $port{$name});
    is body($r->{out}), "small\n", '  not with --tls-insecure';
}
my $r = tls({ stdin => request('large') }, @ca, 'localhost', $port{good});
is "$r->{status} $r->{err}", '0 ', 'nginx sends 100 MiB';
is sha256_hex(body($r->{out})), $sum, '  byte for byte';
$r = tls({ stdin => '' }, @ca, 'localhost', $port{good});
is "$r->{status} $r->{out}$r->{err}", '0 ', 'nothing to send: the end';
cmp_ok $r->{seconds}, '<', 10, '  before nginx loses patience';
$r = run({ %mark, stdin => request('small') }, 'connect', 'localhost',
    $port{good});
like $r->{out}, qr/400 Bad Request/, 'without --tls there is none';

# The same by http-get.
my $url = "https://localhost:$port{good}";
sub get { return run({%mark}, 'http-get', '-q', @_) }
for my $name (qw(wrong expired unknown self)) {
    $r = get(@ca, '--retry', 3, '--retry-for', 20,
        "https://localhost:$port{$name}/small");
    is "$r->{status} $r->{out}", '9 ', "http-get, certificate $name: status 9";
    is scalar(() = $r->{err} =~ /\n/g), 1, '  in one line, and not tried again';
}
unlike slurp("$dir/access"), qr/ 400 .*\n.* 400 /,
    'nothing more was requested without TLS';
$r = get(@ca, '-o', "$dir/file", "$url/large");
is "$r->{status} " . sha256_hex(slurp("$dir/file")), "0 $sum", 'a large file';
is get(@ca, "$url/chunked.shtml")->{out}, "asmall\nb" x 50, 'chunked';
is get(@ca, '-r', '1-3', "$url/small")->{out}, 'mal', 'a range';
is get(@ca, "$url/none")->{status}, 8, 'a file that is not there';
$r = run('http-get', '--json', @ca, "$url/small", "$url/small");
is scalar(() = $r->{err} =~ /"event":"secured"/g), 1, 'two files over one connection';
is $r->{out}, "small\n" x 2, '  are whole';

# Killed, with its processes, and resumed.
my $got = "$dir/resumed";
my $killed = start('http-get', '-q', @ca, '-o', $got, "$url/brisk");
select undef, undef, undef, 0.02
    until (-s "$got.part" // 0) > 1 << 20 || !is_running($killed->{pid});
my @children = map { ($_, children($_)) } children($killed->{pid});
is $killed->stop('KILL')->{signal}, 9, 'killed in the middle';
ok !-e $got, '  there is no file yet';
for (1 .. 500) {
    last if !grep { is_running($_) } @children;
    select undef, undef, undef, 0.02;
}
ok !grep({ is_running($_) } @children), '  and no process is left';
$r = run('http-get', @ca, '-co', $got, "$url/brisk");
like $r->{err}, qr/^HTTP\/1\.1 206/m, 'a part is fetched';
is "$r->{status} " . sha256_hex(slurp($got)), "0 $sum", '  and all of it is there';

# A body without a length ends with TLS, or is cut.
my $www = free_port();
my $s_server = start({ command => 'sh', keep_stdin => 1 }, '-c',
    'cd "$0" && exec openssl s_server -accept "$1" -cert "$2" -key "$3" -WWW',
    "$dir/www", $www, @{ $certificate{good} }{qw(cert key)});
$r = get(@ca, '--retry-for', 30, '-o', "$dir/whole", "https://localhost:$www/large");
is "$r->{status} " . sha256_hex(slurp("$dir/whole")), "0 $sum", 's_server: whole';
$r = get(@ca, '-o', "$dir/cut", 'https://localhost:' . tls_cutter($www) . '/large');
is $r->{status}, 10, 'all but the end of TLS: status 10';
like $r->{err}, qr/TLS/, '  what is said';
ok !-e "$dir/cut", '  the file has no name';
is sha256_hex(slurp("$dir/cut.part")), $sum, '  its bytes are kept';
$s_server->stop('KILL');

# Truncation: the server is killed in the middle.
my $p = start({ %mark, stdin => request('slow') }, 'connect', '--tls', @ca,
    'localhost', $port{good});
$p->expect(out => qr/\r\n\r\n.{1000}/s);
$nginx->signal('KILL');
$r = $p->finish;
is $r->{status}, 10, 'a server that is killed in mid-stream: status 10';
like $r->{err}, qr/without ending TLS \(close_notify\)|connection reset/,
    '  is told';
$nginx->finish;

# --retry-for while it starts again.
$p = start({ %mark, stdin => request('small') }, 'connect', '--tls', @ca,
    '--retry-for', 60, 'localhost', $port{good});
$p->expect(err => qr/refused .*trying again/);
$nginx = serve($port{good}, 'nginx', '-c', "$dir/nginx.conf", '-e',
    "$dir/nginx.err");
$r = $p->finish(60);
is "$r->{status} " . body($r->{out}), "0 small\n", '--retry-for until it serves';

# Other servers: bytes of the client first, and of the server.
my $options = "reuseaddr,bind=127.0.0.1,cert=$certificate{good}{cert},"
    . "key=$certificate{good}{key},verify=0";
my $echo = free_port();
my $socat = serve($echo, 'socat', "OPENSSL-LISTEN:$echo,fork,$options",
    'EXEC:cat');
$r = tls({ stdin => "hello\n", keep_stdin => 0 }, @ca, '--linger', 0.5,
    'localhost', $echo);
is $r->{out}, "hello\n", 'socat: the client is first';
my $exchange = spew("$dir/exchange.pl", <<'END');
use Digest::SHA;
binmode $_ for *STDIN, *STDOUT;
my $size = shift;
open my $f, '<:raw', shift or die;
if (!fork) {
    while (sysread $f, my $bytes, 65536) {
        while (length $bytes) {
            my $n = syswrite(STDOUT, $bytes) // die "send: $!";
            substr $bytes, 0, $n, '';
        }
    }
    exit;
}
my $sha = Digest::SHA->new(256);
my $got = 0;
while ($got < $size) {
    my $n = sysread STDIN, my $bytes, 65536;
    die "ended after $got" if !$n;
    $got += $n;
    $sha->add($bytes);
}
wait;
print STDERR $sha->hexdigest, "\n";
END
$r = tls(@ca, 'localhost', $echo, '--', $^X, $exchange, $SIZE, "$dir/www/large");
is "$r->{status} $r->{err}", "0 $sum\n",
    'socat echoes 100 MiB, both directions at the same time';
$socat->stop;

my $sink = free_port();
my $file = "$dir/received";
$socat = start({ command => 'socat' }, '-u', "OPENSSL-LISTEN:$sink,$options",
    "CREATE:$file");
open my $large, '<:raw', "$dir/www/large" or die $!;
$r = tls({ stdin => $large }, @ca, '--send-only', '-q', '--retry-for', 30,
    'localhost', $sink);
is "$r->{status} $r->{err}", '0 ', '--send-only of 100 MiB';
$socat->finish(30);
is sha256_hex(slurp($file)), $sum, '  arrives byte for byte';

my $first = free_port();
# At the end of its stdin ncat would end TCP, without ending TLS.
my $ncat = start({ command => 'ncat', keep_stdin => 1 }, '-l', '--ssl',
    '--ssl-cert', $certificate{good}{cert}, '--ssl-key', $certificate{good}{key},
    '127.0.0.1', $first);
$ncat->send_line("first\n");
$r = tls({ stdin => 'bytes' }, @ca, '-q', '--retry-for', 30, '--expect',
    'first', '--send', 'last\n', '--on-eof', 'quit', '127.0.0.1', $first);
is "$r->{status} $r->{out}", "0 first\n", 'ncat: the server is first';
is $ncat->finish(30)->{out}, "last\nbytes", '  and gets all';

# Through proxies.
my $socks = free_port();
my $microsocks = serve($socks, 'microsocks', '-i', '127.0.0.1', '-p', $socks);
my $http = free_port();
spew("$dir/tinyproxy.conf", <<"C");
Port $http
Listen 127.0.0.1
LogFile "$dir/tinyproxy.log"
PidFile "$dir/tinyproxy.pid"
MaxClients 20
C
my $tinyproxy = serve($http, 'tinyproxy', '-d', '-c', "$dir/tinyproxy.conf");
for my $proxy ("socks5://127.0.0.1:$socks", "http://127.0.0.1:$http") {
    $r = tls({ stdin => request('small') }, @ca, '--proxy', $proxy, 'localhost',
        $port{good});
    is "$r->{status} " . body($r->{out}), "0 small\n", "through $proxy";
    $r = tls('-z', @ca, '--proxy', $proxy, 'localhost', $port{wrong});
    is $r->{status}, 9, '  wrong name: status 9';
}

# Programs that connect; "ssh" plays a remote shell.
mkdir "$dir/bin";
spew("$dir/bin/ssh", "#!/bin/sh\nshift\nexec sh -c \"\$*\"\n");
chmod 0755, "$dir/bin/ssh";
$mark{env}{PATH} = "$dir/bin:$ENV{PATH}";
for my $via ('nc.openbsd -N %h %p', 'ncat %h %p', 'socat - TCP:%h:%p',
    'ssh host nc.openbsd -N %h %p', "ssh host 'exec nc.openbsd -N %h %p'") {
    $r = tls({ stdin => request('large') }, @ca, '--via', $via, 'localhost',
        $port{good});
    is "$r->{status} $r->{err}", '0 ', "TLS through $via";
    is sha256_hex(body($r->{out})), $sum, '  100 MiB, byte for byte';
    my $plain = free_port();
    my $server = start('listen', '-q', $plain, '--', $^X,
        $exchange, $SIZE, "$dir/www/large");
    $r = run({ %mark }, 'connect', '-q', '--retry-for', 30, '--via', $via,
        '127.0.0.1', $plain, '--', $^X, $exchange, $SIZE, "$dir/www/large");
    is "$r->{status} $r->{err}", "0 $sum\n", "$via: 100 MiB each way";
    is $server->finish(30)->{err}, "$sum\n", '  as the other side says';
    $r = run({ %mark }, 'connect', '-z', '--via', $via, '127.0.0.1', free_port());
    is $r->{status}, 10, '  refused: status 10';
    # nc says nothing without -v.
    like $r->{err}, $via =~ /nc\.openbsd/ ? qr/--via failed with status 1$/
        : qr/--via failed with status \d+: .*refused/i, '  with the reason';
}

$_->stop for $nginx, $microsocks, $tinyproxy;
is join(' ', left_behind($dir)), '', 'no process is left by any of these';
is join(' ', glob "$dir/sockt-*"), '', 'and no directory';

done_testing;
