# When a record cannot be written, the peer has not finished first.
use Sockt;

plan skip_all => 'no /dev/full' unless -c '/dev/full';
my $l = tcp_listener();
my $p = start({ keep_stdin => 1 }, 'connect', '--json', '-o', '/dev/full',
    '127.0.0.1', $l->sockport);
my $c = $l->accept;
syswrite $c, "hello\n";
is $p->expect(err => qr/"event":"closed".*"first":"(\w+)"/), 'us',
    'this side ended it';
is $p->finish->{status}, 11, 'the file is full';

done_testing;
