# --drain: a server that is told to stop accepts no more, and lets what runs go
# on for a while; a second signal, or the end of that time, ends it as without.
use Sockt;
use Socket qw(:all);
use SocktTls;
use Time::HiRes qw(sleep time);

my $dir = scratch();
mkdir "$dir/www";
spew("$dir/www/a", 'a' x 10);
spew("$dir/www/big", 'b' x 20_000_000);

sub refuses {
    my ($port) = @_;
    for (1 .. 500) {
        return 1 if !eval { tcp_client($port) };
        sleep 0.01;
    }
    return 0;
}

my @slow = ('-e', 'read l; sleep 0.5; echo $l whole');
my @never = ('-e', 'read l; echo half; exec sleep 60');
my $target = tcp_listener();
my $pid = peer($target, sub {
    my ($c) = @_;
    my $line = <$c>;
    sleep 0.5;
    print $c "target: $line";
}, 10);
my @to = ('--to', '127.0.0.1:' . $target->sockport);

# What runs comes to its end.
for my $row (
    ['a program', [@slow], "hello whole\n fin"],
    ['a recorded one', ['-x', '/dev/null', @slow], "hello whole\n fin"],
    ['a forwarder', [@to], "target: hello\n fin"],
) {
    my ($name, $options, $expected) = @$row;
    for my $signal ('TERM', 'INT', 'HUP') {
        my $p = start('listen', '-4k', '--drain', 20, @$options, 0);
        my $port = $p->port;
        my $c = tcp_client($port);
        syswrite $c, "hello\n";
        await_child($p->{pid});
        sleep 0.1;
        my $start = time;
        $p->signal($signal);
        ok refuses($port), "$name, $signal: no further client is accepted";
        is until_end($c), $expected, '  the answer is whole';
        close $c;
        my $r = $p->finish;
        is $r->{signal} || $r->{status}, $signal eq 'HUP' ? 1 : 0, '  the status is that of today';
        cmp_ok time - $start, '<', 10, '  it ends with the last connection';
    }
}

# What does not is reset, by the limit or a second signal.
for my $signal ('', 'TERM', 'INT') {
    my $p = start('listen', '-4k', '--drain', $signal ? 60 : '300ms', @never, 0);
    my $c = tcp_client($p->port);
    syswrite $c, "hello\n";
    is scalar(<$c>), "half\n", 'half an answer';
    my $start = time;
    $p->signal('TERM');
    if ($signal) {
        ok refuses($p->port), '  it drains';
        # Signals that come together are one.
        sleep 0.1;
        $p->signal($signal);
    }
    is until_end($c), ' reset', '  and a reset, by ' . ($signal || 'the limit');
    is $p->finish->{status}, 0, '  status 0';
    cmp_ok time - $start, '<', 10, '  at once' if $signal;
    cmp_ok time - $start, '>', 0.29, '  not before' if !$signal;
}

# timeout(1) signals the process, and then its group.
{
    my $p = start('listen', '-4k', '--drain', 20, @slow, 0);
    my $c = tcp_client($p->port);
    syswrite $c, "hello\n";
    await_child($p->{pid});
    # Both are delivered when it goes on.
    kill $_, $p->{pid} for 'STOP', 'TERM', 'INT', 'CONT';
    is until_end($c), "hello whole\n fin", 'two signals at once are one';
    close $c;
    is $p->finish->{status}, 0, '  status 0';
}

# Conversations go on, in a process of their own and in this one.
for my $row ([['listen', '-4k', '--echo'], 'more'], [['serve-hello', '-4'], 'Hello, more!'],
    [['listen', '-4k'], ''], [['listen', '-4'], '']) {
    my ($args, $answer) = @$row;
    my $p = start({ keep_stdin => 1 }, @$args, '--drain', 20, 0);
    my $c = tcp_client($p->port);
    syswrite $c, "first\n";
    $p->expect(out => qr/first/) if !$answer;
    sysread $c, my $greeting, 100 if $answer;
    sleep 0.2;
    $p->signal('TERM');
    sleep 0.1;
    syswrite $c, "more\n";
    if ($answer) {
        my $text = '';
        1 while $text !~ /\Q$answer\E/ && sysread $c, $text, 100, length $text;
        like $text, qr/\Q$answer\E/, "@$args: it is still answered";
    } else {
        $p->expect(out => qr/first\nmore\n/);
        ok 1, "@$args: it is still received";
    }
    close $c;
    $p->close_stdin;
    my $r = $p->finish;
    is $r->{signal} || $r->{status}, "@$args" eq 'listen -4' ? 15 : 0,
        '  the status is that of today';
}

# Files: a kept connection that is idle ends, a download does not.
{
    my $p = start('listen', '-4', '--drain', 20, '--files', "$dir/www", 0);
    my $idle = tcp_client($p->port);
    syswrite $idle, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    my $head = '';
    1 while $head !~ /a{10}/ && sysread $idle, $head, 1000, length $head;
    my $busy = tcp_client($p->port);
    syswrite $busy, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    sysread $busy, my $begin, 1000;
    my $start = time;
    $p->signal('TERM');
    is until_end($idle), ' fin', 'a kept connection ends at once';
    cmp_ok time - $start, '<', 5, '  not with the limit';
    my $text = until_end($busy);
    is length($text) + length $begin, length(' fin') + 20_000_000 + index("$begin$text", "\r\n\r\n") + 4,
        'a download goes on';
    is $p->finish->{status}, 0, '  status 0';
}

SKIP: {
    skip 'openssl is not installed', 2 unless tls_is_available();
    my $cert = tls_self_signed("$dir/self", 'IP:127.0.0.1');
    my $p = start('listen', '-4k', '--drain', 20, '--tls-cert', $cert->{cert},
        '--tls-key', $cert->{key}, @slow, 0);
    my $c = start({ stdin => "hello\n" }, 'connect', '--tls', '--tls-insecure',
        '127.0.0.1', $p->port);
    await_child(await_child($p->{pid}));
    sleep 0.2;
    $p->signal('TERM');
    exits $c->finish, "0 hello whole\n", 'with TLS';
    is $p->finish->{status}, 0, '  status 0';
}

my $p = start('listen', '-4k', '--drain', 20, '--echo', 0);
$p->port;
my $start = time;
is $p->stop->{status}, 0, 'without a connection it ends at once';
cmp_ok time - $start, '<', 5, '  without waiting';
misused 'listen', qr/--drain/ => ['-k --drain 0 --echo 0', '-k --drain x --echo 0'];
kill 'KILL', $pid;

done_testing;
