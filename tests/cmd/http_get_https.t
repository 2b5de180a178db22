# https URLs: what http-get does around TLS. The server of TLS is sockt in front
# of a web server that sends exact bytes.
use Sockt;
use IO::Select;
use JSON::PP;
use SocktHttp;
use SocktTls;

plan skip_all => 'openssl is not installed' unless tls_is_available();

delete @ENV{qw(http_proxy https_proxy HTTPS_PROXY no_proxy NO_PROXY)};
my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my $good = tls_certificate($ca, 'good',
    'DNS:localhost,DNS:name.test,IP:127.0.0.1');
my $expired = tls_certificate($ca, 'expired', 'IP:127.0.0.1', days => -1);
my $page = answer('200 OK', 'page');
my @fronts;

# Runs it, trusting the authority.
sub fetch {
    my ($o, @args) = ref $_[0] ? @_ : ({}, @_);
    return run({ env => { SSL_CERT_FILE => "$dir/ca/ca.pem",
        %{ $o->{env} // {} } } }, 'http-get', @args);
}

# The https URL of a web server: with TLS in front of it, which with 'cut' is
# not ended, and with another certificate.
sub secure {
    my ($s, $how, $certificate) = @_;
    push @fronts, tls_front($certificate // $good, $s->{port});
    my $port = $fronts[-1]->port;
    $port = tls_cutter($port) if ($how // '') eq 'cut';
    return "https://127.0.0.1:$port";
}

my $s = http_server($page);
my $url_of = secure($s);
my ($port) = $url_of =~ /(\d+)$/;
my $r = fetch('-v', "$url_of/a?b");
is "$r->{status} $r->{out}", '0 page', 'https: exit status and body';
my ($request) = requests($s);
like $request, qr{\AGET /a\?b HTTP/1\.1\r\n}, 'the request';
like $request, qr{\r\nHost: 127\.0\.0\.1:$port\r\n}, 'its Host';
like $r->{err}, qr/: TLSv1\.\d with .*CN = good, issued by CN = authority, verified/,
    '-v: the certificate';
$s = http_server($page);
is run('http-get', '-q', '--tls-ca', "$dir/ca/ca.pem", secure($s))->{out},
    'page', '--tls-ca';
$s = http_server($page);
is run('http-get', '-q', '--tls-insecure', secure($s))->{out}, 'page',
    '--tls-insecure';
$s = http_server($page);
is fetch('-q', '--tls-name', 'name.test', secure($s))->{out}, 'page',
    '--tls-name';
$s = http_server($page);
$r = fetch('-q', '--tls-name', 'other.test', secure($s));
is $r->{status}, 9, '  of somebody else';
like $r->{err}, qr/hostname mismatch: it is not for other\.test/, '  is told';

# Errors.
my $url = 'https://127.0.0.1:' . free_port() . '/x';
exits fetch($url), 4, 'nothing listens there';
$s = http_server($page);
exits fetch(secure($s, '', $expired)), 9, 'a certificate that has expired',
    err => qr/\Asockt http-get: https:\S+: .*certificate has expired.*\n\z/;
is scalar requests($s), 0, 'nothing is requested';
$r = fetch('--tls-ca', "$dir/none", $url);
is $r->{status}, 11, '--tls-ca: a file that is not there';

# A body that ends with the connection.
my $open = "HTTP/1.1 200 OK\r\n\r\nhello";
$s = http_server($open);
exits fetch('-q', secure($s)), '0 hello', 'TLS is ended';
$s = http_server($open);
exits fetch('-q', secure($s, 'cut')), '10 hello', 'TLS is not ended',
    err => qr/after 5 bytes of the body: .*TLS/;
$s = http_server($open);
$r = fetch('-q', '-o', "$dir/file", secure($s, 'cut'));
ok !-e "$dir/file", 'there is no file';
is slurp("$dir/file.part"), 'hello', 'but what there was';
$s = http_server($page);
exits fetch('-q', secure($s, 'cut')), '0 page', 'a declared length is enough';
my $short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
for my $kind ('', 'cut') {
    $s = http_server($short);
    exits fetch('-q', secure($s, $kind)), 9,
        "'$kind': a short body, its length", err => qr/5 of 9 bytes|9 bytes/;
}
my $retried = "HTTP/1.1 206 Part\r\nETag: \"v\"\r\n"
    . "Content-Range: bytes 5-8/9\r\nContent-Length: 4\r\n\r\n you";
$s = http_server($short =~ s/\r\n/\r\nETag: "v"\r\n/r, $retried);
$r = fetch('-q', '--retry', 1, secure($s, 'cut'));
is "$r->{status} $r->{out}", '0 hello you', '--retry resumes it';
$s = http_server('', $page);
exits fetch('-q', '--retry-for', 20, secure($s)), '0 page', '--retry-for';
$s = http_server('', $page);
$r = fetch('-q', '--retry-for', 20, secure($s, '', $expired));
is $r->{status}, 9, 'which does not wait for another certificate';

# A kept connection, and the phases.
$s = http_server([$page, $page]);
my $kept = secure($s);
$r = fetch('--json', $kept, $kept);
is "$r->{status} $r->{out}", '0 pagepage', 'two files';
my @events = map { decode_json($_) } split /\n/, $r->{err};
my @phases = map { $_->{phases} } grep { $_->{event} eq 'response' } @events;
cmp_ok $phases[0]{tls}, '>=', $phases[0]{connect}, 'the handshake is a phase';
is scalar(grep { $_->{event} eq 'secured' } @events), 1, 'one connection';
ok !exists $phases[1]{tls}, 'that a kept connection does not have';
$s = http_server($page);
like fetch('-q', '--timing', secure($s))->{err}, qr/^  TLS handshake +\d/m,
    '--timing shows it';
$s = http_server($page);
unlike run('http-get', '-q', '--timing', $s->{url})->{err}, qr/TLS/,
    'but not without TLS';
# Redirects.
sub to { return answer('302 Go', '', "Location: $_[0]") }
my $who = sub {
    my ($c, $head) = @_;
    my ($user) = $head =~ /^Authorization: Basic (\S+)/m;
    syswrite $c, answer('200 OK', ($user // '-') . ' '
            . ($head =~ /^X-Own:/m ? 'own' : '-'));
};
my @user = ('-u', 'a:1', '-H', 'X-Own: x');
my $next = http_server($who);
$s = http_server(to(secure($next) . '/n'));
exits fetch('-q', '-L', @user, "$s->{url}/"), '0 - -', 'from http to https';
$next = http_server($who);
$s = http_server(to("$next->{url}/n"));
exits fetch('-L', @user, secure($s)), '0 - -', 'from https to http',
    err => qr/redirected from https to http, which is not encrypted/;
$next = http_server($who);
$s = http_server(to($next->{url} =~ s{//}{//b:2\@}r));
$r = fetch('-q', '-L', secure($s));
is $r->{out}, '- -', 'without the credentials of the Location';
$next = http_server($who);
$s = http_server(to(secure($next) =~ s{//}{//b:2\@}r));
is fetch('-q', '-L', secure($s))->{out}, 'Yjoy -', 'which are for https';
$s = http_server([to('/n'), $who]);
$r = fetch('-q', '-L', @user, secure($s));
is $r->{out}, 'YTox own', 'the same origin has both';
$s = http_server([to('x:y')]);
exits fetch('-q', '-L', secure($s)), 1, 'another scheme';

# Proxies: CONNECT, then TLS.
# This one forwards to a server of TLS.
my $proxied = sub {
    my ($port) = secure($_[0]) =~ /(\d+)$/;
    return sub {
        my ($c) = @_;
        my $t = tcp_client($port);
        syswrite $c, "HTTP/1.1 200 Yes\r\n\r\n";
        my $both = IO::Select->new($c, $t);
        while (1) {
            for my $ready ($both->can_read) {
                sysread $ready, my $bytes, 65536 or return;
                syswrite $ready == $c ? $t : $c, $bytes;
            }
        }
    };
};
for (['--proxy', sub { ('--proxy', $_[0]) }, sub { () }],
    ['https_proxy', sub { () }, sub { (https_proxy => $_[0]) }],
    ['HTTPS_PROXY', sub { () }, sub { (HTTPS_PROXY => $_[0]) }]) {
    my ($name, $args, $env) = @$_;
    my $origin = http_server($page);
    $s = http_server($proxied->($origin));
    my $with = $s->{url} =~ s{//}{//p:w\@}r;
    exits fetch({ env => { $env->($with) } }, '-q', @user, $args->($with),
        'https://name.test/x'), '0 page', "$name: exit status and body";
    my ($connect) = requests($s);
    my ($get) = requests($origin);
    like $connect, qr{\ACONNECT name\.test:443 HTTP/1\.1\r\n}, "$name: CONNECT";
    like $connect, qr{Proxy-Authorization: Basic cDp3}, "$name: its credentials";
    unlike $connect, qr{\r\nAuthorization|X-Own}, "$name: and no others";
    like $get, qr{\AGET /x HTTP/1\.1\r\nHost: name\.test\r\n}, "$name: GET";
    unlike $get, qr{Proxy-}, "$name: without them";
}
$s = http_server($page);
$r = fetch({ env => { http_proxy => 'http://127.0.0.1:9' } }, '-q', secure($s));
is $r->{out}, 'page', 'http_proxy is not for https';
$s = http_server($page);
$r = fetch({ env => { https_proxy => 'http://127.0.0.1:9' } }, '-q', $s->{url});
is $r->{out}, 'page', 'https_proxy is not for http';
$s = http_server($page);
is fetch({ env => { https_proxy => 'http://127.0.0.1:9',
    no_proxy => '127.0.0.1' } }, '-q', secure($s))->{out}, 'page', 'no_proxy';
exits fetch({ env => { https_proxy => 'https://a' } }, $url), 2,
    'a malformed https_proxy', err => qr/https_proxy/;
$s = http_server(answer('407 Auth', ''));
$r = fetch('--proxy', $s->{url}, 'https://name.test/');
is $r->{status}, 8, 'a proxy that declines';

# Usage.
for my $o (['--tls-insecure'], ['--tls-ca', "$dir/ca/ca.pem"]) {
    exits run('http-get', @$o, 'http://localhost/'), 2,
        "$o->[0] without https", err => qr/$o->[0].*https/;
    $s = http_server($page);
    $r = fetch('-q', '-L', @$o, $s->{url});
    is $r->{status}, 0, "$o->[0]: --location may lead there";
    $s = http_server($page);
}
$r = run('http-get', '--tls-ca', "$dir/ca/ca.pem", '--tls-insecure', $url);
is $r->{status}, 2, '--tls-ca and --tls-insecure';

$_->stop for @fronts;
done_testing;
