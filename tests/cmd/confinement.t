# Processes that will run no program are confined: seccomp and no_new_privs are
# on. Those that run programs are not, since these may need anything.
use Sockt;
use SocktTls;

my $version = run('--version')->{out};
plan skip_all => 'built without Linux calls' if $version !~ /linux/;

sub is_confined {
    my ($pid) = @_;
    my $status = slurp("/proc/$pid/status");
    return $status =~ /^NoNewPrivs:\s*1$/m && $status =~ /^Seccomp:\s*2$/m
        ? 1 : 0;
}

# A server that has announced itself and waits.
sub server {
    my ($command, @args) = @_;
    my $p = start($command, 0, @args);
    $p->port;
    select undef, undef, undef, 0.001 until is_asleep($p->{pid});
    return $p;
}

my $probe = server('serve-hello', '-4');
plan skip_all => 'no confinement in this kernel or build'
    unless is_confined($probe->{pid});
my $client = tcp_client($probe->port);
read $client, my $greeting, 8;
is $greeting, 'Welcome!', 'a confined server serves';
ok is_confined(await_child($probe->{pid})), 'so is the process of a connection';
close $client;
is $probe->stop->{status}, 0, 'and it ends as ever';

for my $case ([1, 'serve-hello --http'], [1, 'listen'], [1, 'listen -k --echo'],
    [1, 'listen -k --to 127.0.0.1:9'], [0, 'listen -k -e cat'],
    [0, 'listen -k --to 127.0.0.1:9 --via false'],
    tls_is_available() ? [1, 'listen -k --to 127.0.0.1:9 --tls'] : (),
    [1, 'udp-serve'], [0, 'udp-serve -- cat']) {
    my ($expected, $command) = @$case;
    my $p = server(split / /, $command);
    is is_confined($p->{pid}), $expected, $command;
    $p->stop;
}

# Clients, once they have something to read.
my $l = tcp_listener();
my $to = '127.0.0.1:' . $l->sockport;
for my $command ("connect $to", "http-get http://$to/", "http-get -L http://$to/",
    tls_is_available() ? "http-get http://$to/ https://127.0.0.1:9/" : ()) {
    my $p = start({ keep_stdin => 1 }, split / /, $command);
    my $c = $l->accept;
    if ($command =~ /^http-get/) {
        sysread $c, my $request, 4096;
        print $c "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    }
    print $c "hello\n";
    $c->flush;
    $p->expect(out => qr/hello/);
    ok is_confined($p->{pid}), $command;
    print $c "go\n";
    close $c;
    $p->close_stdin;
    is $p->finish->{out}, "hello\ngo\n", 'it receives the rest';
}

# The process of a TLS connection, which also lets go of the private key.
if (tls_is_available()) {
    my $dir = scratch();
    my $ca = tls_authority("$dir/ca");
    my $c = tls_certificate($ca, 'good', 'DNS:localhost');
    my $p = server('listen', '-4k', '--tls-cert', $c->{cert}, '--tls-key',
        $c->{key}, '-e', 'cat');
    my $q = start({ keep_stdin => 1 }, 'connect', '--tls', '--tls-ca',
        "$dir/ca/ca.pem", 'localhost', $p->port);
    $q->send_line('hello');
    $q->expect(out => qr/hello/);
    my ($tls) = grep { is_confined($_) } children($p->{pid});
    ok $tls, 'the process of TLS, although a program is run';
    my $text = qx(openssl pkey -in $c->{key} -noout -text);
    my ($hex) = $text =~ /priv:\s*([\s0-9a-f:]+)/;
    my $key = pack 'H*', $hex =~ s/[\s:]//gr =~ s/^00//r;
    my $has_key = sub {
        my $memory = memory($_[0]);
        return index($memory, $key) >= 0 || index($memory, reverse $key) >= 0;
    };
    SKIP: {
        skip 'its memory cannot be read', 3 if !length memory($tls);
        ok $has_key->($p->{pid}), '  the server keeps the private key';
        ok !grep({ $has_key->($_) } children($p->{pid})), '  which has no other process';
        $_->stop for $q, $p;
        # Nor what makes no other connection.
        $p = server('listen', '-4', '--tls-cert', $c->{cert}, '--tls-key',
            $c->{key}, '--echo');
        $q = start({ keep_stdin => 1 }, 'connect', '--tls', '--tls-ca',
            "$dir/ca/ca.pem", '--tls-cert', $c->{cert}, '--tls-key', $c->{key},
            'localhost', $p->port);
        $q->send_line('hello');
        $q->expect(out => qr/hello/);
        ok !grep({ $has_key->($_) } map { $_->{pid}, children($_->{pid}) } $p, $q),
            'nor has one that makes no other connection';
    }
    $_->stop for $q, $p;
}

# What a process has written in its memory.
sub memory {
    my ($pid) = @_;
    no warnings 'portable';
    my $all = '';
    open my $f, '<:raw', "/proc/$pid/mem" or return '';
    for (split /\n/, slurp("/proc/$pid/maps")) {
        my ($from, $to) = /^(\w+)-(\w+) rw/ or next;
        sysseek $f, hex $from, 0 or next;
        sysread $f, my $bytes, hex($to) - hex $from;
        $all .= $bytes // '';
    }
    return $all;
}

my $silent = udp_socket();
my $p = start('udp-send', '127.0.0.1', $silent->sockport, 'x');
$silent->recv(my $x, 10);
ok is_confined($p->{pid}), 'udp-send';
$p->stop;
$p = start('portscan', '--udp', '-w', 30, '127.0.0.1', $silent->sockport);
$silent->recv($x, 10);
ok is_confined($p->{pid}), 'portscan';
$p->stop;

done_testing;
