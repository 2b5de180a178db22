# Servers of TLS: listen and serve-hello with --tls-cert. The client is sockt,
# whose own rows are in connect_tls.t.
use Sockt;
use IO::Select;
use Socket ();
use SocktTls;

plan skip_all => 'openssl is not installed' unless tls_is_available();

my $dir = scratch();
my $ca = tls_authority("$dir/ca");
my $other = tls_authority("$dir/other");
my $c = tls_certificate($ca, 'good', 'DNS:localhost,IP:127.0.0.1');
my @cert = ('--tls-cert', $c->{cert}, '--tls-key', $c->{key});
my @ca = ('--tls', '--tls-ca', "$dir/ca/ca.pem");

# A server, and what a client gets from it.
sub server { return start(@_[0 .. $#_ - 1], '-4', @cert, @{ $_[-1] }, 0) }
sub client {
    my ($p, $stdin, @args) = @_;
    return run({ stdin => $stdin, timeout => 20 }, 'connect', @ca, @args,
        'localhost', $p->port);
}

# stdin and stdout.
my $p = start({ stdin => 'from the server' }, 'listen', '-4', @cert, 0);
exits client($p, 'from the client'), '0 from the server', 'stdin reaches the client';
exits $p->finish, '0 from the client', 'and the client stdout';

# Handlers, several clients.
$p = server('listen', '-k', ['--echo']);
for my $size (0, 1, 100_000, 3_000_000) {
    my $bytes = 'x' x $size;
    my $r = client($p, $bytes, '--on-eof', 'fin');
    ok "$r->{status} $r->{out}" eq "0 $bytes", "--echo: $size bytes";
}
run({ stdin => "SSH-2.0-peer\r\n" }, 'connect', '127.0.0.1', $p->port);
ok $p->expect(err => qr/127\.0\.0\.1 port \d+: TLS: the client does not speak TLS\n/),
    'a client without TLS gets a line';
run('http-get', '-q', 'http://127.0.0.1:' . $p->port);
ok $p->expect(err => qr/TLS: the client speaks HTTP without TLS/), 'so does one of HTTP';
my $silent = tcp_client($p->port);
exits client($p, 'abc', '--on-eof', 'fin'), '0 abc', 'a silent one holds nobody up';
close $silent;
is $p->stop->{status}, 0, 'TERM ends the server';
$p = server('listen', '-k', '-m', '300ms', ['--echo']);
$silent = tcp_client($p->port);
$p->expect(err => qr/TLS: stopped after 0\.3 s \(--max-time\); the TLS handshake was not done/);
ok eof($silent), 'and its handshake has a limit';
$p->stop;

# Without -k a failed handshake is not the connection; then no other is accepted.
for my $handler ([], ['--echo'], ['-e', 'cat'], ['-x', "$dir/one", '--echo']) {
    $p = start({ stdin => 'abc' }, 'listen', '-4', @cert, @$handler, 0);
    close tcp_client($p->port);
    syswrite tcp_client($p->port), "GET / HTTP/1.0\r\n\r\n";
    $p->expect(err => qr/TLS: the client speaks HTTP/);
    my $q = start({ keep_stdin => 1 }, 'connect', @ca, '--on-eof', 'fin',
        'localhost', $p->port);
    $q->send_line('abc');
    $q->expect(out => qr/abc/);
    is run('connect', '-z', 'localhost', $p->port)->{status}, 4,
        "without -k, @$handler: the first handshake is the connection";
    close $q->{in};
    is $q->finish->{status} . $p->finish->{status}, '00', '  and the only one';
}

# Several handshakes at a time: none waits for a client that is silent. The first
# that is done is served, the others are reset.
for my $handler ([], ['--echo'], ['-k'], ['-k', '--echo']) {
    my $is_alone = "@$handler" ne '-k --echo';
    $p = start({ keep_stdin => 1 }, 'listen', '-4', @cert, @$handler, 0);
    my @silent = map { tcp_client($p->port) } 1, 2;
    my $q = start({ keep_stdin => 1 }, 'connect', @ca, 'localhost', $p->port);
    $q->send_line("abc\n");
    ("@$handler" =~ /echo/ ? $q : $p)->expect(out => qr/abc/, 5);
    ok 1, "listen @$handler: a client is served while others are silent";
    if ($is_alone) {
        ok !defined sysread($_, my $byte, 1) && $!{ECONNRESET}, '  which are reset'
            for @silent;
    } else {
        ok !IO::Select->new(@silent)->can_read(0.1), '  which have time';
    }
    $q->stop;
    $p->stop;
}
# --accept-timeout ran while a client was in its handshake.
$p = start('listen', '-4v', @cert, '--accept-timeout', '400ms', '--echo', 0);
{
    my $silent = tcp_client($p->port);
    $p->expect(err => qr/accepted/);
    select undef, undef, undef, 0.8;
    exits run({ stdin => 'abc' }, 'connect', @ca, 'localhost', $p->port), '0 abc',
        '--accept-timeout waits for a handshake';
    $p->finish;
}
# A probe is reported with -v only, and without -k the next has its place.
for my $how ('reset', 'fin') {
    for my $command (['listen'], ['listen', '-k', '--echo'], ['serve-hello']) {
        $p = start(@$command, '-4v', @cert, 0);
        my $probe = tcp_client($p->port);
        setsockopt $probe, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
            pack 'ii', $how eq 'reset', 0;
        close $probe;
        $p->expect(err => qr/^sockt \S+ [^\n]*: TLS: [^\n]*\(a probe, it seems\)$/m);
        $p->stop;
        $p = start(@$command, '-4', @cert, 0);
        close tcp_client($p->port);
        tcp_client($p->port)->syswrite("GET / HTTP/1.0\r\n\r\n");
        $p->expect(err => qr/TLS: the client speaks HTTP/);
        unlike $p->stop->{err}, qr/probe|during the handshake/,
            "@$command: a probe by $how is not an error";
    }
}

# Who ended a connection whose handshake has failed: "the peer finished first" was
# said of a client that stays.
$p = server('listen', '-kv', ['--echo']);
my $stays = tcp_client($p->port);
syswrite $stays, "hello\n";
$p->expect(err => qr/closed .*; this side finished first, status 9\n/);
close tcp_client($p->port);
$p->expect(err => qr/closed .*; the peer finished first, status 9\n/);
$p->stop;

# A client that ends TCP and not TLS may have been cut.
for my $handler ([], ['-e', 'cat']) {
    $p = start({ keep_stdin => 1 }, 'listen', '-4', @cert, @$handler, 0);
    run({ stdin => 'cut' }, 'connect', '-q', @ca, '--on-eof', 'fin',
        'localhost', tls_cutter($p->port, 'client'));
    $p->expect(err => qr/TLS: the peer ended the connection without ending TLS/);
    exits $p->finish, @$handler ? '10 ' : '10 cut',
        "a client that is cut, @$handler: status 10";
}

# What a client does once it has everything is not an error: many reset then, or
# do not end TLS.
my $web = start('serve-hello', '-4', '--http', 0);
for my $server (['serve-hello', '--http'], ['listen', '-k', '-e', 'read x; echo whole'],
    ['listen', '-k', '--to', '127.0.0.1:' . $web->port]) {
    for my $level ([], ['-v']) {
        $p = server(@$server, @$level, []);
        $p->port;
        run({ stdin => "GET / HTTP/1.0\r\n\r\n" }, 'connect', '-q', @ca, 'localhost',
            tls_cutter($p->port, 'reset'));
        $p->expect(err => qr/TLS: after everything was exchanged: .* reset/) if @$level;
        $p->expect(err => qr/\Q"GET \E|GET/) if $server->[0] eq 'serve-hello' && !@$level;
        my $r = $p->stop;
        unlike $r->{err}, qr/^sockt \S+ [\d.]+ port \d+: TLS: the conn/m,
            "@$server @$level: a client that resets when it has everything";
    }
}
$web->stop;
# Some do so as soon as they have what they need, before they get the end. The
# program has ended its output by then; it does so itself, since the system may
# close the descriptors of a process that exits in any order.
POSIX::mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
sysopen my $end, "$dir/fifo", POSIX::O_RDONLY() | POSIX::O_NONBLOCK() or die "fifo: $!";
$p = server('listen', '-k', '-v', ['-e', "exec 9>$dir/fifo; printf %03000d 7; exec <&- >&-"]);
run({ stdin => '' }, 'connect', '-q', @ca, 'localhost', tls_middle($p->port, sub {
    return $_[0] if length $_[0] < 3000 || length $_[0] > 3100;
    IO::Select->new($end)->can_read;
    return undef;
}, 0, 1));
$p->expect(err => qr/TLS: after everything was exchanged: |closed /);
unlike $p->stop->{err}, qr/port \d+: TLS: the conn/,
    'nor is one that resets upon the last byte';

# Half-close: the answer follows the end of the client's data.
$p = server('listen', '-k', ['-e', 'wc -c']);
exits client($p, 'x' x 200_000, '--on-eof', 'fin'), 0, 'a program: half-close',
    out => qr/^\s*200000\n\z/;
$p->stop;
$p = server('listen', '-k', ['-e',
    'echo "$PROTO $TCPREMOTEIP $SSL_PROTOCOL $SSL_CIPHER $SSL_CLIENT_S_DN."']);
exits client($p, ''), 0, '  its variables',
    out => qr/^TCP 127\.0\.0\.1 TLSv1\.\d \w+ \.$/;
$p->stop;
# A certificate of the client.
my $user = tls_certificate($ca, 'user', 'DNS:user');
my $stranger = tls_certificate($other, 'stranger', 'DNS:user');
my @user = ('--tls-cert', $user->{cert}, '--tls-key', $user->{key});
$p = server('listen', '-k', ['--tls-client-ca', "$dir/ca/ca.pem", '-e',
    'echo "$SSL_CLIENT_S_DN"']);
exits client($p, '', @user), "0 CN = user\n", '--tls-client-ca: its subject';
for my $zero ([], ['-z']) {
    exits client($p, '', @$zero), 9, "  none @$zero",
        err => qr/TLS: the server demands a certificate \(--tls-cert\)\n/;
    $p->expect(err => qr/TLS: the client sent no certificate \(--tls-client-ca\)/);
    exits client($p, '', @$zero, '--tls-cert', $stranger->{cert}, '--tls-key',
        $stranger->{key}), 9, "  a stranger's @$zero",
        err => qr/the peer does not accept this side's certificate/;
    $p->expect(err => qr/TLS: the client's certificate is not accepted: \w/);
}
$p->stop;

# In front of a server without TLS, and serve-hello.
my $plain = start('serve-hello', '-4', '--greeting', '', 0);
$p = tls_front($c, $plain->port);
exits client($p, "Michael\nexit\n"), "0 Hello, Michael!\n", '--to';
# And a client without TLS of one with it, whose end may be cut.
for my $row (['whole', $p->port, 0], ['cut', tls_cutter($p->port), 10]) {
    my ($how, $port, $status) = @$row;
    my $to = start('listen', '-4k', '-x', "$dir/dump", '--to', "localhost:$port",
        @ca, 0);
    exits run({ stdin => "Michael\nexit\n" }, 'connect', '127.0.0.1', $to->port),
        "$status Hello, Michael!\n", "--to a target with TLS, $how";
    like slurp("$dir/dump"), qr/\|Michael\./, '  the record shows what TLS hides';
    $to->expect(err => qr/: TLS: the peer ended the connection without ending TLS/)
        if $status;
    $to->stop;
}
# A client that is cut off is cut off for the target, too.
{
    my $l = tcp_listener();
    my $front = start('listen', '-4k', '--to', 'localhost:' . $l->sockport, @cert, 0);
    my $cut = start({ keep_stdin => 1 }, 'connect', @ca,
        'localhost', $front->port);
    my $c = $l->accept;
    $cut->send_line("half\n");
    is scalar(<$c>), "half\n", 'a forwarded client with TLS';
    $cut->stop('KILL');
    my $n = sysread $c, my $got, 1;
    ok !defined $n && $!{ECONNRESET}, 'its reset is not a FIN to the target';
    ok $front->expect(err => qr/ TLS: the connection was lost: connection reset/),
        'and is told';
    $front->stop;
}

my $to = start('listen', '-4k', '--to', 'localhost:' . $p->port, '--tls', 0);
is exchange($to->port, "x\n"), '', '--to without --tls-ca: not verified';
$to->expect(err => qr/forwarding to: .*TLS: .*certificate/);
$_->stop for $to, $p, $plain;
$p = server('serve-hello', []);
exits client($p, "Michael\nexit\n"), "0 Welcome!Hello, Michael!\n", 'serve-hello';
$p->stop;
$p = server('serve-hello', '--http', []);
exits run('http-get', '-q', '--tls-ca', "$dir/ca/ca.pem", 'https://localhost:'
    . $p->port), '0 Hello!', 'serve-hello --http';
$p->stop;

# An answer that is cut short is a loss, with TLS and with a record, and what was
# answered before arrives; one that is complete is none.
for my $row (
    ['a program that is killed', 'echo half; kill -9 $$', '10 half'],
    ['a program that exits', 'echo whole; exit 137', '0 whole'],
    ['a limit', 'echo half; sleep 9', '10 half', '-m', '1s'],
    ['a program that closes both, and is killed',
        'echo half; exec </dev/null >/dev/null; sleep 0.2; kill -9 $$',
        '10 half'],
) {
    my ($what, $program, $end, @options) = @$row;
    for my $how (\@cert, ['-x', "$dir/dump"]) {
        $p = start('listen', '-4', '-k', @$how, @options, 0, '-e',
            "read x; $program");
        exits run({ stdin => "x\n", timeout => 20 }, 'connect', $how == \@cert
            ? @ca : (), '--on-eof', 'fin', 'localhost', $p->port), "$end\n",
            "$what: $how->[0]";
        $p->stop;
    }
}
for my $row ([TERM => 'listen', '-k', '-e', 'echo half; sleep 9'],
    [TERM => 'serve-hello', '--greeting', 'half\n', '--delay', 9],
    [0 => 'serve-hello', '--greeting', 'half\n', '--delay', 9, '-m', '2s']) {
    my ($signal, @server) = @$row;
    $p = server(@server, []);
    my $q = start({ stdin => "x\n" }, 'connect', @ca, 'localhost', $p->port);
    $q->expect(out => qr/half/);
    $p->signal($signal) if $signal;
    is $q->finish->{status}, 10, "$server[0], cut short by "
        . ($signal || 'a limit');
    $p->stop;
}

# Whoever is killed, the other side sees a loss.
for my $who ('sockt', 'its process of TLS') {
    $p = start({ keep_stdin => 1 }, 'listen', '-4', @cert, 0);
    my $q = start({ keep_stdin => 1 }, 'connect', @ca, 'localhost', $p->port);
    $q->send_line('abc');
    $p->expect(out => qr/abc/);
    my $pid = $who eq 'sockt' ? $q->{pid} : (children($q->{pid}))[0];
    kill 'KILL', $pid;
    exits $p->finish, 10, "$who is killed: the peer has status 10";
    my $r = $q->finish;
    ok $r->{status} || $r->{signal}, '  and sockt not 0';
}

# Misuse.
for my $command ('listen', 'serve-hello') {
    for my $row (
        [['--tls-key', $c->{key}], 2, qr/--tls-key goes with --tls-cert/],
        [['--tls-client-ca', "$dir/ca/ca.pem"], 2, qr/--tls-client-ca goes with --tls-cert/],
        [[@cert, '--tls-client-ca', "$dir/nosuch"], 11, qr/--tls-client-ca: \S+nosuch: no such file/],
        [['--tls-cert', "$dir/ca/good.csr"], 2, qr/no certificate can be read/],
    ) {
        my ($options, $status, $error) = @$row;
        exits run({ timeout => 5 }, $command, @$options, 0), $status,
            "$command @{$options}[0, -1]", err => $error;
    }
}

done_testing;
