# Nobody reads standard error: a full pipe, or a terminal that was stopped with
# Ctrl-S. No limit waits for its reader, and what is not read is dropped.
use Sockt;
use Fcntl;
use IO::Select;
use POSIX qw(mkfifo);
use SocktHttp;

# A terminal that was stopped: its ends, or nothing.
sub stopped_terminal {
    my $n = pack 'i', 0;
    open my $master, '+<', '/dev/ptmx' or return;
    # TIOCSPTLCK, TIOCGPTN
    ioctl $master, 0x40045431, $n or return;
    ioctl $master, 0x80045430, $n or return;
    open my $slave, '+<', '/dev/pts/' . unpack 'i', $n or return;
    POSIX::tcflow(fileno $slave, POSIX::TCOOFF) or return;
    return ($master, $slave);
}

sub pause { select undef, undef, undef, 0.002 }

my $mute = tcp_listener();
my $m = $mute->sockport;
my $silent = udp_socket();
my $u = $silent->sockport;
my ($r, $w) = full_pipe();
my @runs = map {
    my ($command, @args) = split / /;
    [$_, start({ stderr => $w, timeout => 15 }, $command, '-vv', @args)];
} ("connect -m 1 --on-eof keep 127.0.0.1 $m",
    "connect --json -m 1 --on-eof keep 127.0.0.1 $m",
    "connect --idle-timeout .5 --on-eof keep 127.0.0.1 $m",
    "connect -w .5 --on-eof keep 127.0.0.1 $m",
    'listen -m 1 127.0.0.1 0',
    'listen --accept-timeout .5 127.0.0.1 0',
    'serve-hello --accept-timeout .5 127.0.0.1 0',
    "udp-send -m 1 -w 9 127.0.0.1 $u x",
    'udp-serve -m 1 127.0.0.1 0',
    'udp-serve --idle-timeout .5 127.0.0.1 0',
    "http-get -m 1 http://127.0.0.1:$m/",
    "http-get --idle-timeout .5 http://127.0.0.1:$m/",
    'portscan -m 1 --retry-for 9 --until open 127.0.0.1 1');
exits $_->[1]->finish, 5, "$_->[0] ends with a full pipe" for @runs;
my $told = start({ stderr => $w }, 'connect', '-vv', '--on-eof', 'keep', '127.0.0.1', $m);
pause() until is_asleep($told->{pid});
is $told->stop->{signal}, 15, 'a full stderr: a signal ends it';

# A client's own process holds its limits, too.
{
    my $l = tcp_listener();
    my $p = start({ stderr => $w, stdin => $l, timeout => 15 }, 'serve-hello',
        '--idle-timeout', '.5', '--accept-timeout', 1, '--fd', 0);
    my $c = tcp_client($l->sockport);
    my $got;
    1 while sysread $c, $got, 4096;
    pass 'the idle limit of serve-hello ends a connection';
    $r->blocking(0);
    1 while sysread $r, $got, 65536;
    $r->blocking(1);
    exchange($l->sockport, "exit\n");
    is $p->stop->{status}, 0, 'and it stops';
    close $w;
    my $text = '';
    1 while sysread $r, $text, 65536, length $text;
    like $text, qr/\A(?:sockt serve-hello: \N+\n)+\z/,
        'nothing is left of lines that were dropped';
}

SKIP: {
    my ($master, $slave) = stopped_terminal() or skip 'no terminals', 2;
    my $p = start({ stderr => $slave, timeout => 15 }, 'connect', '-vv', '-m',
        1, '--on-eof', 'keep', '127.0.0.1', $m);
    is $p->finish->{status}, 5, 'connect -m ends at a stopped terminal';
    POSIX::tcflow(fileno $slave, POSIX::TCOON);
    $p = start({ stderr => $slave, timeout => 15 }, 'connect', '-v', '-m', 1,
        '--on-eof', 'keep', '127.0.0.1', $m);
    my $got = '';
    alarm 10;
    sysread $master, $got, 4096, length $got or last
        while $got !~ /stopped after 1 s/;
    alarm 0;
    is $p->finish->{status}, 5, 'and at one that goes on, with its lines';
}

# A reader that comes back gets whole lines.
{
    my ($r2, $w2) = full_pipe();
    my $p = start({ stderr => $w2, timeout => 15 }, 'udp-serve', '-v',
        '--idle-timeout', 1, '127.0.0.1', '0');
    close $w2;
    sleep 1 while !is_asleep($p->{pid});
    my $text = '';
    1 while sysread $r2, $text, 65536, length $text;
    $p->finish;
    like $text, qr/^x+(?:sockt udp-serve: \N+\n){2,}(?<=received 0 datagrams\n)\z/,
        'a reader that comes back in time reads every line';
}

# The reader of a record or of stderr that stops reading holds up neither a
# limit nor a signal, and a pattern is found without a process to spare.
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $fifo = scratch() . '/fifo';
mkfifo($fifo, 0600) or die;

# Fills the record that nobody reads: the process, and what keeps it so.
sub stalled {
    my @options = @_;
    sysopen my $reader, $fifo, O_RDONLY | O_NONBLOCK or die;
    my $p = start('connect', @options, @to);
    my $c = $l->accept;
    syswrite $c, 'x' x 200_000;
    return ($p, $c, $reader);
}

for my $record ('-o', '-x') {
    for my $limit ('-m', '--idle-timeout') {
        my ($p, @held) = stalled($record, $fifo, $limit, '500ms');
        exits $p->finish(10), 5, "$record with $limit: one line says which and why",
            err => [qr{ 0\.5 s \(--(?:max-time|idle-timeout)\)},
            qr{^sockt connect: \N*/fifo: its reader took nothing.*\n\z}];
    }
    my ($p, @held) = stalled($record, $fifo);
    sysopen my $writer, $fifo, O_WRONLY | O_NONBLOCK or die;
    pause() while IO::Select->new($writer)->can_write(0);
    $p->signal('TERM');
    is $p->finish(10)->{signal}, 15, "$record: a signal ends it";
}

# No descriptor is left for the process that would look for the pattern.
my $p = start({ command => 'sh', stdin => '' }, '-c',
    'ulimit -n 6 && exec "$0" "$@"', sockt(), 'connect', '-m', '5',
    '--expect', 'a{2}', '--done', @to);
my $c = $l->accept;
syswrite $c, "aa\n";
shutdown $c, 1;
is $p->finish->{status}, 0, 'a pattern is found without descriptors';

# A file to write to that is a FIFO without a reader: opening it obeys
# --max-time and signals, and goes on when there is a reader.
my $dir = scratch();
$fifo = "$dir/fifo";
mkfifo($fifo, 0600) or die $!;
my $port = free_port();
my $s = http_server();

for my $args (['http-get', '-o', $fifo, "$s->{url}/"],
    ['connect', '-o', $fifo, 'localhost', $port],
    ['connect', '-x', $fifo, 'localhost', $port],
    ['listen', '-q', '-o', $fifo, '0'], ['listen', '-q', '-x', $fifo, '0']) {
    my ($command, @rest) = @$args;
    exits run({ timeout => 10 }, $command, '-m', '0.3', @rest), 5,
        "$command $rest[0]: --max-time ends it",
        err => qr/stopped after 0\.3 s \(--max-time\); opening \S+fifo: no program reads .*\n\z/;
    my $p = start($command, @rest);
    pause() until is_asleep($p->{pid});
    exits $p->stop, -15, "$command $rest[0]: SIGTERM ends it";
}

# With a reader it goes on.
$l = tcp_listener();
peer($l, sub { syswrite $_[0], 'body' });
for my $command (sub { get(answer('200 OK', 'body'), '/', '-q', '-o', $fifo) },
    sub { run('connect', '-o', $fifo, 'localhost', $l->sockport) }) {
    my $pid = Sockt::fork_child(sub { spew("$dir/got", slurp($fifo)) });
    is $command->()->{status}, 0, 'a FIFO with a reader: exit status';
    reap($pid);
    is slurp("$dir/got"), 'body', 'it has received the body, or the record';
}
kill 'KILL', $s->{pid};

done_testing;
