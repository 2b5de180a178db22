# The socket calls of a sockt and its children, as strace(1) saw them, and the
# steps that each of these processes has reported at -vv, for comparison.
#
#	my $p = straced('listen', '-vv', 0);      # as start() of Sockt
#	my @processes = processes($p);            # once it has ended
#
# Each process has a log of its own (strace -ff), so no call is cut in two by
# those of another, and what it wrote to its standard error is in the same log:
# which process reported which step, and after which call, is certain.
package Strace;

use strict;
use warnings;
use Carp qw(croak);
use Exporter qw(import);
use Sockt;

our @EXPORT = qw(strace_lacks straced processes faults_of
    unordered_faults_of);

# Calls on sockets and processes; the last ones carry the reports and show
# which descriptor is which.
my $TRACE = 'trace=network,desc,process';

# Why strace(1) cannot be used here; '' where it can.
sub strace_lacks {
    my $r = eval { run({ command => 'strace' }, '-V') };
    return 'strace is not installed' if !$r || $r->{status} != 0;
    my $dir = scratch();
    $r = run({ command => 'strace' }, '-D', '-ff', '-y', '-o', "$dir/log",
        '-e', $TRACE, 'true');
    return 'strace cannot trace here' if $r->{status} != 0
        || !grep { slurp($_) =~ /exited with 0/ } glob "$dir/log.*";
    return '';
}

# Starts sockt under strace: a Sockt::Process, whose pid is sockt's (-D). Its
# standard error ends when all logs are complete.
sub straced {
    my $o = ref $_[0] eq 'HASH' ? { %{ +shift } } : {};
    my $dir = scratch();
    my $program = $o->{command} // sockt();
    $o->{command} = 'strace';
    # LeakSanitizer refuses to work under ptrace(2).
    $o->{env}{ASAN_OPTIONS} = 'detect_leaks=0';
    my $p = start($o, '-D', '-ff', '-q', '-v', '-y', '-s', 4096, '-o',
        "$dir/log", '-e', $TRACE, $program, @_);
    $p->{strace_log} = "$dir/log";
    return $p;
}

# "text\n" as strace(1) shows a string.
sub unquote {
    my ($text) = @_;
    my %named = (n => "\n", t => "\t", r => "\r", v => "\013", f => "\f");
    $text =~ s/\\([0-7]{1,3}|.)/
        $1 =~ m{^[0-7]} ? chr oct $1 : $named{$1} \/\/ $1/gesx;
    return $text;
}

# What each call is called here, by what it does.
my %NAMES = (
    accept4 => 'accept', recvfrom => 'recv', recvmsg => 'recv',
    read => 'recv', readv => 'recv', sendto => 'send', sendmsg => 'send',
    write => 'send', writev => 'send', sendfile => 'send',
    map { $_ => $_ } qw(socket socketpair bind listen accept connect
        setsockopt getsockopt getsockname getpeername shutdown close recv send)
);

my $SOCKET = qr/\d+<(?:socket:|TCP|UDP|UNIX|NETLINK)[^>]*>/;

# The socket calls of one line: a list of { call, fd, result }, result being a
# number, 'ok', or the name of an error.
sub calls_of {
    my ($line) = @_;
    my ($name, $args, $returned, $errno) =
        $line =~ /^(\w+)\((.*)\) += (-?\d+|\?)(?:<[^>]*>)?(?: (E\w+))?/s
        or return;
    return if $returned eq '?';
    my $result = $errno // $returned;
    return { call => 'fork', result => $returned }
        if $name =~ /^(?:clone3?|v?fork)$/ && $returned > 0;
    return { call => 'exec', result => $result } if $name eq 'execve';
    if ($name eq 'splice' || $name eq 'sendfile') {
        my ($first, $second) = $name eq 'splice'
            ? $args =~ /^(\d+<[^>]*>), (?:NULL|\[\d+\]), (\d+<[^>]*>)/
            : (split /, /, $args)[1, 0];
        my ($in) = $first =~ /^$SOCKET/ ? $first =~ /^(\d+)/ : ();
        my ($out) = $second =~ /^$SOCKET/ ? $second =~ /^(\d+)/ : ();
        return { call => 'recv', fd => $in, result => $result }
            if defined $in;
        return { call => 'send', fd => $out, result => $result }
            # Nothing: the pipe has ended.
            if defined $out && $result ne '0';
        return;
    }
    return { call => 'socket', args => $args, result => $result }
        if $name eq 'socket';
    return unless $args =~ /^$SOCKET/;
    my ($fd) = $args =~ /^(\d+)/;
    # A run of datagrams, which the kernel splits, is as many steps.
    return map { { call => 'send', fd => $fd, result => $_ } }
        $args =~ /iov_len=(\d+)/g
        if $name eq 'sendmsg' && $result =~ /^\d/
        && $args =~ /cmsg_type=(?:UDP_SEGMENT|0x67)/;
    # What is no call of a tutorial: whether a further datagram is waiting, and
    # what the system counts.
    return if $name eq 'recvmsg' && $result eq 'EAGAIN'
        && $args =~ /MSG_TRUNC/;
    return if $args =~ /, SO_(?:MEMINFO|PROTOCOL), /;
    my $call = $NAMES{$name} // return;
    $call = 'errqueue' if $call eq 'recv' && $args =~ /MSG_ERRQUEUE/;
    my %c = (call => $call, fd => $fd, result => $result, args => $args);
    ($c{option}) = $args =~ /^[^,]*, \w+, (\w+)/ if $call =~ /sockopt/;
    # Set on every TCP socket, and taught by no tutorial.
    return if ($c{option} // '') eq 'TCP_NODELAY';
    return \%c;
}

# Reads one process' log: { calls, lines, children }, each line with the number
# of calls before it. What follows a program's start is the program's.
sub read_log {
    my ($path, $is_first) = @_;
    my %p = (calls => [], lines => [], trace => []);
    my $text = slurp($path);
    # The C library's own, for names and addresses of interfaces.
    my %is_libc = map { $_ => 1 }
        $text =~ /^ioctl\(\d+<(socket:\[\d+\])>, SIOCGIF/mg,
        $text =~ /^socket\(AF_NETLINK, .* = \d+<(socket:\[\d+\])>$/mg;
    for my $line (split /\n/, $text) {
        next if $line =~ /<(socket:\[\d+\])>/ && $is_libc{$1};
        if ($line =~ /^write\(2<[^>]*>, "((?:[^"\\]|\\.)*)"(\.*)/) {
            croak "cut off: $line" if $2 ne '';
            push @{ $p{lines} }, map { { text => $_, at => scalar @{ $p{calls} } } }
                split /\n/, unquote($1);
            next;
        }
        for my $c (calls_of($line)) {
            if ($c->{call} eq 'exec' && $c->{result} eq '0') {
                return { %p, is_program => 1 } unless $is_first;
                $is_first = 0;
                next;
            }
            $c->{line} = $line;
            push @{ $p{calls} }, $c;
        }
    }
    return \%p;
}

# Whether the line before a process' nth call says that a name is looked up:
# the processes that are made then are the resolver's.
sub is_resolving {
    my ($p, $n) = @_;
    my ($last) = reverse grep { $_->{at} <= $n } @{ $p->{lines} };
    return $last && $last->{text} =~ /^sockt [\w-]+: resolve .+: waiting/;
}

# The processes of an ended run in the order of their making, each with pid,
# calls and lines. What became a program, or failed to, is not among them, and
# nor are resolvers.
sub processes {
    my ($p) = @_;
    my @wanted = ($p->{pid});
    my @found;
    while (defined(my $pid = shift @wanted)) {
        my $one = read_log("$p->{strace_log}.$pid", !@found);
        next if $one->{is_program} && @found;
        $one->{pid} = $pid;
        push @found, $one;
        my @calls = @{ $one->{calls} };
        @{ $one->{calls} } = grep { $_->{call} ne 'fork'
            || !is_resolving($one, $_->{number}) }
            map { { %{ $calls[$_] }, number => $_ } } 0 .. $#calls;
        for my $c (grep { $_->{call} eq 'fork' } @{ $one->{calls} }) {
            my $pid = $c->{result};
            my $child = read_log("$p->{strace_log}.$pid", 0);
            my ($failed) = grep { $_->{call} eq 'exec' } @{ $child->{calls} };
            push @wanted, $pid unless $child->{is_program} || $failed;
        }
    }
    return @found;
}

# What a step of -vv says of calls: { call, fd, result, option, count }, result
# being a number of bytes, 'ok', 'FAILED', 'EAGAIN' or 'EINPROGRESS'. Nothing
# for other lines.
sub step_of {
    my ($text) = @_;
    my ($call, $subject, $result) = $text =~ /^sockt[ ][\w-]+:[ ](
        socket|bind|listen|accept|connect|getsockname|getpeername|
        setsockopt|getsockopt|send\w*|recv\w*|splice|read|write|shutdown|close|
        fork)[ ](.+?):[ ](\S.*)/x or return;
    my %s = (call => $call, text => $text, count => 1);
    ($s{fd}) = $subject =~ /\(fd (\d+)\)/;
    ($s{fd}) = $subject =~ / = (\d+)$/ if $call eq 'socket';
    ($s{pid}) = $subject =~ /process (\d+)/;
    ($s{option}) = $subject =~ /^(\w+)/ if $call =~ /sockopt/;
    if ($call =~ /^(?:send|recv|splice|read|write)/) {
        $s{call} = $subject =~ /^from the (?:empty )?error queue/ ? 'errqueue'
            : $call eq 'splice' ? $subject =~ /^from / ? 'recv' : 'send'
            : $call =~ /^(?:recv|read)/ ? 'recv' : 'send';
    }
    my ($bytes) = $result =~ /^(?:accepted )?(\d+) (?:of \d+ )?bytes?\b/;
    $s{result} = $result =~ /^waiting/ ? 'EINPROGRESS'
        : $result =~ /^would block/ ? 'EAGAIN'
        : $result =~ /^(?:FAILED|none\b)/ ? 'FAILED' : $bytes // 'ok';
    # One line per port of a scan.
    @s{qw(count result)} = ($1, 'any') if $subject =~ /, (\d+) calls$/;
    if ($result =~ /^(\d+) more times(?:, (\d+) bytes)?/) {
        @s{qw(count result)} = ($1, $2 // 'any');
    }
    return \%s;
}

# A call in the messages of a test.
sub show_call { return substr $_[0]{line}, 0, 200 }

# Whether a call is what a step says.
sub is_reported_by {
    my ($c, $s) = @_;
    return 0 if $c->{call} ne $s->{call};
    my $fd = $c->{call} eq 'socket' && $c->{result} =~ /^\d/
        ? $c->{result} : $c->{fd};
    return 0 if defined $s->{fd} && defined $fd && $fd != $s->{fd};
    return 0 if defined $s->{option} && $c->{option} ne $s->{option};
    return 1 if $s->{count} > 1;
    my $is_error = $c->{result} =~ /^E/;
    return $s->{result} eq $c->{result} if $s->{result} =~ /^(?:E|\d)/;
    return $s->{result} eq 'FAILED' ? $is_error : !$is_error;
}

# A scan's probes have their outcomes in any order: faults_of() without the order.
sub unordered_faults_of {
    my ($p) = @_;
    my (%called, %reported, %bytes);
    my $key = sub { join ' ', map { $_ // '' } @{ $_[0] }{qw(call fd option)} };
    for my $c (@{ $p->{calls} }) {
        my %c = (%$c, $c->{call} eq 'socket' ? (fd => $c->{result}) : ());
        $called{ $key->(\%c) }++;
    }
    for my $line (@{ $p->{lines} }) {
        my $s = step_of($line->{text}) or next;
        $reported{ $key->($s) } += $s->{count};
    }
    return map { "called " . ($called{$_} // 0) . ' times, reported '
        . ($reported{$_} // 0) . " times: $_" }
        grep { ($called{$_} // 0) != ($reported{$_} // 0) }
        sort keys %{ { %called, %reported } };
}

# What a process has called and not reported, or reported and not called, in
# order; none where it is all the same. Of equal steps that were counted the
# number and the sum of bytes have to be right.
sub faults_of {
    my ($p) = @_;
    # A server tries each listening socket in turn: what waits says it.
    my @calls = grep { !($_->{call} eq 'accept' && $_->{result} eq 'EAGAIN') }
        @{ $p->{calls} };
    my (@faults, %waiting);
    for my $line (@{ $p->{lines} }) {
        my $s = step_of($line->{text}) or next;
        next if $s->{result} eq 'EINPROGRESS' && $s->{call} ne 'connect';
        # The end of what was announced.
        if ($s->{call} eq 'connect' && $s->{result} ne 'EINPROGRESS'
            && delete $waiting{ $s->{fd} // '' }) {
            next;
        }
        $waiting{ $s->{fd} } = 1 if $s->{result} eq 'EINPROGRESS';
        my $bytes = 0;
        for my $n (1 .. $s->{count}) {
            my ($found) = grep { is_reported_by($calls[$_], $s) } 0 .. $#calls;
            if (!defined $found) {
                push @faults, "not called: $s->{text}";
                last;
            }
            push @faults, map { 'not reported: ' . show_call($_) }
                splice @calls, 0, $found;
            my $c = shift @calls;
            $bytes += $c->{result} if $c->{result} =~ /^\d/;
        }
        push @faults, "another number of bytes ($bytes): $s->{text}"
            if $s->{count} > 1 && $s->{result} =~ /^\d/
            && $bytes != $s->{result};
    }
    push @faults, map { 'not reported: ' . show_call($_) } @calls;
    return @faults;
}

1;
