# Small writes do not wait for the peer's acknowledgement of what went before,
# which comes 40 ms later: not the second of two, nor the last of very many.
use Sockt;
use Time::HiRes qw(time);

my $rounds = 30;

# Answers every two bytes.
sub answer {
    my ($c) = @_;
    my $n = 0;
    while (sysread $c, my $piece, 100) {
        for ($n += length $piece; $n >= 2; $n -= 2) {
            syswrite $c, 'r';
        }
    }
}

# The pause makes two writes of them.
sub median_ms {
    my ($write, $read) = @_;
    my @ms;
    for (1 .. $rounds) {
        my $start = time;
        $write->('a');
        select undef, undef, undef, 0.002;
        $write->('b');
        $read->() eq 'r' or return undef;
        push @ms, (time - $start) * 1000;
    }
    return (sort { $a <=> $b } @ms)[$rounds / 2];
}

{
    my $l = tcp_listener();
    my $peer = peer($l, \&answer);
    my $p = start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $l->sockport);
    my $ms = median_ms(sub { $p->send_line($_[0]) }, sub {
        $p->{out} = '';
        eval { $p->expect(out => qr/(r)/) } // '';
    });
    ok defined $ms && $ms < 30, 'connect' or diag "median $ms ms";
    is $p->finish->{status}, 0, 'and it ends';
}
{
    my $target = tcp_listener();
    my $peer = peer($target, \&answer);
    my $f = start('listen', '127.0.0.1', 0, '--to',
        '127.0.0.1:' . $target->sockport);
    my $c = tcp_client($f->port);
    setsockopt $c, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
    my $ms = median_ms(sub { syswrite $c, $_[0] }, sub {
        sysread $c, my $got, 1;
        $got // '';
    });
    ok defined $ms && $ms < 30, 'forwarded' or diag "median $ms ms";
    close $c;
    $f->stop;
}

# Answers each Z with the milliseconds by which it came after the bytes before
# it: a busy machine delays both.
sub answer_last {
    my ($c) = @_;
    my $last = time;
    while (sysread $c, my $piece, 100_000) {
        my $now = time;
        printf $c "%.1f\n", ($now - $last) * 1000 if $piece =~ /Z/;
        $c->flush;
        $last = $now;
    }
}

{
    my $l = tcp_listener();
    my $peer = peer($l, \&answer_last);
    pipe my $r, my $w or die $!;
    my $p = start({ stdin => $r }, 'connect', '127.0.0.1', $l->sockport);
    close $r;
    my @ms;
    for (1 .. 15) {
        $p->{out} = '';
        syswrite $w, 'a' x 10 for 1 .. 5000;
        syswrite $w, 'Z';
        push @ms, eval { $p->expect(out => qr/(.*)\n/) } // last;
    }
    is @ms, 15, 'many in a row come through';
    # Nagle's algorithm would delay each of them by 40 ms.
    my $ms = (sort { $a <=> $b } @ms)[1];
    ok $ms < 30, 'and the last of them at once' or diag "@ms";
    close $w;
    is $p->finish->{status}, 0, 'and it ends';
}

# With --crlf a queue that was full but for one byte was read into with no
# room at all, which was taken for the end of stdin: the rest was lost, with
# status 0.
my $dir = scratch();
my $lines = 600_000;
my $file = spew("$dir/in", "12345\n" x $lines);
my $l = tcp_listener();
my $pid = peer($l, sub {
    my ($c) = @_;
    # Slow at first, so that the queue fills.
    my ($n, $whole) = (0, '');
    while (my $got = sysread $c, my $piece, $n++ < 300 ? 777 : 1 << 16) {
        $whole .= $piece;
        select undef, undef, undef, 0.001 if $n < 200;
    }
    die 'got ' . length($whole) unless $whole eq "12345\r\n" x $lines;
});
open my $in, '<', $file or die;
exits run({ stdin => $in }, 'connect', '-C', '--sndbuf', '4k', '127.0.0.1',
    $l->sockport), 0, 'exit status';
is reap($pid), 0, 'every line arrives';

done_testing;
