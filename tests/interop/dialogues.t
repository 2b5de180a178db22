# --send and --expect with real servers: Redis, and SMTP of Python.
use Sockt;

# A server on a free port: its program and arguments. Waits until it listens.
sub serve {
    my ($command, @args) = @_;
    my $port = do { my $l = tcp_listener(); $l->sockport };
    my $p = start({ command => $command }, map { s/PORT/$port/r } @args);
    is run('connect', '-z', '--retry-for', 20, '127.0.0.1', $port)->{status}, 0,
        "$command listens";
    return ($p, $port);
}

sub converse {
    my ($port, @steps) = @_;
    return run('connect', '127.0.0.1', $port, '--expect-timeout', 20, '--done',
        map { /^</ ? ('--expect', s/^<//r) : ('--send', $_) } @steps);
}

my $dir = scratch();
my ($redis, $port) = serve('redis-server', '--port', 'PORT', '--bind',
    '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', $dir);
my $r = converse($port, 'PING\r\n', '<^\+PONG$', 'SET k "a\\\\x00b"\r\n',
    '<^\+OK$', 'GET k\r\n', '<^\$3$', '<^a\0b$', 'GET none\r\n', '<^\$-1$',
    'INFO server\r\n', '<^redis_version:[0-9.]+$', '<^tcp_port:[0-9]+$');
is $r->{status}, 0, 'Redis: values, also binary ones, and lines' or diag $r->{err};
$r = converse($port, 'NOSUCH\r\n', '<^(\+.*|-ERR .*)$', 'QUIT\r\n', '<^\+OK$',
    '<^more$');
is $r->{status}, 9, 'what does not come is status 9';
like $r->{err}, qr/--expect 3 of 3 \('\^more\$'\): the peer finished/,
    'with its number';
$redis->stop('TERM');

SKIP: {
    skip 'this Python has no smtpd', 4
        if system "python3 -W ignore -c 'import smtpd' 2>/dev/null";
    my ($smtp, $smtp_port) = serve('python3', '-W', 'ignore', '-u', '-m',
        'smtpd', '-n', '-c', 'DebuggingServer', '127.0.0.1:PORT');
    $r = converse($smtp_port, '<^220 ', 'EHLO me\r\n', '<^250 .*$',
        'MAIL FROM:<a@me>\r\n', '<^250 .*$', 'RCPT TO:<b@mx>\r\n', '<^250 .*$',
        'DATA\r\n', '<^354 .*$', 'Subject: x\r\n\r\nHello!\r\n.\r\n',
        '<^250 .*$', 'QUIT\r\n', '<^221 .*$');
    is $r->{status}, 0, 'SMTP: a mail is handed over' or diag $r->{err};
    ok $smtp->expect(out => qr/Hello!/), 'and has arrived';
    $r = converse($smtp_port, '<^220 ', 'RCPT TO:<b@mx>\r\n',
        '<^(250|503) .*$', 'QUIT\r\n', '<^221 ');
    like $r->{out}, qr/^503 /m, 'a wrong order is reported by the server';
    $smtp->stop('TERM');
}

done_testing;
