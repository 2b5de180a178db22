# System calls whose failure was not noticed, or was told as something else.
# Each is some runs of make torture; see tests/torture/Torture.pm.
use Sockt;
use TortureRun;

plan skip_all => 'calls cannot be made to fail here'
    unless TortureRun::has_library()
    && ($ENV{SOCKT_BUILD} // '') !~ m{/sanitize$};

my @runs = (
    'connect-send shutdown ENOBUFS',       # a FIN that cannot be sent
    'connect-script send EHOSTUNREACH',    # told as something else
    'connect-socks5 send EPIPE',           # did not end
    'connect-program fcntl EPERM',         # the program's socket blocks
    'listen-to shutdown@1 ENOBUFS',
    'listen-receive getsockname ENOBUFS',  # announced as "nobody"
    'listen-both setsockopt EPERM',        # without its address
    'listen-unix lstat EIO',               # its path stayed
    'listen-unix unlink EROFS',            # in silence
    'udp-serve sigaction EINVAL',          # told late
    'udp-serve-program read EIO',          # half an answer was sent
    'portscan-banner recv EINTR',          # no banner
);
my %env = (
    TORTURE_SCENARIOS => join(',', map { /^(\S+)/ } @runs),
    TORTURE_RUNS => join('|', map { s/ (?=\w+$)/ \\d+ /r } @runs),
);
exits run({ command => $^X, env => \%env, timeout => 200 },
    "$Sockt::TOP/tests/torture/torture.t"), 0,
    'they are noticed, and each of them has happened', no_out => qr/: 0 runs/;

done_testing;
