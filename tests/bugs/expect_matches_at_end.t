# An --expect that the end of the stream completes is the end of the script, and
# nothing has to be received after it.
use Sockt;

my $l = tcp_listener();
peer($l, sub { my ($c) = @_; print $c "the end" }, 2);
for my $done ('--done', '') {
    my @done = $done || ();
    my $r = run({ timeout => 10 }, 'connect', '127.0.0.1',
        $l->sockport, '--expect', '^the end$', @done);
    is "$r->{status} $r->{signal}", '0 0', "ends, @done";
}

done_testing;
