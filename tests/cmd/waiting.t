# What a person could not guess is not waited for in silence: after three seconds
# one line, wherever stderr leads, an event with --json, and nothing with -q.
use Sockt;
use SocktTls;
use POSIX qw(mkfifo);

my $dir = scratch();
my $names = built('sockt-names');

# A listener that answers nothing, and one whose queue is full.
my $silent = tcp_listener();
my ($full, @fill) = full_listener();
my $open = tcp_listener();
mkfifo("$dir/fifo", 0600);
my @host = ('127.0.0.1', $silent->sockport);

# Name, line, command line, and what to do with the process then.
my @rows = (
    ['a pattern', qr/waiting for --expect 2 of 2 \('\^250 '\); received so far: 'mx\\x1b\.example\\r\\n'/,
        ['connect', @host, '--expect', '^220-', '--send', 'x\n', '--expect',
            '^250 ', '--done'],
        sub {
            my $c = $silent->accept;
            syswrite $c, "220-mx\e.example\r\n";
            return $c;
        }],
    ['an idle stdin', qr/the peer has finished; waiting for the end of stdin, which is still sent \(--on-peer-eof quit or --recv-only would not wait\)/,
        ['connect', @host],
        sub { my $c = $silent->accept; shutdown $c, 1; return $c }],
    ['a peer that does not finish', qr/stdin has ended; waiting for the peer to finish \(--linger limits this\)/,
        ['connect', @host],
        sub {
            my $c = $silent->accept;
            $_[0]->send_line('QUIT');
            $_[0]->close_stdin;
            return $c;
        }],
    ['a receiver with -k', qr/the peer has finished, and has sent nothing; the rest of stdin is sent to it until another client connects/,
        ['listen', '-k', 0],
        sub { my $c = tcp_client($_[0]->port); shutdown $c, 1; return $c }],
    ['no answer', qr/connecting to 127\.0\.0\.1 port \d+: no answer yet \(--connect-timeout limits this\)/,
        ['connect', '127.0.0.1', $full->sockport]],
    ['no answer, with a limit', qr/connecting to 127\.0\.0\.1 port \d+: no answer yet/,
        ['connect', '-w', 60, '127.0.0.1', $full->sockport]],
    ['no answer to a test', qr/connecting to 127\.0\.0\.1 port \d+: no answer yet \(--connect-timeout limits this\)/,
        ['connect', '-z', '127.0.0.1', $full->sockport]],
    ['no answer to several', qr/connecting to 127\.0\.0\.1 port \d+ and 1 more: no answer yet(?=\n)/,
        ['connect', '-z', '-w', 60,
            map { '127.0.0.1:' . $full->sockport } 1, 2]],
    ['no answer, beside results', qr/connecting to 127\.0\.0\.1 port \d+: no answer yet \(--connect-timeout limits this\)/,
        ['connect', '-z', '--interval', '0.5',
            map { '127.0.0.1:' . $_->sockport } $open, $full]],
    ['no answer from a proxy', qr/connecting to far port 80 through the SOCKS5 proxy 127\.0\.0\.1 port \d+ \(--proxy\): no answer yet/,
        ['connect', '--proxy', "socks5h://127.0.0.1:$host[1]", 'far', 80]],
    ['a lookup', qr/looking up slow port 80: no answer yet \(--connect-timeout limits this\)/,
        ['connect', 'slow', 80]],
    ['a lookup for a test', qr/looking up slow port 80: no answer yet \(/,
        ['connect', '-z', 'slow', 80]],
    ['a full server', qr/1 connection open, as --max-conns allows: the next client waits until one ends/,
        ['listen', '-k', '--max-conns', 1, '--echo', 0],
        sub { [map { tcp_client($_[0]->port) } 1, 2] }],
    ['a FIFO', qr/$dir\/fifo: waiting until a program reads from this FIFO/,
        ['listen', '-o', "$dir/fifo", 0]],
    ['a response', qr/127\.0\.0\.1 port \d+: the request was sent; no response yet \(--timeout limits this\)/,
        ['http-get', "127.0.0.1:$host[1]"]],
    ['a response, with a limit', qr/127\.0\.0\.1 port \d+: the request was sent; no response yet(?=[;\n])/,
        ['http-get', '-w', 60, "127.0.0.1:$host[1]"]],
    ['a response through a proxy', qr/far port 80: the request was sent; no response yet/,
        ['http-get', '--proxy', "127.0.0.1:$host[1]", 'http://far/']],
);
push @rows, ['STARTTLS', qr/--starttls smtp: no answer from the server yet \(does it speak this protocol\?\)/,
    ['connect', '--starttls', 'smtp', @host]] if tls_is_available();
push @rows, ['a handshake', qr/waiting for the handshake/,
    ['connect', '--tls', @host]] if tls_is_available();

# All wait at the same time.
my @started;
for my $row (@rows) {
    my ($name, $line, $command, $then) = @$row;
    my @command = @$command;
    for my $how ('', '-q', '--json') {
        my @how = $how ? $how : ();
        my $o = { keep_stdin => 1,
            env => { SOCKT_TEST_NAMES => 'slow=hang' },
            $name =~ /^a lookup/ ? (command => $names) : () };
        # With -q there is no announcement.
        next if $how eq '-q' && $command[0] eq 'listen' && $then;
        my $p = start($o, $command[0], @how, @command[1 .. $#command]);
        # The events of a test are its result.
        my $to = $how eq '--json' && $command[1] eq '-z' ? 'out' : 'err';
        push @started,
            [$name, $how, $line, $p, $to, $then ? $then->($p) : undef];
    }
}
for my $s (grep { $_->[1] ne '-q' } @started) {
    my ($name, $how, $line, $p, $to) = @$s;
    $p->expect($to => $how ? qr/"event":"waiting".*"text":/ : qr/: $line.*\n/);
    pass "$name $how";
}
for my $s (@started) {
    my ($name, $how, $line, $p, $to) = @$s;
    $line = qr/"event":"waiting"/ if $how eq '--json';
    my $shown = () = $p->{$to} =~ /$line.*\n/g;
    is $shown, $how eq '-q' ? 0 : 1, "$name $how: so often";
    # Not KILL: portably, the process that looks a name up would stay.
    $p->signal('TERM');
    $p->finish;
}

done_testing;
