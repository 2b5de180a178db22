# A run of a scenario: its folder, sockt, its peers and clients, and the event
# loop that they all live in; see Torture.pm.
package TortureRun;

use strict;
use warnings;
use Carp qw(croak);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use File::Glob qw(:bsd_glob);
use File::Path ();
use List::Util qw(max min);
use POSIX qw(WNOHANG);
use Socket qw(:DEFAULT inet_pton);
use Time::HiRes qw(time);

use Sockt qw(built free_port is_running sockt scratch slurp spew);
use TortureActor;

my $LIBRARY = built('inject.so');

# Whether the library does its work here: not with a static sockt, nor with
# sanitizers, which have to come first.
sub has_library {
    my $table = scratch() . '/table';
    return 0 unless -e $LIBRARY;
    local @ENV{qw(LD_PRELOAD TORTURE_TABLE)} = ($LIBRARY, $table);
    system(sockt() . ' --version >/dev/null 2>&1') == 0 or return 0;
    return -s $table;
}

# A listening or datagram socket for sockt to meet.
sub open_peer {
    my ($peer, $dir) = @_;
    my $udp = $peer->{udp};
    my $type = $udp ? SOCK_DGRAM : SOCK_STREAM;
    socket my $s, $peer->{unix} ? AF_UNIX : AF_INET, $type, 0
        or croak "socket: $!";
    bind $s, $peer->{unix} ? pack_sockaddr_un("$dir/$peer->{unix}")
        : pack_sockaddr_in(0, INADDR_LOOPBACK) or croak "bind: $!";
    listen $s, 16 or croak "listen: $!" unless $udp;
    fcntl $s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK;
    my $port = $peer->{unix} ? 0 : (sockaddr_in(getsockname $s))[0];
    return ($s, $port);
}

sub is_ip6 { return $_[0] =~ /:/ }

# A client of sockt; undef when it cannot connect.
sub open_client {
    my ($client, $dir, $ip, $port) = @_;
    my $udp = $client->{udp};
    socket my $s,
        $client->{unix} ? AF_UNIX : is_ip6($ip) ? AF_INET6 : AF_INET,
        $udp ? SOCK_DGRAM : SOCK_STREAM, 0 or croak "socket: $!";
    bind $s, pack_sockaddr_un("$dir/client") if $udp && $client->{unix};
    connect $s, $client->{unix} ? pack_sockaddr_un("$dir/$client->{unix}")
        : is_ip6($ip) ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $ip))
        : pack_sockaddr_in($port, inet_aton($ip)) or return undef;
    return $s;
}

my ($free, $work, $serial) = (undef, undef, 0);

# An empty folder for one run.
sub fresh_dir {
    $work //= scratch();
    my $dir = "$work/run";
    if (-d $dir) {
        unlink glob "$dir/{*,.[!.]*}";
        rmdir $dir;
        rename $dir, "$work/left." . ++$serial if -d $dir;
    }
    mkdir $dir or croak "$dir: $!";
    return $dir;
}

# Executes sockt; returns its pid and the handles at our ends.
sub spawn {
    my ($s, $dir, $plan, $args) = @_;
    my (%theirs, %ours);
    for my $name (qw(in out err)) {
        pipe my $r, my $w or croak "pipe: $!";
        ($theirs{$name}, $ours{$name}) = $name eq 'in' ? ($r, $w) : ($w, $r);
    }
    if (!ref $s->{stdin} || $s->{stdin}[0] eq 'file') {
        my $path = '/dev/null';
        $path = spew("$work/stdin", $s->{stdin}[1]) if ref $s->{stdin};
        open $theirs{in}, '<', $path or croak "$path: $!";
        delete $ours{in};
    }
    if (($s->{stdout} // '') eq 'file') {
        open $theirs{out}, '>', "$work/stdout" or croak "stdout: $!";
        delete $ours{out};
    }
    my $pid = fork // croak "fork: $!";
    return ($pid, \%ours) if $pid;
    chdir $dir;
    POSIX::dup2(fileno $theirs{in},  0);
    POSIX::dup2(fileno $theirs{out}, 1);
    POSIX::dup2(fileno $theirs{err}, 2);
    $ENV{LD_PRELOAD}    = $LIBRARY;
    $ENV{TORTURE_TABLE} = "$work/table";
    $ENV{TORTURE_PLAN}  = $plan if $plan;
    delete $ENV{TORTURE};
    @ENV{ keys %{ $s->{env} } } = values %{ $s->{env} } if $s->{env};
    exec { $args->[0] } @$args or POSIX::_exit(127);
}

# What the library counted: { hits, open_fds, pids, counts: "CALL@P" => N }.
sub read_table {
    my $bytes = -e "$work/table" ? slurp("$work/table") : '';
    return { hits => 0, open_fds => 0, pids => [], counts => {} }
        if length $bytes < 16;
    my ($calls, $processes, $hits, $open_fds, @rest) = unpack 'L4 l32', $bytes;
    my $names_at = 16 + 32 * 4 + 32 * $calls * 4;
    my @names = map { unpack 'Z16', substr $bytes, $names_at + 16 * $_, 16 }
        0 .. $calls - 1;
    my %counts;
    for my $p (0 .. min(31, $processes)) {
        my @n = unpack "L$calls", substr $bytes,
            16 + 32 * 4 + $p * $calls * 4, $calls * 4;
        for my $i (grep { $n[$_] } 0 .. $calls - 1) {
            $counts{ $names[$i] . ($p ? "\@$p" : '') } = $n[$i];
        }
    }
    return { hits => $hits, open_fds => $open_fds,
        pids => [ grep { $_ > 0 } @rest ], counts => \%counts };
}

# Runs it, with a plan or without: everything about how it went.
sub new {
    my ($class, $s, $plan, $limit) = @_;
    my $self = bless { s => $s, dir => fresh_dir(), listeners => [],
        connections => [], clients => [], actors => [] }, $class;
    unlink "$work/table", "$work/stdin", "$work/stdout";
    my @ports;
    for my $peer (@{ $s->{peers} // [] }) {
        my ($handle, $port) = open_peer($peer, $self->{dir});
        push @ports, $port;
        if ($peer->{udp}) {
            push @{ $self->{connections} },
                $self->add(handle => $handle, %$peer);
        }
        else {
            push @{ $self->{listeners} }, { handle => $handle, peer => $peer,
                left => [ @{ $peer->{connections} // [ $peer->{steps} ] } ] };
        }
    }
    my $before = $s->{before} // {};
    spew("$self->{dir}/$_", $before->{$_}) for keys %$before;
    $s->{setup}->($self->{dir}, @ports) if $s->{setup};
    $self->{args} = [ sockt(), map { $self->fill_in($_, @ports) }
        ref $s->{args} ? @{ $s->{args} } : split ' ', $s->{args} ];
    $self->{start} = time;
    $self->{until} = time + $limit;
    ($self->{pid}, my $ours) =
        spawn($s, $self->{dir}, $plan, $self->{args});
    if ($ours->{in}) {
        $self->{stdin} = $self->add(handle => $ours->{in}, hears => 0,
            steps => [ @{ $s->{stdin} }, ['close'] ]);
    }
    $self->{$_} = $self->add(handle => $ours->{$_})
        for grep { $ours->{$_} } qw(out err);
    return $self;
}

sub fill_in {
    my ($self, $arg, @ports) = @_;
    $arg =~ s/\bFREE\b/$free \/\/= free_port()/ge;
    $arg =~ s/\bPORT(\d?)\b/$ports[($1 || 1) - 1]/ge;
    return $arg;
}

sub add {
    my ($self, %o) = @_;
    my $actor = TortureActor->new(%o);
    push @{ $self->{actors} }, $actor;
    return $actor;
}

# A connection comes from sockt.
sub accept_one {
    my ($self, $l) = @_;
    accept my $c, $l->{handle} or return;
    my $steps = @{ $l->{left} } > 1 ? shift @{ $l->{left} } : $l->{left}[0];
    push @{ $self->{connections} },
        $self->add(handle => $c, closes => 1, steps => $steps);
}

# What happens by itself: the next client, the end of the clients.
sub advance {
    my ($self) = @_;
    my $s = $self->{s};
    return if $self->{ended} || !$s->{clients} || $self->{is_told};
    my $current = $self->{clients}[-1];
    return if $current && $current->is_open
        && !($current->is_done && $current->{udp});
    if (@{ $self->{clients} } < @{ $s->{clients} }) {
        my ($ip, $port) = $self->announced or return;
        my $client = $s->{clients}[ @{ $self->{clients} } ];
        my $handle = open_client($client, $self->{dir}, $ip, $port)
            // return;
        push @{ $self->{clients} }, $self->add(handle => $handle,
            closes => !$client->{udp}, %$client);
    }
    elsif ($s->{stop} && !$self->is_waiting_for_error) {
        kill $s->{stop}, $self->{pid};
        $self->{is_told} = 1;
    }
}

# The address and the port that sockt listens on, once it does.
sub announced {
    my ($self) = @_;
    return ('127.0.0.1', $1)
        if $self->{err}{got} =~ /ing on every .*, port (\d+) \(...\)\n/;
    return ($1, $2 // 0)
        if $self->{err}{got} =~ /(?:listen|receiv)ing on (\S+?)(?: port (\d+) \(...\))?\n/;
    return;
}

# Whether bytes are what a truth says: these bytes, or a pattern of them.
sub is_truth {
    my ($got, $truth) = @_;
    return ref $truth ? $got =~ $truth : $got eq $truth;
}

# What a server has to say about a client that it lost comes a moment later.
sub is_waiting_for_error {
    my ($self) = @_;
    my $truth = $self->{s}{got} or return 0;
    my @got = $self->got;
    return 0 unless grep { !is_truth($got[$_] // '', $truth->[$_]) }
        0 .. $#$truth;
    $self->{patience} //= time + 2;
    return time < $self->{patience}
        && !$self->{s}{is_error}->($self->{err}{got});
}

# Whether the process has ended.
sub look_for_end {
    my ($self) = @_;
    return if $self->{ended} || waitpid($self->{pid}, WNOHANG) == 0;
    @$self{qw(status signal)} = ($? >> 8, $? & 127);
    $self->{ended} = time;
    $self->{stdin}->shut if $self->{stdin};
    # What is still to come is in the kernel, or comes from what it left.
    $self->{until} = max($self->{until}, time + 5);
}

# Whether nothing more can come.
sub is_over {
    my ($self) = @_;
    return 0 unless $self->{ended};
    return 0 if grep { $_ && $_->is_open && !$_->{eof} } @$self{qw(out err)};
    return 0 if grep { $_->is_open && !$_->{eof} && !$_->{udp} }
        @{ $self->{connections} }, @{ $self->{clients} };
    return 1;
}

# One turn of the event loop.
sub turn {
    my ($self) = @_;
    my ($r, $w) = ('', '');
    my @open = grep { $_->is_open } @{ $self->{actors} };
    for my $actor (@open) {
        vec($r, fileno $actor->{handle}, 1) = 1 if $actor->wants_read;
        vec($w, fileno $actor->{handle}, 1) = 1 if $actor->wants_write;
    }
    vec($r, fileno $_->{handle}, 1) = 1 for @{ $self->{listeners} };
    my $now  = time;
    my $wait = min(0.02, map { $_ - $now } map { $_->wakes } @open);
    $wait = 0.002 if $self->{ended};
    # What a signal interrupts has found nothing.
    $r = '' if select($r, $w, undef, max($wait, 0)) <= 0;
    for my $l (@{ $self->{listeners} }) {
        $self->accept_one($l) if vec $r, fileno $l->{handle}, 1;
    }
    for my $actor (@open) {
        next unless $actor->is_open;
        $actor->receive if vec $r, fileno $actor->{handle}, 1;
        $actor->take_steps;
    }
}

sub go {
    my ($self) = @_;
    local $SIG{CHLD} = sub { };    # interrupts select
    while (time < $self->{until}) {
        $self->turn;
        $self->look_for_end;
        $self->advance;
        last if $self->is_over;
    }
    $self->{seconds} = time - $self->{start};
    $self->clean_up;
    return $self;
}

# Reads what came last; ends what is left.
sub clean_up {
    my ($self) = @_;
    my $s = $self->{s};
    if (!$self->{ended}) {
        $self->{late} = 1;
        kill 'KILL', $self->{pid};
        waitpid $self->{pid}, 0;
        @$self{qw(status signal)} = (-1, 0);
    }
    elsif (!$self->is_over) {
        $self->{held} = 1;
    }
    $self->{table} = read_table();
    # A process that is just ending needs a moment.
    my $until = time + 5;
    for my $pid (@{ $self->{table}{pids} }) {
        next if $pid == $self->{pid};
        select undef, undef, undef, 0.002
            while is_running($pid) && time < $until;
        push @{ $self->{orphans} }, $pid if is_running($pid);
    }
    kill 'KILL', $_ for @{ $self->{orphans} // [] };
    $self->{stdout} = $self->{out} ? $self->{out}{got}
        : slurp("$work/stdout");
    $self->{stderr} = $self->{err}{got} =~ s/\Q$self->{dir}\E\///gr;
    for my $udp (grep { $_->{udp} && $_->is_open } @{ $self->{actors} }) {
        my $count = -1;
        while ($count < @{ $udp->{messages} }) {
            $count = @{ $udp->{messages} };
            $udp->receive_message;
        }
    }
    $_->shut for @{ $self->{actors} };
    close $_->{handle} for @{ $self->{listeners} };
    opendir my $d, $self->{dir} or die $!;
    $self->{files} = { map { $_ => -f "$self->{dir}/$_"
            ? slurp("$self->{dir}/$_") : undef }
        grep { !/^\.\.?$/ } readdir $d };
    if ($s->{peers} || $s->{clients}) {
        delete $self->{files}{$_} for 'client',
            map { $_->{unix} // () } @{ $s->{peers} // [] };
    }
}

# What each peer or client received.
sub got {
    my ($self) = @_;
    my @who = $self->{s}{clients} ? @{ $self->{clients} }
        : @{ $self->{connections} };
    return map { $_->{udp} ? join '|', @{ $_->{messages} } : $_->{got} } @who;
}

# A process of the driver's own has a folder of its own.
sub forget_folder { undef $work }
sub remove_folder { File::Path::remove_tree($work) if $work }

1;
