# A message that was longer than a datagram wrote past the room that --number
# has for it.
use Sockt;
use Socket;

my $dir = scratch();
$ENV{TMPDIR} = $dir;
socket my $s, AF_UNIX, SOCK_DGRAM, 0;
bind $s, pack_sockaddr_un("$dir/s");
my $r = run('udp-send', '--number', '--count', '64', '--window', '64',
    '--sndbuf', '4M', "unix:$dir/s", 'x' x 120_000);
is $r->{signal}, 0, 'not a crash';
is $r->{status}, 7, 'but too long';
like $r->{err}, qr/120000 bytes is too long to be numbered: 65536 bytes at most/,
    'which is told';
$r = run('udp-send', '--no-reply', '--number', "unix:$dir/s", 'x' x 65_536);
is $r->{status}, 0, 'the longest that a number fits before';
recv $s, my $x, 70_000, 0;
ok $x eq '#0 ' . 'x' x 65_536, 'arrives';

# One that is too long was left out, in silence, where another went before it.
$r = run('udp-send', '--no-reply', '--number', "unix:$dir/s", 'one',
    'x' x 65_537, 'three');
is $r->{status}, 7, 'a message that is too long behind another';
like $r->{err}, qr/65537 bytes is too long to be numbered/,
    'which is told';
recv $s, $x, 70_000, 0;
is $x, '#0 one', 'those before it are sent';
ok !defined recv($s, $x, 70_000, MSG_DONTWAIT), 'and none behind it';

done_testing;
