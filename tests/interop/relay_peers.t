# connect and listen with the real things, in both directions, half-close
# included: nc (OpenBSD), ncat, socat, tcpserver and tcpclient.
use Sockt;

my $dir = scratch();
my $ours = spew("$dir/ours", join '', map { pack 'N', $_ } 1 .. 50_000);
my $theirs = spew("$dir/theirs", join '', map { pack 'n', $_ } 1 .. 60_000);

# Files as stdin and stdout of a program beside the test: nobody empties a pipe
# meanwhile.
sub opened { my ($path) = @_; open my $f, '<:raw', $path or die; return $f }

sub files {
    my ($stdin) = @_;
    open my $out, '>:raw', "$dir/out" or die;
    return { stdin => opened($stdin), stdout => $out };
}

sub came { my ($peer) = @_; $peer->finish; return slurp("$dir/out") }

my $late = 'cat > /dev/null; sleep 1.2; echo late';

# --- sockt connect against their servers -----------------------------------

my $listen = 'TCP-LISTEN:PORT,bind=127.0.0.1,reuseaddr';
my %servers = (
    nc    => ['nc.openbsd', '-l', '-N', '127.0.0.1', 'PORT'],
    ncat  => ['ncat', '-l', '127.0.0.1', 'PORT'],
    socat => ['socat', '-t', 5, '-', $listen],
);
for my $name (sort keys %servers) {
    my ($server, $port) = start_server(files($theirs), @{ $servers{$name} });
    my $r = run({ stdin => opened($ours) }, 'connect', '127.0.0.1', $port);
    is $r->{status}, 0, "connect to $name: status" or diag $r->{err};
    ok $r->{out} eq slurp($theirs), "connect to $name: theirs is whole";
    ok came($server) eq slurp($ours), "connect to $name: ours too";
}

# ncat ends its --sh-exec with our FIN.
my %late_servers = (
    socat => ['socat', '-t', 5, $listen, "SYSTEM:$late"],
    tcpserver => ['tcpserver', '-RHl0', '127.0.0.1', 'PORT', 'sh', '-c', $late],
);
for my $name (sort keys %late_servers) {
    my ($server, $port) = start_server(@{ $late_servers{$name} });
    exits run({ stdin => 'question' }, 'connect', '127.0.0.1', $port),
        "0 late\n", "connect to $name: an answer 1.2 s after our FIN";
    $server->stop;
}

# --- Their clients against sockt listen ------------------------------------

# The FIN of tcpclient waits for both of its programs.
my %clients = (
    nc    => ['nc.openbsd', '-N', '127.0.0.1', 'PORT'],
    ncat  => ['ncat', '127.0.0.1', 'PORT'],
    socat => ['socat', '-t', 5, '-', 'TCP:127.0.0.1:PORT'],
    tcpclient => ['tcpclient', '-RHl0', '127.0.0.1', 'PORT', 'sh', '-c',
        'cat <&6 & cat >&7; exec 7>&-; wait'],
);

# What a client gets from a port for this stdin.
sub client {
    my ($name, $port, $stdin) = @_;
    my ($command, @args) = map { s/PORT/$port/r } @{ $clients{$name} };
    return run({ command => $command, stdin => $stdin }, @args)->{out};
}

for my $name (sort keys %clients) {
    my $server = start('listen', '-e', $name eq 'tcpclient'
        ? 'head -c 8 > /dev/null; sleep 1.2; echo late' : $late, 0);
    is client($name, $server->port, 'question'), "late\n",
        "$name to listen: an answer 1.2 s after its FIN";
    $server->finish;
    next if $name eq 'tcpclient';
    $server = start(files($ours), 'listen', 0);
    ok client($name, $server->port, opened($theirs)) eq slurp($ours),
        "$name to listen: ours";
    is $server->finish->{status}, 0, "$name to listen: status";
    ok slurp("$dir/out") eq slurp($theirs), "$name to listen: theirs";
}

# Forwarding between them.
my ($socat, $port) = start_server('socat', '-t', 5, "$listen,fork",
    'SYSTEM:tr a-z A-Z');
my $forwarder = start('listen', '-k', '--to', "127.0.0.1:$port", 0);
is client($_, $forwarder->port, 'abc'), 'ABC', "$_ by way of --to to socat"
    for 'nc', 'ncat', 'socat';
$_->stop for $forwarder, $socat;

done_testing;
