# A conversation in SMTP (RFC 5321), as people type it by hand. The peer checks
# what it is told, and its answers arrive in pieces.
use Sockt;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

# Writes text in pieces of 1 to 7 bytes.
sub say_slowly {
    my ($c, $text) = @_;
    setsockopt $c, IPPROTO_TCP, TCP_NODELAY, 1;
    for (my $n = 0; length $text; $n++) {
        syswrite $c, substr $text, 0, 1 + $n % 7, '';
        select undef, undef, undef, 0.0005;
    }
}

# The next line, without its CRLF, which a client has to send.
sub line {
    my ($c) = @_;
    my $line = <$c> // return 'QUIT';
    return $line =~ s/\r\n\z//r if $line =~ /\r\n\z/;
    return "no CRLF: $line";
}

# A server: the first text, and the answers to commands by their first word.
sub server {
    my ($greeting, $answers) = @_;
    return sub {
        my ($c) = @_;
        say_slowly($c, $greeting);
        while (1) {
            my $line = line($c);
            my ($word) = $line =~ /^(\S+)/;
            my $answer = $answers->{ uc($word // '') };
            say_slowly($c, !defined $answer ? "500 what is '$line'?\r\n"
                : ref $answer ? $answer->($c, $line) : $answer);
            last if $line =~ /^QUIT/i;
        }
    };
}

sub converse {
    my ($server, @options) = @_;
    my $l = tcp_listener();
    my $pid = peer($l, $server);
    my $r = run('connect', '127.0.0.1', $l->sockport, '--expect-timeout', 20,
        @options);
    reap($pid);
    return $r;
}

sub steps { return map { /^</ ? ('--expect', s/^<//r) : ('--send', $_) } @_ }

# SMTP, with answers of several lines that contain what others begin with.
my $ready = "220-mx.example ESMTP\r\n220-250 is not yet it\r\n220 ready\r\n";
my $smtp = server($ready, {
    EHLO => "250-mx.example\r\n250-SIZE 250 \r\n250-8BITMIME\r\n250 HELP\r\n",
    MAIL => "250 2.1.0 Ok\r\n",
    RCPT => sub {
        $_[1] =~ /<bob\@/ ? "250 2.1.5 Ok\r\n" : "550 5.1.1 unknown\r\n";
    },
    DATA => sub {
        my ($c) = @_;
        say_slowly($c, "354 go on\r\n");
        my @lines;
        while ((my $line = line($c)) ne '.') { push @lines, $line }
        return '250 2.0.0 ' . scalar(@lines) . " lines\r\n";
    },
    QUIT => "221 2.0.0 Bye\r\n",
});
my @mail = ('<^220 .*$', 'EHLO me\r\n', '<^250 .*$', 'MAIL FROM:<a@me>\r\n',
    '<^250 2\.1\.0 ', 'RCPT TO:<bob@mx>\r\n', '<^250 2\.1\.5 .*$', 'DATA\r\n',
    '<^354 ', 'Subject: x\r\n\r\n..\r\nbye\r\n.\r\n', '<^250 2.0.0 4 lines$',
    'QUIT\r\n', '<^221 .*$');
exits converse($smtp, steps(@mail), '--done'), 0,
    'SMTP: a mail is handed over, all answers are printed',
    out => qr/\A220-.*250 HELP\r\n.*4 lines\r\n221 2\.0\.0 Bye\r?\n?\z/s;

# One that is refused.
my @bad = map { s/bob/tom/r } @mail;
exits converse($smtp, steps(@bad[0 .. 6]), '--expect-timeout', '0.3',
    '--done'), 5, 'SMTP: what does not come is status 5',
    err => qr/--expect 4 of 4 \('\^250 2\\\.1\\\.5 \.\*\$'\): it was not received within 0\.3 s \(--expect-timeout\); received instead: '.*550 5\.1\.1 unknown\\r\\n'/;

# The reviewer's script: it waited for ever when ^ was that of all data.
exits converse($smtp, '--expect', '^220', '--send', 'EHLO x\r\n', '--expect',
    '^250 ', '--send', 'QUIT\r\n', '--done'), 0, 'the short form of it';

# The same on the side of the server, one connection after another.
my $p = start({ stdin => '' }, 'listen', '-k', '0', '--send',
    '220 ready\r\n', '--expect', '^(HELO|EHLO) .*$', '--send', '250 ok\r\n',
    '--expect', '^QUIT$', '--send', '221 bye\r\n', '--done');
for my $n (1, 2) {
    my $c = tcp_client($p->port);
    say_slowly($c, "XEHLO no\r\nEHLO me\r\nQUIT\r\n");
    my $all = join '', <$c>;
    is $all, "220 ready\r\n250 ok\r\n221 bye\r\n", "listen, client $n";
}
$p->stop;

done_testing;
