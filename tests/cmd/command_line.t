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
is $r->{status}, 2, 'sockt alone is a usage error';
like $r->{err}, qr/\Ausage: sockt COMMAND /, 'that shows how it is used';
my @shown = $r->{err} =~ /^    sockt (\S+) .*\S/mg;
is scalar @shown, 3, '  with three examples';
like $r->{err}, qr/'sockt help'.*sockt-tutorial\(7\).*sockt\(1\)/s,
    '  and where to begin';

answers(qr/\Ausage: sockt COMMAND .*^  connect +\S/ms, 'help');
answers(qr/\Ausage: sockt COMMAND /, '--help');
answers(qr/\Ausage: sockt connect /, 'help', 'connect');
answers(qr/\Ausage: sockt connect /, 'connect', '--help');
answers(qr/\Ausage: sockt connect /, 'connect', '-h');
answers(qr/\Ausage: sockt connect /, '--help', 'connect');
answers(qr/\Ausage: sockt connect /, '-h', 'connect');
answers(qr/^nc -U \/run\/x +sockt connect unix:\/run\/x$/m, 'help', 'nc');
answers(qr/^curl -O .+ sockt http-get -O/m, '--help', 'curl');
is run('--help', 'connect')->{out}, run('connect', '--help')->{out},
    'sockt --help connect is all of the help';
is run('-h', 'connect')->{out}, run('connect', '-h')->{out},
    'sockt -h connect is the short one';
answers(qr/\Ausage: sockt connect /, 'connect', '-v', 'host', '--help');
answers(qr/\Asockt\ \d+\.\d+\.\d+\ \((?:linux|posix)\)
    \nTLS:\ (?:OpenSSL\ 3|not\ available:\ ).*\n\z/x, '--version');
answers(qr/1h\n\nexit status/, 'portscan', '--help');
answers(qr/1h; SIZE is 4096.*\n\nexit status/, 'connect', '--help');

refuses(qr/sockt: there is no command 'frob'/, 'frob');
refuses(qr/sockt: there is no command 'conect'; did you mean 'connect'\?/,
    'conect host 80');
refuses(qr/sockt help: there is no command 'conect'; did you mean .*/,
    'help conect');
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
    my $r = run('connect', @$args);
    is "$r->{status} $r->{out}$r->{err}", '0 ', "connect @$args";
}

my @to = ('127.0.0.1', $port);
my $connect = qr/sockt connect: /;
refuses(qr/${connect}missing operand: expected HOST PORT/, 'connect');
refuses(qr/${connect}missing port after '127\.0\.0\.1'.*/,
    'connect 127.0.0.1');
refuses(qr/${connect}unexpected operand 'x'/, "connect @to x");
refuses(qr/${connect}port '0' is .*/, 'connect 127.0.0.1 0');
refuses(qr/${connect}port '65536' is .*/, 'connect 127.0.0.1 65536');
refuses(qr/${connect}port '80x' is .*/, 'connect 127.0.0.1 80x');
refuses(qr/${connect}port '-1' is .*/, 'connect -- 127.0.0.1 -1');
refuses(qr/${connect}the host is empty/, 'connect', '', 80);
refuses(qr/${connect}the port is empty/, 'connect', 'host', '');
refuses(qr/${connect}there is no option --frobnicate/,
    "connect --frobnicate @to");
refuses(qr/${connect}there is no option --keepaliv; did you mean --keepalive\?/,
    "connect --keepaliv @to");
refuses(qr/${connect}there is no option -%/, "connect -% @to");
refuses(qr/${connect}option --timeout needs a duration \(T\)/,
    "connect @to --timeout");
refuses(qr/${connect}option -w needs a duration \(T\)/, "connect @to -w");
refuses(qr/${connect}option --zero takes no value/, "connect --zero=1 @to");
refuses(qr/${connect}there is no option --idle; did you mean --idle-timeout\?/,
    "connect --idle=5 @to");
refuses(qr/${connect}--ipv4 and --ipv6 cannot be used together/,
    "connect -4 -6 @to");
refuses(qr/${connect}--send-only is about relaying .* apply with --zero/,
    "connect -z --send-only @to");
# What is asked for expressly is refused even where it is the default.
refuses(qr/${connect}--on-eof is about relaying .* apply with a program/,
    "connect --on-eof fin @to -- true");
refuses(qr/${connect}--expect is about relaying .*/,
    "connect -e true --expect x @to");
refuses(qr/${connect}--output is about relaying .*/,
    "connect -z -o /dev/null @to");
refuses(qr/${connect}--idle-timeout is about relaying: .*/,
    "connect -z --idle-timeout 1 @to");
refuses(qr/sockt listen: --crlf is about relaying .* apply with a handler/,
    'listen --echo -C 0');
refuses(qr/${connect}--verbose and --quiet cannot be used together/,
    "connect -vq @to");
refuses(qr/${connect}--verbose can be used at most 2 times/,
    'connect', @$_, @to) for ['-vvv'], ['-vv', '-v'], ['-v', '-zvv'];
refuses(qr/${connect}--timeout: '5x' is not a duration .*/,
    "connect -w5x @to");
refuses(qr/${connect}--timeout: '0' is too short/, "connect -w0 @to");
refuses(qr/${connect}--rcvbuf: '1q' is not a size .*/,
    "connect --rcvbuf 1q @to");
refuses(qr/${connect}--rcvbuf: '0' is too small/, "connect --rcvbuf 0 @to");
refuses(qr/${connect}--rcvbuf: '9G' is too large/, "connect --rcvbuf 9G @to");
refuses(qr/${connect}--ttl: '256' is not a number from 1 to 255/,
    "connect --ttl 256 @to");
refuses(qr/${connect}--on-eof: 'stop' must be fin, keep or quit/,
    "connect --on-eof stop @to");
refuses(qr/${connect}--source: 'localhost' is not a numeric .*/,
    "connect -s localhost @to");
refuses(qr/${connect}::1 is not an IPv4 address/, 'connect -4 ::1 1');

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

for my $long ('9999999999', '99999999999999999999h', '2207520001') {
    my $r = run('connect', '--idle-timeout', $long, @to);
    is $r->{status}, 2, "--idle-timeout $long is refused";
    like $r->{err}, qr/--idle-timeout: '$long' is too long/, '  as too long';
}
exits run({ stdin => "x\n" }, 'connect', '--idle-timeout', 613200 . 'h', '-m',
    613200 . 'h', @to), "0 late\n", '70 years can be waited for';
kill 'KILL', $pid;

# Every option that takes a duration, of every command.
my @options = grep { ($_->{arg} // '') eq 'T' } list_options();
cmp_ok scalar @options, '>', 20, 'there are options of that kind';
for my $o (@options) {
    my $name = "--$o->{name}";
    like run($o->{command}, $name, '9999999999', '127.0.0.1', 1)->{err},
        qr/$name: '9999999999' is too long/, "$o->{command} $name";
}

$r = run('connect', '-w', '.5', '-z', '127.0.0.1', free_port());
is $r->{status}, 4, 'half a second may be written as .5';

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

for my $option ('-o', '-x') {
    leaves("-n NAME $option", 'connect', '-n', 'localhost', $port, $option,
        $file);
    leaves("-4 ::1 $option", 'connect', '-4', '::1', $port, $option, $file);
    leaves("-n, a proxy's NAME, $option", 'connect', '-n', '--proxy',
        "socks5://localhost:$port", '127.0.0.1', 1, $option, $file);
    leaves("a name with blanks by way of a proxy, $option", 'connect',
        '--proxy', "http://127.0.0.1:$port", 'a b', 1, $option, $file);
    leaves("a contradiction, $option", 'connect', '--done', '127.0.0.1',
        $port, $option, $file);
    leaves("listen -n NAME $option", 'listen', '-n', 'localhost', 0, $option,
        $file);
    leaves("listen --user nobody, $option", 'listen', '--user', 'no/body', 0,
        $option, $file);
}
leaves('http-get -n NAME', 'http-get', '-n', '-o', $file,
    "http://localhost:$port/");
leaves('http-get -n NAME, the second one', 'http-get', '-n',
    "http://127.0.0.1:$port/", "http://localhost:$port/");
leaves('http-get -4 [::1]', 'http-get', '-4', '-o', "$dir/new",
    "http://[::1]:$port/");
leaves("http-get -n, a proxy's NAME", 'http-get', '-n', '-o', "$dir/new",
    '--proxy', "http://localhost:$port", 'http://127.0.0.1/');

$r = run({ env => { http_proxy => "http://localhost:$port" } }, 'http-get',
    '-n', '-o', "$dir/new", 'http://127.0.0.1/');
is $r->{status}, 2, 'the same from the environment';
ok !-e "$dir/new.part", '  and nothing was made';

# A target is asked for at every connection, but it is known at the start.
exits run({ timeout => 5 }, 'listen', '-n', 0, '--to', "localhost:$port"), 2,
    'listen -n --to NAME, before it listens', no_err => qr/listening/;

done_testing;
