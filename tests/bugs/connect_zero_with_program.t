# connect -z does not relay, and a program behind it was given the connection:
# 'connect -z db 5432 -- ./migrate' sent what it printed to the server. It has
# sockt's own stdin and stdout now, and nothing reaches the server.
use Sockt;

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case ([ '-z', @to, '--', 'cat' ], [ '-z', '-e', 'cat', @to ],
    [ '--retry-for', 1, '-z', @to, '--', 'cat' ]) {
    my $r = run({ stdin => 'up' }, 'connect', @$case);
    is "$r->{status} $r->{out} $r->{err}", '0 up ',
        "connect @$case: the program has sockt's stdin and stdout";
    my $c = $l->accept;
    is do { local $/; <$c> } // '', '', 'and the server received nothing';
}

done_testing;
