# Who may call what: Linux only in one place, stderr in one place, and below
# the commands nobody prints or exits.
use Source;

my @sources = files('src/*.[ch]', 'src/*/*.[ch]');

sub found {
    my ($pattern, $but, @paths) = @_;
    return join "\n",
        map { lines_with($_, $pattern) } grep { !/$but/ } @paths;
}

my $linux = qr/\b(?:splice|tee|vmsplice|sendfile|copy_file_range|sendmmsg
    |recvmmsg|epoll_\w+|p(?:read|write)v2|signalfd|timerfd_\w+
    |eventfd|io_uring\w*|memfd_create|prctl|close_range|syscall|unshare
    |inotify_\w+|ppoll|mremap|vfork|_Fork|madvise|mmap)\s*\(/x;
my $newer = qr/\b(?:accept4|pipe2|dup3)\s*\(|\bSOCK_(?:CLOEXEC|NONBLOCK)\b/;
is found($linux, qr/_linux\.c$/, @sources), '',
    'calls that only Linux has are in *_linux.c';
is found($newer, qr{^src/(?:net/sock|base/fd)\.c$}, @sources), '',
    'those that POSIX has since 2024 are in two files';

is found(qr/_GNU_SOURCE|_DEFAULT_SOURCE|_BSD_SOURCE/, qr/^$/, @sources), '',
    'no source asks for more than POSIX';

# Socket options of POSIX.1-2008 with its IPv6 part; all others need #ifdef.
my %posix = map { $_ => 1 } qw(SO_ACCEPTCONN SO_BROADCAST SO_DONTROUTE SO_ERROR SO_KEEPALIVE
    SO_LINGER SO_OOBINLINE SO_RCVBUF SO_RCVLOWAT SO_RCVTIMEO SO_REUSEADDR
    SO_SNDBUF SO_SNDLOWAT SO_SNDTIMEO SO_TYPE TCP_NODELAY IPV6_JOIN_GROUP
    IPV6_LEAVE_GROUP IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_LOOP
    IPV6_UNICAST_HOPS IPV6_V6ONLY);
my @bare;
for my $path (grep { !/_linux\.c$/ } @sources) {
    my $code = code($path) =~ s{\\\n}{}gr;
    for my $name ($code =~ /\b((?:SO|TCP|IP|IPV6)_[A-Z0-9_]+)\b/g) {
        next if $posix{$name};
        push @bare, "$path: $name"
            unless $code =~ /^\s*#\s*(?:if|elif).*\b$name\b/m;
    }
}
is join("\n", @bare), '', 'socket options that POSIX lacks are behind #ifdef';

is found(qr/\bstderr\b|\bperror\s*\(|\bp?v?warnx?\s*\(|\bv?errx?\s*\(/,
    qr{^src/base/diag\.c$}, @sources), '', 'only diag writes to stderr';
is found(qr/\bwrite\s*\(\s*(?:2|STDERR_FILENO)\b/, qr{^src/base/diag\.c$},
    @sources), '', 'nobody writes to descriptor 2';

my @low = grep { !m{^src/(?:cli|cmd)/|^src/main} } @sources;
is found(qr/(?<![\w.>])(?:v?printf|puts|putchar)\s*\(|\bstdout\b/, qr/^$/, @low),
    '', 'below the commands nobody print';
my @printing = grep { m{^src/cmd/} } @sources;
is found(qr/(?<![\w.>])(?:v?f?printf|f?puts|f?putchar|fwrite)\s*\(|\bstdout\b/,
    qr{^src/cmd/(?:completion|help)\.[ch]$}, @printing), '',
    'results are written by result.c';
is found(qr/(?<!\w)(?:exit|abort|quick_exit)\s*\(/, qr{^src/base/mem\.c$},
    @low), '', 'below the commands nobody exit, but when memory is out';
is found(qr/(?<!\w)_exit\s*\(/,
    qr{^src/\w+/(?:resolve|proc|os_linux|os_posix|tls_process|server|signals|tester)\.c$}, @low), '',
    '_exit is for children only, and for signals_die';
is found(qr/(?<!\w)(?:fork|waitpid|kill|execv\w*|setpgid)\s*\(/,
    qr{^src/net/(?:proc|os_linux|os_posix)\.c$}, @sources), '',
    'one table has all children';

# Those that -vv shows are reported as steps by net/sock.c, and by the twins of
# the systems; of datagrams and of scans also in their own folders.
is found(qr/(?<![\w.>*])(?:socket|bind|listen|accept|connect|send|recv|sendto
    |recvfrom|sendmsg|recvmsg|shutdown)\s*\(/x,
    qr{_(?:linux|posix)\.c$|^src/net/sock\.|^src/(?:udp|scan)/|\.h$},
    @sources), '', 'calls on sockets are in net/sock.c';

is found(qr/\b(?:strcat|sprintf|vsprintf|gets|alloca|setjmp|longjmp
    |select|FD_SET|signal|usleep|sleep|inet_ntoa|inet_addr|gethostbyname
    |system|popen|tmpnam|mktemp|strtok|atoi|atol)\s*\(/x, qr/^$/, @sources),
    '', 'no call that cannot be used well';

my @unfinished;
for my $path (@sources, files('man/*.[17]', 'README', 'Makefile',
    '.ci/run', 'tests/*.mk', 'tests/*/*')) {
    next if $path eq 'tests/lint/calls.t';
    my $n = 0;
    for my $line (split /\n/, text($path)) {
        $n++;
        push @unfinished, "$path:$n: $line"
            if $line =~ /\b(?:TODO|FIXME|XXX|HACK)\b|\bstub\b|not (?:yet )?implemented/;
    }
}
is join("\n", @unfinished), '', 'nothing says that it is unfinished';

# Options are not state: a command completes copies of its own. Those that
# commands share are static in cmd/options.c: parsers of values fill them, and
# options_complete() sets what follows.
my @written;
for my $path (files('src/cmd/*.c')) {
    my $text = text($path);
    push @written, "$path: $1" while $text =~ /^\t+(\w*options(?:\.\w+)+) [|+]?= /mg;
    push @written, "$path: $1"
        while $text =~ /^\t(?!const )(struct \w+ \*\w+ = &\w*options\b[^;]*);/mg;
}
my @completed = map { "src/cmd/options.c: $_" } (map { "options.$_" }
    qw(names.interface idle until has_access_rules server.max_ms)),
    'struct connector_options *c = &options.connector',
    'struct tls_options *tls = &options.server.tls';
is join("\n", @written), join("\n", @completed), 'no command writes to its options';
is join("\n", grep { text($_) =~ /^extern (?!const )struct/m }
    files('src/cmd/*.h')), '', 'no option value is shared';

done_testing;
