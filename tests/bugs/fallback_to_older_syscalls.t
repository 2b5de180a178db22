# Where a newer call of Linux is lacking (an old kernel: ENOSYS) or denied (a
# sandbox: EPERM), the older one does: accept4(2), pipe2(2), epoll_create1(2),
# pwritev2(2).
use Sockt;
use Errno qw(ENOSYS EPERM);
use POSIX ();

plan skip_all => 'seccomp(2) of Linux on x86-64 only'
    unless $^O eq 'linux' && (POSIX::uname())[4] eq 'x86_64'
    && length pack('p', '') == 8;

my %number = (accept4 => 288, epoll_create1 => 291, pipe2 => 293,
    pwritev2 => 328);

# Denies one call by a filter (seccomp(2), linux/filter.h), then becomes the
# program that the other arguments name.
my $deny = <<'P';
my ($number, $errno, @program) = @ARGV;
my $filter = join '', map { pack 'S C C L', @$_ }
    [0x20, 0, 0, 0],                        # load the call's number
    [0x15, 0, 1, $number],                  # another one: over the next
    [0x06, 0, 0, 0x00050000 | $errno],      # SECCOMP_RET_ERRNO
    [0x06, 0, 0, 0x7fff0000];               # SECCOMP_RET_ALLOW
my $program = pack 'S x6 p', 4, $filter;
my ($name, $no_new, $seccomp, $mode) = (157, 38, 22, 2);
my $zero = 0;
syscall($name, $no_new, 1, $zero, $zero, $zero) == 0 or exit 99;
syscall($name, $seccomp, $mode, $program, $zero, $zero) == 0 or exit 99;
exec { $program[0] } @program;
P

sub denying {
    my ($call, $errno, @args) = @_;
    return ('-e', $deny, $number{$call}, $errno, sockt(), @args);
}

plan skip_all => 'no filter can be installed here'
    if run({ command => $^X }, '-e', $deny, 9999, EPERM, $^X, '-e', '1')
    ->{status} == 99;

my $is_portable = run('--version')->{out} =~ /posix/;

for my $errno (ENOSYS, EPERM) {
    my $name = $errno == ENOSYS ? 'ENOSYS' : 'EPERM';
    my $p = start({ command => $^X, stdin => '' },
        denying('accept4', $errno, 'listen', '127.0.0.1', 0));
    my $c = tcp_client($p->port);
    print $c 'bytes';
    close $c;
    my $r = $p->finish;
    is "$r->{status} $r->{out}", '0 bytes', "accept4: $name";

    my $l = tcp_listener();
    SKIP: {
        skip 'the C library makes pipes by pipe2(2) alone', 1 if $is_portable;
        $r = run({ command => $^X }, denying('pipe2', $errno, 'connect', '-z',
            '127.0.0.1', $l->sockport));
        is $r->{status}, 0, "pipe2: $name" or diag $r->{err};
    }
    my $speaks = tcp_listener();
    my $pid = peer($speaks, sub { print { $_[0] } 'bytes' });
    $r = run({ command => $^X, stdin => '' }, denying('pwritev2', $errno,
        'connect', '127.0.0.1', $speaks->sockport));
    is "$r->{status} $r->{out}", '0 bytes', "pwritev2: $name";
    reap($pid);
    $r = run({ command => $^X }, denying('epoll_create1', $errno, 'portscan',
        '127.0.0.1', $l->sockport));
    is $r->{status}, 0, "epoll_create1: $name" or diag $r->{err};
}

done_testing;
