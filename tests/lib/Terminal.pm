# A terminal with a shell, for the examples of the manual: commands are typed at
# the shell, text and keys into what runs there, and what the terminal shows is
# kept. It is a pseudo-terminal without echo and a shell with job control, so
# that ^C, ^D, & and half-close behave as they do for a person.
package Terminal;

use strict;
use warnings;
use Carp qw(croak);
use Fcntl ();
use IO::Select;
use POSIX ();
use Sockt ();
use Time::HiRes qw(time);

# The shell runs the files that descriptor 8 names, and shows \001STATUS\002
# after each. At the end it ends its jobs.
my $DRIVER = <<'END';
set -m
trap : INT
printf '\001%s\002' "$$"
status=0
while IFS= read -r line <&8; do
	text=$(cat "$line")
	(exit "$status")
	eval "$text" 8<&-
	status=$?
	printf '\001%s\002' "$status"
done
jobs -p >"$HOME/.jobs"
while read -r job; do kill -s KILL -- "-$job"; done <"$HOME/.jobs"
END

my @open;    # all terminals of the session

# A test that dies leaves nothing behind.
END {
    local $?;
    kill 'KILL', $_->processes, $_->{pid} for @open;
}

# Opens a terminal that runs shell in the directory home.
sub new {
    my ($class, $shell, $home) = @_;
    pipe my $keys_r, my $keys or croak "pipe: $!";
    pipe my $screen, my $screen_w or croak "pipe: $!";
    pipe my $lines_r, my $lines or croak "pipe: $!";
    my $pid = Sockt::fork_child(sub {
        # First out of the way of 0, 1 and 8.
        my @from = map { fcntl $_, Fcntl::F_DUPFD(), 20 }
            $keys_r, $screen_w, $lines_r;
        POSIX::dup2($from[0], 0);
        POSIX::dup2($from[1], 1);
        POSIX::dup2($from[2], 8);
        POSIX::close($_) for 3 .. 7, 9 .. 255;
        $ENV{HOME} = $home;
        chdir $home;
        exec Sockt::built('pty'), '-', '012', '80', $shell, '-c', $DRIVER
            or POSIX::_exit(127);
    });
    $_->autoflush(1) for $keys, $lines;
    my $self = bless {
        pid => $pid, keys => $keys, screen => $screen, lines => $lines,
        home => $home, raw => '', typed => 0, ended => -1,
    }, $class;
    push @open, $self;
    wait_until(sub { $self->{ended} == 0 }) or croak 'the shell did not start';
    return $self;
}

# Types a command line at the shell.
sub command {
    my ($self, $text) = @_;
    my $path = "$self->{home}/.line" . ++$self->{typed};
    Sockt::spew($path, "$text\n");
    $self->{has_jobs} ||= $text =~ /(?<![&>|\\])&(?![&>\d])/;
    print { $self->{lines} } "$path\n";
}

# Presses keys: text for what runs there, "\cC", "\cD".
sub press {
    my ($self, $keys) = @_;
    print { $self->{keys} } $keys;
}

# Whether the last command has ended.
sub is_idle { return $_[0]{ended} >= $_[0]{typed} || $_[0]{closed} }

# What it has shown so far. Progress lines are overwritten by what follows.
sub screen {
    return $_[0]{raw} =~ s/\r(?=\n)//gr =~ s/^[^\n]*\r(?!\n)//mgr
        =~ s/\e\[[JK]//gr;
}

# Ends what runs there, and the shell.
sub end {
    my ($self) = @_;
    for (1 .. 2) {
        last if $self->is_idle;
        $self->press("\cC");
        wait_until(sub { $self->is_idle }, 3);
    }
    kill 'KILL', $self->processes unless $self->is_idle;
    close $self->{lines};
    wait_until(sub { $self->{closed} }, 3);
    kill 'KILL', $self->processes, $self->{pid};
    Sockt::reap($self->{pid});
    @open = grep { $_ != $self } @open;
}

# Reads what the terminals show until code is true. False after the limit.
sub wait_until {
    my ($code, $limit) = @_;
    my $until = time + ($limit // $Sockt::PATIENCE);
    until ($code->()) {
        return 0 if time > $until;
        pump(0.05);
    }
    return 1;
}

# Waits until everything that runs in every terminal sleeps and has nothing more
# to show: only a key or a timer makes anything happen then. Where there is no
# proc(5) a pause stands for that.
sub settle {
    my $until = time + $Sockt::PATIENCE;
    my $pause = -e "/proc/$$/stat" ? 0.004 : 0.3;
    my $calm = 0;
    while ($calm < 2 && time < $until) {
        $calm = pump($pause) || grep({ $_->is_busy } @open) ? 0 : $calm + 1;
    }
}

# One round of reading. True when anything was shown.
sub pump {
    my ($seconds) = @_;
    my %by = map { fileno $_->{screen} => $_ } grep { !$_->{closed} } @open;
    my @ready = IO::Select->new(map { $_->{screen} } values %by)
        ->can_read($seconds);
    $by{ fileno $_ }->look for @ready;
    select undef, undef, undef, $seconds unless %by;
    return scalar @ready;
}

# Reads what it shows. The first mark has the shell's process id.
sub look {
    my ($self) = @_;
    my $n = sysread $self->{screen}, $self->{raw}, 65536, length $self->{raw};
    $self->{closed} = 1 unless $n;
    while ($self->{raw} =~ s/\001(\d+)\002//) {
        $self->{session} //= $1;
        $self->{ended}++;
    }
}

# The processes of its session: pid => state. None where there is no proc(5).
sub states {
    my ($self) = @_;
    our %kernel;    # the kernel's own threads
    my %states;
    for my $pid (map { m{/(\d+)/} } glob '/proc/[0-9]*/stat') {
        next if $kernel{$pid};
        open my $f, '<', "/proc/$pid/stat" or next;
        my ($state, $parent, $session) =
            (<$f> // '') =~ /^\d+ \(.*\) (\S) (\d+) \d+ (\d+) /s or next;
        $kernel{$pid} = 1 if $session == 0 && $parent == 2;
        $states{$pid} = $state
            if $session == ($self->{session} // -1) || $pid == $self->{pid};
    }
    return \%states;
}

# Those that its shell has started, and the shell.
sub processes {
    my ($self) = @_;
    return grep { $_ != $self->{pid} } keys %{ $self->states };
}

sub is_busy { return grep { !/[SZXTt]/ } values %{ $_[0]->states } }

# Whether a program runs, besides the shell, and everything sleeps. One that has
# ended does not run: the shell is about to go on.
sub is_waiting {
    my ($self) = @_;
    return 1 unless -e "/proc/$$/stat";
    my $states = $self->states;
    delete $states->{ $self->{pid} };
    my @running = grep { !/[ZX]/ } values %$states;
    return @running > 1 && !grep { !/[STt]/ } @running;
}

1;
