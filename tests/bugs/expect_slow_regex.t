# An --expect that takes regexec(3) for ever holds up neither a limit nor a
# signal.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Test::More;

my $l = tcp_listener();
my $slow = '(a*)(a*)\1\2b';

sub expecting {
    my ($pattern, $text, @options) = @_;
    my $p = start('connect', '--done', @options, '--expect', $pattern,
        '127.0.0.1', $l->sockport);
    my $c = $l->accept;
    syswrite $c, $text;
    return ($p, $c);
}

# Waits until a process has a child: it is at the pattern.
sub wait_for_child {
    my ($parent) = @_;
    for (1 .. 1000) {
        for my $path (glob '/proc/[0-9]*/stat') {
            open my $f, '<', $path or next;
            return if (<$f> // '') =~ /\) \S $parent /;
        }
        select undef, undef, undef, 0.01;
    }
}

for my $case (['-m', 5], ['--expect-timeout', 9]) {
    my ($option, $status) = @$case;
    my ($p, $c) = expecting($slow, 'a' x 2000, $option, '500ms');
    my $r = $p->finish(10);
    is $r->{status}, $status, "$option ends it";
    like $r->{err}, qr/time|longer/, 'and says so';
}

my ($p, $c) = expecting($slow, 'a' x 2000);
wait_for_child($p->{pid});
$p->signal('TERM');
is $p->finish(10)->{signal}, 15, 'a signal ends it';

($p, $c) = expecting('(a|b)\1c{2}', 'xxaacc');
my $r = $p->finish;
is "$r->{status} $r->{out}", '0 xxaacc', 'such a pattern still matches';

done_testing;
