# Every command with --json, whose reader pauses for longer than it takes until
# a wait is reported: each line that arrives is an object, and none is missing.
use Sockt;
use JSON::PP;
use Socket;
use SocktHttp;

# The wait of a command is reported after 3 s.
my $PAUSE = 3.3;

my @closed = map { free_port() } 1 .. 3;
my $listener = tcp_listener();
my $open = $listener->sockport;
my $greeter = tcp_listener();
peer($greeter, sub { my $c = shift; print $c 'hello' });
my $datagrams = udp_socket();
my $web = http_server("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");

my $portable = run('--version')->{out} =~ /posix/;

# A command; its arguments, or the inherited socket of a server and what its
# client sends while the reader pauses; the names of the events. A command whose
# stdout has no data of its own writes its events there.
my @rows = (
    ['stdout', 'connect -z', [map { "127.0.0.1:$_" } $open, @closed],
        'connected error error error tested tested tested tested'],
    ['stdout', 'connect -z --count 3', ['127.0.0.1', $open],
        'connected connected connected summary tested tested tested'],
    ['stderr', 'connect --recv-only', ['127.0.0.1', $greeter->sockport], 'closed connected'],
    ['stdout', 'connect --trace', ['127.0.0.1', $open], $portable ? 'error' : 'hop'],
    ['stderr', 'listen --echo --fd 0', [tcp_listener(), "x\n"], 'accepted closed listening'],
    ['stderr', 'serve-hello --fd 0', [tcp_listener(), "Michael\nexit\n"],
        'accepted closed listening message message'],
    ['stderr', 'http-get', [$web->{url}], 'closed connected response'],
    ['stdout', 'udp-send --stats --count 3 -w .1', ['127.0.0.1', $datagrams->sockport, 'x'],
        'connected error summary'],
    ['stderr', 'udp-serve --count 1 --fd 0', [udp_socket(), 'x'], 'listening message summary'],
    ['stdout', 'portscan -a', ['127.0.0.1', join ',', $open, @closed],
        'port port port port summary'],
);

my @runs;
for my $row (@rows) {
    my ($stream, $command, $args) = @$row;
    my ($r, $w) = full_pipe();
    my ($name, @options) = split / /, $command;
    my %o = ($stream => $w, timeout => 30);
    my $c;
    if (my $socket = ref $args->[0] && $args->[0]) {
        $o{stdin} = $socket;
        my @address = ('127.0.0.1', $socket->sockport);
        $c = $socket->socktype == SOCK_DGRAM ? udp_socket(peer => \@address)
                                             : tcp_client($address[1]);
        syswrite $c, $args->[1];
        $args = [];
    }
    push @runs, [start(\%o, $name, '--json', @options, @$args), $r, $c];
    close $w;
}
select undef, undef, undef, $PAUSE;
for my $i (0 .. $#rows) {
    my ($stream, $command, $args, $expected) = @{ $rows[$i] };
    my ($p, $r, $c) = @{ $runs[$i] };
    my $text = '';
    shutdown $c, 1 if defined $c;
    while (sysread $r, $text, 65536, length $text) {
        $p->signal('TERM') if $command =~ /^serve-hello/ && $text =~ /"closed"/;
    }
    $p->finish;
    $text =~ s/\Ax+//;
    my @names = map { eval { decode_json($_)->{event} } // "not an object: $_" }
        split /^/, $text;
    is join(' ', sort grep { $_ ne 'waiting' } @names), $expected,
        "$command: each line is an object, and none is missing";
}

done_testing;
