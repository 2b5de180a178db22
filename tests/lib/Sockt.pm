# For tests of commands: runs sockt to its end or beside the test, waits for its
# output, and makes independent peers of Perl sockets.
#
#	my $r = run('connect', '-z', '127.0.0.1', $port);
#	is $r->{status}, 0;
#
#	my $p = start('listen', '-k', '--echo', 0);
#	my $c = tcp_client($p->port);
#	$p->expect(err => qr/closed/);
#	is $p->stop->{status}, 0;
#
# A test waits for what it needs (expect, is_asleep) and never sleeps to
# synchronise; every wait has a limit. What a child of a server logs comes after
# its client has seen the end: expect it before stop.
package Sockt;

use strict;
use warnings;
use Carp qw(croak);
use Cwd qw(abs_path);
use Exporter ();
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Glob ();
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::IP;
use POSIX qw(:sys_wait_h);
use Socket qw(SOMAXCONN SOCK_STREAM SOCK_DGRAM);
use Test::More ();
use Time::HiRes qw(time);

our @ISA = qw(Exporter);
our @EXPORT = qw(sockt run start exits misused tcp_listener full_listener udp_socket
    tcp_client peer exchange until_end is_reset reap slurp spew scratch has_ipv6 is_root free_port own_network
    children await_child await_no_child is_running is_asleep left_behind
    group_ends set_loopback acknowledged glob built start_server await_listener full_pipe);

# A test that uses this has strict, warnings and Test::More, too; Source,
# Examples and Torture have the same import.
sub import {
    my ($class, @names) = @_;
    strict->import;
    warnings->import;
    Test::More->export_to_level(1, 'Test::More') if caller eq 'main';
    return $class->export_to_level(1, $class, @names);
}

# A folder's name may have a space.
*glob = \&File::Glob::bsd_glob;

# The top of the source tree.
our $TOP = abs_path(dirname(__FILE__) . '/../..');

# Seconds after which any single wait has failed; slow builds need more.
our $PATIENCE = $ENV{SOCKT_PATIENCE} || 30;

# The limit of what a test reads or waits for by itself.
$SIG{ALRM} = sub { die "the test takes too long\n" };
alarm 10 * $PATIENCE;

# The tester's environment is for the tester's own programs.
delete @ENV{qw(http_proxy no_proxy NO_PROXY)};

# Commands that tests give to a shell do not quote the names of scratch files.
delete $ENV{TMPDIR} if ($ENV{TMPDIR} // '') =~ /\s/;

# Other users read what some tests make.
umask 022;

# In a folder that may not be entered a program is not missing, but denied.
$ENV{PATH} = join ':', grep { -x } split /:/, $ENV{PATH};

# A shell lets its background jobs ignore these.
$SIG{INT} = $SIG{HUP} = 'DEFAULT';

# A peer may have gone, which a write tells: it does not end the test. What the
# test starts has the default.
$SIG{PIPE} = sub { };

my %children;    # pid => 1: to be killed when the test ends
my $owner = $$;

# The binary under test.
sub sockt { return $ENV{SOCKT} || "$TOP/build/sockt" }

# A program that make builds for tests: pty, sockt-names, link.
sub built { return ($ENV{SOCKT_BUILD} || "$TOP/build") . "/tests/$_[0]" }

# Forks. The child runs code and exits without END blocks. Returns its pid.
sub fork_child {
    my ($code) = @_;
    scratch_base();
    my $pid = fork // croak "fork: $!";
    if ($pid == 0) {
        %children = ();
        my $good = eval { $code->(); 1 };
        print STDERR "# child: $@" unless $good;
        POSIX::_exit($good ? 0 : 1);
    }
    $children{$pid} = 1;
    return $pid;
}

# The same as another user, and its groups if they are given ("gid gid ..."). The
# binary is a copy if only this user can reach the one of the tree.
sub fork_as {
    my ($uid, $groups, $code) = @_;
    my $folder = scratch();
    copy(sockt(), "$folder/sockt") or croak "copy: $!";
    chmod 0755, $folder, "$folder/sockt";
    return fork_child(sub {
        ($(, $)) = ($groups =~ /(\d+)/, $groups) if defined $groups;
        $> = $< = $uid;
        $ENV{SOCKT} = "$folder/sockt" if !-x sockt();
        $code->();
    });
}

# Waits for a child. Its wait status, or undef when it has not ended in time.
sub reap {
    my ($pid, $seconds) = @_;
    my $until = time + ($seconds // $PATIENCE);
    while (1) {
        my $done = waitpid $pid, WNOHANG;
        my $status = $?;
        if ($done == $pid) {
            delete $children{$pid};
            return $status;
        }
        return undef if $done < 0 || time > $until;
        select undef, undef, undef, 0.002;
    }
}

END {
    if ($$ == $owner) {
        local $?;
        kill 'KILL', $_ for keys %children;
        waitpid $_, 0 for keys %children;
    }
}

# Runs sockt to its end. Options, as a leading hash reference:
#   stdin       text for its stdin (default: empty), or a handle to read from
#   keep_stdin  true: stdin stays open, for send_line and close_stdin
#   stdout      a handle to write to instead
#   stderr      the same for its stderr
#   command     another program instead of sockt
#   env         additional environment
#   closed      descriptors to close in it
#   keep_fds    true: descriptors above 2 are inherited
#   timeout     seconds until it is killed
# Returns a hash: status, signal, out, err, seconds, timed_out.
sub run {
    my $o = ref $_[0] eq 'HASH' ? shift : {};
    my $p = start($o, @_);
    return $p->finish($o->{timeout});
}

# Starts sockt beside the test: a Sockt::Process.
sub start {
    my $o = ref $_[0] eq 'HASH' ? shift : {};
    return Sockt::Process->new($o, @_);
}

# One test of how a run ended: its status (-15 where SIGTERM ended it), or
# "STATUS OUT". Of what else is given, out, err and asked (see SocktHttp) equal a
# text, or match a pattern or each of a list; no_out and the like match none;
# within is more seconds than it took; file => [PATH, TEXT] is a file's text (undef
# if there is none), beside which no PATH.part and the like are left.
sub exits {
    my ($r, $status, $name, %want) = @_;
    my $got = $r->{signal} ? -$r->{signal} : $r->{status};
    $got .= " $r->{out}" if $status =~ / /;
    my @wrong = $got eq $status ? () : "status '$got', not '$status'";
    my $within = delete $want{within} // 'inf';
    push @wrong, "$r->{seconds} s" if $r->{seconds} >= $within;
    if (my ($path, $text) = @{ delete $want{file} // [] }) {
        my $has = -e $path ? slurp($path) : undef;
        push @wrong, "file: '$has'" if ($has // "\0none") ne ($text // "\0none");
        push @wrong, "left: $_" for glob "$path.*";
    }
    for my $key (sort keys %want) {
        my ($none, $field) = $key =~ /^(no_)?(out|err|asked)$/ or croak $key;
        for my $value (ref $want{$key} eq 'ARRAY' ? @{ $want{$key} } : $want{$key}) {
            my $is = ref $value ? $r->{$field} =~ $value : $r->{$field} eq $value;
            push @wrong, "$key: not '$value'" if !$is == !$none;
        }
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return Test::More::ok(!@wrong, $name)
        || Test::More::diag(join "\n", @wrong, "out '$r->{out}'", "err '$r->{err}'");
}

# Command lines that are usage errors, in pairs: what is said, and a line or a list
# of them; where a word has a blank the line is a list of words.
sub misused {
    my ($command, @rows) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    while (my ($pattern, $lines) = splice @rows, 0, 2) {
        for my $line (ref $lines ? @$lines : $lines) {
            my @args = ref $line ? @$line : split / /, $line;
            exits(run({ timeout => 10 }, $command, @args), 2,
                "$command @args is misuse", err => $pattern, out => '');
        }
    }
}

# A listening Perl socket on a free port of address (127.0.0.1).
sub tcp_listener {
    my (%o) = @_;
    return IO::Socket::IP->new(
        LocalHost => $o{host} // '127.0.0.1',
        LocalPort => $o{port} // 0,
        Listen    => $o{backlog} // SOMAXCONN,
        Type      => SOCK_STREAM,
        ReuseAddr => 1,
    ) // croak "listen: $@";
}

# A listener whose queue is full, so that it answers no more, and the clients that
# fill it, at most 20. Each has its place before the next asks: of two that ask at
# the same time, one may have to repeat its handshake.
sub full_listener {
    my $l = tcp_listener(@_, backlog => 0);
    my @clients;
    while (@clients < 20) {
        push @clients, IO::Socket::IP->new(PeerHost => $l->sockhost,
            PeerPort => $l->sockport, Type => SOCK_STREAM, Timeout => 0.2) || last;
    }
    return ($l, @clients);
}

# A bound UDP socket on a free port; connected where peer is given.
sub udp_socket {
    my (%o) = @_;
    return IO::Socket::IP->new(
        LocalHost => $o{host} // '127.0.0.1',
        LocalPort => $o{port} // 0,
        Proto     => 'udp',
        Type      => SOCK_DGRAM,
        $o{peer} ? (PeerHost => $o{peer}[0], PeerPort => $o{peer}[1]) : (),
    ) // croak "udp: $@";
}

# A connected Perl socket.
sub tcp_client {
    my ($port, $host) = @_;
    return IO::Socket::IP->new(
        PeerHost => $host // '127.0.0.1',
        PeerPort => $port,
        Type     => SOCK_STREAM,
        Timeout  => $PATIENCE,
    ) // croak "connect to port $port: $@";
}

# Waits until everything that was written to a socket has been acknowledged
# (SIOCOUTQ of Linux). Whether it has.
sub acknowledged {
    my ($s) = @_;
    my $until = time + $PATIENCE;
    while (time < $until) {
        my $left = pack 'i', 0;
        return 0 unless ioctl $s, 0x5411, $left;
        return 1 if unpack('i', $left) == 0;
        select undef, undef, undef, 0.002;
    }
    return 0;
}

# Sends text to a server and shuts down: all that it answers.
sub exchange {
    my ($port, $text) = @_;
    my $c = tcp_client($port);
    print $c $text;
    shutdown $c, 1;
    local $/;
    return scalar(<$c>) // '';
}

# What comes on a connection until its end, and how it ends: "text fin" or "text
# reset".
sub until_end {
    my ($c) = @_;
    my $text = '';
    while (1) {
        my $n = sysread $c, $text, 65536, length $text;
        return "$text reset" unless defined $n;
        return "$text fin" if $n == 0;
    }
}

# Whether a server resets a client without an answer, at once or later.
sub is_reset {
    my ($port) = @_;
    my $c = eval { tcp_client($port) } or return $@ =~ /reset/;
    return !defined sysread($c, my $answer, 1) && $!{ECONNRESET};
}

# A peer in its own process: accepts count connections (default 1) one after
# another and passes each to code. It outlives clients that are gone.
# Returns its pid.
sub peer {
    my ($listener, $code, $count) = @_;
    return fork_child(sub {
        for (1 .. $count // 1) {
            my $c = $listener->accept or die "accept: $!";
            $code->($c, $_);
            close $c;
        }
    });
}

# A pipe that takes no more bytes: its ends.
sub full_pipe {
    pipe my $r, my $w or croak "pipe: $!";
    my $flags = fcntl $w, F_GETFL, 0;
    fcntl $w, F_SETFL, $flags | O_NONBLOCK;
    for my $size (4096, 1) {
        1 while defined syswrite $w, 'x' x $size;
    }
    fcntl $w, F_SETFL, $flags;
    return ($r, $w);
}

# The contents of a file.
sub slurp {
    my ($path) = @_;
    open my $f, '<:raw', $path or croak "$path: $!";
    local $/;
    my $text = <$f>;
    return $text // '';
}

# Writes a file. Returns its path.
sub spew {
    my ($path, $text) = @_;
    open my $f, '>:raw', $path or croak "$path: $!";
    print $f $text;
    close $f or croak "$path: $!";
    return $path;
}

# A directory that is removed with the test, also where a child has asked for it.
sub scratch { return tempdir('XXXX', DIR => scratch_base()) }

my $base;

sub scratch_base {
    $base //= tempdir('sockt-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $base;
    return $base;
}

# The children of a process, zombies included. None where there is no proc(5).
sub children {
    my ($of) = @_;
    my @found;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $f, '<', $stat or next;
        my ($pid, $parent) = (<$f> // '') =~ /^(\d+) \(.*\) \S (\d+) /s;
        push @found, $pid if defined $parent && $parent == $of;
    }
    return @found;
}

# A child of a process, once there is one; 0 if there is none within 5 s.
sub await_child {
    my ($of) = @_;
    for (1 .. 1000) {
        my ($child) = children($of);
        return $child if $child;
        select undef, undef, undef, 0.005;
    }
    return 0;
}

# Waits until a process has no child, for at most 10 s.
sub await_no_child {
    my ($of) = @_;
    for (1 .. 2000) {
        return if !children($of);
        select undef, undef, undef, 0.005;
    }
}

# Whether a process exists and is not a zombie.
sub is_running {
    my ($pid) = @_;
    open my $f, '<', "/proc/$pid/stat" or return 0;
    return (<$f> // '') =~ /\) [^ZX] /;
}

# Whether no process of a group is left after that many seconds. Kills what is.
sub group_ends {
    my ($group, $seconds) = @_;
    croak 'no process group' unless $group;
    my $until = time + $seconds;
    while (time <= $until) {
        return 1 unless kill 0, -$group;
        select undef, undef, undef, 0.02;
    }
    kill 'KILL', -$group;
    return 0;
}

# The processes with TMPDIR=dir in their environment, as sockt was started with,
# that do not end within 5 s. None where there is no proc(5).
sub left_behind {
    my ($dir) = @_;
    my @left;
    for (1 .. 500) {
        @left = ();
        for my $path (glob '/proc/[0-9]*/environ') {
            open my $f, '<', $path or next;
            local $/;
            push @left, $path =~ /(\d+)/
                if ("\0" . (<$f> // '')) =~ /\0TMPDIR=\Q$dir\E\0/;
        }
        return if !@left;
        select undef, undef, undef, 0.01;
    }
    return @left;
}

# Whether a sockt waits in a system call; true where there is no proc(5).
sub is_asleep {
    my ($pid) = @_;
    return 1 unless -e "/proc/$$/stat";
    open my $f, '<', "/proc/$pid/stat" or return 0;
    # Not the test's own process before it executes sockt, or its emulator.
    return (<$f> // '') =~ /^\d+ \((?!perl\))[^)]+\) S /;
}

sub has_ipv6 {
    return defined IO::Socket::IP->new(
        LocalHost => '::1', LocalPort => 0, Listen => 1, Type => SOCK_STREAM);
}

sub is_root { return $> == 0 }

# A port on which nobody listens, for refusals, and that no other socket has, at
# any address, for TCP or UDP. It stays bound for TCP, so that no other test gets
# it; a server can still bind it and listen. A test that binds another address,
# or for UDP, has a network of its own.
my @held;

sub free_port {
    my (%o) = @_;
    my $any = has_ipv6() ? '::' : '0.0.0.0';
    for (1 .. 100) {
        push @held, bound($o{host} // '127.0.0.1', 0, SOCK_STREAM) // croak "bind: $@";
        my $port = $held[-1]->sockport;
        return $port if bound($any, $port, SOCK_STREAM) && bound($any, $port, SOCK_DGRAM);
    }
    croak 'no port is free';
}

# A socket that does not listen, or undef.
sub bound {
    my ($host, $port, $type) = @_;
    return IO::Socket::IP->new(LocalHost => $host, LocalPort => $port, Type => $type,
        V6Only => 0, $type == SOCK_STREAM ? (ReuseAddr => 1) : ());
}

# Starts another program as a server on a free port, which stands for PORT in
# its arguments, and in the text conf of a file whose path stands for CONF. The
# other options are those of start. Returns its process and the port once it
# listens there.
sub start_server {
    my $o = ref $_[0] eq 'HASH' ? shift : {};
    my ($command, @args) = @_;
    my $port = free_port();
    my $conf = spew(scratch() . '/conf', ($o->{conf} // '') =~ s/PORT/$port/gr);
    my $p = start({ %$o, command => $command },
        map { s/PORT/$port/gr =~ s/CONF/$conf/gr } @args);
    return ($p, $port) if await_listener($port);
    my $r = $p->finish(0);
    croak "$command does not listen: $r->{out}$r->{err}";
}

# Whether there is a listener on a TCP port, or a receiver on a UDP one, in time;
# by /proc/net, since a connection would be one for the server, too.
sub await_listener {
    my ($port, $protocol) = @_;
    my $wanted = sprintf ':%04X [^:]+:0000 %s ', $port, $protocol ? '07' : '0A';
    for (1 .. 100 * $PATIENCE) {
        return 1 if grep { slurp($_) =~ /$wanted/ }
            glob '/proc/net/' . ($protocol // 'tcp') . '*';
        select undef, undef, undef, 0.01;
    }
    return 0;
}

# Takes the loopback interface up or down: SIOCSIFFLAGS.
sub set_loopback {
    my ($is_up) = @_;
    my $s = udp_socket(host => '0.0.0.0');
    my $request = pack 'a16 s x22', 'lo', $is_up;
    return ioctl $s, 0x8914, $request;
}

# Restarts this test in its own network namespace, for tests that would disturb
# others or be disturbed. Call it first; false where that is not permitted.
sub own_network {
    if (!$ENV{SOCKT_OWN_NETWORK}) {
        my ($how) = grep { system("unshare $_ true 2>/dev/null") == 0 }
            '-n', '-rn';
        return 0 unless $how;
        $ENV{SOCKT_OWN_NETWORK} = 1;
        exec 'unshare', $how, $^X, $0 or croak "unshare: $!";
    }
    # In a new namespace it is down.
    return set_loopback(1);
}

package Sockt::Process;

use strict;
use warnings;
use Carp qw(croak);
use Errno qw(EAGAIN EINTR);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Time::HiRes qw(time);

sub new {
    my ($class, $o, @args) = @_;
    my @command = ($o->{command} // Sockt::sockt(), @args);
    pipe my $in_r, my $in_w or croak "pipe: $!";
    pipe my $out_r, my $out_w or croak "pipe: $!";
    pipe my $err_r, my $err_w or croak "pipe: $!";
    my $given = ref $o->{stdin} ? $o->{stdin} : undef;
    my $start = time;
    my $pid = Sockt::fork_child(sub {
        POSIX::dup2(fileno($given // $in_r), 0);
        POSIX::dup2(fileno($o->{stdout} // $out_w), 1);
        POSIX::dup2(fileno($o->{stderr} // $err_w), 2);
        POSIX::close($_) for $o->{keep_fds} ? () : 3 .. 1023,
            @{ $o->{closed} // [] };
        local @ENV{ keys %{ $o->{env} // {} } } = values %{ $o->{env} // {} };
        exec { $command[0] } @command or POSIX::_exit(127);
    });
    my $self = bless {
        prints => !$o->{command} && grep({ $_ eq '--json' } @args) && $args[0],
        pid => $pid, out => '', err => '', start => $start,
        in => $in_w, handles => { out => $out_r, err => $err_r },
    }, $class;
    close $_ for $in_r, $out_w, $err_w;
    $self->{in}->autoflush(1);
    if (!ref $o->{stdin} && !$o->{keep_stdin}) {
        $self->{pending} = $o->{stdin} // '';
        $self->_nonblock($self->{in});
        $self->_feed;
    }
    return $self;
}

sub _nonblock {
    my ($self, $h) = @_;
    fcntl $h, F_SETFL, fcntl($h, F_GETFL, 0) | O_NONBLOCK;
}

# Writes pending input to stdin; closes it after the last byte.
sub _feed {
    my ($self) = @_;
    return unless defined $self->{pending} && $self->{in};
    while (length $self->{pending}) {
        my $n = syswrite $self->{in}, $self->{pending};
        if (!defined $n) {
            return if $! == EAGAIN || $! == EINTR;
            last;
        }
        substr $self->{pending}, 0, $n, '';
    }
    delete $self->{pending};
    close delete $self->{in};
}

# Reads and writes for at most that many seconds. False when nothing is open.
sub _pump {
    my ($self, $seconds) = @_;
    my $r = IO::Select->new(values %{ $self->{handles} });
    my $w = IO::Select->new(
        defined $self->{pending} && $self->{in} ? $self->{in} : ());
    return 0 unless $r->count;
    my ($readable, $writable) =
        IO::Select->select($r, $w, undef, $seconds > 0 ? $seconds : 0);
    $self->_feed if $writable && @$writable;
    for my $name (keys %{ $self->{handles} }) {
        my $h = $self->{handles}{$name};
        next unless grep { $_ == $h } @{ $readable // [] };
        my $n = sysread $h, $self->{$name}, 65536, length $self->{$name};
        next if !defined $n && $! == EINTR;
        delete $self->{handles}{$name} unless $n;
    }
    return 1;
}

# Waits until out or err matches. Returns what the pattern captured, or 1. Dies
# with the output so far when it does not match in time.
sub expect {
    my ($self, $name, $pattern, $seconds) = @_;
    my $until = time + ($seconds // $Sockt::PATIENCE);
    while (1) {
        if (my @got = $self->{$name} =~ $pattern) {
            return wantarray ? @got : $got[0];
        }
        my $open = $self->_pump($until - time);
        next if $open && time < $until;
        next if $self->{$name} =~ $pattern;
        croak "$name never matched $pattern; out '$self->{out}', "
            . "err '$self->{err}'";
    }
}

# The port that a server announces, as text or as an event.
sub port {
    my ($self) = @_;
    my $line = qr/(?:listen|receiv)ing on .* port (\d+) \(...\)\n/;
    my @port = $self->expect(
        err => qr/$line|"listening".*"port":(\d+)\}.*\}\n/);
    return $port[0] // $port[1];
}

# Writes all of text to its stdin (with keep_stdin), however long that takes.
sub send_line {
    my ($self, $text) = @_;
    while (length $text) {
        my $n = syswrite $self->{in}, $text;
        return unless defined $n || $! == EINTR;
        substr $text, 0, $n // 0, '';
    }
}

sub close_stdin { close delete $_[0]{in} if $_[0]{in} }

sub signal { kill $_[1], $_[0]{pid} }

# Closes its stdin and waits until it ends. Returns what run() returns.
sub finish {
    my ($self, $seconds) = @_;
    $seconds //= $Sockt::PATIENCE;
    my $until = time + $seconds;
    $self->close_stdin unless defined $self->{pending};
    1 while time < $until && $self->_pump($until - time);
    my $status = Sockt::reap($self->{pid}, $until - time + 0.01);
    my $late = !defined $status;
    if ($late) {
        kill 'KILL', $self->{pid};
        $status = Sockt::reap($self->{pid}) // 0;
    }
    $self->_check_events if $self->{prints};
    return {
        status => $status >> 8, signal => $status & 127,
        out => $self->{out}, err => $self->{err},
        seconds => time - $self->{start}, timed_out => $late,
    };
}

# Dies where an event is not what sockt-json(7) says.
sub _check_events {
    my ($self) = @_;
    our @table;
    require Events;
    @table = Events::event_table() unless @table;
    my @lines = "$self->{out}$self->{err}" =~ /^(\{"event":.*\})\n/mg;
    $#lines = 999 if @lines > 1000;
    for my $line (@lines) {
        my $fault = Events::event_fault($line, $self->{prints}, @table);
        croak "$fault: $line" if $fault;
    }
}

# Sends a signal (default TERM), then the same.
sub stop {
    my ($self, $signal) = @_;
    $self->signal($signal // 'TERM');
    return $self->finish;
}

1;
