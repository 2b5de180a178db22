# Measuring: contestants run in turn, round after round, so that a busy moment
# of the machine meets all of them; what is told is the median.
package Bench;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::IP ();
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_STREAM SOCK_DGRAM);
use Time::HiRes qw(time);

our @EXPORT = qw(sockt load installed scratch free_port wait_listening
    wait_bound launch finish spent kill_all row tool_port slurp median);

our $TOP    = abs_path(dirname(__FILE__) . '/../..');
our $BUILD  = $ENV{SOCKT_BUILD} || "$TOP/build";
our $ROUNDS = $ENV{ROUNDS} || 5;
our $LIMIT  = 60;    # seconds for a single run

my %running;         # pid => 1: ours, to be ended
my $owner = $$;

sub sockt { return $ENV{SOCKT} || "$BUILD/sockt" }
sub load  { return "$BUILD/bench/load/$_[0]" }

# The path of an installed program, or undef.
sub installed {
    my ($name) = @_;
    for my $folder (split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin') {
        return "$folder/$name" if -x "$folder/$name";
    }
    return undef;
}

my $scratch;
# A folder for what is read and written: in memory, since no disk is measured.
sub scratch {
    my ($folder) = grep { -d && -w } $ENV{SCRATCH} // '/dev/shm', '/tmp';
    return $scratch //= tempdir('bench-XXXXXX', DIR => $folder, CLEANUP => 1);
}

sub slurp {
    my ($path) = @_;
    open my $f, '<', $path or return '';
    local $/;
    return scalar(<$f>) // '';
}

# A port on which nothing listens just now.
sub free_port {
    my ($type) = @_;
    my $s = IO::Socket::IP->new(
        LocalHost => '127.0.0.1', LocalPort => 0,
        ($type // '') eq 'udp'
        ? (Type => SOCK_DGRAM, Proto => 'udp')
        : (Type => SOCK_STREAM, Listen => 1),
    ) or die "socket: $@";
    return $s->sockport;
}

# Waits until somebody listens on the TCP port, without connecting to it.
sub wait_listening { return wait_table([qw(tcp tcp6)], '0A', @_) }

# The same for a bound UDP port.
sub wait_bound { return wait_table([qw(udp udp6)], '07', @_) }

sub wait_table {
    my ($tables, $state, $port) = @_;
    my $want = sprintf ':%04X', $port;
    my $until = time + 10;
    while (time < $until) {
        for my $table (@$tables) {
            for my $line (split /\n/, slurp("/proc/net/$table")) {
                my (undef, $local, undef, $st) = split ' ', $line;
                return 1 if ($st // '') eq $state && $local =~ /\Q$want\E$/;
            }
        }
        select undef, undef, undef, 0.002;
    }
    return 0;
}

# Starts a command beside us; in, out and err are paths or handles. What it
# takes is in spent() once it has finished.
sub launch {
    my ($o, @command) = @_;
    my $note = scratch() . '/spent.' . ++$running{count};
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        setpgrp;
        redirect(0, $o->{in}, '<');
        redirect(1, $o->{out}, '>');
        redirect(2, $o->{err}, '>');
        POSIX::close($_) for 3 .. 63;
        chdir $o->{dir} if $o->{dir};
        my @with = $o->{plain} ? () : (load('spend'), $note);
        exec { $with[0] // $command[0] } @with, @command
            or POSIX::_exit(127);
    }
    $running{$pid} = 1;
    return { pid => $pid, note => $note };
}

sub redirect {
    my ($fd, $what, $mode) = @_;
    if (ref $what) {
        POSIX::dup2(fileno $what, $fd);
        return;
    }
    open my $h, $mode, $what // '/dev/null' or POSIX::_exit(126);
    POSIX::dup2(fileno $h, $fd) if fileno $h != $fd;
    open my $keep, "$mode&", $h if fileno $h == $fd;
}

# Waits for it; its status word, or -1 when it had to be killed.
sub finish {
    my ($p, $seconds) = @_;
    my $until = time + ($seconds // $LIMIT);
    my $nap = 0.0002;
    while (1) {
        my $done = waitpid $p->{pid}, WNOHANG;
        if ($done == $p->{pid}) {
            delete $running{ $p->{pid} };
            return $?;
        }
        if (time > $until) {
            stop($p);
            return -1;
        }
        select undef, undef, undef, $nap;
        $nap = 0.001;
    }
}

# Ends it with everything that it started.
sub stop {
    my ($p) = @_;
    kill 'KILL', -$p->{pid};
    waitpid $p->{pid}, 0;
    delete $running{ $p->{pid} };
    return;
}

sub kill_all { stop({ pid => $_ }) for grep { $_ ne 'count' } keys %running }

END { if ($$ == $owner) { local $?; kill_all() } }

# CPU seconds, largest resident KiB and seconds of finished ones, the last added
# up: without the time that it takes to start them from here.
sub spent {
    my ($cpu, $kib, $seconds) = (0, 0, 0);
    for my $p (@_) {
        my ($user, $system, $rss, undef, $took) =
            split ' ', slurp($p->{note});
        $cpu += ($user // 0) + ($system // 0);
        $kib = $rss if ($rss // 0) > $kib;
        $seconds += $took // 0;
    }
    return ($cpu, $kib, $seconds);
}

sub median {
    my @v = sort { $a <=> $b } @_;
    return undef unless @v;
    return @v % 2 ? $v[$#v / 2] : ($v[@v / 2 - 1] + $v[@v / 2]) / 2;
}

sub round3 {
    my ($v) = @_;
    return '-' unless defined $v;
    return sprintf $v >= 100 ? '%.0f' : $v >= 10 ? '%.1f' : '%.3g', $v;
}

# Runs a row and prints its table. name, unit; lower => 1: less is better;
# extra => names of more columns; tools: list of [name, code]. code
# returns a hash: value, extras in order, lost (text, or nothing). is_line: it
# is one line, for tables with many rows.
sub row {
    my (%r) = @_;
    my (%got, %extra, %lost);
    my $rounds = $r{rounds} // $ROUNDS;
    for my $round (1 .. $rounds) {
        for my $tool (@{ $r{tools} }) {
            my ($name, $code) = @$tool;
            my $result = eval { $code->() } // { lost => $@ };
            kill_all();
            push @{ $got{$name} }, $result->{value} if defined $result->{value};
            push @{ $extra{$name} }, $result->{extra} // [];
            $lost{$name} //= $result->{lost} if $result->{lost};
        }
    }
    return print_line(\%r, \%got, \%extra, \%lost) if $r{is_line};
    print_row(\%r, \%got, \%extra, \%lost);
}

# A row in one line: the speed of the first tool by that of each other one, and
# the first extra of all.
sub print_line {
    my ($r, $got, $extra, $lost) = @_;
    my ($first, @others) = map { $_->[0] } @{ $r->{tools} };
    my $ours = median(@{ $got->{$first} // [] });
    printf "  %-22s", $r->{name};
    for my $name (@others) {
        my $theirs = median(@{ $got->{$name} // [] });
        printf ' %s %4s', $name, $ours && $theirs
            ? sprintf('%.2f', $ours / $theirs) : '-';
    }
    print '  CPU';
    for my $name ($first, @others) {
        print ' ', round3(median(map { $_->[0] // () } @{ $extra->{$name} }));
    }
    print "  LOST: $_: $lost->{$_}" for sort keys %$lost;
    print "\n";
}

sub print_row {
    my ($r, $got, $extra, $lost) = @_;
    my @columns = ($r->{unit}, 'spread', @{ $r->{extra} // [] }, 'sockt is');
    my $format = '  %-22s %10s %8s' . ' %10s' x (@columns - 3) . " %9s  %s\n";
    printf "\n%s\n", $r->{name};
    printf $format, '', @columns, '';
    my $ours = median(@{ $got->{ $r->{tools}[0][0] } // [] });
    for my $tool (@{ $r->{tools} }) {
        my $name = $tool->[0];
        my @v = sort { $a <=> $b } @{ $got->{$name} // [] };
        my $m = median(@v);
        my $spread = $m ? sprintf '%.0f%%', 100 * ($v[-1] - $v[0]) / $m : '-';
        my @more = map {
            my $i = $_;
            round3(median(grep { defined } map { $_->[$i] } @{ $extra->{$name} }))
        } 0 .. $#{ $r->{extra} // [] };
        my $ratio = '-';
        $ratio = sprintf '%.2fx', $r->{lower} ? $m / $ours : $ours / $m
            if $m && $ours && $name ne $r->{tools}[0][0];
        my $note = $lost->{$name} ? "LOST: $lost->{$name}" : '';
        $note =~ s/\s+/ /g;
        printf $format, $name, round3($m), $spread, @more, $ratio,
            substr($note, 0, 60);
    }
}

1;
