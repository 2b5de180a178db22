# --send and --expect: a conversation from the command line.
use Sockt;

# The tutorials' hello server, and one that says back every byte in hex.
my $hello = sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c "Welcome!\n";
    while (my $line = <$c>) {
        $line =~ s/\r?\n\z//;
        last if $line eq 'exit';
        print $c "Hello, $line!\n";
    }
};

sub against {
    my ($code, $o, @options) = @_;
    my $l = tcp_listener();
    peer($l, $code);
    return run($o, 'connect', '127.0.0.1', $l->sockport, @options);
}

my $r = against($hello, {}, '--expect', 'Welcome',
    map({ ('--send', "$_\\n", '--expect', "Hello, $_!") }
        qw(Michael Tracy Sarah)),
    '--send', 'exit\n', '--done');
is $r->{status}, 0, 'the client of the tutorials in one line';
is $r->{out}, "Welcome!\nHello, Michael!\nHello, Tracy!\nHello, Sarah!\n",
    'prints each answer';

$r = against($hello, { stdin => "Bob\nexit\n" }, '--send', 'Al\n',
    '--expect', 'Hello, Al');
is $r->{out}, "Welcome!\nHello, Al!\nHello, Bob!\n",
    'after the last step the relay goes on';

$r = against(sub {
    my ($c) = @_;
    sysread $c, my $got, 100;
    print $c unpack 'H*', $got;
}, {}, '--send', 'a\r\n\t\\\\\0\x7f\xFF', '--expect', '7fff', '--done');
is $r->{out}, '610d0a095c007fff', 'escapes of --send';

$r = against(sub {
    my ($c) = @_;
    $c->autoflush(1);
    print $c "Hel";
    select undef, undef, undef, 0.05;
    print $c "lo\0World";
    sysread $c, my $got, 1;
}, {}, '--expect', 'Hello.Wor+ld', '--done');
is $r->{status}, 0, 'a pattern matches over pieces, and over a NUL';

$r = against(sub {
    my ($c) = @_;
    print $c "one two";
    sysread $c, my $got, 1;
}, {}, '--expect', 'one', '--expect', 'one', '--expect-timeout', '100ms');
is $r->{status}, 9, 'each pattern matches behind the one before: status 9';
like $r->{err},
    qr/: --expect 2 of 2 \('one'\): it was not received within 0\.1 s \(--expect-timeout\); received instead: ' two'/,
    'which it was, why it failed, what came instead';

$r = against(sub { my ($c) = @_; print $c "\e[31mnope\n" }, {},
    '--expect', 'yes', '--done');
is $r->{status}, 9, 'the peer finishes first: status 9';
like $r->{err}, qr/the peer finished; received instead: '\\x1b\[31mnope\\n'/,
    'what came is escaped';

$r = against(sub { my ($c) = @_; my $x = <$c> }, {}, '--send', "x\\n",
    '--done');
is $r->{status}, 0, '--done alone: sends and leaves';

my $text = 'w' x 70_000;
$r = against(sub {
    my ($c) = @_;
    print $c "$text end";
    sysread $c, my $got, 1;
}, {}, '--expect', 'w end', '--done');
is $r->{status}, 0, 'a match behind more than a window of other bytes';
is length $r->{out}, 70_004, 'which are all written';

# Patterns: lines, escapes, the end of the stream.
sub says {
    my ($text, @options) = @_;
    return against(sub {
        my ($c) = @_;
        print $c $text;
        sysread $c, my $got, 1;
    }, {}, '--expect-timeout', 5, @options, '--done');
}

$r = says("250-a\r\n250-b\r\n250 done\r\n", '--expect', '^250 .*done$',
    '--expect', '^never$', '--expect-timeout', '100ms');
like $r->{err}, qr/--expect 2 of 2 \('\^never\$'\): it was not received/,
    '^ and $ are those of lines, which end in CRLF';
is says("a\0\x{1b}.\r\n", '--expect', 'a\0\e\.\r\n')->{status}, 0,
    'escapes of --expect';
is says("a]\r\n", '--expect', '^[a\x5d]+$')->{status}, 0,
    'they work in brackets';
is says('[a-z]', '--expect', '^\[a-z\]')->{status}, 0,
    'a backslash makes other characters literal';
$r = against(sub { my ($c) = @_; print $c "a\nthe end" }, {}, '--expect',
    '^the end$', '--done');
is $r->{status}, 0, '$ is the end of the stream too';
ok !$r->{timed_out}, 'which is noticed';

for my $case (
    [ 'no such escape', '--send', '\q' ],
    [ 'half a byte', '--send', '\x1' ],
    [ 'a bad pattern', '--expect', '(' ],
    [ 'no such escape of a pattern', '--expect', 'a\q' ],
    [ 'half a byte of a pattern', '--expect', '\x1' ],
    [ 'a back reference', '--expect', '(a)\1' ],
    [ '--done without a step', '--done' ],
    [ '--expect-timeout without a step', '--expect-timeout', 1 ],
    [ 'a script without a relay', '-z', '--send', 'x' ],
) {
    my ($name, @options) = @$case;
    is run('connect', '127.0.0.1', 1, @options)->{status}, 2,
        "$name is a usage error";
}

done_testing;
