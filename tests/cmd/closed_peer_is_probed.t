# A peer that has finished may still receive, or may have gone altogether:
# probes tell which, so that an idle stdin neither loses a living peer nor waits
# for ever for a dead one.
use Sockt;
use IO::Poll qw(POLLERR);
use Time::HiRes qw(sleep time);

# How long an orphaned connection answers probes, a minute by default.
sub short_orphans {
    open my $f, '>', '/proc/sys/net/ipv4/tcp_fin_timeout' or return 0;
    print $f 1;
    return close $f;
}

plan skip_all => 'needs a network namespace and its tcp_fin_timeout'
    unless own_network() && short_orphans();

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $pid = peer($l, sub { my ($c) = @_; print $c "bye\n" }, 3);

my $p = start({ keep_stdin => 1 }, 'connect', @to);
$p->expect(out => qr/bye/);
is reap($p->{pid}, 20) >> 8, 10, 'a peer that has gone ends the run: 10';
$p->expect(err => qr/lost after 0 bytes sent and 4 received: .*; stdin was still open\n\z/);
is $p->{err} =~ tr/\n//, 1, 'one line says so';

$p = start({ stdin => 'text' }, 'connect', @to);
is $p->finish->{out}, "bye\n", 'an input that ends is not held up';

my $start = time;
$p = start({ stdin => '', keep_stdin => 0 }, 'connect', @to);
is $p->finish->{status}, 0, 'nothing to send and nothing sent: 0';
cmp_ok time - $start, '<', 2, 'at once';
reap($pid);

# One that lives, through more probes than a dead one gets.
$pid = peer($l, sub {
    my ($c) = @_;
    shutdown $c, 1;
    local $/;
    die 'lost' unless <$c> eq 'after a pause';
});
$p = start({ keep_stdin => 1 }, 'connect', '-v', @to);
$p->expect(err => qr/the peer has finished; waiting for the end of stdin.*--on-peer-eof quit or --recv-only/);
sleep 6;
$p->send_line('after a pause');
is $p->finish->{status}, 0, 'a peer that still receives is waited for';
is reap($pid), 0, 'and gets everything';

# listen and a forwarder, too.
$p = start({ keep_stdin => 1 }, 'listen', '-4', 0);
close(tcp_client($p->port));
is reap($p->{pid}, 20) >> 8, 10, 'listen: the same';
$p->expect(err => qr/stdin was still open/);

$p = start('listen', '-4', 0, '--to', join ':', @to);
my $client = tcp_client($p->port);
close $l->accept;
is sysread($client, my $got, 1), 0, 'a forwarder: the target has finished';
my $poll = IO::Poll->new;
$poll->mask($client => POLLERR);
$poll->poll(20);
is syswrite($client, 'x'), undef, 'and has gone';
is $p->finish->{status}, 10, 'which is its status';

done_testing;
