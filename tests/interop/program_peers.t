# Clients of a handler that reads one line of a request, answers it whole, and
# exits with status 1: what it left unread is no failure of theirs.
use Sockt;

my $body = 'x' x 100_000;
my $dir = scratch();
spew("$dir/body", $body);
my $handler = "read line; printf 'HTTP/1.0 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n'; "
    . "cat '$dir/body'; exit 1";

for my $options ([], ['-x', '/dev/null']) {
    my $p = start('listen', '-4k', @$options, 0, '-e', $handler);
    my $url = 'http://127.0.0.1:' . $p->port . '/';
    for my $client (['curl', '-sS', $url], ['wget', '-qO-', '--tries=1', $url],
        ['python3', '-c', "import sys, urllib.request\n"
            . "sys.stdout.write(urllib.request.urlopen('$url').read().decode())"],
        [sockt(), 'http-get', '-q', $url]) {
        my ($command, @args) = @$client;
        for (1 .. 5) {
            my $r = run({ command => $command }, @args);
            exits $r, 0, "@$options $command is served", out => $body, err => '';
        }
    }
    $p->stop;
}

done_testing;
