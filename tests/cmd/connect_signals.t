# An interrupted one-shot command dies by that signal, with what it had
# received written; a server that is told to stop exits 0.
use Sockt;

my %number = (HUP => 1, INT => 2, TERM => 15);
my @signals = sort keys %number;
my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
# Its queue is full, so nobody answers.
my ($full, @fill) = full_listener(host => '127.0.0.9');
for my $signal (@signals) {
    my $p = start({ keep_stdin => 1 }, 'connect', '-v', @to);
    my $c = $l->accept;
    syswrite $c, "so far\n";
    $p->expect(out => qr/so far\n/);
    exits $p->stop($signal), -$number{$signal},
        "connect dies by SIG$signal, what came is there", out => "so far\n",
        err => qr/closed 127\.0\.0\.1 .* received 7\b.*, status ${\(128 + $number{$signal})}$/m;
    for my $row (['while connecting', qr/connect the socket \(fd \d+\) to .*: waiting/,
            '-vv', '127.0.0.9', $full->sockport],
        ['while waiting to try again', qr/trying again/, '--retry-for', 60,
            '127.0.0.1', free_port()]) {
        my ($name, $says, @args) = @$row;
        $p = start('connect', @args);
        $p->expect(err => $says);
        is $p->stop($signal)->{signal}, $number{$signal}, $name;
    }
}

# A background job of a shell ignores INT, and so do we.
my $p = start({ command => '/bin/sh' }, '-c', 'trap "" INT; exec "$@"', 'sh', sockt(),
    'connect', '--recv-only', @to);
my $c = $l->accept;
syswrite $c, 'a';
$p->expect(out => qr/a/);
$p->signal('INT');
syswrite $c, 'b';
close $c;
is $p->finish->{out}, 'ab', 'an ignored INT stays ignored';

# listen without -k has one piece of work: told to stop, it dies by the signal,
# and status 0 is not given for what was not done. A server that goes on
# accepting exits 0, or dies by HUP. Neither leaves a child behind.

# Whether a connection ends: a process that stays behind would hold it open.
sub ends {
    my ($c) = @_;
    while (1) {
        vec(my $bits = '', fileno $c, 1) = 1;
        select $bits, undef, undef, 5 or return 0;
        sysread $c, my $rest, 100 or return 1;
    }
}

# Starts it, has a client served, tells it to stop: whether it ended so, without
# an error or a process.
sub told {
    my ($signal, $end, $name, $connects, @command) = @_;
    my $p = start({ keep_stdin => 1 }, @command);
    my $port = $p->port;
    my $c = $connects && tcp_client($port);
    if ($c) {
        syswrite $c, "x\n";
        if ($connects eq 'stdio') { $p->expect(out => qr/x\n/) }
        else                      { sysread $c, my $answer, 1 }
    }
    exits $p->stop($signal), $end, "$name: ends by $signal, without an error",
        no_err => qr/accepting|serving|Interrupted/;
    ok !$c || ends($c), '  and no process stays';
}

for my $signal (@signals) {
    my $stays = $signal eq 'HUP' ? -1 : 0;
    told($signal, -$number{$signal}, @$_) for
        [ 'stdin and stdout', 0, 'listen', 0 ],
        [ 'while it relays', 'stdio', 'listen', 0 ],
        [ '--echo', 0, 'listen', '--echo', 0 ],
        [ '--echo, a client', 1, 'listen', '--echo', 0 ],
        [ 'a program, a client', 1, 'listen', 0, '--', 'cat' ];
    told($signal, $stays, @$_) for
        [ 'listen -k', 0, 'listen', '-k', 0 ],
        [ 'listen -k, relaying', 'stdio', 'listen', '-k', 0 ],
        [ 'listen -k --echo', 1, 'listen', '-k', '--echo', 0 ],
        [ 'listen -k -- cat', 1, 'listen', '-k', 0, '--', 'cat' ],
        [ 'serve-hello', 1, 'serve-hello', 0 ],
        [ 'serve-hello --http', 0, 'serve-hello', '--http', 0 ],
        [ 'udp-serve', 0, 'udp-serve', '127.0.0.1', 0 ];
}

# A program that does not listen is made to end, with what it has started.
told('HUP', -1, "-e '$_'", 1, 'listen', '-k', '-e', $_, 0)
    for 'trap "" HUP INT TERM; echo x; while :; do sleep 1; done',
    'trap "" HUP INT TERM; (while :; do sleep 1; done) & trap - TERM; echo x;'
    . ' wait';

# What a shell's background job or nohup(1) ignores is still ignored.
for my $signal ('INT', 'HUP') {
    my $p = start({ command => $^X }, '-e',
        '$SIG{shift()} = "IGNORE"; exec @ARGV', $signal, sockt(),
        'listen', '-k', '--echo', 0);
    my $port = $p->port;
    $p->signal($signal);
    is exchange($port, 'x'), 'x', "an ignored $signal does not end it";
    is $p->stop('TERM')->{status}, 0, 'TERM does';
}

done_testing;
