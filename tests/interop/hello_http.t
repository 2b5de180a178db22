# serve-hello --http is read by curl and by http-get.
use Sockt;

my $curl = '/usr/bin/curl';
ok -x $curl, 'curl is there';
my $p = start('serve-hello', '--http', '0');
my $url = 'http://127.0.0.1:' . $p->port . '/';
my $r = run({ command => $curl }, '-sS', '-i', $url);
is $r->{status}, 0, 'curl is content';
like $r->{out}, qr/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nHello!\z/s, 'and reads it';
is run({ command => $curl }, '-sS', '-I', $url)->{status}, 0, 'HEAD';
$r = run({ command => $curl }, '-sS', '-o', '/dev/null', '-w',
    '%{http_code}', '-d', 'x=' . 'y' x 100_000, $url);
is $r->{out}, 405, 'a large POST is answered, not cut off';
$r = run('http-get', '-q', $url);
is $r->{out}, 'Hello!', 'http-get reads it';
is $r->{status}, 0, 'and is content';
$p->expect(err => qr/says: GET \/ HTTP\/1\.1\n/);
is $p->stop->{status}, 0, 'the server ends';

done_testing;
