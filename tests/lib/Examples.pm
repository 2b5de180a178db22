# Runs every example of a manual page or of README, and compares what it prints
# with what the page shows. For those who write pages:
#
# A literal display (.Bd -literal, .Dl; in README a block indented by four
# spaces) whose first line begins with a prompt is run:
#
#	$ sockt serve-hello &           typed at a shell
#	client$ sockt connect localhost 9999
#	                                typed at the shell of the terminal "client"
#	client> Michael                 typed into what runs in that terminal
#	client> ^D                      a key there: ^C or ^D
#	client>                         nothing typed: what it has shown since
#	^C                              a key in the terminal used last
#	Hello, Michael!                 any other line is what the program prints
#	...                             any number of lines (in mdoc: \&...)
#
# A command that ends in a backslash or within quotes goes on in the next line.
# A line that begins with four spaces is the rest of the line before it: break
# long lines so. Durations, rates, dates and process ids may differ from run to
# run; a port from 32768 up, which the system chose, has to be the same one
# everywhere in the example. What a terminal shows is compared in its order; of
# two terminals that show something at a time, either may be shown first. The
# shell has job control and a real terminal: a job in the background that reads
# stdin is stopped, and what it prints is shown in its terminal too.
#
# Each display begins in an empty directory, its HOME, with new terminals. At its
# end what still runs is ended. Use ports from 7000 to 9999: the test puts free
# ones in their place, in what is typed (where serve-hello and udp-serve have no
# port, in theirs) and in what is printed. More is said in comments of the page,
# which a reader does not see:
#
#	.\"$ printf 'Hello!\n' >file    steps like the above, in front of a
#	.\"web$ sockt serve-hello 8080  display or within it, with what they print
#	.\"sockt serve-hello: listening on 127.0.0.1 port 8080 (TCP)
#
# What is typed so at the end of a line that the page shows, as in
#
#	Welcome!Michael
#	.\"client> Michael
#
# is what a screen would show of it. In front of a display and of its hidden
# steps stands .\"example: with one of
#
#	continued          goes on with the terminals of the display before
#	private network    runs as root in a network of its own, with all its
#	                   ports: 192.0.2.0/24 and 10.0.0.0/8 are this machine,
#	                   and so are db.example, host.example, www.example,
#	                   backup.example, here and there; eth0 has nobody on it. Skipped where
#	                   namespaces are not permitted
#	needs PROG...      skipped where a program is missing; "root" is the real
#	                   one, of a private network; "linux" is sockt with
#	                   Linux's own calls, not built with PORTABLE=1, which
#	                   every example that types -vv needs; "services" is
#	                   the names in services(5), "resolver" a
#	                   name server
#	shell bash         the terminals run this shell (sh)
#	unordered          the lines of a step may come in any order
#	file NAME          not typed: the contents of a file that later examples of
#	                   the page find in their directory
#	form               not typed: a form to fill in, a message
package Examples;

use strict;
use warnings;
use ExamplePage;
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);
use Sockt;
use Terminal;
use Test::More;
use Transcript;

our @ISA = qw(Exporter);
our @EXPORT = qw(check_page page_faults);
*import = \&Sockt::import;

my $LIMIT = 10 * $Sockt::PATIENCE;    # seconds of a session

# Runs all examples of a page as tests.
sub check_page {
    my ($path) = @_;
    my $is_private = $ENV{SOCKT_EXAMPLES_PRIVATE};
    check_private($path) if !$is_private;
    my $page = ExamplePage->new($path);
    build_network() if $is_private;
    for my $session (sessions($page)) {
        my $flags = $session->[0]{flags};
        next if !exists $flags->{private} != !$is_private;
        my $place = $page->place($session->[0]);
        if (my $obstacle = obstacle($session)) {
            skip_one("$place: $obstacle");
            next;
        }
        my $fault = run_session($page, $session);
        is $fault, undef, $place;
    }
    is join("\n", page_faults($page)), '', "$path: every display is an example, "
        . 'or says what it is' unless $is_private;
    return done_testing();
}

# The displays that are neither run nor say what they are.
sub page_faults {
    my ($page) = @_;
    return map { $page->place($_) . ': a display without a prompt' }
        grep { $_->{is} eq 'unmarked' } $page->displays;
}

sub in_path {
    my ($program) = @_;
    return $ENV{SOCKT_EXAMPLES_PRIVATE} eq '-nm' if $program eq 'root';
    return run('--version')->{out} =~ /\(linux\)/ if $program eq 'linux';
    return defined getservbyname('tcpmux', 'tcp')
        if $program eq 'services';
    return run('connect', '-z', 'nosuch.invalid', 80)->{err} =~ /not found/
        if $program eq 'resolver';
    return grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

# The displays that are run, those that are continued with the one before.
sub sessions {
    my ($page) = @_;
    my (@sessions, %files);
    for my $display ($page->displays) {
        $files{ $display->{flags}{file} } = join '',
            map { "$_->{text}\n" } grep { !$_->{hidden} } @{ $display->{lines} }
            if $display->{is} eq 'file';
        next unless $display->{is} eq 'run';
        push @sessions, [] unless exists $display->{flags}{continued};
        $display->{files} = {%files};
        push @{ $sessions[-1] }, $display;
    }
    return @sessions;
}

# Examples with a network of their own, in a process of their own.
sub check_private {
    my ($path) = @_;
    my @private = grep { exists $_->{flags}{private} }
        ExamplePage->new($path)->displays or return;
    my ($how) = grep { system("unshare $_ true 2>/dev/null") == 0 }
        '-nm', '-rnm';
    SKIP: {
        skip "$path: no private network", scalar @private
            if !$how || !in_path('ip');
        local $ENV{SOCKT_EXAMPLES_PRIVATE} = $how;
        open my $tap, '-|', 'unshare', $how, $^X, $0 or die "unshare: $!";
        my $left = @private;
        while (my $line = <$tap>) {
            my ($not, $name) = $line =~ /^((?:not )?)ok \d+ (?:- )?(.*)/
                or next;
            $name =~ /^# skip (.*)/ ? skip_one($1) : ok !$not, $name;
            $left--;
        }
        is $left, 0, "$path: in a private network";
    }
}

sub skip_one {
    SKIP: { skip $_[0], 1 }
}

# The network that Examples promises, within a new namespace.
sub build_network {
    my $hosts = spew(scratch() . '/hosts', <<'END');
127.0.0.1 localhost
::1 localhost
192.0.2.5 db.example
192.0.2.6 backup.example
2001:db8::6 backup.example
192.0.2.7 host.example there
192.0.2.8 www.example
192.0.2.9 here
END
    # Without a broadcast address, which a scan would wait for.
    for my $command ('ip link set lo up', 'ip addr add 192.0.2.1/32 dev lo',
        'ip route add local 192.0.2.0/24 dev lo',
        'ip addr add 10.0.0.1/8 dev lo',
        'ip link add eth0 type dummy 2>/dev/null || '
            . 'ip link add eth0 type veth peer name eth1',
        'ip link set eth0 up', 'ip addr add 198.51.100.1/24 dev eth0',
        "mount --bind $hosts /etc/hosts") {
        system($command) == 0 or die "$command failed\n";
    }
}

# Runs displays one after another in the same terminals. What differs, or undef.
sub run_session {
    my ($page, $displays) = @_;
    my $self = bless {
        page => $page, home => scratch(), terminals => {}, names => {},
        ports => ports_of($page),
        shell => $displays->[0]{flags}{shell} // 'sh',
    };
    my $files = $displays->[-1]{files};
    spew("$self->{home}/$_", $files->{$_}) for keys %$files;
    mkdir "$self->{home}/.bin";
    symlink sockt(), "$self->{home}/.bin/sockt";
    alarm $LIMIT;
    local @ENV{qw(PATH LC_ALL)} = ("$self->{home}/.bin:$ENV{PATH}", 'C.UTF-8');
    my $good = eval {
        for my $display (@$displays) {
            $_->{unordered} = exists $display->{flags}{unordered}
                for @{ $display->{steps} };
        }
        my @steps = map { @{ $_->{steps} } } @$displays;
        for my $i (0 .. $#steps) {
            $self->take($steps[$i]);
            $self->compare($steps[$i], $steps[ $i + 1 ]);
        }
        $self->conclude;
        1;
    };
    my $fault = $good ? undef : $@;
    $_->end for values %{ $self->{terminals} };
    return $fault;
}

# Types what a step says.
sub take {
    my ($self, $step) = @_;
    my $text = $self->translate($step->{text} // '');
    my $t = $self->{terminals}{ $step->{terminal} };
    if ($step->{type} eq 'shell') {
        $t //= $self->{terminals}{ $step->{terminal} } =
            Terminal->new($self->{shell}, $self->{home});
        $self->finish($t);
        $t->command($text);
    } elsif (!$t) {
        $self->differ($step, 'there is no such terminal yet');
    } elsif ($step->{type} eq 'input') {
        $t->press("$text\n");
    } elsif ($step->{type} eq 'key') {
        $t->press($text eq 'C' ? "\cC" : "\cD");
    }
}

# Compares what a step's terminal shows now, and takes it as seen.
sub compare {
    my ($self, $step, $next) = @_;
    my $t = $self->{terminals}{ $step->{terminal} };
    my $ends = $next && $next->{type} eq 'shell'
        && $next->{terminal} eq $step->{terminal};
    my $seen = 0;
    Terminal::wait_until(sub {
        $seen = $self->seen($t, $step);
        return $seen || $t->is_idle && !$t->{has_jobs};
    }) if $self->lines($step);
    $self->differ($step, 'something else is printed', $t)
        unless $seen || $self->seen($t, $step, 'last');
    Terminal::settle() unless $ends;
}

# A server announces ::1 only where there is IPv6.
my $ANNOUNCED = qr/: (?:listening|receiving) on ::1 /;

# The lines that this machine can print.
sub lines {
    my ($self, $step) = @_;
    return grep { with_ipv6() || !/$ANNOUNCED/ }
        map { $_->{text} } @{ $step->{shown} };
}

sub with_ipv6 {
    # A private network has no address but ::1, which is not counted by default.
    our $ipv6 //= IO::Socket::IP->new(LocalHost => '::1', LocalPort => 0,
        Listen => 1, GetAddrInfoFlags => Socket::AI_NUMERICHOST()) ? 1 : 0;
    return $ipv6;
}

# Why a session cannot be run here; undef when it can.
sub obstacle {
    my ($session) = @_;
    my @missing = grep { !in_path($_) }
        split / /, $session->[0]{flags}{needs} // '';
    return "@missing missing" if @missing;
    my @text = map { $_->{text} } map { @{ $_->{lines} } } @$session;
    return 'the steps are those of Linux'
        if !in_path('linux') && grep { / -\w*vv\b/ } @text;
    return 'no IPv6' if !with_ipv6() && grep { /::1/ && !/$ANNOUNCED/ } @text;
    return undef;
}

# Whether the terminal has shown what the step shows. True moves on behind it.
# With last, the last line may lack its newline.
sub seen {
    my ($self, $t, $step, $last) = @_;
    my @lines = $self->lines($step) or return 1;
    unshift @lines, '...' if $t->{is_open};
    my ($screen, @values) = Transcript::normalise($self->screen($t));
    my $from = $t->{seen} // 0;
    my $rest = substr $screen, $from;
    my $length = $step->{unordered} ? same_lines($rest, @lines)
        : $rest =~ Transcript::pattern(!$last && !$self->is_calm($t), @lines)
            ? $+[0] : 0;
    return 0 unless $length;
    my ($known) = join("\n", @lines) =~ /\A(.*?)(?:^\.\.\.$|\z)/ms;
    my (undef, @page) = Transcript::normalise($known);
    my $before = () = substr($screen, 0, $from) =~ /\x02/g;
    my $count = () = substr($rest, 0, $length) =~ /\x02/g;
    my @run = @values[$before .. $before + $count - 1];
    return 0 unless $step->{unordered}
        || Transcript::same_values($self->{names}, \@page, \@run);
    $t->{seen} = $from + $length;
    $t->{is_open} = $lines[-1] eq '...';
    return 1;
}

# Whether nothing more is to be expected without another key.
sub is_calm {
    my ($self, $t) = @_;
    return 0 if $t->is_busy;
    return !Terminal::pump(0.002) && !$t->is_busy;
}

# The length of the first lines when they are those, in any order; or 0.
sub same_lines {
    my ($rest, @lines) = @_;
    my ($want) = Transcript::normalise(join "\n", @lines);
    my @want = split /\n/, $want;
    my $count = @want;
    my ($have) = $rest =~ /\A((?:[^\n]*\n){$count})/ or return 0;
    return join("\n", sort @want) eq join("\n", sort split /\n/, $have)
        ? length $have : 0;
}

# What a terminal has shown, as the page says it.
sub screen {
    my ($self, $t) = @_;
    my %back = reverse %{ $self->{ports} };
    return $t->screen =~ s/\Q$self->{home}\E/~/gr
        =~ s/(?<![\d.])(\d{4})(?!\d)/$back{$1} \/\/ $1/gre;
}

# A line of the page as it is typed here.
sub translate {
    my ($self, $text) = @_;
    my ($ports, $names) = @$self{qw(ports names)};
    $text = with_ports($text) if %$ports;
    return $text =~ s/(?<![\d.])(\d{4})(?![\d.])/$ports->{$1} \/\/ $1/gre
        =~ s/(?<![\d.])(\d+)(?![\d.])/$names->{page}{"port $1"}
            \/\/ $names->{page}{"pid $1"} \/\/ $1/gre;
}

# Servers that have a port by default get it by name.
sub with_ports {
    my ($text) = @_;
    return $text =~ s{\bsockt (serve-hello|udp-serve)\b([^|&;\n]*)}{
        my ($whole, $command, $rest) = ($&, $1, $2);
        my $port = $rest =~ /--http/ ? 8080 : 9999;
        $rest =~ /\b[7-9]\d{3}\b|unix:|--fd|-h\b|--help| 0\b/
            ? $whole : "sockt $command $port$rest"
    }gre;
}

# Free ports for those from 7000 to 9999 that are typed in the page, all at the
# same distance. None in a private network.
sub ports_of {
    my ($page) = @_;
    return {} if $ENV{SOCKT_EXAMPLES_PRIVATE};
    my %wanted;
    for my $step (map { @{ $_->{steps} // [] } } $page->displays) {
        my $text = with_ports($step->{text} // '');
        while ($text =~ /(?<![\d.])([7-9]\d{3})(?:-([7-9]\d{3}))?(?![\d.])/g) {
            $wanted{$_} = 1 for $1 .. $2 // $1;
        }
    }
    my @ports = sort keys %wanted;
    for (1 .. 1000) {
        my $shift = 1000 + int rand 4900;
        next if grep { !lock_port($_ - $shift) } @ports;
        return { map { $_ => $_ - $shift } @ports };
    }
    die "no free ports\n";
}

# Keeps a port for this test among all that run these examples, by the name of a
# socket that is in no file system. False when another has it, or any program.
sub lock_port {
    my ($port) = @_;
    our %locks;
    return 1 if $locks{$port};
    socket my $lock, AF_UNIX, SOCK_STREAM, 0 or die "socket: $!\n";
    bind $lock, pack_sockaddr_un("\0sockt-test-port-$port")
        or $^O ne 'linux' or return 0;
    for my $proto ('tcp', 'udp') {
        IO::Socket::IP->new(LocalHost => '0.0.0.0', LocalPort => $port,
            Proto => $proto, $proto eq 'tcp' ? (Listen => 1) : ()) or return 0;
    }
    $locks{$port} = $lock;
    return 1;
}

# Waits until the command of a terminal has ended, with nothing more to show.
sub finish {
    my ($self, $t) = @_;
    Terminal::wait_until(sub { $t->is_idle })
        or $self->differ(undef, 'a command does not end', $t);
    Terminal::settle() if $t->{has_jobs};
    $self->differ(undef, 'more is printed than the page shows', $t)
        if $self->rest($t) =~ /\S/;
    $t->{is_open} = 0;
}

# After the last step nothing is left to show, neither of a command that ends nor
# of one that waits.
sub conclude {
    my ($self) = @_;
    for my $t (values %{ $self->{terminals} }) {
        Terminal::wait_until(sub { $t->is_idle || $t->is_waiting });
        $self->differ(undef, 'more is printed than the page shows', $t)
            if $self->rest($t) =~ /\S/;
    }
}

# What a terminal has shown that was not seen yet. Nothing after "...".
sub rest {
    my ($self, $t) = @_;
    my ($screen) = Transcript::normalise($self->screen($t));
    $t->{seen} = length $screen if $t->{is_open};
    my $seen = substr $screen, 0, $t->{seen} // 0;
    my $lines = ($seen =~ tr/\n//);
    my @logical = Transcript::logical(split /\n/, $self->screen($t), -1);
    my $rest = join "\n", @logical[$lines .. $#logical];
    my ($begun) = $seen =~ /([^\n]*)\z/;
    return $rest =~ s/\A\Q$begun\E\n?//r;
}

sub differ {
    my ($self, $step, $what, $t) = @_;
    my $where = $step
        ? $self->{page}{path} . ':' . ($step->{at} + 1) . ": " : '';
    my $shown = $step ? join "\n", $self->lines($step) : '';
    die "$where$what", $t ? "\n-- the page:\n$shown\n-- printed:\n"
        . $self->rest($t) : '', "\n";
}

1;
