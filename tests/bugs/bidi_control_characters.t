# Marks of direction in what a peer says reached the terminal: U+202E shows the
# rest of a line backwards, so that it seems to say something else.
use Sockt;

my $mark = "\xe2\x80\xae";
my $says = "a${mark}fdp.exe";
my $want = qr/a\\xe2\\x80\\xaefdp\.exe/;

my $l   = tcp_listener();
my $pid = peer($l, sub { syswrite $_[0], "$says\n" }, 3);
my $r   = run('portscan', '--banner', '127.0.0.1', $l->sockport);
like $r->{out}, $want, 'in a banner';
$r = run('portscan', '--json', '--banner', '127.0.0.1', $l->sockport);
like $r->{out}, qr/a\\u202efdp\.exe/, 'in an event';
kill 'KILL', $pid;

my $p = start('serve-hello', '-4', 0);
my $c = tcp_client($p->port);
syswrite $c, "$says\n";
shutdown $c, 1;
do { local $/; <$c> };
like $p->stop->{err}, $want, 'in the log of a server';

$l   = tcp_listener();
$pid = peer($l, sub {
    my ($s) = @_;
    while (my $line = <$s>) { last if $line eq "\r\n" }
    print $s "HTTP/1.1 404 $says\r\nContent-Length: 0\r\n\r\n";
});
$r = run('http-get', 'http://127.0.0.1:' . $l->sockport . '/');
like $r->{err}, $want, 'in the reason of a response';
kill 'KILL', $pid;

done_testing;
