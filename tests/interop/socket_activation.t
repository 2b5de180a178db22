# Sockets and connections from those who open them in practice: the service
# manager's systemd-socket-activate and inetd. What the former starts is what the
# units in sockt-cookbook(7) say.
use Sockt;
use Source;

# Nobody else takes a port here.
own_network() if is_root();
$ENV{PATH} .= ':/usr/sbin:/sbin';

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
    my $r = run({ command => 'systemd-analyze',
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

sub activate {
    my ($unit, @options) = @_;
    return start_server('systemd-socket-activate', @options, '-l',
        '127.0.0.1:PORT', sockt(), command_of($unit));
}

{
    my ($p, $port) = activate('echo.service');
    is exchange($port, "one $_"), "one $_", "echo.service, client $_" for 1, 2;
    is $p->stop->{status}, 0, 'and is stopped';
    ($p, $port) = activate('hello@.service', '-a');
    is exchange($port, "Ann\n"), "Welcome!Hello, Ann!\n",
        "hello\@.service, connection $_" for 1, 2;
    $p->expect(err => qr/sockt serve-hello: closed .*\n(?:.*\n)*.*closed/);
    unlike $p->{err}, qr/listening on|exited with code [^0]|status=[^0]/,
        'each is served alone, and ends well';
    $p->stop;
}
{
    my $port = free_port();
    my $p = start({ command => 'systemd-socket-activate' }, '-d', '-l',
        "127.0.0.1:$port", sockt(), command_of('log.service'));
    await_listener($port, 'udp');
    udp_socket(peer => ['127.0.0.1', $port])->send('a line');
    ok $p->expect(out => qr/^a line\n/), 'log.service prints datagrams as they are';
    is $p->stop->{status}, 0, 'and is stopped';
}

# inetd.
{
    my ($echo, $udp, $user) = (free_port(), free_port(), scalar getpwuid $>);
    my $sockt = sockt();
    my $conf = join '', map { "127.0.0.1:$_\n" }
        "$echo stream tcp nowait $user $sockt sockt listen --fd 0 --echo",
        "$udp dgram udp wait $user $sockt sockt udp-serve --fd 0 "
            . '--idle-timeout 60',
        "PORT stream tcp nowait $user $sockt sockt serve-hello --fd 0";
    my ($p, $port) = start_server({ conf => $conf }, 'inetd', '-i', 'CONF');
    is exchange($port, "Ann\n"), "Welcome!Hello, Ann!\n",
        "inetd, stream nowait: serve-hello, connection $_" for 1, 2;
    is exchange($echo, 'x' x 100_000), 'x' x 100_000, 'listen --echo';
    exits run('udp-send', '-w', 30, '127.0.0.1', $udp, $_), "0 Hello, $_!\n",
        "dgram wait: '$_'" for 'one', 'two';
    # inetd does not end its services.
    my @services = children($p->{pid});
    $p->stop;
    kill 'TERM', @services;
}

done_testing;
