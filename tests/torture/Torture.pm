# Torture: sockt with one of its system calls failing, for every call.
#
# How it works. A scenario is one use of a command: what sockt is run with,
# what comes by its stdin and when, which peers it meets, and the truth: what
# stdout, the files and the peers must have received at the end. Each is run
# once under a preloaded library (inject.c) that only counts the calls of the
# C library that sockt makes, by function and by process. Then it is run again
# for each counted call and each plausible failure of it: an errno, a transfer
# of one byte or of half, and, where old systems and sandboxes lack a call
# ("lasting"), with all later ones failing too.
#
# What has to hold in every run:
#  - it ends in time, by itself or when it is told to, not by a signal;
#  - status 0 only if stdout, the files and the peers have the whole truth;
#    what they have otherwise is a beginning of it;
#  - any other status has exactly one error line, which names what failed;
#  - a server that goes on has lost one client at most, and said so;
#  - no file stands under its final name unless it is whole (or what it was);
#  - no process, temporary file or unix path stays, and no more descriptors
#    are open at the end than in the run that counted. What may stay is what
#    unlink(2) fails to remove, and what is there when memory runs out.
#
# A run is named SCENARIO CALL N FAILURE, as it is printed and as TORTURE=
# takes it. CALL is a function, with @P behind it for the Pth process that was
# forked (by anyone; a resolver or a handler) in place of the command itself.
# N counts the calls of that function by that process from 1; N+ is that call
# and all later ones. FAILURE is an errno, an error of getaddrinfo(3), "one"
# or "half". Only calls from sockt's own code count; for malloc that means
# that the C library's own allocations never fail.
#
# Which call is the Nth depends a little on timing. A run that never came to
# its call has to be right all the same; such runs are counted apart.
#
# The environment, which make sets from variables of the same names without
# TORTURE_ before them:
#   TORTURE            one run, told in detail
#   TORTURE_SCENARIOS  names, separated by commas: these only
#   TORTURE_RUNS       a pattern of the names of runs: these only
#   TORTURE_SAMPLE     a part of all runs: one in so many
#   TORTURE_SEED       which ones (1)
#   TORTURE_JOBS       runs at a time (8 for each processor)
#   TORTURE_LIMIT      seconds that a run may take (3)
# A run that takes longer is repeated once by itself with a longer limit.
#
# The peers live in one event loop with the driver (select, no threads and no
# processes), as actors: a list of steps that are taken one after another.
package Torture;

use strict;
use warnings;
use Carp qw(croak);
use Digest::MD5 qw(md5_hex);
use Errno ();
use List::Util qw(max);
use POSIX ();
use Socket;
use Test::More;
use Time::HiRes qw(time);

use Sockt qw(scratch slurp spew);
use TortureRun;

our @ISA = qw(Exporter);
our @EXPORT = qw(scenario data torture spew slurp head_of);
*import = \&Sockt::import;

alarm 0;    # each run has a limit of its own

my $LIMIT   = $ENV{TORTURE_LIMIT} || 3;
my @scenarios;

# Bytes that repeat nowhere, of every value.
sub data {
    my ($n, $seed) = @_;
    my $bytes = '';
    my $i     = 0;
    while (length $bytes < $n) {
        $bytes .= pack 'N C64', ($seed // 0) * 1_000_000 + $i++,
            map { ($i * 7 + $_ * 5 + ($seed // 0)) & 255 } 1 .. 64;
    }
    return substr $bytes, 0, $n;
}

# The head of a web server's answer.
sub head_of {
    return join("\r\n", @_) . "\r\n\r\n";
}

# Declares one. All but args is optional:
#   args     the command's arguments; a string of them may hold PORT, which
#            becomes the first peer's port, PORT2 the second one's, FREE one
#            that nobody listens on
#   stdin    steps of what writes to it, or [file => BYTES]; else /dev/null
#   stdout   'file' for a file in place of a pipe
#   peers    what sockt connects to: { steps }, and unix => PATH, or udp => 1;
#            several connections in turn by connections => [STEPS...]
#   clients  what connects to sockt when it listens: { steps }, one after
#            another; with udp => 1, unix => PATH
#   stop     signal to end it with when the clients are done
#   out      truth: what stdout receives (''); undef: anything
#   got      truth: what each peer's connections, or the clients, receive;
#            bytes, or a pattern for all of them
#   files    truth: name => bytes of files that appear when whole
#   records  truth: name => bytes of files that are written as it goes
#   stays    pattern of further files that may stay after a failure
#   before   name => bytes of those of them that are there before
#   setup    code that is given the folder and the peers' ports, before a run
#   names    pattern: what error lines may name besides the usual
#   notes    pattern: lines besides the error that may be there
#   check    code with more checks: is given the run, returns complaints
#   except   pattern of runs that make no sense here
#   env      more environment
#   silent   pattern of statuses that are results and need no line
#   status   of the run in which nothing fails (0)
#   limit    seconds that it may take longer than others
sub scenario {
    my ($name, %s) = @_;
    my $scenario = { name => $name, out => '', %s };
    $scenario->{is_error} =
        sub { tells_loss({ s => $scenario, stderr => $_[0] }) };
    push @scenarios, $scenario;
}

# Failures by function. "+" lasts from that call on.
my @MISSING = qw(+ENOSYS +EPERM);
my @OUTPUT  = qw(ENOSPC EIO EPIPE EINTR EAGAIN one half);
my %FAILURES = (
    socket  => [qw(EMFILE ENOBUFS EACCES EAFNOSUPPORT)],
    connect => [qw(ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENETUNREACH
        EADDRNOTAVAIL EACCES EAGAIN EINTR ENOBUFS)],
    bind    => [qw(EADDRINUSE EACCES EADDRNOTAVAIL ENOMEM)],
    listen  => [qw(EADDRINUSE)],
    accept4 => [qw(ECONNABORTED EMFILE ENFILE ENOBUFS ENOMEM EPERM EPROTO
        ENETDOWN EHOSTUNREACH ETIMEDOUT EINTR EAGAIN)],
    shutdown    => [qw(ENOTCONN ENOBUFS)],
    close       => [qw(EIO EINTR ENOSPC)],
    getsockname => [qw(ENOBUFS)],
    getpeername => [qw(ENOTCONN)],
    getsockopt  => [qw(ENOPROTOOPT ENOBUFS)],
    setsockopt  => [qw(ENOPROTOOPT EINVAL EPERM ENOBUFS)],
    send    => [qw(ECONNRESET EPIPE EHOSTUNREACH ENOBUFS EPERM EINTR EAGAIN one
        half)],
    sendmsg => [qw(ECONNREFUSED ENOBUFS EPERM EHOSTUNREACH EINTR EAGAIN)],
    recv    => [qw(ECONNRESET ETIMEDOUT EHOSTUNREACH ENOMEM EINTR EAGAIN one
        half)],
    recvmsg => [qw(ECONNREFUSED ENOMEM EINTR EAGAIN)],
    read    => [qw(EIO EINTR EAGAIN one half)],
    write   => [@OUTPUT],
    pwritev2 => [@OUTPUT, @MISSING, '+EOPNOTSUPP'],
    splice   => [qw(EINVAL ECONNRESET EPIPE EIO ENOMEM EINTR EAGAIN one half),
        @MISSING, '+EINVAL'],
    poll          => [qw(EINTR ENOMEM)],
    epoll_create1 => [qw(EMFILE ENFILE ENOMEM), @MISSING],
    epoll_ctl     => [qw(ENOMEM ENOSPC)],
    fcntl         => [qw(EPERM EMFILE)],
    dup2          => [qw(EINTR EMFILE EBUSY)],
    (map { $_ => [qw(EMFILE ENFILE)] } qw(pipe2 socketpair)),
    (map { $_ => [qw(ENOENT EACCES EMFILE ENOSPC EROFS EINTR)] }
        qw(open fopen)),
    fflush => [qw(EIO ENOSPC EPIPE)],
    fgets  => [qw(EIO)],
    (map { $_ => [qw(EIO ENOSPC)] } qw(fclose ftruncate)),
    (map { $_ => [qw(EACCES EIO ENOMEM)] } qw(stat lstat fstat)),
    lseek    => [qw(ESPIPE)],
    rename   => [qw(EACCES ENOSPC EIO)],
    link     => [qw(EPERM EEXIST EOPNOTSUPP EMLINK EIO)],
    unlink   => [qw(EACCES EROFS)],
    fchmodat => [qw(EPERM EROFS EIO EOPNOTSUPP)],
    readlink => [qw(EACCES)],
    (map { $_ => [qw(ENOMEM)] } qw(calloc realloc aligned_alloc
        fdopendir)),
    (map { $_ => [qw(EAGAIN ENOMEM)] } qw(fork clone)),
    execve   => [qw(ENOENT EACCES ENOMEM ETXTBSY)],
    (map { $_ => [qw(EINTR)] } qw(epoll_wait waitpid)),
    (map { $_ => [qw(EPERM)] } qw(futimens fchmod setpgid prctl)),
    kill        => [qw(ESRCH EPERM)],
    ioctl       => [qw(ENOTTY)],
    sigaction   => [qw(EINVAL)],
    getaddrinfo => [qw(EAI_AGAIN EAI_NONAME EAI_FAIL EAI_MEMORY EAI_SYSTEM)],
);

# The library's word for a failure.
sub action_of {
    my ($failure) = @_;
    return $failure if $failure eq 'one' || $failure eq 'half';
    my $number = $failure =~ /^EAI_/ ? Socket->can($failure)
        : Errno->can($failure);
    croak "$failure: no such failure" unless $number;
    return $number->();
}

# An error line has to speak of one of these.
my $NAMES = qr/127\.0\.0\.1|::1|localhost|\bport\s\d|unix:|\bURL\b|http:
    |the\sconnection|std(in|out)|standard\s(input|output)|memory|signal|fork
    |process|program|descriptor|\bsockets\b|\bpoll|\bpipe/x;

# Lines that say how it goes on, not that it failed.
my $NOTES = qr/accepting pauses|the connection is dropped/;

sub is_prefix {
    my ($part, $whole) = @_;
    return length $part <= length $whole
        && $part eq substr $whole, 0, length $part;
}

# A line without what varies. A status does not: a program that the end of its
# server has ended is not one that could not write.
sub like_template {
    my ($line) = @_;
    $line =~ s{(status \d+)|\d+(?:\.\d+)?}{$1 // '#'}ge;
    return $line;
}

# Says how bytes differ from the truth.
sub difference {
    my ($what, $got, $truth) = @_;
    return () if $got eq $truth;
    return sprintf '%s: %d of %d bytes', $what, length $got, length $truth
        if is_prefix($got, $truth);
    my $same = 0;
    ($got ^ $truth) =~ /\A(\0*)/ and $same = length $1;
    return sprintf '%s: %d bytes, not the %d of the truth from %d on', $what,
        length $got, length $truth, $same;
}

# The error lines: what is not among the lines of an undisturbed run.
sub error_lines {
    my ($r) = @_;
    my $s = $r->{s};
    return grep {
        !$s->{usual}{ like_template($_) } && !/$NOTES/
            && !($s->{notes} && /$s->{notes}/)
    } split /^/, $r->{stderr};
}

# Whether a server says that a client was not served.
sub tells_loss {
    my ($r) = @_;
    return $r->{stderr} =~ /$NOTES/ || error_lines($r);
}

sub check_errors {
    my ($r) = @_;
    my @lines = error_lines($r);
    # A usage error says where help is.
    @lines = grep { !/: try 'sockt [a-z-]+ --help'$/ } @lines
        if $r->{status} == 2;
    my @bad;
    my $s = $r->{s};
    # As a filter dies by SIGPIPE: whoever closed stdout knows it.
    return if $r->{status} == 11 && !@lines && $r->{plan} =~ /EPIPE/;
    return if !@lines && $s->{silent} && $r->{status} =~ $s->{silent};
    if ($r->{status} == 0) {
        return $s->{stop} || !@lines || $r->{plan} =~ /^(unlink|lstat)\b/ ? ()
            : "status 0 with an error line: $lines[0]";
    }
    # The line of a lost connection also says why its server fails.
    my $is_told = @lines || $r->{stderr} =~ /: the connection is dropped: ./;
    push @bad, "status $r->{status}" . ($is_told ? '' : ' in silence')
        if !$is_told || $r->{status} > 127;
    push @bad, scalar(@lines) . ' error lines: ' . join ' / ', @lines
        if @lines > 1;
    for my $line (@lines) {
        push @bad, "an odd line: $line"
            if $line !~ /\Asockt [a-z-]+: .+\n\z|\A\{.*"event":"error".*\}\n\z/
            || $line =~ /Success|\(null\)|errno|\berror 0\b/;
        push @bad, "nothing is named: $line"
            unless $line =~ $NAMES || $s->{names} && $line =~ $s->{names};
    }
    return @bad;
}

sub check_received {
    my ($r) = @_;
    my $s = $r->{s};
    my @bad;
    push @bad, difference('stdout', $r->{stdout}, $s->{out})
        if defined $s->{out}
        && ($r->{status} == 0 || !is_prefix($r->{stdout}, $s->{out}));
    return @bad unless $s->{got};
    my @got = $r->got;
    my $missed = 0;
    for my $i (0 .. $#{ $s->{got} }) {
        my ($has, $truth) = ($got[$i] // '', $s->{got}[$i]);
        next if TortureRun::is_truth($has, $truth);
        $missed++;
        push @bad, ref $truth ? "peer $i: '$has'"
            : difference("peer $i", $has, $truth)
            if !$s->{stop} && $r->{status} == 0
            || (ref $truth ? $has ne '' : !is_prefix($has, $truth));
    }
    return @bad unless $s->{stop} && $r->{status} == 0 && $missed;
    push @bad, "$missed clients were not served" if $missed > 1 && !$r->{lasts};
    push @bad, 'a client was not served, in silence'
        unless tells_loss($r);
    return @bad;
}

sub check_files {
    my ($r) = @_;
    my $s = $r->{s};
    my %files = %{ $r->{files} };
    my @bad;
    for my $name (sort keys %{ $s->{files} // {} }) {
        my $has = delete $files{$name};
        my $before = $s->{before} && $s->{before}{$name};
        if (defined $has) {
            push @bad, difference("file $name", $has, $s->{files}{$name})
                unless $r->{status} != 0 && defined $before && $has eq $before;
        }
        elsif ($r->{status} == 0 || defined $before) {
            push @bad, "file $name is not there";
        }
    }
    for my $name (sort keys %{ $s->{records} // {} }) {
        my $has = delete $files{$name} // '';
        push @bad, difference("file $name", $has, $s->{records}{$name})
            if $r->{status} == 0 || !is_prefix($has, $s->{records}{$name});
    }
    delete $files{$_} for keys %{ $s->{usual_files} // {} };
    # What could not be removed stays, and so does what is there when memory
    # runs out, since that ends the process at once: both as after kill -9,
    # which the next run copes with.
    return @bad if $r->{stderr} =~ /out of memory|could not be removed/;
    delete @files{ grep { /\.from\z/ } keys %files }
        if $r->{plan} =~ /^unlink\b/;
    for my $name (sort keys %files) {
        push @bad, "$name stays"
            unless $r->{status} != 0 && $s->{stays} && $name =~ $s->{stays};
    }
    return @bad;
}

# Everything that is wrong with a run.
sub complaints {
    my ($r) = @_;
    my $s = $r->{s};
    return sprintf('does not end (%.1f s)', $r->{seconds}) if $r->{late};
    my @bad;
    push @bad, "dies by signal $r->{signal}" if $r->{signal};
    push @bad, 'a process stays'
        if $r->{orphans} || $r->{held};
    push @bad, check_errors($r) unless $r->{signal};
    push @bad, $s->{check}->($r) if $s->{check};
    push @bad, check_received($r), check_files($r);
    push @bad, "$r->{table}{open_fds} descriptors stay open"
        if defined $s->{usual_fds} && $r->{table}{open_fds} > $s->{usual_fds}
        && $r->{stderr} !~ /out of memory/;
    return @bad;
}

# A run's name, and the library's plan for it.
sub parse_plan {
    my ($name) = @_;
    my ($call, $p, $n, $lasts, $failure) =
        $name =~ /\A(\w+)(?:\@(\d+))? (\d+)(\+?) (\w+)\z/
        or croak "TORTURE: '$name' is not CALL N FAILURE";
    return join ' ', $p // 0, $call, $n, $lasts ? 1 : 0, action_of($failure);
}

sub run_scenario {
    my ($s, $name, $limit) = @_;
    my $r = TortureRun->new($s, $name && parse_plan($name),
        ($limit // $LIMIT) + ($s->{limit} // 0));
    $r->{plan} = $name // '';
    $r->{lasts} = $r->{plan} =~ /\+/;
    return $r->go;
}

# The undisturbed run: what it says is no error. The counts of two are joined,
# since timing has a say.
sub count_calls {
    my ($s) = @_;
    my %counts;
    for (1 .. 2) {
        my $r = run_scenario($s, undef, 4 * $LIMIT);
        if (!$s->{status}) {
            $s->{usual}{ like_template($_) } = 1 for split /^/, $r->{stderr};
        }
        $s->{usual_files}{$_} = 1
            for grep { !defined $r->{files}{$_} } keys %{ $r->{files} };
        my @bad = complaints($r);
        push @bad, "status $r->{status}: $r->{stderr}"
            if $r->{status} != ($s->{status} // 0);
        return (undef, @bad) if @bad;
        $s->{usual_fds} = max($s->{usual_fds} // 0, $r->{table}{open_fds});
        my $c = $r->{table}{counts};
        $counts{$_} = max($counts{$_} // 0, $c->{$_}) for keys %$c;
    }
    delete $s->{usual_files};
    return \%counts;
}

# Whether a sample has this one.
sub is_chosen {
    my ($full) = @_;
    return $full =~ /\A(?:$ENV{TORTURE_RUNS})\z/ if $ENV{TORTURE_RUNS};
    my $part = $ENV{TORTURE_SAMPLE} || 1;
    my $seed = $ENV{TORTURE_SEED} || 1;
    return $part <= 1
        || hex(substr md5_hex("$seed $full"), 0, 7) % $part == 0;
}

# The names of all runs of a scenario.
sub plans {
    my ($s, $counts) = @_;
    my @plans;
    for my $key (sort keys %$counts) {
        my ($call) = $key =~ /(\w+)/;
        for my $failure (@{ $FAILURES{$call} // [] }) {
            if ($failure =~ /\A\+(.*)/) {
                push @plans, "$key 1+ $1";
                next;
            }
            push @plans, map { "$key $_ $failure" } 1 .. $counts->{$key};
        }
    }
    @plans = grep { $_ !~ $s->{except} } @plans if $s->{except};
    return grep { is_chosen("$s->{name} $_") } @plans;
}

# One run and its judgement: '' or what is wrong; whether it was reached.
sub judge {
    my ($s, $name) = @_;
    my $r = run_scenario($s, $name);
    # On a busy machine. Once a few have been late again, the rest is too.
    if ($r->{late} && ($s->{hangs} // 0) < 3) {
        $r = run_scenario($s, $name, 4 * $LIMIT);
        $s->{hangs}++ if $r->{late};
    }
    my $bad = join '; ', complaints($r);
    return ($bad =~ s/\s+/ /gr, $r->{table}{hits});
}

# Runs a part of a scenario's runs in a process of its own, and writes what came
# of them: lines of NAME, how often its call has failed, and what is wrong.
sub run_part {
    my ($s, $part, $parts, $path) = @_;
    TortureRun::forget_folder();
    my ($counts, @bad) = count_calls($s);
    my $lines = $counts ? '' : "undisturbed\t1\t" . join('; ', @bad) =~ s/\s+/ /gr . "\n";
    for my $name (plans($s, $counts // {})) {
        next if hex(substr md5_hex("$s->{name} $name"), 8, 7) % $parts != $part;
        my ($bad, $hits) = judge($s, $name);
        $lines .= "$name\t$hits\t$bad\n";
    }
    spew($path, $lines);
    TortureRun::remove_folder();
}

# One run, told.
sub tell_one {
    my ($wanted) = @_;
    my ($name, $plan) = $wanted =~ /\A(\S+)(?: (.+))?\z/;
    my ($s) = grep { $_->{name} eq $name } @scenarios;
    plan skip_all => "$name is not in here" unless $s;
    my ($counts, @bad) = count_calls($s);
    is join('; ', @bad), '', "$name, undisturbed";
    if ($counts && !$plan) {
        note "$_ $counts->{$_}" for sort keys %$counts;
    }
    my $r = run_scenario($s, $plan, 4 * $LIMIT);
    my @complaints = complaints($r);
    diag "command: @{ $r->{args} }";
    diag sprintf 'status %d, signal %d, %.3f s, %d calls failed as planned',
        $r->{status}, $r->{signal}, $r->{seconds}, $r->{table}{hits};
    diag "stderr: $_" for split /\n/, $r->{stderr};
    diag sprintf 'stdout: %d bytes', length $r->{stdout};
    my @got = $r->got;
    diag sprintf 'peer %d: %d bytes', $_, length $got[$_] for 0 .. $#got;
    diag "file: $_" for sort keys %{ $r->{files} };
    is join('; ', @complaints), '', $wanted;
    done_testing;
}

# What a test file calls behind its scenarios.
sub torture {
    plan skip_all => 'the library needs Linux and glibc'
        unless TortureRun::has_library();
    return tell_one($ENV{TORTURE}) if $ENV{TORTURE};
    if (my $some = $ENV{TORTURE_SCENARIOS}) {
        my %wanted = map { $_ => 1 } split /[,\s]+/, $some;
        @scenarios = grep { $wanted{ $_->{name} } } @scenarios;
        plan skip_all => "none of $some is in here" unless @scenarios;
    }
    # A few runs need no parts, each of which counts the calls.
    my $parts   = $ENV{TORTURE_RUNS} ? 1 : 4;
    my $left    = $ENV{TORTURE_JOBS} || 8 * (POSIX::sysconf(84) || 1);
    my $folder  = scratch();
    my ($start, $total) = (time, 0);
    for my $job (map { my $s = $_; map { [ $s, $_ ] } 1 .. $parts }
        @scenarios) {
        my ($s, $part) = @$job;
        wait if $left-- <= 0;
        next if fork // croak "fork: $!";
        eval { run_part($s, $part - 1, $parts, "$folder/$s->{name}.$part") };
        print STDERR $@;
        POSIX::_exit(0);
    }
    1 while wait > 0;
    for my $s (@scenarios) {
        my @runs = map { [ split /\t/ ] } map { chomp; $_ } map { split /^/ }
            map { slurp("$folder/$s->{name}.$_") } 1 .. $parts;
        my @bad = grep { defined $_->[2] } @runs;
        ok !@bad, sprintf '%s: %d runs, %d of which never came to their call',
            $s->{name}, scalar @runs, scalar grep { !$_->[1] } @runs;
        diag "TORTURE='$s->{name} $_->[0]'  $_->[2]" for @bad;
        $total += @runs;
    }
    diag sprintf "%d runs in %.0f s", $total, time - $start;
    done_testing;
}

1;
