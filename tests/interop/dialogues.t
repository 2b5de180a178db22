# --send and --expect with real servers: Redis, and SMTP of Python.
use Sockt;

sub converse {
    my ($port, @steps) = @_;
    return run('connect', '127.0.0.1', $port, '--expect-timeout', 20, '--done',
        map { /^</ ? ('--expect', s/^<//r) : ('--send', $_) } @steps);
}

my ($redis, $port) = start_server('redis-server', '--port', 'PORT', '--bind',
    '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', scratch());
exits converse($port, 'PING\r\n', '<^\+PONG$', 'SET k "a\\\\x00b"\r\n',
    '<^\+OK$', 'GET k\r\n', '<^\$3$', '<^a\0b$', 'GET none\r\n', '<^\$-1$',
    'INFO server\r\n', '<^redis_version:[0-9.]+$', '<^tcp_port:[0-9]+$'),
    0, 'Redis: values, also binary ones, and lines';
exits converse($port, 'NOSUCH\r\n', '<^(\+.*|-ERR .*)$', 'QUIT\r\n',
    '<^\+OK$', '<^more$'), 9, 'what does not come is status 9, with its number',
    err => qr/--expect 3 of 3 \('\^more\$'\): the peer finished/;
$redis->stop;

SKIP: {
    skip 'this Python has no smtpd', 3
        if system "python3 -W ignore -c 'import smtpd' 2>/dev/null";
    my ($smtp, $port) = start_server('python3', '-W', 'ignore', '-u', '-m', 'smtpd',
        '-n', '-c', 'DebuggingServer', '127.0.0.1:PORT');
    exits converse($port, '<^220 ', 'EHLO me\r\n', '<^250 .*$',
        'MAIL FROM:<a@me>\r\n', '<^250 .*$', 'RCPT TO:<b@mx>\r\n', '<^250 .*$',
        'DATA\r\n', '<^354 .*$', 'Subject: x\r\n\r\nHello!\r\n.\r\n',
        '<^250 .*$', 'QUIT\r\n', '<^221 .*$'), 0, 'SMTP: a mail is handed over';
    ok $smtp->expect(out => qr/Hello!/), 'and has arrived';
    exits converse($port, '<^220 ', 'RCPT TO:<b@mx>\r\n', '<^(250|503) .*$',
        'QUIT\r\n', '<^221 '), 0, 'a wrong order is reported by the server',
        out => qr/^503 /m;
    $smtp->stop;
}

done_testing;
