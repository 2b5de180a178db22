# udp-send and udp-serve with each of their system calls failing; see
# Torture.pm.
use Torture;

scenario 'udp-send',
    args  => 'udp-send -q -w 0.3 127.0.0.1 PORT one two three',
    stdin => 'null',
    peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
    out   => "re one\nre two\nre three\n",
    got   => ['one|two|three'];

my @lines = map { "line $_ " . 'x' x ($_ * 7 % 60) } 1 .. 40;

scenario 'udp-send-stream',
    args  => 'udp-send -q -w 0.3 127.0.0.1 PORT',
    stdin => [ [ send => join '', map { "$_\n" } @lines[ 0 .. 19 ] ],
        [ pause => 0.01 ],
        [ send => join '', map { "$_\n" } @lines[ 20 .. 39 ] ] ],
    peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
    out   => join('', map { "re $_\n" } @lines),
    got   => [ join '|', map { "$_\n" } @lines ];

scenario 'udp-send-options',
    args  => 'udp-send -q -w 0.3 --broadcast --no-fragment --ttl 9 -x dump '
        . '127.0.0.1 PORT one',
    stdin => 'null',
    peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
    out   => "re one\n",
    got   => ['one'],
    names => qr/--\w+|\bdump\b/,
    check => sub {
        my ($r) = @_;
        my $dump = delete $r->{files}{dump} // '';
        return $r->{status} == 0 && $dump !~ /\|one\|.*\|re one\|/s
            ? "the dump is '$dump'" : ();
    };

scenario 'udp-send-no-reply',
    args  => 'udp-send -q --no-reply --no-newline 127.0.0.1 PORT',
    stdin => [ [ send => join '', map { "$_\n" } @lines[ 0 .. 19 ] ],
        [ pause => 0.01 ],
        [ send => join '', map { "$_\n" } @lines[ 20 .. 39 ] ] ],
    peers => [ { udp => 1 } ],
    out   => '',
    got   => [ join '|', @lines ];

scenario 'udp-send-unix-pressed',
    args  => 'udp-send -q --no-reply --no-newline unix:s',
    stdin => [ [ send => join '', map { "$_\n" } @lines ],
        [ pause => 0.01 ], [ send => join '', map { "$_\n" } @lines ] ],
    peers => [ { udp => 1, unix => 's', steps => [ [ deaf => 0.03 ] ] } ],
    out   => '',
    got   => [ join '|', @lines, @lines ];

scenario 'udp-send-stats',
    args  => 'udp-send --stats -w 0.3 --count 3 127.0.0.1 PORT x',
    stdin => 'null',
    peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
    got   => ['x|x|x'],
    check => sub {
        my ($r) = @_;
        return $r->{status} == 0 && $r->{stdout} !~ /\A(re x\n){3}.*\b3 sent/s
            ? "stdout is '$r->{stdout}'" : ();
    };

scenario 'udp-send-json',
    args  => 'udp-send --json -w 0.3 127.0.0.1 PORT x y',
    stdin => 'null',
    peers => [ { udp => 1, answer => sub { "re $_[0]" } } ],
    got   => ['x|y'],
    check => sub {
        my ($r) = @_;
        return $r->{status} == 0
            && $r->{stdout} !~ /"re x".*"re y".*"event":"summary"/s
            ? "stdout is '$r->{stdout}'" : ();
    };

# What becomes of a single datagram is told with -v.

# A client that asks three times and does not insist.
sub asks {
    my (%o) = @_;
    return { udp => 1, %o, steps => [ [ send => 'Michael' ],
        [ until => 1, 1 ], [ send => 'Tracy' ], [ until => 2, 0.3 ],
        [ send => 'Sarah' ], [ until => 3, 1 ] ] };
}

# Datagrams may be lost, but what comes is right and most of it comes.
sub answers {
    my (@truth) = @_;
    return sub {
        my ($r) = @_;
        my @got = map { split /\|/ } $r->got;
        my %known = map { $_ => 1 } @truth;
        my @bad = grep { !$known{$_} } @got;
        return "answers are '@got'" if @bad;
        return "only answered '@got'"
            if @got < @truth - 1 && $r->{status} == 0 && !$r->{lasts};
        return 'an answer is lost in silence'
            if @got < @truth && $r->{status} == 0
            && !Torture::tells_loss($r);
        return ();
    };
}

my @hello = map { "Hello, $_!" } qw(Michael Tracy Sarah);

scenario 'udp-serve',
    args    => 'udp-serve -v 127.0.0.1 0',
    stdin   => 'null',
    clients => [ asks() ],
    stop    => 'TERM',
    check   => answers(@hello);

scenario 'udp-serve-record',
    args    => 'udp-serve -v -x dump 127.0.0.1 0',
    stdin   => 'null',
    clients => [ asks() ],
    stop    => 'TERM',
    names   => qr/\bdump\b/,
    # It is told to stop meanwhile, which EINTR would be the answer to.
    except  => qr/\Aclose \d+ EINTR/,
    check   => sub {
        my ($r) = @_;
        my $dump = delete $r->{files}{dump} // '';
        my $shown = () = $dump =~ /^< /mg;
        return $r->{status} == 0 && $shown < $r->got
            ? "the dump is '$dump'" : answers(@hello)->($r);
    };

scenario 'udp-serve-join',
    args    => 'udp-serve -v --join 239.1.2.3 127.0.0.1 0',
    stdin   => 'null',
    clients => [ asks() ],
    stop    => 'TERM',
    names   => qr/239\.1\.2\.3/,
    check   => answers(@hello);

scenario 'udp-serve-unix',
    args    => 'udp-serve -v unix:s',
    stdin   => 'null',
    clients => [ asks(unix => 's') ],
    stop    => 'TERM',
    check   => answers(@hello);

scenario 'udp-serve-print',
    args    => 'udp-serve --print --lines --count 3 127.0.0.1 0',
    stdin   => 'null',
    clients => [ asks() ],
    out     => "Michael\nTracy\nSarah\n";

scenario 'udp-serve-program',
    args    => 'udp-serve -v 127.0.0.1 0 -- cat',
    stdin   => 'null',
    clients => [ asks() ],
    stop    => 'TERM',
    limit   => 2,
    names   => qr/\bcat\b/,
    # A program need not read what it is given.
    except  => qr/write \d+ EPIPE/,
    check   => answers(qw(Michael Tracy Sarah));

torture();
