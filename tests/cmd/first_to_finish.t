# Who finished first: both ends of a connection say the same, whatever the
# order in which they finish. (If two FINs cross, each says that it was first:
# no test of that race.) SOCKT_RUNS: how often each order is tried.
use Sockt;
use JSON::PP;

my $runs = $ENV{SOCKT_RUNS} || 5;

# first of the closed event.
sub first {
    my ($err) = @_;
    my ($line) = grep { /"event":"closed"/ } split /\n/, $err;
    return $line ? decode_json($line)->{first} : 'no closed event';
}

# What both ends say after the client has been run with input, and the server,
# with its options and input.
sub story {
    my ($input, $client, $server_input, @server) = @_;
    my $s = start({ stdin => $server_input }, 'listen', '-v', '--json', '-4',
        @server, 0);
    my $c = start({ stdin => $input }, 'connect', '-v', '--json', @$client,
        '127.0.0.1', $s->port);
    my ($rc, $rs) = ($c->finish, $s->finish);
    return join ' ', first($rc->{err}), first($rs->{err});
}

my %same = map { $_ => 1 } 'us peer', 'peer us', 'nobody nobody';
my @orders = (
    [ 'the client, to an echo', qr/^us peer$/, "hello\n", [], '', '--echo' ],
    [ 'the server, with a client that goes on', qr/^peer us$/, undef,
        ['--recv-only'], "answer\n" ],
    [ 'the client, to a program', qr/^us peer$/, "hello\n", [], '', '-e',
        'cat' ],
    [ 'the client, by --done', qr/^us peer$/, '',
        ['--send', 'x\n', '--expect', 'x', '--done'], '', '--echo' ],
    [ 'the server, by a program', qr/^peer us$/, undef, ['--recv-only'], '',
        '-e', 'echo x' ],
    [ 'the client, in bulk', qr/^us peer$/, 'x' x 3_000_000, [], '',
        '--discard' ],
);
# The portable twin does not know what a program did with its connection.
@orders = grep { $_->[0] !~ /program/ } @orders
    if run('--version')->{out} =~ /posix/;
for my $order (@orders) {
    my ($name, $expected, @how) = @$order;
    my %stories;
    $stories{ story(@how) }++ for 1 .. $runs;
    my @wrong = grep { !$same{$_} || !/$expected/ } keys %stories;
    is join(', ', map { "$_: $stories{$_} times" } @wrong), '',
        "$name: both say the same";
    note join ', ', map { "$_: $stories{$_}" } sort keys %stories;
}

# When a record cannot be written, the peer has not finished first.
done_testing, exit unless -c '/dev/full';
my $l = tcp_listener();
my $p = start({ keep_stdin => 1 }, 'connect', '--json', '-o', '/dev/full',
    '127.0.0.1', $l->sockport);
my $c = $l->accept;
syswrite $c, "hello\n";
is $p->expect(err => qr/"event":"closed".*"first":"(\w+)"/), 'us',
    'this side ended it';
is $p->finish->{status}, 11, 'the file is full';

done_testing;
