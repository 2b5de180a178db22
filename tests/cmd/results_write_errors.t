# Results that could not be written were lost in silence: with --json the run
# ended with status 0, and a scan went on for nobody.
use Sockt;
use Time::HiRes qw(time);

# A scan of every port would disturb the servers of other tests.
my $alone = own_network();

my $l    = tcp_listener();
my $open = $l->sockport;
my $shut = free_port();
my $echo = udp_socket();
Sockt::fork_child(sub {
    while (my $from = recv $echo, my $got, 100, 0) { send $echo, $got, 0, $from }
});
my $silent = udp_socket();

my ($to, $quiet) = map { '127.0.0.1 ' . $_->sockport } $echo, $silent;
for my $args (map({ [split / /] } 'help', 'help nc', 'connect --help', '--version',
    'completion bash', "portscan 127.0.0.1 $open", "portscan 127.0.0.1 $shut",
    "portscan -q 127.0.0.1 $open", "portscan --json 127.0.0.1 $open",
    "portscan --json 127.0.0.1 $shut", "portscan --dry-run 127.0.0.1 $open",
    "udp-send $to x", "udp-send --raw $to x",
    "udp-send --stats --replies 0 -w .1 $to x", "udp-send --json $to x",
    "udp-send --json --no-reply $to x", "udp-send --json -w .1 $quiet x")) {
    my $name = $args->[0] eq '--version' ? 'sockt' : "sockt $args->[0]";
    my $why = $name =~ /portscan|udp-send/ ? ' is closed' : ': [^\n]+';
    exits run({ closed => [1] }, @$args), 11, "@$args with stdout closed",
        err => qr/\A$name: stdout$why\n\z/;

    SKIP: {
        open my $full, '>', '/dev/full' or skip 'no /dev/full', 2;
        exits run({ stdout => $full }, @$args), 11,
            "@$args on a full disk, is told in a line",
            err => qr/\A$name: stdout: no space left [^\n]*\n\z/;
    }

    pipe my $in, my $out or die;
    close $in;
    exits run({ stdout => $out }, @$args), 11,
        "@$args into a pipe that nobody reads", err => '';
}

# An error that is an event: both are told where it cannot be written.
SKIP: {
    open my $full, '>', '/dev/full' or skip 'no /dev/full', 2;
    exits run({ stdout => $full }, 'portscan', '--json', '--targets',
        '/nonexistent', 80), 11, 'an error event on a full disk: status',
        err => qr{\A\N+: /nonexistent: no such file\N+\n\N+: stdout: no space left\N+\n\z};
}

# What tells nothing needs no stdout.
exits run({ closed => [1] }, 'udp-send', '--no-reply', '127.0.0.1',
    $echo->sockport, 'x'), 0, '--no-reply has no results';

# The work ends with its reader: these would take minutes.
for my $args (
    ['portscan', '--rate', 1, '127.0.0.1', '1-1000'],
    ['portscan', '--rate', 1, '--json', '-a', '127.0.0.1', '1-1000'],
    ['portscan', '--retry-for', 600, '127.0.0.1', $shut],
    ['udp-send', '--interval', '.1', '--count', 5000, '127.0.0.1',
        $echo->sockport, 'x'],
    ['udp-send', '--json', '--interval', '.1', '--count', 5000, '127.0.0.1',
        $echo->sockport, 'x'])
{
    pipe my $in, my $out or die;
    my $p = start({ stdout => $out }, @$args);
    close $out;
    sysread $in, my $line, 1 if "@$args" =~ /json|udp/;
    close $in;
    exits $p->finish(20), 11, "@$args ends with its reader, with status 11";
}

# And with a limit or a signal, while its reader takes nothing.
for my $form ([], ['--json']) {
    last unless $alone;
    for my $how ('-m', 'TERM') {
        pipe my $in, my $out or die;
        my $p = start({ stdout => $out }, 'portscan', @$form, '-a',
            $how eq '-m' ? ('-m', 2) : (), '127.0.0.1', '-');
        close $out;
        # A full pipe has pages that are not full.
        my $until = time + 30;
        select undef, undef, undef, 0.1
            while time < $until && in_pipe($in) < 50000;
        $p->signal('TERM') if $how eq 'TERM';
        exits $p->finish(10), $how eq 'TERM' ? -15 : 5,
            "portscan @$form ends by $how, with the signal or status 5";
    }
}

# FIONREAD
sub in_pipe {
    my ($h) = @_;
    my $n = pack 'i', 0;
    ioctl $h, 0x541b, $n or die "FIONREAD: $!";
    return unpack 'i', $n;
}

done_testing;
