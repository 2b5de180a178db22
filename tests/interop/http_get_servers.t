# http-get and curl fetch the same bytes from nginx, Apache and lighttpd,
# directly and by way of a HTTP and a SOCKS proxy; listen --files gives curl,
# wget and http-get what these servers do.
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

# A server with its configuration.
sub serve {
    my ($name, $conf, @command) = @_;
    my ($p, $port) =
        start_server({ conf => $conf =~ s/DIR/$dir/gr }, @command);
    return { name => $name, process => $p, url => "http://127.0.0.1:$port",
        at => "127.0.0.1:$port" };
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

# The same request by both: status and body.
sub same {
    my ($name, $url, $curl, $sockt, $status) = @_;
    my $c = run({ command => 'curl' }, '-sS', '-w', '%{stderr}%{http_code}',
        @$curl, $url);
    my ($code) = $c->{err} =~ /(\d+)$/;
    is $c->{status}, 0, "$name: curl is content with $code";
    my $r = run('http-get', @$sockt, $url);
    exits { %$r, out => sha256_hex($r->{out}) }, $status, '  the same status and '
        . length($c->{out}) . ' bytes', out => sha256_hex($c->{out}),
        err => qr{^HTTP/1\.\d $code }m;
    return $r;
}

my @rows = (['large'], ['small'], ['empty'], ['large', 0, '-r', '1000-1999'],
    ['large', 0, '-r', '-77'], ['redirect', 0, '-L'], ['redirect', 8], ['none', 8]);

sub suite {
    my ($name, $base, $chunked, $via_curl, $via_sockt) = @_;
    for (@rows, [$chunked]) {
        my ($path, $status, @options) = @$_;
        my $r = same("$name, $path @options", "$base/$path",
            [@$via_curl, @options], [@$via_sockt, @options,
                $status ? '--fail-with-body' : ()], $status // 0);
        like $r->{err}, qr/^Transfer-Encoding: chunked/mi, '  in chunks'
            if $path eq $chunked && !@$via_curl;
    }
    exits run('http-get', @$via_sockt, '-I', "$base/large"), 0, "$name, HEAD",
        out => qr/^Content-Length: 8000000\r$/mi;
    my $r = run('http-get', '-v', @$via_sockt,
        map { "$base/$_" } 'small', 'large', 'small');
    is "$r->{status} " . length $r->{out}, '0 8000012',
        "$name, three URLs: every byte";
    is scalar(() = $r->{err} =~ /: connected to /g), 1, '  by one connection'
        unless @$via_curl;
}

for my $s (@servers) {
    my ($name, $url) = @$s{qw(name url)};
    suite($name, $url, $name eq 'lighttpd' ? 'chunked.cgi' : 'chunked.shtml',
        [], []);

    # If-Modified-Since, and a resumed download.
    my $file = "$dir/$name.file";
    for my $code (200, 304) {
        exits run('http-get', '-o', $file, '--if-modified-since', $file,
            "$url/large"), 0, "$name: $code", err => qr/^HTTP.* $code /;
    }
    exits run({ command => 'sh' }, '-c', 'ulimit -f 1000; exec "$@"', 'sh',
        sockt(), 'http-get', '-o', "$file.2", "$url/large"), 11,
        "$name: no more than ulimit -f is written";
    exits run('http-get', '-c', '-o', "$file.2", "$url/large"), 0,
        "$name: resumed", err => qr/^HTTP.* 206 /;
    ok slurp("$file.2") eq slurp("$dir/www/large"), '  and whole';
}

my $http = serve('tinyproxy', <<'END', 'tinyproxy', '-d', '-c', 'CONF');
Port PORT
Listen 127.0.0.1
Timeout 600
LogLevel Error
END
my @socks = ('microsocks', '-i', '127.0.0.1', '-p', 'PORT');
my $socks = serve('microsocks', '', @socks);
my $secret = serve('secret', '', @socks, '-u', 'me', '-P', 'secret');
for my $via (['a HTTP proxy', "http://$http->{at}"],
    ['SOCKS5', "socks5h://$socks->{at}"],
    ['SOCKS5 with a password', "socks5h://me:secret\@$secret->{at}"]) {
    my ($name, $proxy) = @$via;
    suite("nginx by way of $name", $servers[0]{url}, 'chunked.shtml',
        ['-x', $proxy], ['--proxy', $proxy]);
}
exits run('http-get', '--proxy', "socks5://$secret->{at}", $servers[0]{url}), 8,
    'SOCKS5 without its password';

my $files = start('listen', '--files', "$dir/www", 0);
my $url = 'http://127.0.0.1:' . $files->port;
my $large = slurp("$dir/www/large");
for my $client (['curl', '-sS', '-C', '-', '-o', "$dir/part"],
    ['wget', '-q', '-c', '-O', "$dir/part"], [sockt(), 'http-get', '-q', '-o', "$dir/part"]) {
    my ($command, @args) = @$client;
    spew("$dir/part", substr $large, 0, 1_000_000) if $command ne sockt();
    unlink "$dir/part" if $command eq sockt();
    exits run({ command => $command }, @args, "$url/large"), 0, "--files: $command";
    ok slurp("$dir/part") eq $large, '  whole, the part that was there, too';
}
exits run({ command => 'sh' }, '-c', 'ulimit -f 1000; exec "$@"', 'sh', sockt(),
    'http-get', '-o', "$dir/files.2", "$url/large"), 11, '--files: http-get, cut short';
exits run('http-get', '-c', '--sha256', sha256_hex($large), '-o', "$dir/files.2",
    "$url/large"), 0, '  resumed', err => qr/^HTTP.* 206 /;
ok slurp("$dir/files.2") eq $large, '  and whole';
exits run({ command => 'curl' }, '-sS', "$url/{small,empty,small}", '-w', '%{num_connects}'), 0,
    '--files: curl keeps the connection', out => qr/1\D*0\D*0\z/;
exits run({ command => 'curl' }, '-sS', '-D', '-', '-r', '0-4,10-14', "$url/large", '-o',
    '/dev/null'), 0, '--files: curl, two ranges', out => qr/ 200 /;
exits run({ command => 'curl' }, '-sS0', '-D', '-', "$url/small"), 0,
    '--files: curl, HTTP/1.0', out => qr{^HTTP/1\.1 200 .*^Connection: close\r.*^small$}ms;
exits run({ command => 'curl' }, '-sS', '--compressed', "$url/small"), "0 small\n",
    '--files: curl --compressed';
exits run({ command => 'curl' }, '-sS', '-r', '-7', '-w', '%{http_code}', "$url/large"),
    '0 ' . substr($large, -7) . 206, '--files: curl, the last bytes';
my $etag = "$dir/etag";
exits run({ command => 'curl' }, '-sS', '--etag-save', $etag, "$url/small"), "0 small\n",
    '--files: curl saves an ETag';
exits run({ command => 'curl' }, '-sS', '--etag-compare', $etag, '-w', '%{http_code}',
    "$url/small"), '0 304', '  and has the file already';
exits run({ command => 'aria2c' }, '-q', '--no-conf', '-x4', '-s4', '-k1M', '-d', $dir,
    '-o', 'pieces', "$url/large"), 0, '--files: aria2c, four ranges at a time';
ok slurp("$dir/pieces") eq $large, '  and whole';
mkdir "$dir/mirror" or die $!;
exits run({ command => 'wget' }, '-qr', '-nH', '-P', "$dir/mirror", "$url/"), 0,
    '--files: wget -r follows the listing';
ok slurp("$dir/mirror/large") eq $large && -e "$dir/mirror/chunked.cgi", '  to every file';
$files->stop;

$_->{process}->stop for @servers, $http, $socks, $secret;
done_testing;
