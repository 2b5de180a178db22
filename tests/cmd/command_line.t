# The command line itself: help, version, forms of options, and
# every misuse refused before anything is attempted.
use Sockt;
use Source;

sub answers {
    my ($pattern, @args) = @_;
    exits run(@args), 0, "sockt @args, on stdout", out => $pattern, err => '';
}

sub refuses {
    my ($pattern, @args) = @_;
    @args = split / /, $args[0] if @args == 1 && length $args[0];
    exits run(@args), 2, "sockt @args is a usage error, where help is",
        err => [qr/\A$pattern\n/,
        qr/^sockt(?: \S+)?: (?:try '?sockt .*|.* is an option of .*|-vv .*|a program goes .*)\n\z/m],
        out => '';
}

my $r = run();
exits $r, 2, 'sockt alone is a usage error that shows how it is used and where to begin',
    err => [qr/\Ausage: sockt COMMAND /, qr/'sockt help'.*sockt-tutorial\(7\).*sockt\(1\)/s];
is scalar(() = $r->{err} =~ /^    sockt (\S+) .*\S/mg), 3, '  with three examples';

answers(qr/\Ausage: sockt COMMAND .*^  connect +\S/ms, 'help');
answers(qr/\Ausage: sockt COMMAND /, '--help');
answers(qr/\Ausage: sockt connect /, split / /)
    for 'help connect', 'connect --help', 'connect -h', '--help connect', '-h connect',
    'connect -v host --help';
answers(qr/^nc -U \/run\/x +sockt connect unix:\/run\/x$/m, 'help', 'nc');
answers(qr/^curl -O .+ sockt http-get -O/m, '--help', 'curl');
is run('--help', 'connect')->{out}, run('connect', '--help')->{out},
    'sockt --help connect is all of the help';
is run('-h', 'connect')->{out}, run('connect', '-h')->{out},
    'sockt -h connect is the short one';
answers(qr/\Asockt\ \d+\.\d+\.\d+\ \((?:linux|posix)\)
    \nTLS:\ (?:OpenSSL\ 3|not\ available:\ ).*\n\z/x, '--version');
answers(qr/1h\n\nexit status/, 'portscan', '--help');
answers(qr/1h; SIZE is 4096.*\n\nexit status/, 'connect', '--help');

refuses(qr/sockt: there is no command 'frob'/, 'frob');
refuses(qr/sockt: there is no command 'conect'; did you mean 'connect'\?/,
    'conect host 80');
refuses(qr/sockt help: there is no command 'conect'; did you mean .*/,
    'help conect');
refuses(qr/sockt help: 'ping' is neither a command nor a program that help knows/,
    'help ping');
my $help = run('help', '--help')->{out} =~ s/\s+/ /gr;
my @programs = map { /^(\S+)\t$/ ? $1 : () }
    split /\n/, run('completion', '--words', '--', 'help', '')->{out};
cmp_ok scalar @programs, '>', 12, 'programs that help knows';
is join(' ', grep { $help !~ /[ (]\Q$_\E[,.) ]/ } 'netcat', @programs), '',
    '  are named by its help';
my %times;
is join(' ', grep { $times{$_}++ } @programs), '', '  each once';
unlike run('help', '-h')->{out}, qr/\n\n\n|every option/,
    'help has no options, and shows none';
for (['l', 'listen'], ['conn', 'connect'], ['scan', 'portscan'],
    ['udp_send', 'udp-send']) {
    my ($typed, $nearest) = @$_;
    refuses(qr/sockt: there is no command '$typed'; did you mean '$nearest'\?/,
        $typed);
}
refuses(qr/sockt help: unexpected operand 'listen'/, 'help connect listen');
refuses(qr/sockt: there is no command ''/, '');
refuses(qr/sockt: '-v' is not a command \(options go after the command\)/,
    '-v connect');
refuses(qr/sockt: '--nonsense' is not a command .*/, '--nonsense');
like run(@$_)->{err}, qr/: -?-k\S* is an option of (?:sockt )?listen\n\z/,
    "sockt @$_ names the command that has it"
    for ['-k', 80], ['--keep-open', 80], ['portscan', '-k', 'h'],
        ['http-get', '--keep-open=1', 'h'];
unlike run("\e[2J")->{err}, qr/\e/, 'a nasty command is escaped';

# Forms of options, told apart by what connect does with them.
my $l = tcp_listener();
my $port = $l->sockport;
for my $args (
    ['-z', '-w5', '127.0.0.1', $port], ['-zw', 5, '127.0.0.1', $port],
    ['--zero', '--timeout=5', '127.0.0.1', $port],
    ['--zero', '--timeout', '5', '127.0.0.1', $port],
    ['127.0.0.1', '-z', $port, '-w', '5'], ["127.0.0.1:$port", '-z'],
    ['-z', '--', '127.0.0.1', $port], ['-4nz', "127.0.0.1:$port"],
) {
    exits run('connect', @$args), '0 ', "connect @$args", err => '';
}

my @to = ('127.0.0.1', $port);

# What connect says of a line.
for my $row (
    [qr/missing operand: expected HOST PORT/, ''],
    [qr/missing port after '127\.0\.0\.1'.*/, '127.0.0.1'],
    [qr/unexpected operand 'x'/, "@to x"],
    [qr/port '0' is .*/, '127.0.0.1 0'],
    [qr/port '65536' is .*/, '127.0.0.1 65536'],
    [qr/port '80x' is .*/, '127.0.0.1 80x'],
    [qr/port '-1' is .*/, '-- 127.0.0.1 -1'],
    [qr/the host is empty/, '', 80],
    [qr/the port is empty/, 'host', ''],
    [qr/there is no option --frobnicate/, "--frobnicate @to"],
    [qr/there is no option --keepaliv; did you mean --keepalive\?/, "--keepaliv @to"],
    [qr/there is no option -%/, "-% @to"],
    [qr/option --timeout needs a duration \(TIME\)/, "@to --timeout"],
    [qr/option -w needs a duration \(TIME\)/, "@to -w"],
    [qr/option --zero takes no value/, "--zero=1 @to"],
    [qr/there is no option --idle; did you mean --idle-timeout\?/, "--idle=5 @to"],
    [qr/--ipv4 and --ipv6 cannot be used together/, "-4 -6 @to"],
    [qr/--send-only is about relaying .* apply with --zero/, "-z --send-only @to"],
    # What is asked for expressly is refused even where it is the default.
    [qr/--on-eof is about relaying .* apply with a program/, "--on-eof fin @to -- true"],
    [qr/--expect is about a scripted conversation: .* apply with --exec/, "-e true --expect x @to"],
    [qr/--output is about recording: .* apply with --zero/, "-z -o /dev/null @to"],
    [qr/--zero and --idle-timeout cannot be used together/, "-z --idle-timeout 1 @to"],
    [qr/--verbose and --quiet cannot be used together/, "-vq @to"],
    [qr/--timeout: '5x' is not a duration .*/, "-w5x @to"],
    [qr/--timeout: '0' must be more than 0/, "-w0 @to"],
    [qr/--rcvbuf: '1q' is not a size .*/, "--rcvbuf 1q @to"],
    [qr/--rcvbuf: '0' must be more than 0/, "--rcvbuf 0 @to"],
    [qr/--rcvbuf: '9G' is too large/, "--rcvbuf 9G @to"],
    [qr/--ttl: '256' is not a number from 1 to 255/, "--ttl 256 @to"],
    [qr/--on-eof: 'stop' must be fin, keep or quit/, "--on-eof stop @to"],
    [qr/--source: 'localhost' is not a numeric .*/, "-s localhost @to"],
    [qr/::1 is not an IPv4 address/, '-4 ::1 1'],
) {
    my ($why, @args) = @$row;
    @args = split / /, $args[0] if @args == 1;
    refuses(qr/sockt connect: $why/, 'connect', @args);
}
refuses(qr/sockt listen: --crlf is about relaying .* apply with --echo/, 'listen --echo -C 0');
refuses(qr/sockt $_->[0]: $_->[1]/, "$_->[0] $_->[2]")
    for ['connect', qr/--done goes with --send or --expect/, '--done h 1'],
    ['connect', qr/--tls-key goes with --tls-cert/, '--tls --tls-key x h 1'],
    ['connect', qr/--ttl does not apply with --via: its program makes .*/, '--ttl 9 --via x h 1'],
    ['listen', qr/--fd and --ttl cannot be used together/, '--fd 3 --ttl 9'],
    ['listen', qr/--echo and a program cannot be used together/, '--echo 0 -- cat'],
    ['udp-serve', qr/--lines goes with --print/, '--lines 0'],
    ['udp-serve', qr/--max-programs goes with a program/, '--max-programs 3 0'],
    ['udp-send', qr/--whole is about stdin: .* apply with messages/, '--whole h 1 x'],
    ['portscan', qr/--until goes with --retry-for/, '--until closed h'];
refuses(qr/sockt connect: --verbose can be used at most 2 times/, 'connect', @$_, @to)
    for ['-vvv'], ['-vv', '-v'], ['-v', '-zvv'];

# The first "--" ended the options and the second one began the program, but
# stood in it as its name.
$l = tcp_listener();
my $pid = peer($l, sub { my ($c) = @_; print $c "hello\n" });
exits run('connect', '--', '127.0.0.1', $l->sockport, '--', 'sh', '-c',
    'read x; echo "got $x" >&2'), 0, 'the program runs, ends well',
    err => "got hello\n";
is reap($pid), 0, 'the peer is content';

# A duration of centuries overflowed when it was turned into nanoseconds: "no
# limit" became "at once". What is too long is refused, and every duration that
# is taken can be waited for.
$l   = tcp_listener();
$pid = peer($l, sub {
    my ($c) = @_;
    print $c "late\n" if defined readline $c;
}, 100);
@to = ('127.0.0.1', $l->sockport);

misused 'connect', qr/--idle-timeout: '\d+h?' is too long/ => [map {
    "--idle-timeout $_ @to" } qw(9999999999 99999999999999999999h 2207520001)];
exits run({ stdin => "x\n" }, 'connect', '--idle-timeout', 613200 . 'h', '-m',
    613200 . 'h', @to), "0 late\n", '70 years can be waited for';
kill 'KILL', $pid;

# Every option that takes a duration, of every command.
my @options = grep { ($_->{arg} // '') eq 'TIME' } list_options();
cmp_ok scalar @options, '>', 20, 'there are options of that kind';
for my $o (@options) {
    my $name = "--$o->{name}";
    like run($o->{command}, $name, '9999999999', '127.0.0.1', 1)->{err},
        qr/$name: '9999999999' is too long/, "$o->{command} $name";
}

exits run('connect', '-w', '.5', '-z', '127.0.0.1', free_port()), 4,
    'half a second may be written as .5';

# A usage error comes before any file is opened, let alone emptied.
my $dir = scratch();
my $file = spew("$dir/kept", 'kept');
$port = free_port();

sub leaves {
    my ($name, @args) = @_;
    exits run(@args), 2, "$name: usage";
    is slurp($file), 'kept', '  and the file is as it was';
    is join(' ', map { s/.*\///r } glob "$dir/*"), 'kept', '  and alone';
}

for my $row (
    ['-n NAME', 'connect', '-n', 'localhost', $port],
    ['-4 ::1', 'connect', '-4', '::1', $port],
    ["-n, a proxy's NAME,", 'connect', '-n', '--proxy', "socks5://localhost:$port",
        '127.0.0.1', 1],
    ['a name with blanks by way of a proxy,', 'connect', '--proxy',
        "http://127.0.0.1:$port", 'a b', 1],
    ['a contradiction,', 'connect', '--done', '127.0.0.1', $port],
    ['listen -n NAME', 'listen', '-n', 'localhost', 0],
    ['listen --user nobody,', 'listen', '--user', 'no/body', 0]) {
    my ($name, @args) = @$row;
    leaves("$name $_", @args, $_, $file) for '-o', '-x';
}
leaves(@$_) for
    ['http-get -n NAME', 'http-get', '-n', '-o', $file, "http://localhost:$port/"],
    ['http-get -n NAME, the second one', 'http-get', '-n',
        "http://127.0.0.1:$port/", "http://localhost:$port/"],
    ['http-get -4 [::1]', 'http-get', '-4', '-o', "$dir/new", "http://[::1]:$port/"],
    ["http-get -n, a proxy's NAME", 'http-get', '-n', '-o', "$dir/new", '--proxy',
        "http://localhost:$port", 'http://127.0.0.1/'];

exits run({ env => { http_proxy => "http://localhost:$port" } }, 'http-get',
    '-n', '-o', "$dir/new", 'http://127.0.0.1/'), 2,
    'the same from the environment, and nothing was made', file => ["$dir/new", undef];

# A target is asked for at every connection, but it is known at the start.
exits run({ timeout => 5 }, 'listen', '-n', 0, '--to', "localhost:$port"), 2,
    'listen -n --to NAME, before it listens', no_err => qr/listening/;

# Without the quotes '*' is the name of the only file.
{
    my $dir = scratch();
    spew("$dir/only-file", '');
    for my $command (qw(listen serve-hello udp-serve)) {
        exits run({ command => 'sh' }, '-c', "cd '$dir' && exec \"\$0\" \"\$@\" * 7000", sockt(), $command), 3,
            "$command *: the file that it was replaced by",
            err => qr/'only-file' is a file: the shell replaces \* by the names of files, but not '\*' in quotes/;
    }
}

done_testing;
