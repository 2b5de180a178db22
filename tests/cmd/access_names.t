# Host names in --allow and --deny: every address counts, and none is open
# because it could not be looked up.
use Sockt;

my $names = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build") . '/tests/sockt-names';
plan skip_all => "$names is not built" unless -x $names;

my %resolver = (SOCKT_TEST_NAMES => join ' ',
    'here=127.0.0.1,::1', 'four=127.0.0.1', 'six=::1', 'far=192.0.2.7',
    'mapped=::ffff:127.0.0.1', 'none=none', 'nodata=nodata',
    'half=127.0.0.1,fail6', 'other=::1,fail4', '3com.example=127.0.0.1');

sub options { return { command => $names, env => {%resolver} } }

# Whether a client from host gets an answer, and what the server reports.
sub asked {
    my ($host, $command, @o) = @_;
    my $p = start(options(), $command, '-v', $host =~ /:/ ? '-6' : '-4', @o, 0);
    my $port = $p->port;
    my $got = '';
    if ($command eq 'udp-serve') {
        my $c = udp_socket(host => $host, peer => [ $host, $port ]);
        $c->send('x');
        $p->expect(err => qr/ says: x|ignored/);
        return $p->stop->{err} =~ /ignored: rejected/ ? '' : 'x';
    }
    my $c = tcp_client($port, $host);
    print $c "x\n";
    shutdown $c, 1;
    $got = do { local $/; <$c> } // '';
    my $r = $p->stop;
    is $r->{status}, 0, 'the server ends well';
    return wantarray ? ($got, $r->{err}) : $got;
}

for my $command ([ 'listen', '-k', '--echo' ], [ 'serve-hello' ],
    [ 'udp-serve' ]) {
    my $name = $command->[0];
    ok asked('127.0.0.1', @$command, '--allow', 'four'),
        "$name: a name is allowed";
    ok !asked('127.0.0.1', @$command, '--allow', 'far'),
        "$name: another one is not";
    ok !asked('127.0.0.1', @$command, '--deny', 'four'),
        "$name: a name is denied";
}
my ($got, $err) = asked('127.0.0.1', 'listen', '-k', '--echo', '--deny', 'here');
is $got, '', 'its IPv4 address is denied';
like $err, qr/: here is 127\.0\.0\.1\n.*: here is ::1\n/, '-v tells both';
SKIP: {
    skip 'no IPv6', 6 unless has_ipv6();
    is asked('::1', 'listen', '-k', '--echo', '--deny', 'here'), '',
        'and its IPv6 address';
    is asked('::1', 'listen', '-k', '--echo', '--deny', 'four'), "x\n",
        'but nothing else';
    is asked('::1', 'listen', '-k', '--echo', '--allow', 'six'), "x\n",
        'a name with IPv6 only';
}
is asked('127.0.0.1', 'listen', '-k', '--echo', '--allow', 'mapped'), "x\n",
    'a mapped address counts as IPv4';
is asked('127.0.0.1', 'listen', '-k', '--echo', '--allow',
    '192.0.2.1,3com.example,10.0.0.0/8'), "x\n", 'among others, with commas';
my $list = spew(scratch() . '/list', "# us\nfour   # here\n");
is asked('127.0.0.1', 'listen', '-k', '--echo', '--allow', "\@$list"), "x\n",
    'in a file';
is asked('127.0.0.1', 'listen', '-k', '--echo', '--deny', 'four', '--allow',
    '127.0.0.0/8'), '', 'the first rule wins';

# Names that cannot be looked up.
for my $case ([ 'none', qr/none: name not found/ ],
    [ 'nodata', qr/nodata: no address/ ], [ 'no-such.example', qr/no-such.example: name not found/ ],
    [ 'four,none', qr/none: name not found/ ]) {
    my ($name, $why) = @$case;
    for my $o ('--allow', '--deny') {
        my $r = run(options(), 'listen', '-k', '--echo', $o, $name, 0);
        is $r->{status}, 3, "$o $name: status 3";
        like $r->{err}, qr/listen: $o: $why/, 'which says why';
        unlike $r->{err}, qr/listening/, 'and nothing listens';
    }
}
# Half of a name: a missing rule that allows closes, one that denies would open.
for my $case ([ 'half', 4, '127.0.0.1', "x\n" ], [ 'other', 6, '127.0.0.1', '' ]) {
    my ($name, $family, $host, $expected) = @$case;
    my $denied = run(options(), 'listen', '-k', '--echo', '--deny', $name, 0);
    is $denied->{status}, 3, "--deny $name: status 3";
    like $denied->{err}, qr/--deny: $name: name not resolved/, 'and why';
    next if $family == 6 && !has_ipv6();
    ($got, $err) = asked($host, 'listen', '-k', '--echo', '--allow', $name);
    is $got, $expected, "--allow $name: its IPv$family addresses are allowed";
    like $err, qr/$name: name not resolved .*; --allow accepts only its IPv$family/,
        'which is told';
}
spew($list, "four\nnone\n");
my $r = run(options(), 'serve-hello', '--deny', "\@$list", 0);
is $r->{status}, 3, 'in a file too';
like $r->{err}, qr/\Q$list\E line 2: none: name not found/, 'with its line';

# What looks like an address is not looked up.
for my $bad ('1.2.3', '1.2.3.4.5', '127.0.0.256', '10.0.0.0-10.0.0.9',
    'four/8', '::g', 'four:80', '[::1]', '*', '', '127.0.0.1,', 'a b', '-',
    '10.0.0.0/33', 'fe80::1%none') {
    $r = run(options(), 'listen', "--allow=$bad", 0);
    is $r->{status}, 2, "'$bad' is a usage error";
}
$r = run(options(), 'listen', '-n', '--allow', 'four', 0);
is $r->{status}, 2, '-n: a name is a usage error';
like $r->{err}, qr/--allow: four is not a numeric address/, 'which says so';

done_testing;
