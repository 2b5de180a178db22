# Processes that need no program are confined: seccomp and no_new_privs are on.
# Those that run programs are not, since these may need anything.
use Sockt;
use Source qw(list_options);

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

# What each command loses, as the step says and as SECURITY of sockt(1) does.
my ($list) = slurp("$Sockt::TOP/man/sockt.1")
    =~ /^\.Sh SECURITY\n.*?^\.Bl(.*?)^\.El/ms;
my %page = $list =~ /^\.It Cm (.*)\n(?:(?!\.It).*\n)*?\.Dq (.*) \.$/mg;

# What the steps say.
sub lost {
    my ($text) = @_;
    return $text =~ /confine this process.*\(it can no longer (.*)\)/g;
}

my $probe = start('serve-hello', '-vv', 0);
$probe->port;
if (!is_confined($probe->{pid})) {
    plan skip_all => 'no confinement in this kernel or build';
}

is_deeply [sort keys %{ { map { /^(\S+)/ => 1 } keys %page } }],
    [sort grep { !/^(?:help|completion)$/ } keys %{ { map {
        $_->{command} => 1 } list_options() } }],
    'SECURITY names every command';
$probe->expect(err => qr/confine .*\n/);
if ($probe->{err} !~ /Landlock/) {
    s/, open files elsewhere// for values %page;
}
my $client = tcp_client($probe->port);
read $client, my $greeting, 8;
is $greeting, 'Welcome!', 'a confined server serves';
my $child = await_child($probe->{pid});
ok is_confined($child), 'so is the process of a connection';
close $client;
is $probe->stop->{status}, 0, 'and it ends as ever';

for my $case (
    ['serve-hello', 'serve-hello', 0],
    ['udp-serve', 'udp-serve', 0],
    ['listen', 'listen', 0],
    ['listen Fl -echo', 'listen', '-k', '--echo', 0],
    ['listen Fl -echo', 'listen', '-k', '--discard', 0],
    ['listen Fl -to', 'listen', '-k', '--to', '127.0.0.1:9', 0],
    [undef, 'listen', '-k', 0, '--', 'cat'],
    [undef, 'listen', '-k', '-e', 'cat', 0],
    [undef, 'udp-serve', 0, '--', 'cat'])
{
    my ($item, $command, @args) = @$case;
    my $p = start($command, '-vv', @args);
    $p->port;
    is is_confined($p->{pid}, defined $item), defined $item ? 1 : 0,
        "$command @args";
    $p->expect(err => qr/confine this process.*\n/) if defined $item;
    is_deeply [lost($p->stop->{err})], [$page{ $item // '' } // ()],
        'the page says so';
}

# A client is confined once it is connected.
my $l = tcp_listener();
my $p = start({ keep_stdin => 1 }, 'connect', '-vv', '127.0.0.1',
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
is_deeply [lost($r->{err})], [$page{connect}], 'the page says so';

# http-get is confined before it reads what the server has sent, and again when
# it needs less.
sub confinements {
    my (@options) = @_;
    my $p = start('http-get', '-vv', @options,
        'http://127.0.0.1:' . $l->sockport . '/');
    my $c = $l->accept;
    sysread $c, my $request, 4096;
    print $c 'HT';
    $c->flush;
    $p->expect(err => qr/confine this process/);
    print $c "TP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel";
    $c->flush;
    is is_confined($p->{pid}), 1, "http-get @options";
    print $c "lo\n";
    close $c;
    my $r = $p->finish;
    is $r->{status}, 0, 'it receives the rest';
    return lost($r->{err});
}

my ($all, $file, $retry, $location) = map { $page{$_} } 'http-get',
    map { "http-get Fl -$_" } qw(output retry location);
my $page = scratch() . '/page';
is_deeply [confinements('-o', '-')], [$all],
    'it needs nothing more';
is_deeply [confinements('-o', $page)], [$file],
    'it needs its file';
is_deeply [confinements('-o', $page, '-f', '--retry', '1')],
    [$retry], 'it may have to ask again';
is_deeply [confinements('-L', '-o', $page, '-f')],
    [$location, $file],
    'a redirect may need openssl, the body does not';

my $silent = udp_socket();
$p = start('udp-send', '-vv', '127.0.0.1', $silent->sockport, 'x');
$silent->recv(my $x, 10);
is is_confined($p->{pid}), 1, 'udp-send';
is_deeply [lost($p->stop->{err})], [$page{'udp-send'}], 'the page says so';

$r = run('portscan', '-vv', '127.0.0.1', $l->sockport);
is_deeply [lost($r->{err})], [$page{portscan}], 'portscan: the page says so';

done_testing;
