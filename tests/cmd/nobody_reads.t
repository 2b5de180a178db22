# Commands whose only work is what they write: they end, with status 0 and in
# silence, when nobody reads that any more. What else they do keeps them running.
# The relays of one connection are in stdout_readers.
use Sockt;
use SocktTls;
use Time::HiRes qw(sleep time);

my $dir = scratch();

# Starts sockt with a pipe as stdout. Returns its process, and the reader.
sub piped {
    my ($o, @args) = @_;
    pipe my $r, my $w or die;
    open my $null, '<', '/dev/null' or die;
    my $p = start({ stdin => $null, %$o, stdout => $w }, @args);
    return ($p, $r);
}

# Whether it ends by itself within that many seconds.
sub ends_alone {
    my ($p, $seconds) = @_;
    my $status = Sockt::reap($p->{pid}, $seconds // 5);
    $p->_pump(0.01);
    return defined $status ? $status >> 8 : 'running';
}

sub is_silent {
    my ($p, $name) = @_;
    my ($left) = $p->{err} =~ /\A(?:sockt \S+ ?\S*: (?:listening|receiving) on .*\n)*(.*)\z/s;
    return is $left, '', $name;
}

# Before there is a client, and after one.
for my $row (['listen', 0], ['listen', '--recv-only', 0], ['listen', '-k', 0],
    [qw(listen -k --recv-only), 0], [qw(udp-serve --print), 0],
    [qw(udp-serve --print --recv-only), 0]) {
    my ($p, $r) = piped({}, @$row);
    $p->port;
    close $r;
    is ends_alone($p), 0, "@$row, before the first";
    is_silent($p, '  in silence');
}

{
    my ($p, $r) = piped({}, 'listen', '-4k', 0);
    my $c = tcp_client($p->port);
    syswrite $c, "one\n";
    is scalar(<$r>), "one\n", 'listen -k: a line is read';
    close $r;
    is ends_alone($p), 0, '  its reader leaves, and the client is still there';
    is_silent($p, '  in silence');
}

{
    my ($p, $r) = piped({}, qw(udp-serve -4 --print --lines), 0);
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    send $c, 'one', 0;
    is scalar(<$r>), "one\n", 'udp-serve --print: a datagram is read';
    close $r;
    is ends_alone($p), 0, '  its reader leaves';
    is_silent($p, '  in silence');
}

# What goes on: other work than stdout, or stdin that is still open.
for my $row ([{}, 'listen', '-4k', '--echo', 0], [{}, qw(listen -4k --exec cat), 0],
    [{}, 'listen', '-4k', '-o', "$dir/copy-%n", 0], [{}, 'serve-hello', '-4', 0],
    [{ keep_stdin => 1, stdin => undef }, 'listen', '-4k', 0],
    [{ keep_stdin => 1, stdin => undef }, qw(udp-serve -4 --print), 0]) {
    my ($o, @args) = @$row;
    my ($p, $r) = piped($o, @args);
    $p->port;
    close $r;
    is ends_alone($p, 0.3), 'running', "@args with stdin "
        . ($o->{keep_stdin} ? 'open' : 'at its end') . ' goes on';
    $p->stop;
}

# Measurements: the next one would have nobody.
my $l = tcp_listener();
for my $row (['--interval', 30], ['--interval', 30, '--json'], ['--count', 1000, '--interval', 30]) {
    my ($p, $r) = piped({}, 'connect', '-z', @$row, '127.0.0.1', $l->sockport);
    like scalar(<$r>), qr/connected/, "connect -z @$row: a line";
    # The others of --json.
    1 while "@$row" =~ /json/ && <$r> !~ /"tested"/;
    close $r;
    is ends_alone($p), 0, '  its reader leaves';
    is_silent($p, '  in silence');
}

$l = tcp_listener();
# Bodies: where the length says that something is missing, it is.
for my $row (['', 0, 'close'], ["Transfer-Encoding: chunked\r\n", 0, 'chunks'],
    ["Content-Length: 99\r\n", 11, 'a length'],
    ["Content-Length: 9999999\r\n", 11, 'a great length']) {
    my ($fields, $status, $name) = @$row;
    my ($p, $r) = piped({}, 'http-get', '-q', '127.0.0.1:' . $l->sockport);
    my $c = $l->accept;
    sysread $c, my $request, 4096;
    my $line = $fields =~ /chunked/ ? "5\r\nline\n\r\n" : "line\n";
    syswrite $c, "HTTP/1.1 200 OK\r\n$fields\r\n$line";
    is scalar(<$r>), "line\n", "http-get, a body with $name: a line";
    close $r;
    is ends_alone($p), $status, "  its reader leaves: $status";
    is_silent($p, '  in silence');
}
# The error of an earlier URL was reported; this end is none.
{
    my $url = '127.0.0.1:' . $l->sockport;
    my ($p, $r) = piped({}, 'http-get', '-q', "$url/missing", "$url/endless");
    for my $answer ("404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "200 OK\r\n\r\nline\n") {
        my $c = $l->accept;
        sysread $c, my $request, 4096;
        syswrite $c, "HTTP/1.1 $answer";
        next if $answer !~ /line/;
        <$r>;
        close $r;
        is ends_alone($p), 8, 'http-get, an earlier URL had failed: its status';
    }
    is $p->{err} =~ tr/\n//, 1, '  and its line alone';
}

SKIP: {
    skip 'openssl is not installed', 3 unless tls_is_available();
    my $l = tcp_listener();
    my $front = tls_front(tls_self_signed("$dir/self", 'DNS:localhost'), $l->sockport);
    my ($p, $r) = piped({}, qw(http-get -q --tls-insecure), 'https://localhost:' . $front->port);
    my $c = $l->accept;
    sysread $c, my $request, 4096;
    syswrite $c, "HTTP/1.1 200 OK\r\n\r\nline\n";
    is scalar(<$r>), "line\n", 'http-get, https: a line';
    close $r;
    my $start = time;
    is ends_alone($p), 0, '  its reader leaves: 0';
    cmp_ok time - $start, '<', 1.5, '  at once';
    $front->stop;
}

# The end of what is sent is waited for, though nobody reads the answer.
{
    my $file = spew("$dir/in", 'x' x 3_000_000);
    open my $in, '<', $file or die;
    my ($p, $r) = piped({ stdin => $in }, 'connect', '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    close $r;
    sleep 0.3;
    my $n = 0;
    $n += length $_ while sysread $c, $_, 65536;
    is $n, 3_000_000, 'what is to be sent is sent to the end';
    is ends_alone($p), 0, '  status 0';
}

done_testing;
