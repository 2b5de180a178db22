# listen --to with --via and --tls: targets behind programs, also several, with
# retries and records.
use Sockt;
use SocktTls;

my $dir = scratch();

# --- --via -----------------------------------------------------------------

my $p = start('listen', '-4', '-k', '-x', "$dir/dump", '--to', 'name.test:81',
    '--via', 'echo %h %p; cat', 0);
is exchange($p->port, 'x'), "name.test 81\nx", 'a program is the target';
my @clients = map { tcp_client($p->port) } 1 .. 10;
print { $clients[$_] } "client $_" for 0 .. 9;
shutdown $_, 1 for @clients;
my @got = map { local $/; scalar readline $_ } @clients;
is scalar(grep { $got[$_] ne "name.test 81\nclient $_" } 0 .. 9), 0,
    'each client has one of its own';
is $p->stop->{status}, 0, 'stopped';
like slurp("$dir/dump"), qr/^< received on connection 1 .*\n.*\|x\|/m,
    'and is recorded';

my $program = 'case %h in bad) echo broken >&2; exit 3;; esac; echo %h; cat';
$p = start('listen', '-4', '-k', '-v', '--to', 'bad:1', '--to', 'good:2',
    '--via', $program, 0);
is exchange($p->port, 'x'), "good\nx", 'the next target when a program fails';
like $p->stop->{err}, qr/: bad port 1: .* status 3: broken; trying good port 2\n/,
    'and why';

$p = start('listen', '-4', '--to', 'bad:1', '--to', 'bad:2', '--via', $program, 0);
is exchange($p->port, 'x'), '', 'both fail: the client is closed';
my $r = $p->finish;
like $r->{err}, qr/forwarding to: bad port 1: .*broken; bad port 2: .*broken\n\z/,
    'one line names both';
isnt $r->{status}, 0, 'and the status is not 0';

$p = start('listen', '-4', '-k', '--retry-for', 20, '--to', 'late:1', '--via',
    "test -e $dir/ready || { echo not yet >&2; exit 1; }; cat", 0);
my $c = tcp_client($p->port);
print $c 'x';
shutdown $c, 1;
$p->expect(err => qr/not yet; trying again for 20 s/);
spew("$dir/ready", '');
is do { local $/; <$c> }, 'x', '--retry-for: a program that works at last';
$p->stop;

$p = start('listen', '-4', '--to', 'name.test:81', '--via', 'cat; exit 3', 0);
is exchange($p->port, 'x'), 'x', 'a program that fails in the end';
exits $p->finish, 10, 'is no success',
    err => qr/^sockt listen: 127\.0\.0\.1 port \d+: .*status 3/m;

# Nothing that the server started lives on.
for my $how ([], ['-x', "$dir/dump"]) {
    $p = start('listen', '-4', '-k', @$how, '--to', 'name.test:81', '--via',
        'trap "" TERM HUP INT; echo $$; while :; do sleep 0.1; done', 0);
    $c = tcp_client($p->port);
    my ($program) = <$c> =~ /(\d+)/;
    my $ended = $p->stop;
    is "$ended->{status} " . ($ended->{err} =~ s/^.*listening on.*\n//mr), '0 ',
        'a server ends in silence';
    ok !is_running($program), 'a program that ignores SIGTERM has ended, too';
}

# --- --tls -----------------------------------------------------------------

SKIP: {
    skip 'no openssl 3, or no libssl', 4 unless tls_is_available();
    system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $dir/key "
        . "-out $dir/ca -days 2 -subj /CN=localhost -addext "
        . 'subjectAltName=IP:127.0.0.1 >/dev/null 2>&1') == 0
        or skip 'no certificate', 4;
    # It serves one connection at a time: one for each part.
    my $server = sub {
        my $port = free_port();
        my $p = start({ command => 'openssl', keep_stdin => 1 }, 's_server',
            '-accept', "127.0.0.1:$port", '-key', "$dir/key", '-cert',
            "$dir/ca", '-rev');
        return ($p, '--retry-for', 20, '--to', "127.0.0.1:$port", '--tls');
    };
    my ($s, @to) = $server->();
    $p = start('listen', '-4', '-k', @to, '--tls-ca', "$dir/ca", '-x',
        "$dir/tls", 0);
    $c = tcp_client($p->port);
    print $c "hello\n";
    is scalar(<$c>), "olleh\n", '--tls: the target is reached';
    close $c;
    $p->stop;
    $s->signal('KILL');
    like slurp("$dir/tls"), qr/\|hello\.\|.*\|olleh\.\|/s,
        'the record shows what TLS hides';
    ($s, @to) = $server->();
    $p = start('listen', '-4', '-k', @to, 0);
    is exchange($p->port, "x\n"), '', 'without --tls-ca: not verified';
    $p->expect(err => qr/forwarding to: .*TLS: .*certificate/);
    ok 1, 'which is said';
    $p->stop;
    $s->signal('KILL');
}

# --- Misuse ----------------------------------------------------------------

for my $row (
    [['--via', 'cat'], qr/--via is for reaching --to/],
    [['--tls'], qr/--tls is for reaching --to/],
    [['--echo', '--tls-insecure'], qr/--tls is for reaching --to/],
    [['--to', 'a:1', '--tls-insecure'], qr/--tls-insecure goes with --tls/],
    [['--to', 'a:1', '--via', 'cat', '--proxy', 'http://b'], qr/--proxy does not apply with --via/],
    [['--to', 'a:1', '--via', 'cat %x'], qr/--to: .*%x/],
) {
    my ($options, $pattern) = @$row;
    exits run('listen', @$options, 0), 2, "@$options: status", err => $pattern;
}

done_testing;
