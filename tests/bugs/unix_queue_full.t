# A unix socket whose queue is full was "resource temporarily unavailable",
# status 1, and not tried again.
use Sockt;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

plan skip_all => 'only Linux has such a queue' unless $^O eq 'linux';
my $path = scratch() . '/s';
my $l = IO::Socket::UNIX->new(
    Local => $path, Listen => 1, Type => SOCK_STREAM) or die "$!";
# listen(2) with 1 holds two.
my @fill = map { IO::Socket::UNIX->new(
    Peer => $path, Type => SOCK_STREAM) or die "$!" } 1 .. 2;
my $r = run('connect', '-z', "unix:$path");
is $r->{status}, 4, 'a full queue is status 4';
like $r->{err}, qr/refused \(the listener's queue is full\)/, 'and told';

my $p = start('connect', '-z', '--retry-for', 20, "unix:$path");
$p->expect(err => qr/trying again/);
$l->accept for 1 .. 2;
is $p->finish->{status}, 0, 'it is tried again';

done_testing;
