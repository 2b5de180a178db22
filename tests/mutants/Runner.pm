# Runs tests, each in namespaces of its own: what a changed program sends, and
# what it starts or writes, ends there.
package Runner;

use strict;
use warnings;
use Exporter qw(import);
use POSIX ();
use Time::HiRes qw(time);

our @EXPORT = qw(run_test run_until_one_fails);

# Loopback only; /dev/null cannot be replaced; 4 GiB of memory, which is not
# enough for the shadow memory of sanitizers; 2 GiB of a file.
my $INSIDE = <<'END_OF_SCRIPT';
ip link set lo up
mount --bind /dev/null /dev/null
mount -t tmpfs -o mode=1777,size=1g tmpfs /tmp
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
[ "$MUTANTS_STAGE" = sanitize ] || ulimit -v 4194304
ulimit -f 4194304
"$@"
exit $?
END_OF_SCRIPT
my @NAMESPACES = (qw(unshare --net --pid --mount --fork --kill-child
    --mount-proc), 'sh', '-c', $INSIDE, 'sh');

my %alive;    # pid of each test that runs => 1

$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END { kill 'KILL', keys %alive }

# Starts a test: a hash with name, command (a list), env, limit in seconds.
# What it prints goes to the file. Returns its state.
sub start_test {
    my ($t, $file) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        %alive = ();
        local %ENV = (%ENV, %{ $t->{env} });
        open STDIN, '<', '/dev/null' or POSIX::_exit(99);
        open STDOUT, '>', $file or POSIX::_exit(99);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(99);
        setpgrp;
        { exec @NAMESPACES, @{ $t->{command} } }
        POSIX::_exit(99);
    }
    $alive{$pid} = 1;
    return { test => $t, pid => $pid, file => $file, start => time };
}

# Whether what a test printed has a check that failed.
sub has_failed_check {
    my ($file) = @_;
    open my $f, '<', $file or return 1;
    while (my $line = <$f>) {
        return 1 if $line =~ /^not ok/;
    }
    return 0;
}

# Waits until one of them ends or is over its limit; removes it from the list.
# Its state, with seconds and passed.
sub wait_one {
    my ($running) = @_;
    while (1) {
        for my $i (0 .. $#$running) {
            my $r = $running->[$i];
            my $late = time - $r->{start} > $r->{test}{limit};
            kill 'KILL', $r->{pid} if $late;
            next if waitpid($r->{pid}, $late ? 0 : POSIX::WNOHANG()) <= 0;
            delete $alive{ $r->{pid} };
            $r->{passed} = $? == 0 && !has_failed_check($r->{file});
            $r->{seconds} = time - $r->{start};
            splice @$running, $i, 1;
            return $r;
        }
        select undef, undef, undef, 0.005;
    }
}

sub end_all {
    my ($running) = @_;
    kill 'KILL', $_->{pid} for @$running;
    for my $r (@$running) {
        waitpid $r->{pid}, 0;
        delete $alive{ $r->{pid} };
    }
    return;
}

# Runs one test: its state, with seconds and passed.
sub run_test {
    my ($t, $file) = @_;
    return wait_one([start_test($t, $file)]);
}

# Runs the tests, jobs at a time, until one fails, which it does again when it
# is run a second time. Its name, or undef.
sub run_until_one_fails {
    my ($jobs, $folder, @tests) = @_;
    my ($n, @running) = (0);
    while (@tests || @running) {
        while (@tests && @running < $jobs) {
            push @running, start_test(shift @tests, "$folder/out." . $n++);
        }
        my $r = wait_one(\@running);
        next if $r->{passed} || run_test($r->{test}, $r->{file})->{passed};
        end_all(\@running);
        return $r->{test}{name};
    }
    return undef;
}

1;
