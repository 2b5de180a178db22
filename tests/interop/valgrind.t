# Each command once under valgrind: no error, no leak, no descriptor left.
use Sockt;
use FindBin;
use Source;

my $dir = scratch();
my @valgrind = (
    '--quiet', '--error-exitcode=99', '--leak-check=full', '--vgdb=no',
    '--show-leak-kinds=all', '--errors-for-leak-kinds=all',
    '--track-fds=yes', '--trace-children=no', '--child-silent-after-fork=yes',
    "--suppressions=$FindBin::Bin/valgrind.supp",
);
my ($n, %seen) = (0);

# What valgrind said, without the descriptors that we inherited and the signal
# pipe, which lives as long as the process.
sub complaints {
    my ($log) = @_;
    my $said = slurp($log) =~ s/^==\d+== ?//mgr;
    my @blocks = grep { /\S/ } split /\n\s*\n/, $said;
    return join "\n", grep {
        !/<inherited from parent>|\bsignals_catch\b/ && !/\AFILE DESCRIPTORS:/
    } @blocks;
}

# Begins a command under valgrind; ends() looks at what it left.
sub begin {
    my ($o, $command, @args) = @_;
    my $log = "$dir/log." . ++$n;
    $seen{$command} = 1;
    my $p = start({ %$o, command => 'valgrind' }, @valgrind, "--log-file=$log", sockt(),
        $command, @args);
    return { p => $p, log => $log, name => "$command @args" };
}

sub ends {
    my ($v, $status, $r) = @_;
    $r //= $v->{p}->finish(60);
    is $r->{status}, $status, "$v->{name}: status $status"
        or diag $r->{err};
    is complaints($v->{log}), '', '  nothing is lost';
    return $r;
}

sub once {
    my ($status, $o, @args) = @_;
    return ends(begin($o, @args), $status);
}

once(0, {}, 'help');
once(0, {}, 'help', 'listen');
once(0, {}, 'completion', 'zsh');
once(2, {}, 'connect', '--nonsense');

my $l = tcp_listener();
my $pid = peer($l, sub { my ($c) = @_; print $c $_ while sysread $c, $_, 65536 }, 20);
my @to = ('127.0.0.1', $l->sockport);
is once(0, { stdin => 'x' x 300_000 }, 'connect', '-vv', @to)->{out},
    'x' x 300_000, '  and it works';
once(0, {}, 'connect', '-z', 'localhost', $l->sockport);
once(4, {}, 'connect', '--json', '127.0.0.1', free_port());
once(3, {}, 'connect', 'no-such-name.invalid', 80);
once(0, {}, 'connect', @to, '--', 'true');
once(0, {}, 'connect', '--send', 'a\n', '--expect', '.', '-x', "$dir/dump",
    '-o', "$dir/record", @to);

for my $args (['--echo'], ['-e', 'cat'], ['--to', "127.0.0.1:$to[1]"]) {
    my $v = begin({}, 'listen', '-k', @$args, 0);
    my $port = $v->{p}->port;
    for (1 .. 2) {
        my $c = tcp_client($port);
        print $c "hello\n";
        shutdown $c, 1;
        local $/;
        is scalar(<$c>), "hello\n", "listen @$args answers";
    }
    ends($v, 0, $v->{p}->stop);
}
my $v = begin({ stdin => "from us\n" }, 'listen', 0);
my $c = tcp_client($v->{p}->port);
print $c "from the client\n";
shutdown $c, 1;
is scalar(<$c>), "from us\n", 'listen relays';
ends($v, 0);

$v = begin({}, 'serve-hello', 0);
is run('connect', '--expect', '!', '--send', 'a\n', '--expect', 'a!', '--done',
    '127.0.0.1', $v->{p}->port)->{status}, 0, 'serve-hello answers';
ends($v, 0, $v->{p}->stop);

$v = begin({}, 'serve-hello', '--http', 0);
my $port = $v->{p}->port;
once(0, {}, 'http-get', "http://127.0.0.1:$port/");
once(0, {}, 'http-get', '-vv', '-o', "$dir/page", "http://localhost:$port/");

ends($v, 0, $v->{p}->stop);
once(4, {}, 'http-get', 'http://127.0.0.1:' . free_port() . '/');

$v = begin({}, 'udp-serve', 0);
$port = $v->{p}->port;
is once(0, {}, 'udp-send', '127.0.0.1', $port, 'a', 'b')->{out},
    "Hello, a!\nHello, b!\n", '  and it works';
ends($v, 0, $v->{p}->stop);
my $silent = do { my $s = udp_socket(); $s->sockport };
once(4, {}, 'udp-send', '127.0.0.1', $silent, 'x');

once(0, {}, 'portscan', '127.0.0.1', join ',', $to[1], free_port(), 1);
once(4, {}, 'portscan', '--json', '127.0.0.1', free_port());
kill 'KILL', $pid;

is join(' ', grep { !$seen{$_} } run('help')->{out} =~ /^  (\S+) +\S/mg), '',
    'no command was forgotten';

done_testing;
