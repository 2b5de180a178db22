# System calls whose failure was not noticed, or was told as something else.
# Each is a run of make torture; see tests/torture/Torture.pm.
use Sockt;
use TortureRun;

plan skip_all => 'calls cannot be made to fail here'
    unless TortureRun::has_library()
    && ($ENV{SOCKT_BUILD} // '') !~ m{/sanitize$};

my $dir = "$Sockt::TOP/tests/torture";

sub repeats {
    my ($file, $run, $name) = @_;
    my $r = run({ command => $^X, env => { TORTURE => $run } },
        "$dir/$file.t");
    is $r->{status}, 0, $name or diag $r->{err};
}

repeats('connect', 'connect-send shutdown 1 ENOBUFS',
    'connect: a FIN that cannot be sent ends the run');
repeats('listen', 'listen-to shutdown@1 1 ENOBUFS', 'so it does for --to');
repeats('connect', 'connect-script send 1 EHOSTUNREACH',
    'a send of a script that fails is told as that');
repeats('connect', 'connect-program fcntl 4 EPERM',
    'a program is not given a socket that does not block');
repeats('listen', 'listen-receive getsockname 1 ENOBUFS',
    'listen: nobody is asked to connect to "nobody"');
repeats('listen', 'listen-both setsockopt 1 EPERM',
    'a refused option names the address');
repeats('listen', 'listen-unix lstat 1 EIO',
    'a path that cannot be looked at is removed at once');
repeats('listen', 'listen-unix unlink 1 EROFS',
    'one that cannot be removed is told');
repeats('udp', 'udp-serve sigaction 5 EINVAL',
    'a signal that cannot be caught is told at once');
repeats('udp', 'udp-serve-program read 2 EIO',
    'half an answer of a program is not sent as a whole one');
repeats('portscan', 'portscan-banner recv 3 EINTR',
    'an interrupted recv is no missing banner');

done_testing;
