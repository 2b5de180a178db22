# While much comes, the relay waits for large pieces; the few bytes behind them
# arrive all the same, though the peer neither goes on nor ends.
use Sockt;
use Time::HiRes qw(time);

my $rounds = 10;
my $bulk = 'x' x (4 << 20);

# Sends much and a little, and goes on when it has been answered.
sub converse {
    my ($c) = @_;
    for my $round (1 .. $rounds) {
        print {$c} $bulk, "tail $round\n";
        $c->flush;
        my $answer = <$c> // '';
        die "answer '$answer'" unless $answer eq "got $round\n";
    }
}

# True when the file ends in the text, in time.
sub ends_in {
    my ($path, $text) = @_;
    my $until = time + 20;
    open my $f, '<:raw', $path or die "$path: $!";
    while (time < $until) {
        my $got = '';
        seek $f, -length($text), 2 and read $f, $got, length $text;
        return 1 if $got eq $text;
        select undef, undef, undef, 0.002;
    }
    return 0;
}

for my $kind ('pipe', 'file') {
    my $listener = tcp_listener();
    my $peer = peer($listener, \&converse);
    my $path = scratch() . '/out';
    open my $out, '>:raw', $path or die "$path: $!";
    my $p = start(
        { keep_stdin => 1, $kind eq 'file' ? (stdout => $out) : () },
        'connect', '127.0.0.1', $listener->sockport);
    my $came = 0;
    for my $round (1 .. $rounds) {
        my $good = $kind eq 'file'
            ? ends_in($path, "tail $round\n")
            : eval { $p->expect(out => qr/tail $round\n\z/); 1 };
        last unless $good;
        $came = $round;
        $p->{all} += length $p->{out};
        $p->{out} = '';
        $p->send_line("got $round\n");
    }
    is $came, $rounds, "$kind: every tail came";
    my $r = $p->finish;
    is $r->{status}, 0, "$kind: and the end";
    is reap($peer) // -1, 0, "$kind: the peer had every answer";
    my $want = $rounds * length $bulk;
    $want += length "tail $_\n" for 1 .. $rounds;
    is $kind eq 'file' ? -s $path : $p->{all}, $want, "$kind: whole";
}

# The same through a forwarder, in both directions.
{
    my $target = tcp_listener();
    my $peer = peer($target, \&converse);
    my $f = start('listen', '127.0.0.1', 0, '--to',
        '127.0.0.1:' . $target->sockport);
    my $c = tcp_client($f->port);
    my $good = 0;
    for my $round (1 .. $rounds) {
        my ($left, $tail) = (length $bulk, '');
        while ($left > 0) {
            my $n = read $c, my $piece, $left < 65536 ? $left : 65536 or last;
            $left -= $n;
        }
        $tail = <$c> // '';
        last unless $left == 0 && $tail eq "tail $round\n";
        $good = $round;
        print {$c} "got $round\n";
        $c->flush;
    }
    is $good, $rounds, 'forwarded: every tail came';
    close $c;
    is reap($peer) // -1, 0, 'forwarded: the peer had every answer';
    $f->stop;
}

done_testing;
