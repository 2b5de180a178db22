# A server listens on all addresses of a name, and takes as many sockets as it
# is handed.
use Sockt;
use Socket qw(SOCK_STREAM);

my $names = built('sockt-names');
plan skip_all => "$names is not built" unless -x $names;
plan skip_all => 'only Linux has all of 127.0.0.0/8' unless $^O eq 'linux';

my @hosts = map { "127.0.3.$_" } 1 .. 40;
for my $command (['listen', '-k', '--echo'], ['serve-hello'], ['udp-serve']) {
    my $p = start({ command => $names,
            env => { SOCKT_TEST_NAMES => 'n=' . join ',', @hosts } },
        @$command, 'n', 0);
    my $port = $p->port;
    $p->expect(err => qr/ing on 127\.0\.3\.40 port $port \(...\)\n/);
    my @told = $p->{err} =~ /ing on (\S+) port $port \(...\)\n/g;
    is "@told", "@hosts", "$command->[0] listens on all of them";
    ok tcp_client($port, $hosts[-1]), 'the last one is taken too'
        if $command->[0] ne 'udp-serve';
    is $p->stop->{status}, 0, 'and stops';
}

# They are served in turn: a busy address does not keep the others waiting.
{
    my $p = start({ command => $names,
            env => { SOCKT_TEST_NAMES => 'n=127.0.3.1,127.0.3.2' } },
        'listen', '-kv', '--max-conns', 1, '--discard', 'n', 0);
    my $port = $p->port;
    $p->expect(err => qr/on 127\.0\.3\.2 port/);
    my @waiting = map { tcp_client($port, $_) }
        '127.0.3.1', ('127.0.3.1') x 3, ('127.0.3.2') x 2;
    $_->close for @waiting;
    $p->expect(err => qr/(?:accepted[^\0]*?){6}closed/);
    my @order = $p->stop->{err} =~ /accepted \S+ port \d+ on 127\.0\.3\.(\d)/g;
    is "@order", '1 2 1 2 1 1', 'two addresses are served in turn';
}

# Sockets of socket activation, from descriptor 3 on.
my @inherited = map { tcp_listener() } 1 .. 20;
my $first = $inherited[-1]->sockport;
my $p = start({ command => $^X, keep_fds => 1 }, '-MPOSIX', '-e', '
    my ($sockt, @fds) = @ARGV;
    # Out of the way first.
    @fds = map { fcntl_dup($_) } @fds;
    dup2($fds[$_], 3 + $_) for 0 .. $#fds;
    $ENV{LISTEN_PID} = $$;
    $ENV{LISTEN_FDS} = @fds;
    exec $sockt, "listen", "-kv", "--echo", "--fd", "systemd" or die $!;
    sub fcntl_dup {
        open my $h, "+<&=", $_[0] or die $!;
        my $n = fcntl $h, 0, 100;
        push @keep, $h;
        return $n;
    }', sockt(), map { inheritable($_) } @inherited);
$p->expect(err => qr/port $first \(TCP\)\n/);
ok tcp_client($_->sockport), 'an inherited socket is served'
    for @inherited[0, -1];
is $p->stop->{status}, 0, 'all of them';

# The number of a descriptor that stays open over exec.
sub inheritable {
    my ($h) = @_;
    fcntl $h, 2, 0;
    return fileno $h;
}

# A socket of another family is refused.
SKIP: {
    my $AF_VSOCK = 40;
    socket my $s, $AF_VSOCK, SOCK_STREAM, 0 or skip 'no AF_VSOCK', 2;
    bind $s, pack 'S S L L x4', $AF_VSOCK, 0, 0xffffffff, 0xffffffff
        or skip 'no AF_VSOCK', 2;
    listen $s, 1 or skip 'no AF_VSOCK', 2;
    exits run({ keep_fds => 1, timeout => 5 }, 'listen', '--fd',
        inheritable($s)), 7,
        'a socket that is neither TCP nor unix is refused',
        err => qr/is neither an IP socket nor a unix socket/;
}

done_testing;
