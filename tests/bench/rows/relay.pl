# One way through a sender and a receiver of the same program; and both ways.
use strict;
use warnings;
no warnings 'qw';    # commas of socat's
use Bench;
use Time::HiRes qw(time);

my $GB = ($ENV{RELAY_MB} || 2048) * 1024 * 1024;
my $CHECK = 64 * 1024 * 1024;

# Commands of each program: send, receive, both-send, both-receive.
my @tools = (
    ['sockt',
        [sockt(), qw(connect IP PORT)], [sockt(), qw(listen -q --recv-only IP PORT)],
        [sockt(), qw(connect --on-peer-eof finish IP PORT)],
        [sockt(), qw(listen -q --on-peer-eof finish IP PORT)]],
    ['nc.openbsd',
        [qw(nc.openbsd -N IP PORT)], [qw(nc.openbsd -l IP PORT)],
        undef, [qw(nc.openbsd -N -l IP PORT)]],
    ['nc.traditional',
        [qw(nc.traditional -q 1 IP PORT)],
        [qw(nc.traditional -l -s IP -p PORT)]],
    ['ncat',
        [qw(ncat --send-only IP PORT)],
        [qw(ncat -l --recv-only IP PORT)],
        [qw(ncat IP PORT)], [qw(ncat -l IP PORT)]],
    ['socat',
        [qw(socat -u STDIN TCP:IP:PORT)],
        [qw(socat -u TCP-LISTEN:PORT STDOUT)],
        [qw(socat -t 20 STDIO TCP:IP:PORT)],
        [qw(socat -t 20 TCP-LISTEN:PORT STDIO)]],
    ['socat -b 1M',
        [qw(socat -b 1048576 -u STDIN TCP:IP:PORT)],
        [qw(socat -b 1048576 -u TCP-LISTEN:PORT STDOUT)],
        [qw(socat -b 1048576 -t 20 STDIO TCP:IP:PORT)],
        [qw(socat -b 1048576 -t 20 TCP-LISTEN:PORT STDIO)]],
);
@tools = grep { installed($_->[1][0]) || -x $_->[1][0] } @tools;

sub with_port {
    my ($port, @command) = @_;
    s/\bPORT\b/$port/, s/\bIP\b/127.0.0.1/ for @command;
    return @command;
}

# A file of the pattern.
sub pattern_file {
    my ($bytes) = @_;
    my $path = scratch() . "/pattern.$bytes";
    system(load('source') . " $bytes | cat >$path") unless -e $path;
    return $path;
}

# What the program reads: a handle, and the process that feeds it, if any.
sub input {
    my ($kind, $bytes) = @_;
    if ($kind eq 'file') {
        open my $h, '<', pattern_file($bytes) or die $!;
        return ($h);
    }
    pipe my $r, my $w or die $!;
    return ($r, launch({ plain => 1, out => $w }, load('source'), $bytes));
}

# A file of zeros. Its pages are there: making them is not the work of the
# program that is measured, and takes any time on a virtual machine.
sub blank_file {
    my ($path, $bytes) = @_;
    my $zeros = "\0" x (1024 * 1024);
    open my $h, -e $path ? '+<' : '+>', $path or die $!;
    for (my $left = $bytes; $left > 0; $left -= length $zeros) {
        syswrite $h, $zeros or die $!;
    }
    truncate $h, $bytes or die $!;
    sysseek $h, 0, 0;
    return $h;
}

# What it writes: a handle, how to judge it, and the process behind it.
sub output {
    my ($kind, $name, $bytes, $check) = @_;
    my $path = scratch() . "/out.$name";
    return (blank_file($path, $bytes), $path) if $kind eq 'file';
    open my $h, '>', $kind eq 'null' ? '/dev/null' : $path or die $!;
    return ($h, $path) if $kind ne 'pipe';
    pipe my $r, my $w or die $!;
    my $sink = launch({ plain => 1, in => $r, out => $h },
        load('sink'), $check ? 'check' : ());
    return ($w, $path, $sink);
}

# Nothing, or how much is missing.
sub judge {
    my ($kind, $path, $bytes) = @_;
    return if $kind eq 'null';
    my $got = $kind eq 'file' ? `@{[load('sink')]} check <$path`
        : slurp($path);
    chomp $got;
    return $got eq $bytes ? undef : "$got of $bytes bytes";
}

# One transfer from in to out: seconds, CPU seconds, what was lost.
sub transfer {
    my ($tool, $in, $out, $bytes, $check) = @_;
    my $port = free_port();
    my ($to, $path, $sink) = output($out, 'one', $bytes, $check);
    my $receiver = launch({ out => $to }, with_port($port, @{ $tool->[2] }));
    close $to;
    return { lost => 'does not listen' } unless wait_listening($port);
    my ($from, $source) = input($in, $bytes);
    my $start = time;
    my $sender = launch({ in => $from }, with_port($port, @{ $tool->[1] }));
    close $from;
    my @status = map { finish($_) } $sender, $receiver;
    finish($_) for grep { $_ } $sink, $source;
    my $seconds = time - $start;
    my $lost = judge($out, $path, $bytes);
    $lost = 'did not end' if grep { $_ == -1 } @status;
    return { seconds => $seconds, lost => $lost,
        cpu => (spent($sender, $receiver))[0] };
}

sub result {
    my ($t, $bytes) = @_;
    return { lost => $t->{lost} } unless $t->{seconds};
    my $gb = $bytes / 1e9;
    return { value => $gb / $t->{seconds}, extra => [$t->{cpu} / $gb],
        lost => $t->{lost} };
}

sub one_way {
    my ($in, $out) = @_;
    my %checked;
    row(
        name  => "relay, $in to " . ($out eq 'null' ? '/dev/null' : $out),
        unit  => 'GB/s',
        extra => ['CPU s/GB'],
        tools => [map {
            my $tool = $_;
            [$tool->[0], sub {
                my $bad = $checked{ $tool->[0] } //= transfer($tool, $in,
                    $out eq 'null' ? 'pipe' : $out, $CHECK, 1)->{lost} // '';
                my $r = result(transfer($tool, $in, $out, $GB), $GB);
                $r->{lost} ||= $bad;
                return $r;
            }]
        } @tools],
    );
}

# Both ways at once; every byte of both checked.
sub exchange {
    my ($tool, $kind, $bytes) = @_;
    my $port = free_port();
    my (@source, @sink, @path, @process, @in, @out);
    for my $side (0, 1) {
        ($in[$side], $source[$side]) = input($kind, $bytes);
        ($out[$side], $path[$side], $sink[$side]) =
            output($kind, $side, $bytes, 1);
    }
    my $start = time;
    push @process, launch({ in => $in[0], out => $out[0] },
        with_port($port, @{ $tool->[4] // $tool->[2] }));
    return { lost => 'does not listen' } unless wait_listening($port);
    push @process, launch({ in => $in[1], out => $out[1] },
        with_port($port, @{ $tool->[3] // $tool->[1] }));
    close $_ for @in, @out;
    my @status = map { finish($_, 30) } @process;
    my $seconds = time - $start;
    finish($_) for grep { $_ } @sink;
    my ($lost) = grep { $_ } map { judge($kind, $_, $bytes) } @path;
    $lost = 'did not end' if grep { $_ == -1 } @status;
    return { seconds => $seconds, lost => $lost, cpu => (spent(@process))[0] };
}

sub both_ways {
    my ($kind) = @_;
    my $bytes = $GB / 2;
    row(
        name  => "relay, both ways at once, ${kind}s",
        unit  => 'GB/s',
        extra => ['CPU s/GB'],
        tools => [map {
            my $tool = $_;
            [$tool->[0],
                sub { result(exchange($tool, $kind, $bytes), 2 * $bytes) }]
        } @tools],
    );
}

one_way(@$_) for ['pipe', 'null'], ['file', 'null'], ['pipe', 'pipe'],
    ['file', 'pipe'], ['file', 'file'];
both_ways($_) for 'pipe', 'file';
1;
