# Messages with escapes and in hexadecimal: bytes that cannot be typed.
use Sockt;
use IO::Select;

my $s = udp_socket();
my $port = $s->sockport;
my @to = ('127.0.0.1', $port);

# What has arrived, in order.
sub arrived {
    my @got;
    while (IO::Select->new($s)->can_read(0)) {
        $s->recv(my $bytes, 70_000);
        push @got, $bytes;
    }
    return \@got;
}

sub sends {
    my ($name, $want, $o, @args) = @_;
    exits run($o, 'udp-send', '--no-reply', @args), 0, $name;
    is_deeply arrived(), $want, '  its bytes';
}

# Answers count datagrams with themselves.
sub echo {
    my ($count) = @_;
    return Sockt::fork_child(sub {
        for (1 .. $count) {
            my $from = $s->recv(my $bytes, 70_000);
            $s->send($bytes, 0, $from);
        }
    });
}

# Operands.
sends('--escapes', ["a\r\n\t\0\e\\\xff", ''], {}, '--escapes', @to,
    'a\r\n\t\0\e\\\\\xFF', '');
sends('--hex', ["\0\xfe Az", "\x02\0\x5e", ''], {}, '--hex', @to,
    '00fe 20 417A', '02:00:5e', '');
sends('repeated by --count', ["\1", "\2", "\1"], {}, '--hex', '--count', 3,
    @to, '01', '02');
sends('numbered', ["#0 \1", "#1 \1"], {}, '--hex', '--number', '--count', 2,
    @to, '01');

# Lines of stdin, and all of it.
sends('lines with escapes', ["a\0\n", "\n", 'b'], { stdin => "a\\0\n\nb" },
    '--escapes', @to);
sends('lines in hexadecimal, also with CRLF', ["\xab\xcd", '', "\1"],
    { stdin => "ab cd\r\n\n01" }, '--hex', @to);
sends('--whole --hex', ["\1\2\3"], { stdin => "01 02\n03\n" }, '--hex',
    '--whole', @to);
sends('--whole --hex, repeated', [("\1\2") x 2], { stdin => "0102\n" }, '--hex',
    '--whole', '--count', 2, @to);
sends('--whole --escapes', ["a\0\nb\n"], { stdin => "a\\0\nb\n" }, '--escapes',
    '--whole', @to);
my @long = map { chr($_) x 60_000 } 1 .. 3;
sends('long lines', \@long,
    { stdin => join '', map { unpack('H*', $_) =~ s/../$& /gr . "\n" } @long },
    '--hex', @to);
sends('a long whole', [$long[0]],
    { stdin => unpack('H*', $long[0]) =~ s/.{32}/$&\n/gr }, '--hex', '--whole',
    @to);

# Replies in the form that --hex reads.
my $bytes = pack 'C*', map { $_ & 255 } 0 .. 5000;
my $pid = echo(3);
my $r = run('udp-send', '--hex', @to, 'ff', unpack('H*', $bytes), '');
reap($pid);
is $r->{out},
    "ff\n" . join(' ', map { unpack 'H*', $_ } split //, $bytes) . "\n\n",
    'replies are printed in hexadecimal, one line each';
$pid = echo(3);
is run({ stdin => $r->{out} }, 'udp-send', '--hex', @to)->{out}, $r->{out},
    'which can be sent again';
reap($pid);
$pid = echo(1);
is run('udp-send', '--hex', '--raw', @to, '00ff0a')->{out}, "\0\xff\n",
    'with --raw they are bytes';
reap($pid);
$pid = echo(1);
like run('udp-send', '--hex', '--json', @to, '41ff')->{out},
    qr/"event":"reply".*"bytes":2\b/, 'with --json they are events';
reap($pid);

# What is malformed is located, and sends nothing, or what was before it.
for my $case (
    ['--hex', '0', 'message 1: character 1: a byte has two hexadecimal digits'],
    ['--hex', '48 6g', "message 1: character 5: 'g' is not a hexadecimal digit"],
    ['--hex', '48::65', 'message 1: character 3: a colon stands between'],
    ['--escapes', 'ab\q', 'message 1: character 3: an unknown escape'],
    ['--escapes', '\x4', 'message 1: character 1: an unknown escape']) {
    my ($option, $text, $why) = @$case;
    exits run('udp-send', $option, @to, $text), 2, "$option $text is refused",
        err => qr/\Q$why\E/;
}
$r = run('udp-send', '--hex', @to, '00', 'zz');
like $r->{err}, qr/message 2: character 1: 'z'/, 'the second message';
is_deeply arrived(), [], 'nothing was sent';
$r = run({ stdin => "00\n01\n0\n" }, 'udp-send', '--no-reply', '--hex', @to);
is $r->{status}, 1, 'a malformed line is status 1';
like $r->{err}, qr/line 3 of stdin: character 1: /, 'it is named';
is_deeply arrived(), ["\0", "\1"], 'those before it are sent';
like run({ stdin => "00 x0" }, 'udp-send', '--no-reply', '--hex', '--whole',
    @to)->{err}, qr/stdin: character 4: 'x' is not/, 'so is malformed stdin';
$r = run({ stdin => '00' x 65_528 }, 'udp-send', '--no-reply', '--hex', @to);
is $r->{status}, 1, 'a line that is too long as bytes is status 1';
$r = run({ stdin => ' ' x 300_000 }, 'udp-send', '--no-reply', '--hex', @to);
is $r->{status}, 1, 'and a line that could not be one';
for (['--hex', '--escapes'], ['--hex', '--size', 5], ['--escapes', '--size', 5])
{
    is run('udp-send', @$_, @to)->{status}, 2, "@$_ is refused";
}

done_testing;
