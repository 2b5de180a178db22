# serve-hello greets, answers each message and leaves on "exit", as the
# tutorials' clients expect it: bare, LF, CRLF, split and joined messages.
use Sockt;
use Time::HiRes qw(time);

my $p = start('serve-hello', '0');
my $port = $p->port;

# What the server says next, as one read brings it.
sub hear {
    my ($c) = @_;
    my $n = $c->sysread(my $got, 65536);
    return $n ? $got : '';
}

# Exactly as many bytes as are expected, however they arrive.
sub hears {
    my ($c, $want, $name) = @_;
    my $got = '';
    while (length $got < length $want) {
        $c->sysread($got, 65536, length $got) or last;
    }
    is $got, $want, $name;
}

# The tutorials' client: bare words, one at a time.
my $c = tcp_client($port);
is hear($c), 'Welcome!', 'the welcome';
for my $name ('Michael', 'Tracy', 'Sarah') {
    $c->syswrite($name);
    is hear($c), "Hello, $name!", "the answer to $name, bare as it was";
}
$c->syswrite('exit');
is hear($c), '', 'exit closes';
$p->expect(err => qr/accepted 127\.0\.0\.1 port \d+/);
$p->expect(err => qr/127\.0\.0\.1 port \d+ says: Tracy\n/);
$p->expect(err => qr/closed 127\.0\.0\.1 port \d+ .*this side finished first/);

$c = tcp_client($port);
hears($c, 'Welcome!', 'welcome');
$c->syswrite("Michael\n");
hears($c, "Hello, Michael!\n", 'a line is answered by a line');
$c->syswrite("Tracy\r\n");
hears($c, "Hello, Tracy!\r\n", 'CRLF by CRLF');
$c->syswrite("one\ntwo\r\nthree\n");
hears($c, "Hello, one!\nHello, two!\r\nHello, three!\n",
    'three messages in one segment are three');
$c->syswrite($_) for split //, "split\n";
hears($c, "Hello, split!\n", 'one message in six segments is one');
$c->syswrite("\n");
hears($c, "Hello, !\n", 'an empty line is a message');
$c->syswrite("last");
shutdown $c, 1;
hears($c, 'Hello, last!', 'what is there at the end of input is answered');
is hear($c), '', 'and then the server finishes';

$c = tcp_client($port);
hears($c, 'Welcome!', 'welcome');
$c->syswrite("exit\r\n");
is hear($c), '', 'exit may come as a line';

# Longer than the bound.
$c = tcp_client($port);
hears($c, 'Welcome!', 'welcome');
$c->syswrite('x' x 8192 . "\n");
hears($c, 'Hello, ' . 'x' x 8192 . "!\n", 'the longest message');
$c->syswrite('x' x 20_000);
hears($c, "error: a message may have 8192 bytes at most\n",
    'a longer one is answered with an error line');
is hear($c), '', 'and closed';

# What a peer says is escaped in the log.
$c = tcp_client($port);
$c->syswrite("\e[2J\n");
$p->expect(err => qr/says: \\e\[2J\n|says: \\x1[bB]\[2J\n/);
unlike $p->{err}, qr/\e/, 'no control byte reaches the log';
close $c;

# Ten slow clients and some fast ones, of which a busy machine may delay a few.
my @slow = map { tcp_client($port) } 1 .. 10;
$_->syswrite('slo') for @slow;
my @ms;
for (1 .. 5) {
    my $start = time;
    $c = tcp_client($port);
    hears($c, 'Welcome!', 'a fast one is greeted');
    $c->syswrite("fast\n");
    hears($c, "Hello, fast!\n", 'and answered');
    push @ms, (time - $start) * 1000;
}
cmp_ok +(sort { $a <=> $b } @ms)[0], '<', 100, 'in under 100 ms';

my @served = children($p->{pid});
my $r = $p->stop;
is $r->{status}, 0, 'TERM ends the server with status 0';
is hear($_) =~ /^(Welcome!)?(Hello, slo!)?$/ ? 1 : 0, 1, 'slow one is let go'
    for @slow[0, 9];
is join(' ', grep { is_running($_) } @served), '', 'no child is left';

done_testing;
