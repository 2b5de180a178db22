# A pipe that pauses is sent to its end, whoever finishes first and whatever is
# in between; and a receiver that stops half-way is never status 0.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Test::More;
use Time::HiRes qw(sleep);

my @pieces = ("a\n", 'b' x 100_000, "c\n");
my $whole = join '', @pieces;
my $pause = 1.1;

# Pairs of a sender and a receiver that are fed at the same time.
my @transfers;
sub transfer { push @transfers, [@_] }

sub feed_all {
    for my $piece (@pieces) {
        sleep $pause;
        $_->[2]->send_line($piece) for @transfers;
    }
    for (@transfers) {
        my ($name, $receiver, $sender) = @$_;
        my $r = $sender->finish;
        is $r->{status}, 0, "$name: the sender";
        is $r->{err} =~ s/.*listening on.*\n//gr, '', 'says nothing';
        $r = $receiver->finish;
        is $r->{status}, 0, 'the receiver';
        ok $r->{out} eq $whole, 'gets everything';
    }
}

sub null { open my $h, '<', '/dev/null' or die; return $h }

for my $option ([], ['--send-only']) {
    my $r = start({ stdin => null() }, 'listen', '-4', 0);
    transfer("connect @$option", $r, start({ keep_stdin => 1 }, 'connect',
        @$option, '127.0.0.1', $r->port));
    my $s = start({ keep_stdin => 1 }, 'listen', '-4', 0, @$option);
    $r = start({ stdin => null() }, 'connect', '127.0.0.1', $s->port);
    transfer("listen @$option", $r, $s);
}

my $path = scratch() . '/s';
my $r = start({ stdin => null() }, 'listen', "unix:$path");
$r->expect(err => qr/listening/);
transfer('a unix socket', $r,
    start({ keep_stdin => 1 }, 'connect', "unix:$path"));

$r = start({ stdin => null() }, 'listen', '-4', 0);
my $f = start('listen', '-4', 0, '--to', '127.0.0.1:' . $r->port);
transfer('a forwarder', $r,
    start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $f->port));

my $s = start({ keep_stdin => 1 }, 'listen', '-4', 0);
my $g = start('listen', '-4', 0, '--to', '127.0.0.1:' . $s->port);
$r = start({ stdin => null() }, 'connect', '127.0.0.1', $g->port);
transfer('a forwarder, the other way', $r, $s);

feed_all();
is $_->finish->{status}, 0, 'a forwarder' for $f, $g;

# A reader that leaves half-way: the receiver's stdout breaks, and the sender
# learns that not everything was read.
for my $n (1 .. 5) {
    $r = start({ command => 'sh', stdin => null() }, '-c',
        sockt() . ' listen -4 0 | head -c 100000 | wc -c');
    my $port = $r->port;
    $s = start({ stdin => 'x' x 40_000_000 }, 'connect', '--send-only',
        '127.0.0.1', $port);
    is $s->finish->{status}, 10, "a reader that leaves: the sender, run $n";
    $r->finish;
}

done_testing;
