# Processes that need no program are confined: seccomp and no_new_privs are on.
# Those that run programs are not, since these may need anything.
use Sockt;

my $version = run('--version')->{out};
plan skip_all => 'built without Linux calls' if $version !~ /linux/;

# Whether the process is confined, at once or soon.
sub is_confined {
    my ($pid, $wanted) = @_;
    for (1 .. 500) {
        my $status = slurp("/proc/$pid/status");
        return 1
            if $status =~ /^NoNewPrivs:\s*1$/m && $status =~ /^Seccomp:\s*2$/m;
        return 0 if defined $wanted && !$wanted;
        select undef, undef, undef, 0.01;
    }
    return 0;
}

my $probe = start('serve-hello', 0);
$probe->port;
if (!is_confined($probe->{pid})) {
    plan skip_all => 'no confinement in this kernel or build';
}

my $client = tcp_client($probe->port);
read $client, my $greeting, 8;
is $greeting, 'Welcome!', 'a confined server serves';
my $child = await_child($probe->{pid});
ok is_confined($child), 'so is the process of a connection';
close $client;
is $probe->stop->{status}, 0, 'and it ends as ever';

for my $case (
    [1, 'serve-hello', 0],
    [1, 'udp-serve', 0],
    [1, 'listen', 0],
    [1, 'listen', '-k', '--echo', 0],
    [1, 'listen', '-k', '--discard', 0],
    [1, 'listen', '-k', '--to', '127.0.0.1:9', 0],
    [0, 'listen', '-k', 0, '--', 'cat'],
    [0, 'listen', '-k', '-e', 'cat', 0],
    [0, 'udp-serve', 0, '--', 'cat'])
{
    my ($wanted, @command) = @$case;
    my $p = start(@command);
    $p->port;
    is is_confined($p->{pid}, $wanted), $wanted, "@command";
    $p->stop;
}

# A client is confined once it is connected.
my $l = tcp_listener();
my $p = start({ keep_stdin => 1 }, 'connect', '127.0.0.1',
    $l->sockport);
my $c = $l->accept;
print $c "hello\n";
$c->flush;
$p->expect(out => qr/hello/);
is is_confined($p->{pid}), 1, 'connect';
close $c;
$p->close_stdin;
my $r = $p->finish;
is $r->{status}, 0, 'it ends as ever';

# http-get is confined before it reads what the server has sent.
my $page = scratch() . '/page';
for my $options (['-o', '-'], ['-o', $page], ['-L', '-o', $page, '-f']) {
    my $p = start('http-get', @$options,
        'http://127.0.0.1:' . $l->sockport . '/');
    my $c = $l->accept;
    sysread $c, my $request, 4096;
    print $c 'HT';
    $c->flush;
    is is_confined($p->{pid}), 1, "http-get @$options";
    print $c "TP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    close $c;
    is $p->finish->{status}, 0, 'it receives the rest';
}

my $silent = udp_socket();
$p = start('udp-send', '127.0.0.1', $silent->sockport, 'x');
$silent->recv(my $x, 10);
is is_confined($p->{pid}), 1, 'udp-send';
$p->stop;

done_testing;
