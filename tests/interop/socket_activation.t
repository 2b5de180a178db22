# Sockets and connections from those who open them in practice: the service
# manager's systemd-socket-activate and inetd. What the former starts is what the
# units in sockt-cookbook(7) say.
use Sockt;
use IO::Select;
use IO::Socket::IP;
use Socket qw(SOCK_STREAM);
use Source;

my %path = map {
    my $name = $_;
    my ($found) = grep { -x } map { "$_/$name" }
        qw(/usr/bin /bin /usr/sbin /sbin);
    ok defined $found, "$name is there";
    ($name => $found);
} qw(systemd-socket-activate systemd-analyze inetd);

# The files that the page shows.
my %file = text('man/sockt-cookbook.7') =~
    /^\.\\"example: file (\S+)\n\.Bd[^\n]*\n(.+?)^\.Ed/msg;
s/\\e/\\/g for values %file;

# systemd accepts the units, with this sockt in place of the installed one.
{
    my $units = scratch();
    my $sockt = sockt();
    my @names = grep { /\.(?:service|socket)$/ } sort keys %file;
    cmp_ok scalar @names, '>=', 7, 'the page has units';
    spew("$units/$_", $file{$_} =~ s{/usr/local/bin/sockt}{$sockt}r)
        for @names;
    my $r = run({ command => $path{'systemd-analyze'},
            env => { SYSTEMD_UNIT_PATH => "$units:" } }, 'verify', '--man=no',
        map { "$units/$_" } grep { !/@/ } @names);
    my @own = grep { /\Q$units\E/ } split /\n/, $r->{err};
    is "@own", '', 'systemd-analyze finds no fault in them';
}

# The arguments of a unit's sockt.
sub command_of {
    my ($unit) = @_;
    my ($line) = $file{$unit} =~ m{^ExecStart=/usr/local/bin/sockt (.+)$}m
        or die "no $unit";
    return split / /, $line;
}

# A client that repeats its attempt until the server is there.
sub client {
    my ($port) = @_;
    for (1 .. 500) {
        my $c = IO::Socket::IP->new(PeerHost => '127.0.0.1',
            PeerPort => $port, Type => SOCK_STREAM);
        return $c if $c;
        select undef, undef, undef, 0.01;
    }
    die "nothing listens on port $port";
}

sub answer_of {
    my ($c, $text) = @_;
    print $c $text;
    shutdown $c, 1;
    return do { local $/; <$c> } // '';
}

# The answer to a datagram, repeated until the server is there.
sub datagram {
    my ($port, $text) = @_;
    my $c = udp_socket(peer => [ '127.0.0.1', $port ]);
    for (1 .. 300) {
        $c->send($text);
        IO::Select->new($c)->can_read(0.1) or next;
        return $_ if defined $c->recv($_ = '', 100);
    }
    return undef;
}

sub activate {
    my (@args) = @_;
    return start({ command => $path{'systemd-socket-activate'} }, @args);
}

my $sockt = sockt();
{
    my $port = free_port();
    my $p = activate('-l', "127.0.0.1:$port", $sockt,
        command_of('echo.service'));
    is answer_of(client($port), "one $_"), "one $_", "echo.service, client $_"
        for 1, 2;
    is $p->stop->{status}, 0, 'and is stopped';

    $port = free_port();
    my @idle = command_of('echo.service');
    s/^60$/1/ for @idle;
    $p = activate('-l', "127.0.0.1:$port", $sockt, @idle);
    answer_of(client($port), 'x');
    is $p->finish->{status}, 0, 'its idle end is no failure';
}
{
    my $port = free_port();
    my $p = activate('-a', '-l', "127.0.0.1:$port", $sockt,
        command_of('hello@.service'));
    is answer_of(client($port), "Ann\n"), "Welcome!Hello, Ann!\n",
        "hello\@.service, connection $_" for 1, 2;
    $p->expect(err => qr/sockt serve-hello: closed .*\n(?:.*\n)*.*closed/);
    unlike $p->{err}, qr/listening on|exited with code [^0]|status=[^0]/,
        'each is served alone, and ends well';
    $p->stop('TERM');
}
{
    my $port = do { my $u = udp_socket(); $u->sockport };
    my $p = activate('-d', '-l', "127.0.0.1:$port", $sockt,
        command_of('log.service'));
    my $c = udp_socket(peer => [ '127.0.0.1', $port ]);
    for (1 .. 500) {
        $c->send('a line');
        last if eval { $p->expect(out => qr/a line/, 0.1) };
    }
    is $p->stop->{status}, 0, 'log.service prints datagrams';
    like $p->{out}, qr/^a line\n/, 'as they are';
}

# inetd.
{
    my %port = (9999 => free_port(), 7000 => free_port(),
        9998 => do { my $u = udp_socket(); $u->sockport });
    my $user = getpwuid $>;
    my $conf = join '', map { "127.0.0.1:$_\n" }
        "$port{9999} stream tcp nowait $user $sockt sockt serve-hello --fd 0",
        "$port{7000} stream tcp nowait $user $sockt sockt listen --fd 0 --echo",
        "$port{9998} dgram udp wait $user $sockt sockt udp-serve --fd 0 "
            . '--idle-timeout 60';
    my $path = spew(scratch() . '/inetd.conf', $conf);
    my $p = start({ command => $path{inetd} }, '-i', $path);
    is answer_of(client($port{9999}), "Ann\n"), "Welcome!Hello, Ann!\n",
        "inetd, stream nowait: serve-hello, connection $_" for 1, 2;
    is answer_of(client($port{7000}), 'x' x 100_000), 'x' x 100_000,
        'listen --echo';
    is datagram($port{9998}, $_), "Hello, $_!", "dgram wait: '$_'"
        for 'one', 'two';
    # inetd does not end its services.
    my @services = children($p->{pid});
    $p->stop('TERM');
    kill 'TERM', @services;
}

done_testing;
