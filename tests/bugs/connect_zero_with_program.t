# connect -z does not relay, and a program behind it would have been given the
# connection: it is refused before anything is attempted.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Test::More;

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
for my $case ([ '-z', @to, '--', 'echo', 'up' ], [ '-z', '-e', 'echo up', @to ],
    [ '--retry-for', 1, '-z', @to, '--', 'echo', 'up' ]) {
    my $r = run('connect', @$case);
    is $r->{status}, 2, "connect @$case: a usage error";
    like $r->{err}, qr/--zero only connects: .*connect -z HOST PORT && PROGRAM/,
        'that says how to do it';
    is $r->{out}, '', 'nothing was run';
}
vec(my $bits = '', fileno $l, 1) = 1;
ok !select($bits, undef, undef, 0), 'and nobody connected';

done_testing;
