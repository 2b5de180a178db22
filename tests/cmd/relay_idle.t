# A relay that can do nothing sleeps: in every state that lasts, it neither
# takes CPU time nor wakes up.
use Sockt;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Select;
use Socket qw(:all);

plan skip_all => 'no /proc to read CPU times from' unless -r "/proc/$$/stat";

my @held;    # ends that have to stay open
my %states;  # name => process

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);

# Writes until nothing more is taken for a while.
sub flood {
    my ($h) = @_;
    fcntl $h, F_SETFL, fcntl($h, F_GETFL, 0) | O_NONBLOCK;
    my $piece = 'a' x 65536;
    while (IO::Select->new($h)->can_write(0.1)) {
        last unless defined syswrite $h, $piece;
    }
}

# A pipe that nobody reads, or that is full, or of which the reader has gone.
sub unread_pipe {
    pipe my $r, my $w or die;
    push @held, $r;
    return $w;
}

sub held_full_pipe {
    push @held, full_pipe();
    return $held[-1];
}

# What becomes of a run: its stdin ends, or as much is written into it as it
# takes; the same of the ends of its connections that are ours.
sub happens {
    my ($p, $what, @ends) = @_;
    for my $step (split / /, $what) {
        my ($do, $n) = $step =~ /^([a-z]+)(\d?)$/ or die $step;
        my $end = $ends[$n || 0];
        if    ($do eq 'eof')   { $p->close_stdin }
        elsif ($do eq 'type')  { $p->send_line("text\n") }
        elsif ($do eq 'fill')  { flood($p->{in}) }
        elsif ($do eq 'fin')   { shutdown $end, SHUT_WR }
        elsif ($do eq 'flood') { flood($end) }
        elsif ($do eq 'say')   { syswrite $end, 'x' }
    }
}

pipe my $gone, my $w or die;
close $gone;
my %stdout = (unread => \&unread_pipe, full => \&held_full_pipe, gone => sub { $w });
for my $row (
    ['idle', '', ''],
    ['own input has ended', '', 'eof'],
    ['own input has ended, --on-eof keep', '', 'eof', '--on-eof', 'keep'],
    ['the peer has finished, --on-peer-eof finish', '', 'fin', '--on-peer-eof', 'finish'],
    ['stdout takes nothing', 'unread', 'flood'],
    ['stdout is full', 'full', 'say'],
    ['stdout takes nothing, the peer has finished', 'unread', 'flood fin'],
    ['stdout takes nothing, both have finished', 'unread', 'flood fin eof'],
    ['stdout takes nothing, recorded', 'unread', 'flood', '-x', '/dev/null'],
    ["stdout's reader has gone", 'gone', ''],
    ['the peer reads nothing', '', 'fill'],
    ['the peer reads nothing, own input has ended', '', 'fill eof'],
    ['the peer reads nothing and has finished', '', 'fill fin', '--on-peer-eof', 'finish'],
    ['nothing goes either way', 'unread', 'fill flood'],
    ['a pattern is waited for, stdin has something', '', 'type', '--expect', 'never'],
    ['--recv-only, stdin has something', '', 'type', '--recv-only'],
    ['--send-only', '', 'say', '--send-only'],
    ['progress on no terminal', '', 'eof', '-P'],
) {
    my ($name, $stdout, $what, @options) = @$row;
    my $p = start({ keep_stdin => 1,
        $stdout ? (stdout => $stdout{$stdout}->()) : () }, 'connect', @options, @to);
    my $c = $l->accept;
    push @held, $c;
    $states{"connect: $name"} = $p;
    happens($p, $what, $c);
}

# Servers with a client of ours, and forwarders with a target of ours.
$states{'listen: nobody has come'} = start('listen', '-k', '-4', 0);
$states{'listen: nobody has come'}->port;
my @forwards = ('listen', '--to', join ':', @to);
for my $row (
    ['own input has ended', 'eof', 'listen'],
    ['the peer has finished', 'fin', 'listen', '--on-peer-eof', 'finish'],
    ['idle', '', 'listen', '--echo'],
    ['reads nothing', 'flood', 'listen', '--echo'],
    ['idle', '', 'listen', '--discard'],
    ['one more has come', '', 'listen', '-k', '--echo', '--max-conns', 1],
    ['its program has ended', '', 'listen', '-e', 'true'],
    ['part of a message', 'say', 'serve-hello'],
    ['reads nothing', 'flood', 'serve-hello'],
    ['idle', '', @forwards],
    ['the client has finished', 'fin', @forwards],
    ['the target has finished', 'fin1', @forwards],
    ['the client reads nothing', 'flood1', @forwards],
    ['the target reads nothing', 'flood', @forwards],
    ['neither reads', 'flood flood1', @forwards],
    ['the target reads nothing and has finished', 'flood fin1', @forwards],
    ['the client reads nothing, both have finished', 'flood1 fin fin1', @forwards],
) {
    my ($name, $what, @command) = @$row;
    my $p = start({ keep_stdin => 1 }, @command, '-4', 0);
    my @ends = tcp_client($p->port);
    push @ends, scalar $l->accept if "@command" =~ /--to/;
    push @held, @ends;
    push @held, tcp_client($p->port) if $name =~ /^one more/;
    $states{"@command: $name"} = $p;
    happens($p, $what, @ends);
}

# A process and its children: ticks of CPU time, times it went to sleep.
sub usage {
    my ($p) = @_;
    my ($ticks, $sleeps, @stat) = (0, 0);
    for my $path (glob '/proc/[0-9]*/stat') {
        open my $f, '<', $path or next;
        my ($pid, $rest) = (<$f> // '') =~ /^(\d+) \(.*\) (.*)/ or next;
        @stat = split / /, $rest;
        next unless $pid == $p->{pid} || $stat[1] == $p->{pid};
        $ticks += $stat[11] + $stat[12];
        open my $g, '<', "/proc/$pid/status" or next;
        while (my $line = <$g>) {
            $sleeps += $1 if $line =~ /^voluntary_ctxt_switches:\s+(\d+)/;
        }
    }
    return ($ticks, $sleeps);
}

# The states last once nothing sleeps anew: what was sent has moved on.
my ($seen, $was) = ('', undef);
for (1 .. 100) {
    ($was, $seen) = ($seen, join ' ', map { (usage($states{$_}))[1] }
        sort keys %states);
    last if $seen eq $was;
    select undef, undef, undef, 0.2;
}

my %before;
$before{$_} = [ usage($states{$_}), time ] for keys %states;
select undef, undef, undef, 0.5;
for my $name (sort keys %states) {
    my ($ticks, $sleeps) = usage($states{$name});
    # Of half a second, or what a busy machine makes of that.
    my $times = 1 + (time - $before{$name}[2]);
    cmp_ok $sleeps, '>', 0, "$name: it is there";
    # A loop that does not sleep takes what it can get of 50.
    cmp_ok $ticks - $before{$name}[0], '<=', 3 * $times, '  takes no CPU time';
    cmp_ok $sleeps - $before{$name}[1], '<=', 25 * $times, '  does not wake up';
}

done_testing;
