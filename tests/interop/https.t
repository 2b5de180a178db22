# https: certificates, truncation, large files, resuming, redirects, kept
# connections and proxies, with nginx and openssl s_server.
use Sockt;
use Digest::SHA;
use IO::Select;
use JSON::PP;
use Time::HiRes qw(sleep time);

my $MIB = 1 << 20;
my $dir = scratch();
chmod 0755, $dir;
mkdir "$dir/www" or die $!;
$ENV{HOME} = $dir;
delete @ENV{qw(http_proxy https_proxy HTTPS_PROXY no_proxy NO_PROXY)};

# A CA, and certificates of one key: good, for another name, expired, and signed
# by itself.
sub openssl {
    my @args = @_;
    my $r = run({ command => 'openssl' }, @args);
    die "openssl @args: $r->{err}" if $r->{status} != 0;
}
my @ec = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);
openssl('req', '-x509', @ec, '-keyout', "$dir/ca.key", '-out', "$dir/ca.pem",
    '-days', 2, '-subj', '/CN=Test CA');
openssl('req', @ec, '-keyout', "$dir/key", '-out', "$dir/csr", '-subj', '/CN=x');
spew("$dir/here", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
spew("$dir/elsewhere", "subjectAltName=DNS:other.example\n");
my @signed = ('-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key", '-CAcreateserial');
for (['good', 'here', 2, @signed], ['wrong', 'elsewhere', 2, @signed],
    ['expired', 'here', -1, @signed], ['self', 'here', 2, '-signkey',
        "$dir/key"]) {
    my ($name, $ext, $days, @by) = @$_;
    openssl('x509', '-req', '-in', "$dir/csr", '-out', "$dir/$name.pem",
        '-days', $days, '-extfile', "$dir/$ext", @by);
}

# A file whose every 4 KiB differ.
sub make_file {
    my ($path, $mib) = @_;
    open my $f, '>:raw', $path or die $!;
    my $noise = pack 'L*', map { int rand 2**32 } 1 .. 1023;
    for my $block (1 .. $mib * 256) {
        print $f pack('L', $block), $noise;
    }
    close $f or die $!;
}
sub sum { return Digest::SHA->new(256)->addfile($_[0], 'b')->hexdigest }
make_file("$dir/www/large", 200);
make_file("$dir/www/medium", 20);
my %sum = map { $_ => sum("$dir/www/$_") } qw(large medium);
spew("$dir/www/small", "small\n");
spew("$dir/www/cgi.shtml", 'a<!--#include virtual="/small" -->b' x 50);

# nginx, with a port for each certificate and one without TLS.
my @kinds = qw(good wrong expired self);
my %port = map { $_ => free_port() } @kinds, 'plain';
my $common = "root $dir/www; add_header X-Name \$ssl_server_name;\n"
    . "location /slow/ { alias $dir/www/; limit_rate 20m; }\n"
    . "location ~ shtml\$ { ssi on; }\n"
    . "location /up { return 301 https://localhost:$port{good}/small; }\n"
    . "location /down { return 302 http://localhost:$port{plain}/small; }\n"
    . "location /back { return 302 http://u:p\@localhost:$port{plain}/up; }\n"
    . "location /who { return 200 \"user=\$remote_user x=\$http_x_own\\n\"; }\n"
    . "location /cross { return 302 http://localhost:$port{plain}/who; }\n"
    . "location /give { return 302 http://u:p\@localhost:$port{plain}/who; }\n"
    . "location /over { return 302 https://localhost:$port{good}/who; }\n";
my $servers = "server { listen 127.0.0.1:$port{plain}; $common }\n"
    . join '', map {
        "server { listen 127.0.0.1:$port{$_} ssl http2;\n"
            . "ssl_certificate $dir/$_.pem; ssl_certificate_key $dir/key;\n"
            . "$common }\n"
    } @kinds;
spew("$dir/nginx.conf", <<"END");
daemon off;
pid $dir/nginx.pid;
worker_processes 1;
events { }
http {
    access_log $dir/access;
    default_type text/html;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2;
    fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    $servers
}
END

sub await_port {
    my ($port, $pid, $log) = @_;
    my $until = time + 30;
    until (IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port)) {
        die 'no server: ' . slurp($log) if time > $until || !kill 0, $pid;
        sleep 0.05;
    }
}
my $nginx = Sockt::fork_child(sub {
    open STDOUT, '>', "$dir/nginx.out" or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec 'nginx', '-c', "$dir/nginx.conf", '-e', "$dir/nginx.err";
});
await_port($port{good}, $nginx, "$dir/nginx.out");

my @ca = ('--tls-ca', "$dir/ca.pem");
my $good = "https://localhost:$port{good}";
my $plain = "http://localhost:$port{plain}";
sub get { return run('http-get', '-q', @_) }

# Certificates.
my $r = run('http-get', @ca, "$good/small");
is "$r->{status} $r->{out}", "0 small\n", 'a good certificate';
like $r->{err}, qr/^HTTP\/1\.1 200/m, 'the header of HTTP/1.1';
like $r->{err}, qr/^X-Name: localhost\r$/m, 'the server name was sent';
is get(@ca, "https://127.0.0.1:$port{good}/small")->{status}, 0, 'an address';
for (['expired', qr/expired/], ['wrong', qr/(?:mismatch|name)/i],
    ['self', qr/self[- ]signed/]) {
    my ($kind, $why) = @$_;
    my $url = "https://localhost:$port{$kind}/small";
    $r = get(@ca, $url);
    is $r->{status}, 9, "$kind: exit status";
    is $r->{out}, '', "$kind: nothing is printed";
    like $r->{err}, $why, "$kind: the reason";
    is scalar(() = $r->{err} =~ /\n/g), 1, "$kind: in one line";
    $r = get('--tls-insecure', $url);
    is "$r->{status} $r->{out}", "0 small\n", "$kind: --tls-insecure";
}
$r = get("$good/small");
is $r->{status}, 9, 'a CA that the system does not know';
$r = get(@ca, '--retry', 3, '--retry-for', 20,
    "https://localhost:$port{expired}/small");
is $r->{status}, 9, 'a certificate is not tried again';
cmp_ok $r->{seconds}, '<', 10, 'at once';
unlike slurp("$dir/access"), qr/ 400 /, 'nothing was requested without TLS';

# The other protocol.
$r = get(@ca, "https://localhost:$port{plain}/small");
is $r->{status}, 9, 'https from a server without TLS';
$r = get("http://localhost:$port{good}/small");
is $r->{status}, 8, 'http from a server with TLS, which explains it';

# Bodies.
for my $name (qw(large medium)) {
    $r = get(@ca, '-o', "$dir/$name", "$good/$name");
    is $r->{status}, 0, "$name: exit status" or diag $r->{err};
    is sum("$dir/$name"), $sum{$name}, "$name: byte for byte";
}
$r = run({ command => 'sh' }, '-c', sockt() . " http-get -q --tls-ca "
    . "$dir/ca.pem $good/medium | sha256sum");
like $r->{out}, qr/^$sum{medium} /, 'into a pipe';
is get(@ca, "$good/cgi.shtml")->{out}, "asmall\nb" x 50, 'chunked';
is get(@ca, '-r', '1-3', "$good/small")->{out}, 'mal', 'a range';
like get(@ca, '-I', "$good/large")->{out}, qr/^Content-Length: 209715200\r$/m,
    'HEAD';
$r = get(@ca, "$good/none");
is $r->{status}, 8, 'a file that is not there';

# A kept connection; the events and the chart.
$r = run('http-get', '--json', @ca, "$good/small", "$good/small");
my @events = map { decode_json($_) } split /\n/, $r->{err};
my @responses = grep { $_->{event} eq 'response' } @events;
is "$r->{status} $r->{out}", "0 small\nsmall\n", 'two files';
my ($first, $second) = @responses;
ok !$first->{reused} && $second->{reused}, 'over one connection';
my $p = $first->{phases};
cmp_ok $p->{tls}, '>', $p->{connect}, 'the handshake is a phase';
cmp_ok $p->{sent}, '>=', $p->{tls}, 'before the request';
ok !exists $second->{phases}{tls}, 'which the second has not';
$r = get('--timing', @ca, "$good/small");
like $r->{err}, qr/^  TLS handshake +\S+ ms \|.*#/m, '--timing has it';

# Redirects.
is get('-L', @ca, "$plain/up")->{out}, "small\n", 'from http to https';
$r = run('http-get', '-L', @ca, "$good/down");
is $r->{out}, "small\n", 'from https to http';
like $r->{err}, qr/redirected from https to http/, 'which is reported';
is get('-L', @ca, '-u', 'me:secret', '-H', 'X-Own: 1', "$good/cross")->{out},
    "user= x=\n", 'without credentials and fields';
is get('-L', @ca, "$good/give")->{out}, "user= x=\n",
    'and without those of the Location';
is get('-L', @ca, '-u', 'me:secret', "$plain/over")->{out}, "user= x=\n",
    'nor from http to https';
$r = get('-L', "$plain/up");
is $r->{status}, 9, 'the certificate counts after a redirect';
like $r->{err}, qr{^sockt http-get: \Q$good\E/small: }, 'and the URL is told';
$r = get('-L', @ca, '--max-redirs', 3, "$good/back");
is $r->{out}, "small\n", 'https, http, https';

# Killed, with its processes, and resumed.
my $p2 = start('http-get', '-q', @ca, '-o', "$dir/resumed", "$good/slow/medium");
my $until = time + 30;
sleep 0.02 until (-s "$dir/resumed.part" // 0) > $MIB || time > $until;
my @children = map { ($_, children($_)) } children($p2->{pid});
cmp_ok scalar @children, '>=', 1, 'the process of TLS runs';
is $p2->stop('KILL')->{signal}, 9, 'killed';
await_gone($_) for @children;
ok !-e "$dir/resumed", 'there is no file yet';
$r = run('http-get', @ca, '-co', "$dir/resumed", "$good/slow/medium");
is $r->{status}, 0, 'resumed: exit status' or diag $r->{err};
like $r->{err}, qr/^HTTP\/1\.1 206/m, 'a part is fetched';
is sum("$dir/resumed"), $sum{medium}, 'resumed: byte for byte';

sub await_gone {
    my ($pid) = @_;
    my $end = time + 10;
    sleep 0.02 while is_running($pid) && time < $end;
    ok !is_running($pid), 'a process is gone';
}

# A relay between a client of TLS 1.3 and the server at port $to. It closes the
# client's side after $limit bytes, or instead of the alert that ends TLS: a
# record of 24 bytes. It accepts $count connections.
sub cutter {
    my ($to, %o) = @_;
    my $l = tcp_listener();
    Sockt::fork_child(sub { cut_one($l, $to, $o{limit}) for 1 .. $o{count} // 1 });
    return $l->sockport;
}

sub cut_one {
    my ($l, $to, $limit) = @_;
    my $c = $l->accept or exit 1;
    my $s = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $to)
        or exit 1;
    my ($held, $sent, $both) = ('', 0, IO::Select->new($c, $s));
    while (1) {
        my ($out, $done) = ('', 0);
        for my $ready ($both->can_read) {
            my $n = sysread $ready, my $bytes, 65536;
            if ($ready == $c) {
                if ($n) { syswrite $s, $bytes }
                else    { $both->remove($c) }
                next;
            }
            $done = !$n;
            $held .= $bytes if $n;
        }
        while (!$done && length $held > 5) {
            my ($type, $size) = unpack 'Cx2n', $held;
            last if length $held < 5 + $size;
            $done = !defined $limit && $type == 23 && $size == 19;
            $out .= substr $held, 0, 5 + $size, '' if !$done;
        }
        if (defined $limit && $sent + length $out > $limit) {
            $out = substr $out, 0, $limit - $sent;
            $done = 1;
        }
        $sent += length $out;
        while (length $out) {
            my $w = syswrite $c, $out or last;
            substr $out, 0, $w, '';
        }
        last if $done;
    }
    close $s;
    shutdown $c, 1;
    1 while sysread $c, my $rest, 65536;
}

# Truncated: a body without a length, from s_server, which ends it as it should.
my $www = free_port();
my $s_server = Sockt::fork_child(sub {
    chdir "$dir/www" or die $!;
    open STDIN, '<', '/dev/null' or die $!;
    open STDOUT, '>', "$dir/s_server.out" or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec 'openssl', 's_server', '-accept', $www, '-cert', "$dir/good.pem",
        '-key', "$dir/key", '-WWW';
});
await_port($www, $s_server, "$dir/s_server.out");
$r = run('http-get', '-v', @ca, '-o', "$dir/whole", "https://localhost:$www/medium");
is $r->{status}, 0, 's_server: exit status' or diag $r->{err};
is sum("$dir/whole"), $sum{medium}, 's_server: byte for byte';
$r = get(@ca, '-o', "$dir/cut", 'https://localhost:' . cutter($www)
    . '/medium');
is $r->{status}, 10, 'all but the end of TLS: exit status';
like $r->{err}, qr/TLS/, 'what is said';
ok !-e "$dir/cut", 'the file has no name';
is sum("$dir/cut.part"), $sum{medium}, 'its bytes are kept';
$r = get(@ca, 'https://localhost:' . cutter($www) . '/small');
is "$r->{status} $r->{out}", "10 small\n", 'on stdout';
$r = get(@ca, '-o', "$dir/half", 'https://localhost:'
    . cutter($www, limit => $MIB) . '/medium');
is $r->{status}, 10, 'in the middle: exit status';
ok !-e "$dir/half", 'no file';
# With a length.
$r = get(@ca, '-o', "$dir/part", 'https://localhost:'
    . cutter($port{good}, limit => 5 * $MIB) . '/medium');
like $r->{status}, qr/^(?:9|10)$/, 'nginx, in the middle: exit status';
like $r->{err}, qr/20971520/, 'how much was announced';
cmp_ok -s "$dir/part.part", '>', 4 * $MIB, 'what was received is kept';
my $cut = cutter($port{good}, limit => 8 * $MIB, count => 9);
$r = get(@ca, '--retry', 9, '-o', "$dir/retried",
    "https://localhost:$cut/medium");
is $r->{status}, 0, '--retry resumes it: exit status' or diag $r->{err};
is sum("$dir/retried"), $sum{medium}, '--retry: byte for byte';
$r = get(@ca, 'https://localhost:' . cutter($port{good}, limit => 100)
    . '/small');
like $r->{status}, qr/^(?:9|10)$/, 'in the handshake';
$r = get(@ca, 'https://localhost:' . cutter($port{good})
    . '/small');
is "$r->{status} $r->{out}", "0 small\n",
    'a body with a length needs no end of TLS';

# Proxies.
my $tunnel = tcp_listener();
my $proxy = "127.0.0.1:" . $tunnel->sockport;
my $log = "$dir/proxy.log";
spew($log, '');
Sockt::fork_child(sub {
    while (my $c = $tunnel->accept) {
        next if fork;
        my $head = '';
        while ($head !~ /\r\n\r\n/) {
            sysread $c, $head, 1, length $head or exit;
        }
        open my $f, '>>', $log or die $!;
        print $f $head;
        close $f;
        my ($port) = $head =~ /^CONNECT \S+:(\d+) / or exit;
        my $s = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port);
        syswrite $c, "HTTP/1.1 200 Yes\r\n\r\n";
        my $both = IO::Select->new($c, $s);
        while (1) {
            for my $ready ($both->can_read) {
                sysread $ready, my $bytes, 65536 or exit;
                syswrite $ready == $c ? $s : $c, $bytes;
            }
        }
    }
});
for (['--proxy', {}, '--proxy', "http://$proxy"],
    ['https_proxy', { https_proxy => "http://$proxy" }],
    ['HTTPS_PROXY', { HTTPS_PROXY => $proxy }]) {
    my ($name, $env, @args) = @$_;
    spew($log, '');
    $r = run({ env => $env }, 'http-get', '-q', @ca, '-u', 'me:secret', @args,
        "$good/small");
    is "$r->{status} $r->{out}", "0 small\n", "$name: exit status and body";
    my $head = slurp($log);
    like $head, qr/^CONNECT localhost:$port{good} HTTP/, "$name: CONNECT";
    unlike $head, qr/authorization/i, "$name: no credentials in it";
}
spew($log, '');
$r = run({ env => { https_proxy => "http://$proxy", no_proxy => 'localhost' } },
    'http-get', '-q', @ca, "$good/small");
is "$r->{out}" . slurp($log), "small\n", 'no_proxy';
$r = run({ env => { http_proxy => "http://$proxy" } }, 'http-get', '-q', @ca,
    "$good/small");
is "$r->{out}" . slurp($log), "small\n", 'http_proxy is not for https';
$r = get(@ca, '--via', "socat - TCP:127.0.0.1:%p", "$good/small");
is "$r->{status} $r->{out}", "0 small\n", '--via: exit status and body';

# Waiting for it.
my $later = free_port();
my $waiting = start('http-get', @ca, '--retry-for', 30,
    "https://localhost:$later/small");
$waiting->expect(err => qr/refused.*trying again/);
 Sockt::fork_child(sub {
    chdir "$dir/www" or die $!;
    open STDIN, '<', '/dev/null' or die $!;
    open STDOUT, '>', "$dir/later.out" or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec 'openssl', 's_server', '-accept', $later, '-cert', "$dir/good.pem",
        '-key', "$dir/key", '-WWW';
});
$r = $waiting->finish;
is "$r->{status} $r->{out}", "0 small\n", '--retry-for';

# Its worker ends with it only so.
kill 'TERM', $nginx;
reap($nginx);
done_testing;
