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

# Fetches from a server with these connections, in that way.
sub over {
    my ($connections, $how, @args) = @_;
    my $o = ref $args[0] ? shift @args : {};
    return fetch($o, '-q', @args, secure(http_server(@$connections),
        $how, $how eq 'expired' ? $expired : ()));
}

my $s = http_server($page);
my $secure = secure($s);
my ($port) = $secure =~ /(\d+)$/;
exits fetch('-v', "$secure/a?b"), '0 page', '-v: the certificate',
    err => qr/: TLSv1\.\d with .*CN = good, issued by CN = authority, verified/;
like slurp($s->{log}), qr{\AGET /a\?b HTTP/1\.1\r\nHost: 127\.0\.0\.1:$port\r\n},
    'the request and its Host';
is run('http-get', '-q', @$_, secure(http_server($page)))->{out}, 'page', $_->[0]
    for ['--tls-ca', "$dir/ca/ca.pem"], ['--tls-insecure'];
exits over([$page], '', '--tls-name', 'name.test'), '0 page', '--tls-name';
exits over([$page], '', '--tls-name', 'other.test'), 9, '  of somebody else',
    err => qr/hostname mismatch: it is not for other\.test/;

$s = http_server($page);
my ($behind) = secure($s) =~ m{//(.*)};
exits fetch('-q', '--connect-to', $behind, 'https://name.test/'), '0 page',
    '--connect-to: the certificate is that of the URL';
exits fetch('-q', '--connect-to', $behind, 'https://other.test/'), 9, '  and of no other name',
    err => qr/other\.test/;

# Errors.
my $url = 'https://127.0.0.1:' . free_port() . '/x';
exits fetch($url), 4, 'nothing listens there';
$s = http_server($page);
exits fetch(secure($s, '', $expired)), 9, 'a certificate that has expired',
    err => qr/\Asockt http-get: https:\S+: .*certificate has expired.*\n\z/;
is scalar requests($s), 0, 'nothing is requested';
exits fetch('--tls-ca', "$dir/none", $url), 11, '--tls-ca: no such file';

# A body that ends with the connection, and one that has a length.
my $open = "HTTP/1.1 200 OK\r\n\r\nhello";
exits over([$open], ''), '0 hello', 'TLS is ended';
exits over([$open], 'cut'), '10 hello', 'TLS is not ended',
    err => qr/after 5 bytes of the body: .*TLS/;
over([$open], 'cut', '-o', "$dir/file");
ok !-e "$dir/file" && slurp("$dir/file.part") eq 'hello',
    'there is no file, but what there was';
exits over([$page], 'cut'), '0 page', 'a declared length is enough';
my $short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
exits over([$short], $_), 9, "'$_': a short body", err => qr/9 bytes/ for '', 'cut';
exits over([$short =~ s/\r\n/\r\nETag: "v"\r\n/r, "HTTP/1.1 206 Part\r\nETag: \"v\"\r\n"
    . "Content-Range: bytes 5-8/9\r\nContent-Length: 4\r\n\r\n you"], 'cut',
    '--retry', 1), '0 hello you', '--retry resumes it';
exits over(['', $page], '', '--retry-for', 20), '0 page', '--retry-for';
exits over(['', $page], 'expired', '--retry-for', 20), 9,
    'which does not wait for another certificate';

# A kept connection, and the phases.
my $kept = secure(http_server([$page, $page]));
my $r = fetch('--json', $kept, $kept);
exits $r, '0 pagepage', 'two files';
my @events = map { decode_json($_) } split /\n/, $r->{err};
my @phases = map { $_->{phases} } grep { $_->{event} eq 'response' } @events;
cmp_ok $phases[0]{tls}, '>=', $phases[0]{connect}, 'the handshake is a phase';
is scalar(grep { $_->{event} eq 'secured' } @events), 1, 'one connection';
ok !exists $phases[1]{tls}, 'that a kept connection does not have';
like over([$page], '', '--timing')->{err}, qr/^  TLS handshake +\d/m, '--timing';
unlike get($page, '', '-q', '--timing')->{err}, qr/TLS/, 'but not without TLS';

# Redirects: who is asked with credentials and own fields.
sub to { return answer('302 Go', '', "Location: $_[0]") }
my $who = sub {
    my ($c, $head) = @_;
    my ($user) = $head =~ /^Authorization: Basic (\S+)/m;
    syswrite $c, answer('200 OK', ($user // '-') . ' '
            . ($head =~ /^X-Own:/m ? 'own' : '-'));
};
my @user = ('-u', 'a:1', '-H', 'X-Own: x');
$s = http_server(to(secure(http_server($who)) . '/n'));
exits fetch('-q', '-L', @user, "$s->{url}/"), '0 - -', 'from http to https';
my $next = http_server($who);
exits fetch('-L', @user, secure(http_server(to("$next->{url}/n")))), '0 - -',
    'from https to http, which is reported',
    err => qr/redirected from https to http, which is not encrypted/;
$next = http_server($who);
exits over([to($next->{url} =~ s{//}{//b:2\@}r)], '', '-L'), '0 - -',
    'without the credentials of the Location';
exits over([to(secure(http_server($who)) =~ s{//}{//b:2\@}r)], '', '-L'),
    '0 Yjoy -', 'which are for https';
exits over([[to('/n'), $who]], '', '-L', @user), '0 YTox own',
    'the same origin has both';
exits over([to('x:y')], '', '-L'), 1, 'another scheme';

# The certificate of this side: for the origin that the user has named.
my @mine = ('--tls-cert', $good->{cert}, '--tls-key', $good->{key});
sub demanding {
    push @fronts, tls_front($good, $_[0]{port}, '--tls-client-ca', "$dir/ca/ca.pem");
    return 'https://127.0.0.1:' . $fronts[-1]->port;
}
exits fetch('-q', '-L', @mine, demanding(http_server([to('/n'), $page]))), '0 page',
    'a certificate for the origin of the URL';
$s = http_server($page);
exits fetch('-q', '-L', @mine, demanding(http_server(to(demanding($s) . '/n')))), 9,
    'a redirect to another origin gets none';
is scalar requests($s), 0, '  and so no request';
exits fetch('-q', '-L', @mine, 'http://localhost/'), 2, 'nor would one from http',
    err => qr/--tls-cert is for https URLs, .*another origin gets no certificate/;
my $both = demanding(http_server($page, $page));
exits fetch('-q', '-L', @mine, secure(http_server(to("$both/n"))), "$both/"), '9 page',
    'a later URL of that origin has it';

# Proxies: CONNECT, then TLS. This one forwards to a server of TLS.
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
for my $name ('--proxy', 'https_proxy', 'HTTPS_PROXY') {
    my $origin = http_server($page);
    $s = http_server($proxied->($origin));
    my @with = ($name, $s->{url} =~ s{//}{//p:w\@}r);
    exits fetch({ env => $name =~ /-/ ? {} : {@with} }, '-q', @user,
        $name =~ /-/ ? @with : (), 'https://name.test/x'), '0 page', $name;
    my ($connect) = requests($s);
    my ($get) = requests($origin);
    like $connect, qr{\ACONNECT name\.test:443 HTTP/1\.1\r\n.*Proxy-Authorization: Basic cDp3}s,
        "$name: CONNECT, with its credentials";
    unlike $connect, qr{\r\nAuthorization|X-Own}, "$name: and no others";
    like $get, qr{\AGET /x HTTP/1\.1\r\nHost: name\.test\r\n}, "$name: GET";
    unlike $get, qr{Proxy-}, "$name: without them";
}
my $nobody = 'http://127.0.0.1:9';
exits over([$page], '', { env => { http_proxy => $nobody } }), '0 page',
    'http_proxy is not for https';
exits over([$page], '', { env => { https_proxy => $nobody, no_proxy => '127.0.0.1' } }),
    '0 page', 'no_proxy';
exits get($page, '', { env => { https_proxy => $nobody } }, '-q'), '0 page',
    'https_proxy is not for http';
exits fetch({ env => { https_proxy => 'https://a' } }, $url), 2,
    'a malformed https_proxy is named', err => qr/https_proxy/;
exits fetch('--proxy', http_server(answer('407 Auth', ''))->{url},
    'https://name.test/'), 8, 'a proxy that declines';

# Usage.
for my $o (['--tls-insecure'], ['--tls-ca', "$dir/ca/ca.pem"]) {
    exits run('http-get', @$o, 'http://localhost/'), 2, "$o->[0] without https",
        err => qr/$o->[0].*https/;
    exits get($page, '', '-q', '-L', @$o), 0, "$o->[0]: --location may lead there";
}
exits run('http-get', '--tls-ca', "$dir/ca/ca.pem", '--tls-insecure', $url), 2,
    '--tls-ca and --tls-insecure';

$_->stop for @fronts;
done_testing;
