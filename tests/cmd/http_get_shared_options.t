# The options that http-get shares with other commands reach its sockets.
use Sockt;
use SocktHttp;

my $peer;
sub from {
    my (@args) = @_;
    my $file = scratch() . '/peer';
    exits get(sub {my ($c) = @_; spew($file, $c->peerhost . ' '
        . $c->peerport); syswrite $c, answer('200 OK', 'x'); }, '/', '-q',
        @args), 0, "@args";
    return slurp($file);
}
like from('-s', '127.0.0.2'), qr/\A127\.0\.0\.2 /, '--source';
my $l = tcp_listener();
my $port = $l->sockport;
close $l;
is from('-p', $port), "127.0.0.1 $port", '--source-port';
like from('--keepalive'), qr/127/, '--keepalive';
exits get(answer('200 OK', 'x'), '/', '-vv', '-4'), 0, '-4';

my $s = http_server(answer('200 OK', 'x'));
my $r = run('http-get', '-6', "$s->{url}/");
isnt $r->{status}, 0, '-6 does not reach an IPv4 address';
exits run('http-get', '-n', 'http://name.test/'), 2, '-n takes no names';
my $names = built('sockt-names');
$r = run({ command => $names, env => { SOCKT_TEST_NAMES => 'name.test=hang' } },
    'http-get', '-w', '0.2', 'http://name.test/');
is $r->{status}, 5, '--timeout covers the look-up';
is run({ command => $names,
    env => { SOCKT_TEST_NAMES => 'name.test=127.0.0.1' } }, 'http-get',
    "http://name.test:$s->{port}/")->{out}, 'x', 'a name';
like +(requests($s))[0], qr/\r\nHost: name\.test:$s->{port}\r\n/, 'is the Host';

# --retry-for: the server comes later.
$port = free_port();
my $p = start('http-get', '--retry-for', '20', "http://127.0.0.1:$port/");
$p->expect(err => qr/trying again/);
$s = http_server({ port => $port }, answer('200 OK', 'late'));
exits $p->finish, 0, '--retry-for, it is served', out => 'late';

for my $bad (['-w', 'x'], ['-m', '-1'], ['--idle-timeout', ''], ['-s', 'x'],
    ['-p', 0], ['-4', '-6'], ['--retry-for', 'x']) {
    is run('http-get', @$bad, 'http://a/')->{status}, 2, "@$bad is refused";
}

done_testing;
