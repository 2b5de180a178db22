# Each command once under valgrind: no error, no leak, no descriptor left.
use Sockt;
use FindBin;

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
    return join "\n", grep {
        !/<inherited from parent>|\bsignals_catch\b/ && !/\AFILE DESCRIPTORS:/
    } grep { /\S/ } split /\n\s*\n/, $said;
}

# Begins a command under valgrind; ends() looks at what it left.
sub begin {
    my ($o, $command, @args) = @_;
    my $log = "$dir/log." . ++$n;
    $seen{$command} = 1;
    my $p = start({ %$o, command => 'valgrind' }, @valgrind, "--log-file=$log",
        sockt(), $command, @args);
    return { p => $p, log => $log, name => "$command @args" };
}

sub ends {
    my ($v, $status, $r) = @_;
    exits $r // $v->{p}->finish(60), $status, $v->{name};
    is complaints($v->{log}), '', '  nothing is lost';
}

# Each once to its end: status, or status and stdout; options; arguments.
sub once {
    for (@_) {
        my ($status, $o, @args) = @$_;
        ends(begin($o, @args), $status);
    }
}

my $l = tcp_listener();
my $pid = peer($l, sub { my ($c) = @_; print $c $_ while sysread $c, $_, 65536 }, 20);
my @to = ('127.0.0.1', $l->sockport);
my $closed = free_port();
my $long = 'x' x 300_000;
once([0, {}, 'help'], [0, {}, 'help', 'listen'], [0, {}, 'completion', 'zsh'],
    [2, {}, 'connect', '--nonsense'],
    ["0 $long", { stdin => $long }, 'connect', '-vv', @to],
    [0, {}, 'connect', '-z', 'localhost', $to[1]],
    [4, {}, 'connect', '--json', '127.0.0.1', $closed],
    [3, {}, 'connect', 'no-such-name.invalid', 80],
    [0, {}, 'connect', @to, '--', 'true'],
    [0, {}, 'connect', '--send', 'a\n', '--expect', '.', '-x', "$dir/dump",
        '-o', "$dir/record", @to]);

for my $args (['--echo'], ['-e', 'cat'], ['--to', "127.0.0.1:$to[1]"]) {
    my $v = begin({}, 'listen', '-k', @$args, 0);
    my $port = $v->{p}->port;
    is exchange($port, "hello\n"), "hello\n", "listen @$args answers" for 1, 2;
    ends($v, 0, $v->{p}->stop);
}
my $v = begin({ stdin => "from us\n" }, 'listen', 0);
is exchange($v->{p}->port, "from the client\n"), "from us\n", 'listen relays';
ends($v, "0 from the client\n");

$v = begin({}, 'serve-hello', 0);
is run('connect', '--expect', '!', '--send', 'a\n', '--expect', 'a!', '--done',
    '127.0.0.1', $v->{p}->port)->{status}, 0, 'serve-hello answers';
ends($v, 0, $v->{p}->stop);

$v = begin({}, 'serve-hello', '--http', 0);
my $port = $v->{p}->port;
once([0, {}, 'http-get', "http://127.0.0.1:$port/"],
    [0, {}, 'http-get', '-vv', '-o', "$dir/page", "http://localhost:$port/"],
    [4, {}, 'http-get', "http://127.0.0.1:$closed/"]);
ends($v, 0, $v->{p}->stop);

$v = begin({}, 'udp-serve', 0);
once(["0 Hello, a!\nHello, b!\n", {}, 'udp-send', '-w', 30, '127.0.0.1',
        $v->{p}->port, 'a', 'b']);
ends($v, 0, $v->{p}->stop);

once([0, {}, 'portscan', '127.0.0.1', "$to[1],$closed,1"],
    [4, {}, 'portscan', '--json', '127.0.0.1', $closed]);
kill 'KILL', $pid;

is join(' ', grep { !$seen{$_} } run('help')->{out} =~ /^  (\S+) +\S/mg), '',
    'no command was forgotten';

done_testing;
