# Measuring: contestants run in turn, round after round, so that a busy moment
# of the machine meets all of them; what is printed is the median.
package Bench;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::IP ();
use List::Util qw(min);
use POSIX ();
use Time::HiRes qw(time);

our @EXPORT = qw(sockt installed scratch slurp free_port wait_listening start
    finish spent stop_all run_pipeline nginx contestants row median);

our $TOP    = abs_path(dirname(__FILE__) . '/../..');
our $BUILD  = $ENV{SOCKT_BUILD} || "$TOP/build";
our $ROUNDS = $ENV{ROUNDS} || 5;
our $LIMIT  = 60;    # seconds for a single run

my %running;         # pid => 1: to be ended
my $owner = $$;

sub sockt { return $ENV{SOCKT} || "$BUILD/sockt" }

# The path of an installed program, or undef.
sub installed {
    my ($name) = @_;
    return $name if $name =~ m{/} && -x $name;
    for my $folder (split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin') {
        return "$folder/$name" if -x "$folder/$name";
    }
    return undef;
}

my $scratch;
# A folder for what is read and written: in memory, since no disk is measured.
sub scratch {
    my ($folder) = grep { -d && -w } $ENV{SCRATCH} // '/dev/shm', '/tmp';
    if (!$scratch) {
        $scratch = tempdir('bench-XXXXXX', DIR => $folder, CLEANUP => 1);
        chmod 0755, $scratch;
    }
    return $scratch;
}

sub slurp {
    my ($path) = @_;
    open my $f, '<', $path or return '';
    local $/;
    return scalar(<$f>) // '';
}

# A port on which nothing listens just now.
sub free_port {
    my $s = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0,
        Listen => 1) or die "socket: $@";
    return $s->sockport;
}

# Waits until a program listens on the port, without connecting to it.
sub wait_listening {
    my ($port) = @_;
    my $want = sprintf ':%04X', $port;
    for (my $until = time + 10; time < $until;) {
        for my $line (map { split /\n/, slurp("/proc/net/$_") } qw(tcp tcp6)) {
            my (undef, $local, undef, $state) = split ' ', $line;
            return 1 if ($state // '') eq '0A' && $local =~ /\Q$want\E$/;
        }
        select undef, undef, undef, 0.002;
    }
    return 0;
}

# Starts a command of bash(1), whose stdout is the file out. Returns its pid;
# spent() of that has what the command took, once it has finished.
sub start {
    my ($command, $out) = @_;
    my $folder = scratch();
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        setpgrp;
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', $out // '/dev/null' or POSIX::_exit(126);
        open STDERR, '>', '/dev/null';
        POSIX::close($_) for 3 .. 63;
        exec 'bash', '-c', "TIMEFORMAT='%R %U %S'\n"
            . "{ time { $command\n} 2>&3; } 3>&2 2>$folder/time.$$"
            or POSIX::_exit(127);
    }
    $running{$pid} = 1;
    return $pid;
}

# Waits for it; its status word, or -1 if it had to be killed.
sub finish {
    my ($pid) = @_;
    my $status = eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $LIMIT;
        waitpid $pid, 0;
        alarm 0;
        $?;
    };
    stop($pid) unless defined $status;
    delete $running{$pid};
    return $status // -1;
}

# Ends it with everything that it started.
sub stop {
    my ($pid) = @_;
    kill 'KILL', -$pid;
    waitpid $pid, 0;
    delete $running{$pid};
    return;
}

sub stop_all { stop($_) for keys %running }

END { if ($$ == $owner) { local $?; stop_all() } }

# CPU seconds, and seconds from start to end, of finished commands.
sub spent {
    my ($cpu, $seconds) = (0, 0);
    for my $pid (@_) {
        my ($real, $user, $system) = split ' ', slurp(scratch() . "/time.$pid");
        $cpu += ($user // 0) + ($system // 0);
        $seconds += $real // 0;
    }
    return ($cpu, $seconds);
}

# Runs commands beside each other: each but the last is [COMMAND, PORT], and the
# next starts when it listens there. What all of them print must be expected.
# Returns the result of a contestant that moves bytes.
sub run_pipeline {
    my ($bytes, $expected, @commands) = @_;
    my (@pids, $start);
    my $out = scratch() . '/out';
    for my $i (0 .. $#commands) {
        my ($command, $port) = @{ $commands[$i] };
        $start = time;
        push @pids, start($command, "$out.$i");
        return { lost => 'does not listen' }
            if $port && !wait_listening($port);
    }
    my @status = map { finish($_) } reverse @pids;
    my $seconds = time - $start;
    my $got = join '', map { slurp("$out.$_") } 0 .. $#commands;
    return {
        value => $bytes / 1e9 / $seconds,
        more  => [(spent(@pids))[0] / ($bytes / 1e9)],
        lost  => grep({ $_ != 0 } @status) ? 'failed'
            : $got ne $expected ? 'other bytes' : '',
    };
}

# Starts nginx, which serves a folder by HTTP and, with a certificate, by HTTPS.
# Returns the ports, and its process group. It ends with the round.
sub nginx {
    my ($folder, $identity) = @_;
    my ($port, $tls) = (free_port(), free_port());
    my $conf = scratch() . '/nginx.conf';
    open my $h, '>', $conf or die $!;
    print $h "daemon off; worker_processes 1; pid $conf.pid; user root;\n"
        . "error_log $conf.error; events { worker_connections 256; }\n"
        . "http { access_log off; sendfile on; keepalive_requests 10000;\n"
        . "client_body_temp_path $conf.body;\n"
        . "server { root $folder; listen 127.0.0.1:$port;\n"
        . ($identity ? "listen 127.0.0.1:$tls ssl; ssl_certificate "
            . "$identity->{cert}; ssl_certificate_key $identity->{key};" : '')
        . "} }\n";
    close $h;
    my $pid = start('exec ' . installed('nginx') . " -c $conf");
    return wait_listening($port) ? ($port, $tls, $pid) : ();
}

# Those contestants [NAME, COMMAND...] that are installed. SOCKT in a command is
# ours; OTHER names more binaries of sockt, which are shown by their paths.
sub contestants {
    my @all;
    for my $c (@_) {
        my ($name, @commands) = @$c;
        if ("@commands" !~ /\bSOCKT\b/) {
            push @all, $c if installed($name =~ /^(\S+)/);
            next;
        }
        push @all, [$name, map { s/\bSOCKT\b/sockt()/er } @commands];
        push @all, map { my $path = $_;
            [$path, map { s/\bSOCKT\b/$path/r } @commands]
        } split ' ', $ENV{OTHER} // '' if $name eq 'sockt';
    }
    return @all;
}

sub median {
    my @v = sort { $a <=> $b } grep { defined } @_;
    return undef unless @v;
    return @v % 2 ? $v[$#v / 2] : ($v[@v / 2 - 1] + $v[@v / 2]) / 2;
}

sub digits {
    my ($v) = @_;
    return '-' unless defined $v;
    return sprintf $v >= 100 ? '%.0f' : $v >= 10 ? '%.1f' : '%.3g', $v;
}

# Runs a row and prints it: name, unit; lower => 1: less is better; more =>
# names of further figures; rounds: their maximum; tools: list of [NAME, CODE].
# CODE returns a hash: value, more in order, lost (text, or nothing). The line
# has the figure of the first tool, how many times better that is than each
# other one, and the further figures of all.
sub row {
    my (%r) = @_;
    my (%value, %more, %lost);
    return if defined $ENV{ONLY} && $r{name} !~ /(?:$ENV{ONLY})/;
    for my $round (1 .. min($r{rounds} // $ROUNDS, $ROUNDS)) {
        for my $tool (@{ $r{tools} }) {
            my ($name, $code) = @$tool;
            my $result = eval { $code->() } // { lost => $@ };
            stop_all();
            push @{ $value{$name} }, $result->{value};
            push @{ $more{$name} }, $result->{more} // [];
            $lost{$name} ||= $result->{lost};
        }
    }
    my ($first, @others) = map { $_->[0] } @{ $r{tools} };
    my $ours = median(@{ $value{$first} });
    printf '  %-24s %6s %s', $r{name}, digits($ours), $r{unit};
    for my $name (@others) {
        my $theirs = median(@{ $value{$name} });
        printf '  %s %s', $name, $ours && $theirs ? sprintf '%.2f',
            $r{lower} ? $theirs / $ours : $ours / $theirs : '-';
    }
    for my $i (0 .. $#{ $r{more} // [] }) {
        my @figures = map { my $name = $_;
            digits(median(map { $_->[$i] } @{ $more{$name} })) }
            $first, @others;
        print "  $r{more}[$i] @figures";
    }
    print "  LOST: $_: ", $lost{$_} =~ s/\s+/ /gr
        for grep { $lost{$_} } $first, @others;
    print "\n";
}

1;
