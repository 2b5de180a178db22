# What it costs to start: a connect that only tells whether it is open, and a
# small GET.
use strict;
use warnings;
use Bench;
use Time::HiRes qw(time);

my $COUNT = 200;

my $l = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0,
    Listen => 4096, Type => Socket::SOCK_STREAM()) or die;
my $port = $l->sockport;

# Wall and CPU milliseconds of one run, and the largest resident KiB.
sub runs {
    my @command = @_;
    my $start = time;
    my ($cpu, $kib) = (0, 0);
    for (1 .. $COUNT) {
        my $p = launch({}, @command);
        waitpid $p->{pid}, 0;
        return { lost => 'status ' . ($? >> 8) } if $?;
        accept my $taken, $l or die $!;
        my ($c, $k) = spent($p);
        $cpu += $c;
        $kib = $k if $k > $kib;
    }
    return { value => $cpu / $COUNT * 1e3,
        extra => [(time - $start) / $COUNT * 1e3, $kib] };
}

row(
    name   => 'connect -z to an open port',
    unit   => 'CPU ms', lower => 1, extra => ['wall ms', 'KiB'],
    tools  => [map { my @c = @$_; my $name = shift @c;
        [$name, sub { runs(@c, '127.0.0.1', $port) }] }
        ['sockt', sockt(), 'connect', '-z'],
        grep { installed($_->[1]) } ['nc.openbsd', 'nc.openbsd', '-z'],
        ['nc.traditional', 'nc.traditional', '-z']],
);
1;
