# What a program that is given a connection finds: fds 0, 1 and 2 and no
# other, the UCSPI variables, default signals, the rights of --user.
use Sockt;
use Socket qw(SOMAXCONN);

sub ask {
    my ($port, $host) = @_;
    my $c = tcp_client($port, $host);
    shutdown $c, 1;
    local $/;
    return scalar(<$c>) // '';
}

# Which of 0 to 255 are open, asked with fcntl so that nothing is opened.
my $walk = 'use Fcntl; print join " ", grep { my $fd = $_; '
    . 'require POSIX; defined POSIX::dup2($fd, $fd) } 0 .. 255';
my $p = start('listen', '-k', 0, '--', $^X, '-e', $walk);
my $port = $p->port;
my @held = map { tcp_client($port) } 1 .. 5;
is ask($port), '0 1 2', 'a program of listen has no other descriptor';
@held = ();
$p->stop;

my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    local $/;
    my $got = <$c>;
    die "got $got" unless $got eq '0 1 2';
});
is run('connect', '127.0.0.1', $l->sockport, '--', $^X, '-e', $walk)
    ->{status}, 0, 'connect -- PROGRAM';
is reap($pid), 0, 'has no other descriptor either';
close $l;

my $variables = 'print join " ", map { "$_=" . ($ENV{$_} // "") } '
    . 'qw(PROTO TCPLOCALIP TCPLOCALPORT TCPREMOTEIP TCPREMOTEPORT)';
for my $host ('127.0.0.1', has_ipv6() ? '::1' : ()) {
    $p = start({ env => { TCPREMOTEIP => 'of an outer server' } },
        'listen', '-k', 0, '--', $^X, '-e', $variables);
    $port = $p->port;
    my $c = tcp_client($port, $host);
    my $own = $c->sockport;
    is do { local $/; <$c> }, "PROTO=TCP TCPLOCALIP=$host "
        . "TCPLOCALPORT=$port TCPREMOTEIP=$host TCPREMOTEPORT=$own",
        "the UCSPI variables, $host";
    $p->stop;
}

$p = start('listen', '-k', 0, '--', $^X, '-e',
    'print join " ", map { $SIG{$_} // "DEFAULT" } qw(PIPE TERM CHLD INT)');
is ask($p->port), 'DEFAULT DEFAULT DEFAULT DEFAULT', 'default signals';
$p->stop;

# connect gives its exit status on.
$l = tcp_listener();
for my $case ([ 'exit 3', 3 ], [ 'kill -9 $$', 137 ]) {
    peer($l, sub { });
    is run('connect', '-e', $case->[0], '127.0.0.1', $l->sockport)->{status},
        $case->[1], "connect -e '$case->[0]'";
}
peer($l, sub { });
my $r = run('connect', '127.0.0.1', $l->sockport, '--', '/no/such');
is $r->{status}, 127, 'a program that is not there: 127';
like $r->{err}, qr{cannot run /no/such: no such file}, 'and told';
peer($l, sub { });
$r = run('connect', '127.0.0.1', $l->sockport, '--', '/etc/passwd');
is $r->{status}, 126, 'one that is no program: 126';
peer($l, sub { sleep 5 });
$r = run('connect', '-m', '200ms', '127.0.0.1', $l->sockport, '--', 'sleep',
    60);
is $r->{status}, 5, '-m ends a program: 5';

SKIP: {
    skip 'needs root', 3 unless is_root() && defined getpwnam 'nobody';
    $p = start('listen', '-k', '--user', 'nobody', 0, '--', $^X, '-e',
        'my $was = "$< $> $( $)"; $> = 0; $< = 0; print "$was; $< $>"');
    my ($uid, $gid) = (getpwnam 'nobody')[ 2, 3 ];
    my $answer = ask($p->port);
    is $answer, "$uid $uid $gid $gid $gid $gid; $uid $uid",
        '--user: user, group and groups, and no way back';
    is $p->stop->{status}, 0, 'stopped';
    my $child = Sockt::fork_as($uid, undef, sub {
        my $o = run('listen', '--user', 'root', 0);
        die "$o->{status} $o->{err}" unless $o->{status} == 7
            && $o->{err} =~ /not permitted/;
    });
    is reap($child), 0, 'who is not root cannot become root: status 7';
}

# --fd: sockets that somebody else has opened.
$l = tcp_listener();
my $start_with = sub {
    my ($env, @options) = @_;
    my $inherited = fileno $l;
    return start({ command => $^X, keep_fds => 1 }, '-e', <<'P' =~ s/INHERITED/$inherited/gr,
use POSIX;
my ($env, @command) = @ARGV;
my ($n, $whose) = split /,/, $env;
POSIX::dup2(INHERITED, 3) unless INHERITED == 3;
if ($n) {
    $ENV{LISTEN_FDS} = $n;
    $ENV{LISTEN_PID} = $whose eq 'own' ? $$ : 1;
}
exec @command;
P
        $env, sockt(), 'listen', '-k', '--echo', @options);
};
SKIP: {
    # Descriptors above 2 reach the program only by way of fork and exec.
    local $^F = 255;
    my $again = tcp_listener();
    close $l;
    $l = $again;
    for my $case ([ '0,', '--fd', 3 ], [ '1,own', '--fd', 'systemd' ]) {
        my ($env, @options) = @$case;
        $p = $start_with->($env, @options);
        is $p->port, $l->sockport, "@options: the inherited socket";
        my $c = tcp_client($l->sockport);
        print $c 'x';
        shutdown $c, 1;
        is do { local $/; <$c> }, 'x', 'and serves on it';
        is $p->stop->{status}, 0, 'stopped';
    }
    $r = $start_with->('1,other', '--fd', 'systemd')->finish;
    is $r->{status}, 7, "another process's LISTEN_PID is refused";
    like $r->{err}, qr/meant for another one/, 'and told';
}
is run('listen', '--fd', 'systemd')->{status}, 7, 'no LISTEN_FDS: refused';
is run('listen', '--fd', 99)->{status}, 7, 'a descriptor that is none';
is run('listen', '--fd', 3, 80)->{status}, 2, '--fd and an address';

done_testing;
