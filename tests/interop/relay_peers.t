# connect and listen with the real things, in both directions, half-close
# included: nc (OpenBSD), ncat, socat, tcpserver and tcpclient.
use Sockt;

for my $peer (qw(nc.openbsd ncat socat tcpserver tcpclient)) {
    ok scalar(grep { -x "$_/$peer" } split(/:/, $ENV{PATH}), '/usr/sbin'),
        "$peer is installed";
}

my $dir = scratch();
my $ours = spew("$dir/ours", join '', map { pack 'N', $_ } 1 .. 50_000);
my $theirs = spew("$dir/theirs", join '', map { pack 'n', $_ } 1 .. 60_000);

sub opened { my ($path) = @_; open my $f, '<:raw', $path or die; return $f }

# A peer beside the test, with files as its stdin and stdout: nobody empties
# a pipe meanwhile.
sub beside {
    my ($stdin, @command) = @_;
    open my $out, '>:raw', "$dir/out" or die;
    return start({ command => shift @command, stdin => opened($stdin),
        stdout => $out }, @command);
}

sub came { my ($peer) = @_; $peer->finish; return slurp("$dir/out") }

my $late = 'cat > /dev/null; sleep 1.2; echo late';

# --- sockt connect against their servers -----------------------------------

my %servers = (
    'nc' => sub { ('nc.openbsd', '-l', '-N', '127.0.0.1', $_[0]) },
    'ncat' => sub { ('ncat', '-l', '127.0.0.1', $_[0]) },
    'socat' => sub {
        ('socat', '-t', 5, '-', "TCP-LISTEN:$_[0],bind=127.0.0.1,reuseaddr");
    },
);
for my $name (sort keys %servers) {
    my $port = free_port();
    my $server = beside($theirs, $servers{$name}->($port));
    my $r = run({ stdin => opened($ours) }, 'connect', '--retry-for', 20,
        '127.0.0.1', $port);
    is $r->{status}, 0, "connect to $name: status" or diag $r->{err};
    ok $r->{out} eq slurp($theirs), "connect to $name: theirs is whole";
    ok came($server) eq slurp($ours), "connect to $name: ours too";
}

my %late_servers = (
    # ncat ends its --sh-exec with our FIN.
    'socat' => sub {
        ('socat', "TCP-LISTEN:$_[0],bind=127.0.0.1,reuseaddr", '-t', 5,
            "SYSTEM:$late");
    },
    'tcpserver' => sub {
        ('tcpserver', '-RHl0', '127.0.0.1', $_[0], 'sh', '-c', $late);
    },
);
for my $name (sort keys %late_servers) {
    my $port = free_port();
    my @command = $late_servers{$name}->($port);
    @command[1 .. 4] = @command[2, 3, 1, 4] if $name eq 'socat';
    my $server = beside('/dev/null', @command);
    my $r = run({ stdin => 'question' }, 'connect', '--retry-for', 20,
        '127.0.0.1', $port);
    is "$r->{status} $r->{out}", "0 late\n",
        "connect to $name: an answer 1.2 s after our FIN";
    $server->signal('TERM');
    $server->finish;
}

# --- Their clients against sockt listen ------------------------------------

my %clients = (
    'nc' => sub { ('nc.openbsd', '-N', '127.0.0.1', $_[0]) },
    'ncat' => sub { ('ncat', '127.0.0.1', $_[0]) },
    'socat' => sub { ('socat', '-t', 5, '-', "TCP:127.0.0.1:$_[0]") },
    'tcpclient' => sub {
        ('tcpclient', '-RHl0', '127.0.0.1', $_[0], 'sh', '-c',
            'cat <&6 & cat >&7; exec 7>&-; wait');
    },
);
for my $name (sort keys %clients) {
    next if $name eq 'tcpclient';    # its FIN waits for both programs
    my $server = beside($ours, sockt(), 'listen', 0);
    my ($client, @arguments) = $clients{$name}->($server->port);
    my $r = run({ command => $client, stdin => opened($theirs) },
        @arguments);
    ok $r->{out} eq slurp($ours), "$name to listen: ours";
    is $server->finish->{status}, 0, "$name to listen: status";
    ok slurp("$dir/out") eq slurp($theirs), "$name to listen: theirs";
}
for my $name (sort keys %clients) {
    my $server = start('listen', '-e', $name eq 'tcpclient'
        ? 'head -c 8 > /dev/null; sleep 1.2; echo late' : $late, 0);
    my $r = run({ command => ($clients{$name}->($server->port))[0],
            stdin => 'question' },
        splice @{ [ $clients{$name}->($server->port) ] }, 1);
    is $r->{out}, "late\n", "$name to listen: an answer 1.2 s after its FIN";
    $server->finish;
}

# Forwarding between them.
my $port = free_port();
my $behind = start({ command => 'socat' }, '-t', 5,
    "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork", 'SYSTEM:tr a-z A-Z');
is run('connect', '-z', '--retry-for', 20, '127.0.0.1', $port)->{status}, 0,
    'socat listens';
my $forwarder = start('listen', '-k', '--to', "127.0.0.1:$port", 0);
my $through = $forwarder->port;
for my $name ('nc', 'ncat', 'socat') {
    my ($command, @arguments) = $clients{$name}->($through);
    is run({ command => $command, stdin => 'abc' }, @arguments)->{out},
        'ABC', "$name by way of --to to socat";
}
$_->signal('TERM'), $_->finish for $forwarder, $behind;

done_testing;
