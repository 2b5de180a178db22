# The first "--" ended the options and the second one began the program, but
# stood in it as its name.
use Sockt;

my $l = tcp_listener();
my $pid = peer($l, sub { my ($c) = @_; print $c "hello\n" });
my $r = run('connect', '--', '127.0.0.1', $l->sockport,
    '--', 'sh', '-c', 'read x; echo "got $x" >&2');
is $r->{err}, "got hello\n", 'the program runs';
is $r->{status}, 0, 'and ends well';
is reap($pid), 0, 'the peer is content';

done_testing;
