# -o, --append and -x: records of what went over the connection.
use Sockt;
use JSON::PP;

my $dir = scratch();
my $every = join '', map { chr } 0 .. 255;

sub against {
    my ($o, @options) = @_;
    my $l = tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        local $/;
        my $all = <$c>;
        print $c $every;
    });
    return run($o, 'connect', '127.0.0.1', $l->sockport, @options);
}

exits against({ stdin => 'x' }, '-o', "$dir/out"), "0 $every", '-o: stdout has it';
is slurp("$dir/out"), $every, 'and the file has it';
against({ stdin => 'x' }, '-o', "$dir/out");
is slurp("$dir/out"), $every, 'a second run replaces it';
against({ stdin => 'x' }, '-o', "$dir/out", '--append');
is slurp("$dir/out"), $every x 2, '--append appends';
exits against({ stdin => 'x', closed => [1] }, '-o', "$dir/out",
    '--send-only'), 0, '--send-only with -o';

exits against({ stdin => "Hello\r\n\0 world, 17 bytes" }, '-x', "$dir/hex"), 0,
    '-x: exit status';
my $hex = slurp("$dir/hex");
like $hex, qr/^> sent at \d\.\d{6} s: 24 bytes from offset 0$/m,
    'which way, when, how many, from where';
like $hex,
    qr/^00000000  48 65 6c 6c 6f 0d 0a 00  20 77 6f 72 6c 64 2c 20  \|Hello\.\.\. world, \|$/m,
    'sixteen bytes a line';
like $hex, qr/^00000010  31 37 20 62 79 74 65 73 {27}\|17 bytes\|$/m,
    'a short last line lines up';
like $hex, qr/^< received at \d\.\d{6} s: 256 bytes from offset 0$/m,
    'the other direction has offsets of its own';

# --- Names -----------------------------------------------------------------

exits against({ stdin => 'x' }, '-o', "$dir/%n-%d-%%", '-x', "$dir/hex%n"), 0,
    '%n, %d and %%: exit status';
is slurp("$dir/1-received-%"), $every, 'what was received';
is slurp("$dir/1-sent-%"), 'x', 'what was sent';
like slurp("$dir/hex1"), qr/^> sent at .*: 1 byte from offset 0$/m,
    '-x has a number too';
misused 'connect', qr/after % there may be n .* or another %\n/ =>
    [map { "127.0.0.1 1 $_" } '-o %x', '-o a%', '-x %d', '-x 100%'];

# --- Text ------------------------------------------------------------------

exits against({ stdin => "GET /\r\n\r\n\ttail\0" }, '--textdump', "$dir/text",
    '-x', "$dir/hex"), 0, '--textdump';
like slurp("$dir/text"), qr/\A
    >\ sent\ at\ \d\.\d{6}\ s:\ 15\ bytes\ from\ offset\ 0\n
    \ \ GET\ \/\\r\\n\n
    \ \ \\r\\n\n
    \ \ \\ttail\\x00\n
    <\ received\ at\ .*:\ 256\ bytes\ from\ offset\ 0\n
    \ \ \\x00.*\\n\n
    \ \ \\x0b/x, 'lines, escaped, with their newlines';
like slurp("$dir/hex"), qr/^00000000  47 45 54 /m, 'beside -x';
my $lines = "x\n" x 100_000;
against({ stdin => $lines }, '--textdump', "$dir/text");
is join('', map { s/\\n\z/\n/r } slurp("$dir/text") =~ /^  (x\\n)$/mg), $lines,
    'all of a long piece';

# --- Open descriptors are not opened again ---------------------------------

for my $fd ('/dev/stderr', '/dev/fd/2', '/proc/self/fd/2') {
    spew("$dir/log", "kept\n");
    my $l = tcp_listener();
    peer($l, sub { my ($c) = @_; 1 while <$c>; print $c 'answer' });
    system qq(printf question | "@{[sockt()]}" connect 127.0.0.1 )
        . $l->sockport . " -x $fd 2>>$dir/log >$dir/out";
    is $?, 0, "-x $fd: exit status";
    like slurp("$dir/log"), qr/\Akept\n> sent(?s:.*)\|answer\|\n\z/,
        'its file is not truncated';
}
{
    my $l = tcp_listener();
    peer($l, sub { my ($c) = @_; print $c 'answer' });
    system qq({ printf before >&7; "@{[sockt()]}" connect 127.0.0.1 )
        . $l->sockport . " -o /dev/fd/7 </dev/null; printf after >&7; } "
        . "7>$dir/log >$dir/out";
    is slurp("$dir/log"), 'beforeanswerafter', '-o /dev/fd/7: at its offset';
}
# --- Events ----------------------------------------------------------------

my $json = JSON::PP->new->utf8;
my $long = join '', map { chr rand 256 } 1 .. 100_000;
my $r = against({ stdin => $long }, '--json', '-x', "$dir/events");
is $r->{status}, 0, '-x with --json: exit status';
my %bytes = (sent => '', received => '');
my @faults;
for (split /\n/, slurp("$dir/events")) {
    my $ev = $json->decode($_);
    my $got = pack 'H*', $ev->{hex};
    push @faults, $_ if $ev->{event} ne 'data' || $ev->{truncated}
        || $ev->{bytes} != length $got
        || $ev->{offset} != length $bytes{ $ev->{direction} };
    $bytes{ $ev->{direction} } .= $got;
}
is "@faults", '', 'data events, in order';
ok $bytes{sent} eq $long, 'every byte sent';
ok $bytes{received} eq $every, 'and every byte received';
unlike $r->{err}, qr/"data"/, 'which are not on stderr';

# --- Several connections, one after another --------------------------------

my $p = start('listen', '-4', '-k', '--json', '-x', "$dir/many", '-o',
    "$dir/many.%n.%d", 0);
for my $n (1 .. 3) {
    exchange($p->port, "client $n");
    $p->expect(err => qr/"event":"closed",[^\n]*"connection":$n,/);
    is slurp("$dir/many.$n.received"), "client $n", "-k: client $n";
    is slurp("$dir/many.$n.sent"), '', 'was sent nothing';
}
$p->stop;
is join(' ', map { $json->decode($_)->{connection} }
    split /\n/, slurp("$dir/many")), '1 2 3', 'numbers in events';
is join(' ', $p->{err} =~ /"event":"accepted",[^\n]*"connection":(\d+),/g),
    '1 2 3', 'and in those of stderr';

$p = start('listen', '-4', '-k', '-v', '-x', "$dir/many", 0);
for my $n (1 .. 2) {
    my $c = tcp_client($p->port);
    print $c "client $n";
    shutdown $c, 1;
    do { local $/; <$c> };
    # The FIN that stdin's end causes may arrive before that is read.
    $p->expect(err => qr/closed 127\.0\.0\.1 port @{[ $c->sockport ]} /);
}
$p->stop;
like slurp("$dir/many"), qr/\A
    =\ connection\ 1\ from\ 127.0.0.1\ port\ \d+\ at\ [\d.]+\ s\n
    <\ received\ on\ connection\ 1\ at\ .*:\ 8\ bytes\ from\ offset\ 0\n.*\n
    =\ connection\ 2\ .*\n
    <\ received\ on\ connection\ 2\ at\ .*:\ 8\ bytes\ from\ offset\ 0\n/x,
    'numbers in the hex dump of listen -k';

# --- Errors ----------------------------------------------------------------

open my $full, '>', '/dev/full';
my @x = (stdin => 'x');
for my $row (
    ['an output that cannot be opened, and named', {}, qr{\Q$dir\E/no/such: no such file},
        '-o', "$dir/no/such"],
    ['a hex dump that cannot be opened', {}, qr/\Q$dir\E: /, '-x', $dir],
    ['a descriptor that is not open', {},
        qr{/dev/fd/63: descriptor 63 is not open$}, '-o', '/dev/fd/63'],
    ["one of sockt's own", {}, qr{/dev/fd/4: descriptor 4 is not open$}, '-o', '/dev/fd/4'],
    ['one that is open for reading only', { @x },
        qr{/dev/fd/0: descriptor 0 is open for reading only$}, '-o', '/dev/fd/0'],
    ['stdout that is closed', { @x, closed => [1] }, qr/: stdout is closed$/,
        '--send-only', '-x', '-'],
    -c '/dev/full' ? (
        ['stdout that is full', { @x, stdout => $full }, qr/: stdout: no space left/,
            '--send-only', '-x', '-'],
        ['a record that cannot be written', { @x }, qr/no space left/, '-o', '/dev/full'],
        ['a hex dump that cannot be written', { @x }, qr/no space left/, '-x', '/dev/full'],
    ) : (),
) {
    my ($name, $o, $says, @options) = @$row;
    exits against($o, @options), 11, "$name is status 11", err => $says;
}
# A record that is the file of stdin was emptied before anything was sent.
my $input = "$dir/input1";
my $link = "$dir/link";
spew($input, 'kept');
symlink $input, $link or die;
link $input, "$dir/hard" or die;
for my $command (['connect', '127.0.0.1', 9], ['listen', 0], ['listen', '-k', 0],
    ['listen', '--echo', 0], ['udp-send', '127.0.0.1', 9], ['udp-serve', '--print', 0]) {
    my ($name, @operands) = @$command;
    for my $record (['-x', $input], ['--textdump', $link], ['-x', "$dir/hard"],
        $name =~ /^udp/ ? () : (['-o', "$dir/input%n", '--append'])) {
        open my $in, '<', $input or die;
        exits run({ stdin => $in }, $name, @$record, @operands), 2,
            "$name @$record: status 2, where that is stdin", err => qr/is the file that stdin reads/,
            file => [$input, 'kept'];
    }
    next if $name eq 'listen' && "@operands" =~ /echo/;
    open my $in, '<', $input or die;
    open my $out, '>>', $input or die;
    exits run({ stdin => $in, stdout => $out }, $name, @operands), 2,
        "$name: status 2, where stdout is stdin", err => qr/stdout is the file that stdin reads/;
}

misused 'connect', qr/--append goes with a file/ => '127.0.0.1 1 --append';

# '-' is stdout where nothing else is written to it.
my $l = tcp_listener();
pipe my $in, my $ends or die;
my $pid = peer($l, sub {
    my ($c) = @_;
    syswrite $c, $every;
    close $ends;
    1 while sysread $c, my $got, 100;
});
close $ends;
is run({ stdin => $in }, 'connect', '127.0.0.1', $l->sockport, '--send-only',
    '-o', '-')->{out}, $every, '-o -: stdout, with --send-only';
reap($pid);
like against({ stdin => 'x' }, '--send-only', '-x', '-')->{out},
    qr/\A> sent at \N+\n00000000  78 /, '-x -: stdout, with --send-only';
ok !-e '-', 'and no file is made';

done_testing;
