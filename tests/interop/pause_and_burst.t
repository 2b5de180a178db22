# Transfers of bursts with pauses between them, from a pipe to a receiver whose
# stdin is /dev/null, as a script's background job has it: sockt with itself,
# ncat, socat and nc, both roles, both directions. Nothing is lost, and no
# sender says 0 that has lost something. SOCKT_SEED repeats a run.
use Sockt;
use Time::HiRes qw(sleep time);

my $transfers = $ENV{SOCKT_TRANSFERS} || 200;
my $at_once = 40;
my $seed = $ENV{SOCKT_SEED} || int rand 1 << 30;
srand $seed;
diag "SOCKT_SEED=$seed";

# Each as a receiver with stdin from /dev/null, and as a sender of a pipe; as a
# client, and as a server of one connection. socat gives up half a second after
# either end unless it is told not to.
my @ip = '127.0.0.1';
my %programs = (
    sockt => {
        client => sub { (sockt(), 'connect', '--retry-for', 30, @ip, $_[0]) },
        server => sub { (sockt(), 'listen', '-q', @ip, $_[0]) },
    },
    ncat => {
        client => sub { ('ncat', @ip, $_[0]) },
        server => sub { ('ncat', '-l', @ip, $_[0]) },
        send => ['--send-only'],
    },
    nc => {
        client => sub { ('nc.openbsd', '-N', @ip, $_[0]) },
        server => sub { ('nc.openbsd', '-N', '-l', @ip, $_[0]) },
    },
    socat => {
        client => sub { ('socat', '-t', 100, '-', "TCP:@ip:$_[0]") },
        server => sub {
            ('socat', '-t', 100, '-',
                "TCP-LISTEN:$_[0],bind=@ip,reuseaddr");
        },
    },
);

my $dir = scratch();

# What a sender is given: [pause, bytes], sizes spread over the powers of two.
sub plan_bursts {
    return map { [rand() ** 3 * 3.5, 'x' x int 2 ** rand 19] }
        1 .. 1 + int rand 5;
}

# Options that only a sender or only a receiver takes. A listening nc sends
# nothing more once its client has finished, to itself either; a receiver that
# does not finish is no trouble to it.
sub with_options {
    my ($name, $is_sender, $from, @command) = @_;
    splice @command, 2, 0, '--recv-only' if $from eq 'nc server';
    my $more = $is_sender ? $programs{$name}{send} : undef;
    splice @command, 1, 0, @$more if $more;
    splice @command, 2, 0, '--send-only'
        if $name eq 'sockt' && $is_sender && rand() < 0.5;
    return @command;
}

my $count = 0;

# A transfer: sockt and other, one of which sends, one of which serves.
sub begin {
    my $other = (sort keys %programs)[rand keys %programs];
    my @names = rand() < 0.5 ? ('sockt', $other) : ($other, 'sockt');
    my $server = int rand 2;
    my $port = free_port();
    my %t = (name => "$names[0] sends to $names[1], "
        . "$names[$server] listens", bursts => [plan_bursts()]);
    $t{text} = join '', map { $_->[1] } @{ $t{bursts} };
    my $path = "$dir/" . $count++;
    open my $out, '>:raw', $path or die;
    open my $null, '<', '/dev/null' or die;
    my @commands = map {
        [with_options($names[$_], $_ == 0,
            $_ == 1 && $server == 0 ? "$names[0] server" : '',
            $programs{ $names[$_] }{ $_ == $server ? 'server' : 'client' }
                ->($port))]
    } 0, 1;
    my $launch = sub {
        my ($i) = @_;
        my @command = @{ $commands[$i] };
        $t{ $i == 0 ? 'sender' : 'receiver' } = start(
            { command => shift @command, $i == 0 ? (keep_stdin => 1)
                : (stdin => $null, stdout => $out) }, @command);
    };
    $launch->($server);
    # The other programs' clients try once.
    await_listener($port) if $names[1 - $server] ne 'sockt';
    $launch->(1 - $server);
    $t{path} = $path;
    $t{is_ours} = $names[0] eq 'sockt';
    $t{next} = time + $t{bursts}[0][0];
    return \%t;
}

# Sends what is due; true when everything is.
sub advance {
    my ($t) = @_;
    while (@{ $t->{bursts} } && time >= $t->{next}) {
        my $burst = shift @{ $t->{bursts} };
        $t->{sender}->send_line($burst->[1]);
        $t->{next} = time + $t->{bursts}[0][0] if @{ $t->{bursts} };
    }
    return !@{ $t->{bursts} };
}

sub end {
    my ($t) = @_;
    my $s = $t->{sender}->finish(60);
    my $r = $t->{receiver}->finish(60);
    my $is_whole = slurp($t->{path}) eq $t->{text};
    my $is_good = $is_whole && $s->{status} == 0 && $r->{status} == 0;
    ok $is_good, $t->{name} or diag sprintf 'whole: %d, sender: %d %s, '
        . 'receiver: %d %s', $is_whole, $s->{status}, $s->{err},
        $r->{status}, $r->{err};
    ok $is_whole || $s->{status} != 0, 'no false 0' if $t->{is_ours};
    unlink $t->{path};
}

my @running;
my $begun = 0;
while ($begun < $transfers || @running) {
    while ($begun < $transfers && @running < $at_once) {
        push @running, begin();
        $begun++;
    }
    my @left;
    for my $t (@running) {
        if (advance($t)) { end($t) } else { push @left, $t }
    }
    @running = @left;
    sleep 0.01;
}

# A receiver that gives up is never status 0: socat does, half a second after
# the end of its stdin.
open my $null, '<', '/dev/null' or die;
my ($r, $port) = start_server({ stdin => $null }, 'socat', '-',
    "TCP-LISTEN:PORT,bind=@ip,reuseaddr");
my $s = start({ keep_stdin => 1 }, 'connect', @ip, $port);
$s->send_line("burst\n");
is $r->finish->{status}, 0, 'socat gives up';
$s->send_line("burst\n");
is $s->finish->{status}, 10, '  and what comes then is lost: status 10';

done_testing;
