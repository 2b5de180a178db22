# http-get and curl fetch the same bytes from nginx, Apache and lighttpd,
# directly and by way of a HTTP and a SOCKS proxy.
use Sockt;
use Digest::SHA qw(sha256_hex);

my $dir = scratch();
chmod 0755, $dir;
mkdir "$dir/www" or die $!;
srand 7;
spew("$dir/www/large", join '', map { pack 'L', rand 2**32 } 1 .. 2_000_000);
spew("$dir/www/small", "small\n");
spew("$dir/www/empty", '');
spew("$dir/www/chunked.shtml", 'a<!--#include virtual="/small" -->b' x 50);
spew("$dir/www/chunked.cgi",
    "printf 'Content-Type: text/plain\\n\\n'; seq 20000\n");

# Files that every server has to be told of.
sub serve {
    my ($name, $conf, @command) = @_;
    my $port = free_port();
    $conf =~ s/PORT/$port/g;
    $conf =~ s/DIR/$dir/g;
    spew("$dir/$name.conf", $conf);
    my $out = "$dir/$name.out";
    my $pid = Sockt::fork_child(sub {
        open STDOUT, '>', $out or die $!;
        open STDERR, '>&', \*STDOUT or die $!;
        exec map { s{CONF}{$dir/$name.conf}r =~ s{PORT}{$port}r } @command
            or die "$command[0]: $!";
    });
    my $until = time + 30;
    until (IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port)) {
        die "$name does not listen: " . slurp($out)
            if time > $until || !kill 0, $pid;
        select undef, undef, undef, 0.05;
    }
    return { name => $name, port => $port, pid => $pid,
        url => "http://127.0.0.1:$port" };
}

my $user = is_root() ? 'www-data' : getpwuid $>;
my $modules = '/usr/lib/apache2/modules';
my @servers = (
    serve('nginx', <<'END', 'nginx', '-c', 'CONF', '-e', "$dir/nginx.err"),
daemon off;
pid DIR/nginx.pid;
worker_processes 1;
events { }
http {
    access_log off;
    default_type text/html;
    client_body_temp_path DIR/t1; proxy_temp_path DIR/t2;
    fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
    server {
        listen 127.0.0.1:PORT;
        root DIR/www;
        location = /redirect { return 302 /large; }
        location ~ shtml$ { ssi on; }
    }
}
END
    serve('apache', <<"END", 'apache2', '-X', '-f', 'CONF'),
ServerRoot DIR
ServerName localhost
PidFile DIR/apache.pid
ErrorLog DIR/apache.err
Listen 127.0.0.1:PORT
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule filter_module $modules/mod_filter.so
LoadModule include_module $modules/mod_include.so
LoadModule alias_module $modules/mod_alias.so
User $user
DocumentRoot DIR/www
<Directory DIR/www>
    Require all granted
    Options +Includes
</Directory>
<Files "*.shtml">
    SetOutputFilter INCLUDES
</Files>
Redirect 302 /redirect /large
END
    serve('lighttpd', <<'END', 'lighttpd', '-D', '-f', 'CONF'),
server.document-root = "DIR/www"
server.bind = "127.0.0.1"
server.port = PORT
server.errorlog = "DIR/lighttpd.err"
server.modules = ("mod_cgi", "mod_redirect")
server.stream-response-body = 1
cgi.assign = (".cgi" => "/bin/sh")
url.redirect = ("^/redirect$" => "/large")
mimetype.assign = ("" => "text/plain")
END
);

# The same request by both: body and status.
sub same {
    my ($name, $url, $curl, $sockt, $status) = @_;
    my $c = run({ command => 'curl' }, '-sS', '-w', '%{stderr}%{http_code}',
        @$curl, $url);
    is $c->{status}, 0, "$name: curl is content";
    my $r = run('http-get', @$sockt, $url);
    is $r->{status}, $status // 0, "$name: exit status";
    is sha256_hex($r->{out}), sha256_hex($c->{out}),
        "$name: the same " . length($c->{out}) . ' bytes';
    my ($code) = $c->{err} =~ /(\d+)$/;
    like $r->{err}, qr{^HTTP/1\.\d $code }m, "$name: the same status, $code";
    return $r;
}

sub suite {
    my ($name, $base, $chunked, $via_curl, $via_sockt) = @_;
    my $ask = sub {
        my ($what, $path, $curl, $sockt, $status) = @_;
        return same("$name, $what", "$base$path", [@$via_curl, @$curl],
            [@$via_sockt, @$sockt], $status);
    };
    $ask->('large', '/large', [], []);
    $ask->('small', '/small', [], []);
    $ask->('empty', '/empty', [], []);
    my $r = $ask->('chunked', $chunked, [], []);
    like $r->{err}, qr/^Transfer-Encoding: chunked/mi, "$name: in chunks"
        unless @$via_curl;
    $ask->('range', '/large', ['-r', '1000-1999'], ['-r', '1000-1999']);
    $ask->('last bytes', '/large', ['-r', '-77'], ['-r', '-77']);
    $ask->('redirect', '/redirect', ['-L'], ['-L']);
    $ask->('unfollowed', '/redirect', [], ['--fail-with-body'], 8);
    $ask->('404', '/none', [], ['--fail-with-body'], 8);
    $r = run('http-get', @$via_sockt, '-I', "$base/large");
    is $r->{status}, 0, "$name, HEAD: exit status";
    like $r->{out}, qr/^Content-Length: 8000000\r$/mi, "$name, HEAD: length";
    $r = run('http-get', '-v', @$via_sockt, "$base/small", "$base/large",
        "$base/small");
    is $r->{status}, 0, "$name, three URLs: exit status";
    is length $r->{out}, 8_000_012, "$name, three URLs: every byte";
    is scalar(() = $r->{err} =~ /: connected to /g), 1,
        "$name, three URLs: one connection" unless @$via_curl;
    return;
}

for my $s (@servers) {
    my $chunked = $s->{name} eq 'lighttpd' ? '/chunked.cgi' : '/chunked.shtml';
    suite($s->{name}, $s->{url}, $chunked, [], []);

    # If-Modified-Since, and a resumed download.
    my $file = "$dir/$s->{name}.file";
    for my $run (1, 2) {
        my $r = run('http-get', '-o', $file, '--if-modified-since', $file,
            "$s->{url}/large");
        is $r->{status}, 0, "$s->{name}, run $run: exit status";
        like $r->{err}, $run == 1 ? qr/^HTTP.* 200 / : qr/^HTTP.* 304 /,
            "$s->{name}, run $run";
    }
    my $r = run({ command => 'sh' }, '-c', 'ulimit -f 1000; exec "$@"', 'sh',
        sockt(), 'http-get', '-o', "$file.2", "$s->{url}/large");
    is $r->{status}, 11, "$s->{name}: no more than ulimit -f is written";
    my $held = -s "$file.2.part";
    $r = run('http-get', '-c', '-o', "$file.2", "$s->{url}/large");
    is $r->{status}, 0, "$s->{name}, resumed: exit status";
    like $r->{err}, qr/^HTTP.* 206 /, "$s->{name}, resumed at $held";
    ok slurp("$file.2") eq slurp("$dir/www/large"), "$s->{name}, resumed";
}

my $http = serve('tinyproxy', <<'END', 'tinyproxy', '-d', '-c', 'CONF');
Port PORT
Listen 127.0.0.1
Timeout 600
LogLevel Error
END
my $socks = serve('microsocks', '', 'microsocks', '-i', '127.0.0.1', '-p',
    'PORT');
my $secret = serve('secret', '', 'microsocks', '-i', '127.0.0.1', '-p',
    'PORT', '-u', 'me', '-P', 'secret');
for my $via (["HTTP proxy", "http://127.0.0.1:$http->{port}"],
    ['SOCKS5', "socks5h://127.0.0.1:$socks->{port}"],
    ['SOCKS5 with a password', "socks5h://me:secret\@127.0.0.1:$secret->{port}"]
) {
    my ($name, $proxy) = @$via;
    suite("nginx by way of $name", $servers[0]{url}, '/chunked.shtml',
        ['-x', $proxy], ['--proxy', $proxy]);
}
my $r = run('http-get', '--proxy', "socks5://127.0.0.1:$secret->{port}",
    $servers[0]{url});
is $r->{status}, 8, 'SOCKS5 without its password';

kill 'TERM', $_->{pid} for @servers, $http, $socks, $secret;
Sockt::reap($_->{pid}) for @servers, $http, $socks, $secret;
done_testing;
