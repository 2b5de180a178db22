# An interrupted one-shot command dies by that signal, with what it had
# received written; a server that is told to stop exits 0.
use Sockt;

for my $signal ('INT', 'TERM') {
    my $number = { INT => 2, TERM => 15 }->{$signal};
    my $l = tcp_listener();
    my $p = start({ keep_stdin => 1 }, 'connect', '-v', '127.0.0.1',
        $l->sockport);
    my $c = $l->accept;
    syswrite $c, "so far\n";
    $p->expect(out => qr/so far\n/);
    exits $p->stop($signal), -$number,
        "connect dies by SIG$signal, what came is there", out => "so far\n",
        err => qr/closed 127\.0\.0\.1 .* received 7/;

    # While connecting, too: its queue is full, so nobody answers.
    my $full = tcp_listener(host => '127.0.0.9', backlog => 0);
    my @fill;
    for (1 .. 3) {
        my $s = IO::Socket::IP->new(Type => Socket::SOCK_STREAM(),
            PeerHost => '127.0.0.9', PeerPort => $full->sockport,
            Blocking => 0);
        push @fill, $s;
    }
    $p = start('connect', '-vv', '127.0.0.9', $full->sockport);
    $p->expect(err => qr/connect the socket \(fd \d+\) to .*: waiting/);
    is $p->stop($signal)->{signal}, $number, 'while connecting';

    $p = start('connect', '--retry-for', 60, '127.0.0.1', free_port());
    $p->expect(err => qr/trying again/);
    is $p->stop($signal)->{signal}, $number, 'while waiting to try again';

    for my $options ([], ['-k'], [ '-k', '--echo' ]) {
        $p = start({ keep_stdin => 1 }, 'listen', @$options, 0);
        $p->port;
        my $r = $p->stop($signal);
        is "$r->{status} $r->{signal}", @$options ? '0 0' : "0 $number",
            "listen @$options ends by SIG$signal";
    }
    close $l;
}

# A background job of a shell ignores INT, and so do we.
my $l = tcp_listener();
my $p = start({ command => '/bin/sh' }, '-c',
    'trap "" INT; exec "$@"', 'sh', sockt(), 'connect', '--recv-only',
    '127.0.0.1', $l->sockport);
my $c = $l->accept;
syswrite $c, 'a';
$p->expect(out => qr/a/);
$p->signal('INT');
syswrite $c, 'b';
close $c;
is $p->finish->{out}, 'ab', 'an ignored INT stays ignored';

done_testing;
