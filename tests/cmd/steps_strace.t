# -vv reports every socket call of every command, in order: strace(1) of one run
# of each is the witness. Calls that the C library's resolver makes are not
# sockt's own; they are made in a process that does nothing else, and -vv
# reports them as one step "resolve".
use Sockt;
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use SocktHttp;
use Strace;

my $lacks = strace_lacks();
plan skip_all => $lacks if $lacks;

# Compares a run of a command: code starts it with straced(), plays its peer,
# and returns the process, ended.
sub compare {
    my ($name, $code) = @_;
    my $p = $code->();
    my @processes = processes($p);
    my $faults = $name =~ /^portscan/ ? \&unordered_faults_of : \&faults_of;
    my @faults = map { my $p = $_; map { "$p->{pid} $_" } $faults->($p) }
        @processes;
    ok !@faults, "$name: every call is reported" or diag join "\n", @faults;
}

# A run to its end, and its status.
sub finished {
    my ($p, $status) = @_;
    my $r = $p->finish;
    is $r->{status}, $status // 0, 'its status' or diag $r->{err};
    return $p;
}

# A server that is told to stop.
sub stopped {
    my ($p) = @_;
    $p->signal('TERM');
    return finished($p);
}

sub port_of { return $_[0]->sockport }

# connect

compare 'connect' => sub {
    my $l = tcp_listener();
    peer($l, sub { print { $_[0] } 'hello'; 1 while sysread $_[0], my $x, 99 });
    return finished(straced({ stdin => 'question' }, 'connect', '-vv',
        '127.0.0.1', port_of($l)));
};

compare 'connect, refused' => sub {
    return finished(straced('connect', '-vv', '127.0.0.1', free_port()), 4);
};

compare 'connect, socket options' => sub {
    my $l = tcp_listener();
    peer($l, sub { 1 while sysread $_[0], my $x, 99 });
    return finished(straced('connect', '-vv', '--keepalive',
        '--tos', 8, '--ttl', 9, '--rcvbuf', '64k', '--sndbuf', '64k', '-s',
        '127.0.0.1', '127.0.0.1', port_of($l)));
};

compare 'connect, a name' => sub {
    my $names = ($ENV{SOCKT_BUILD} || "$Sockt::TOP/build")
        . '/tests/sockt-names';
    my $l = tcp_listener();
    peer($l, sub { 1 while sysread $_[0], my $x, 99 });
    return finished(straced({ command => $names,
        env => { SOCKT_TEST_NAMES => 'both=127.0.0.2,127.0.0.1' } },
        'connect', '-vv', 'both', port_of($l)));
};

compare 'connect, a name that the resolver looks up' => sub {
    return finished(straced('connect', '-vv', 'nosuch.invalid', 80), 3);
};

compare 'connect, a Unix socket' => sub {
    my $path = scratch() . '/s';
    my $l = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die $!;
    my $pid = Sockt::fork_child(sub {
        my $c = $l->accept;
        print $c 'hello';
        1 while sysread $c, my $x, 99;
    });
    return finished(straced({ stdin => 'question' }, 'connect', '-vv',
        "unix:$path"));
};

compare 'connect, SOCKS5' => sub {
    my $l = tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        sysread $c, my $x, 3;
        syswrite $c, "\5\0";
        sysread $c, $x, 99;
        syswrite $c, "\5\0\0\1\x7f\0\0\1\0\x51banner";
        1 while sysread $c, $x, 99;
    });
    return finished(straced({ stdin => 'question' }, 'connect', '-vv',
        '--proxy', 'socks5://127.0.0.1:' . port_of($l), 'name.test', 81));
};

compare 'connect, an HTTP proxy' => sub {
    my $l = tcp_listener();
    peer($l, sub {
        my ($c) = @_;
        my $head = '';
        $head .= <$c> until $head =~ /\r\n\r\n/;
        print $c "HTTP/1.1 200 Connection established\r\n\r\n";
        $c->flush;
        1 while sysread $c, my $x, 99;
    });
    return finished(straced({ stdin => 'question' }, 'connect', '-vv',
        '--proxy', 'http://127.0.0.1:' . port_of($l), 'name.test', 81));
};

compare 'connect, a program' => sub {
    my $l = tcp_listener();
    peer($l, sub { print { $_[0] } 'hello'; $_[0]->flush;
        shutdown $_[0], 1; 1 while sysread $_[0], my $x, 99 });
    return finished(straced('connect', '-vv', '127.0.0.1', port_of($l), '--',
        'cat'));
};

compare 'connect, a program that does not exist' => sub {
    my $l = tcp_listener();
    peer($l, sub { 1 while sysread $_[0], my $x, 99 });
    return finished(straced('connect', '-vv', '127.0.0.1', port_of($l), '--',
        '/nonexistent/program'), 127);
};

# Sends of a part, and waits for space: the peer reads after a while.
compare 'connect, a peer that reads late' => sub {
    my $l = tcp_listener();
    my $pid = peer($l, sub {
        my ($c) = @_;
        sysread $c, my $x, 1;
        select undef, undef, undef, 0.2;
        1 while sysread $c, $x, 65536;
    });
    return finished(straced({ stdin => 'x' x 1_000_000 }, 'connect', '-vv',
        '--sndbuf', '8k', '127.0.0.1', port_of($l)));
};

compare 'connect, a script' => sub {
    my $l = tcp_listener();
    peer($l, sub { print { $_[0] } 'hello'; $_[0]->flush;
        1 while sysread $_[0], my $x, 99 });
    return finished(straced('connect', '-vv', '--send', 'a', '--expect',
        'hello', '--done', '127.0.0.1', port_of($l)));
};

# listen

# What a client gets that sends text and finishes.
sub talk {
    my ($c, $text) = @_;
    print $c $text;
    $c->flush;
    shutdown $c, 1;
    local $/;
    return <$c> // '';
}

compare 'listen' => sub {
    my $p = straced({ stdin => 'answer' }, 'listen', '-vv', '-4', 0);
    is talk(tcp_client($p->port), 'question'), 'answer', 'it answers';
    return finished($p);
};

for my $case (['--echo'], ['--discard'], ['-e', 'cat'], [-program => 'cat']) {
    my ($option, @more) = @$case;
    compare "listen -k $option" => sub {
        my @args = $option eq '-program' ? (0, '--', @more)
            : ($option, @more, 0);
        my $p = straced('listen', '-k', '-vv', '-4', @args);
        my $port = $p->port;
        for my $n (1 .. 2) {
            talk(tcp_client($port), "text $n");
            $p->expect(err => qr/(?:closed 127.*\n[^\0]*){$n}/);
        }
        return stopped($p);
    };
}

compare 'listen -k --to' => sub {
    my $l = tcp_listener();
    peer($l, sub { print { $_[0] } 'hello'; $_[0]->flush;
        shutdown $_[0], 1; 1 while sysread $_[0], my $x, 99 });
    my $p = straced('listen', '-k', '-vv', '-4', '--to',
        '127.0.0.1:' . port_of($l), 0);
    is talk(tcp_client($p->port), 'question'), 'hello', 'it forwards';
    $p->expect(err => qr/closed 127/);
    return stopped($p);
};

compare 'listen, a Unix socket' => sub {
    my $path = scratch() . '/s';
    my $p = straced({ stdin => 'answer' }, 'listen', '-vv', "unix:$path");
    $p->expect(err => qr/listening on/);
    my $c = IO::Socket::UNIX->new(Peer => $path) or die $!;
    is talk($c, 'question'), 'answer', 'it answers';
    return finished($p);
};

compare 'listen, a port in use' => sub {
    my $l = tcp_listener();
    return finished(straced('listen', '-vv', '127.0.0.1', port_of($l)), 7);
};

compare 'listen -k, a client that is not let in' => sub {
    my $p = straced('listen', '-k', '-v', '-vv', '--echo', '--deny',
        '127.0.0.1', '-4', 0);
    is talk(tcp_client($p->port), ''), '', 'nothing comes';
    return stopped($p);
};

# serve-hello

compare 'serve-hello' => sub {
    my $p = straced('serve-hello', '-vv', '-4', 0);
    my $port = $p->port;
    for my $n (1 .. 2) {
        my $c = tcp_client($port);
        is talk($c, "Michael\nexit\n"), "Welcome!Hello, Michael!\n", 'greets';
        $p->expect(err => qr/(?:closed 127.*\n[^\0]*){$n}/);
    }
    return stopped($p);
};

compare 'serve-hello --http' => sub {
    my $p = straced('serve-hello', '--http', '-vv', '-4', 0);
    like talk(tcp_client($p->port), "GET / HTTP/1.0\r\n\r\n"), qr/200 OK/,
        'answers';
    $p->expect(err => qr/closed 127/);
    return stopped($p);
};

# udp-send

# A UDP server that answers the given number of datagrams.
sub udp_peer {
    my ($socket, $count) = @_;
    return Sockt::fork_child(sub {
        for (1 .. $count) {
            my $from = $socket->recv(my $x, 70_000);
            $socket->send("Hello, $x!", 0, $from);
        }
    });
}

compare 'udp-send' => sub {
    my $s = udp_socket();
    udp_peer($s, 3);
    return finished(straced('udp-send', '-vv', '127.0.0.1', port_of($s),
        'Michael', 'Tracy', ''));
};

compare 'udp-send, refused' => sub {
    my $deaf = udp_socket(peer => ['127.0.0.1', 1]);
    return finished(straced('udp-send', '-vv', '127.0.0.1', port_of($deaf),
        'x'), 4);
};

compare 'udp-send, batches' => sub {
    my $s = udp_socket();
    udp_peer($s, 30);
    return finished(straced('udp-send', '-vv', '--window', 30, '--count', 30,
        '127.0.0.1', port_of($s), 'abc', 'abcd', 'abcd', 'abcd'));
};

compare 'udp-send, no reply' => sub {
    my $s = udp_socket();
    return finished(straced('udp-send', '-vv', '--no-reply', '--count', 20,
        '--rcvbuf', '64k', '--broadcast', '--no-fragment', '-s', '127.0.0.1',
        '127.0.0.1', port_of($s), 'abc'));
};

compare 'udp-send, any source' => sub {
    my $s = udp_socket();
    udp_peer($s, 1);
    return finished(straced('udp-send', '-vv', '--any-source', '-w', '0.3',
        '127.0.0.1', port_of($s), 'x'));
};

compare 'udp-send, too long' => sub {
    my $s = udp_socket();
    return finished(straced({ stdin => 'x' x 65508 }, 'udp-send', '-vv',
        '--whole', '127.0.0.1', port_of($s)), 7);
};

compare 'udp-send, a Unix socket' => sub {
    my $path = scratch() . '/s';
    my $s = IO::Socket::UNIX->new(Local => $path, Type => SOCK_DGRAM)
        or die $!;
    udp_peer($s, 1);
    return finished(straced('udp-send', '-vv', "unix:$path", 'x'));
};

# udp-serve

# Asks a server for count answers.
sub ask {
    my ($p, $count) = @_;
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    my @got;
    for my $n (1 .. $count) {
        $c->send("x$n");
        next unless IO::Select->new($c)->can_read(10);
        $c->recv(my $got, 99);
        push @got, $got;
    }
    return "@got";
}

compare 'udp-serve' => sub {
    my $p = straced('udp-serve', '-vv', 0);
    is ask($p, 2), 'Hello, x1! Hello, x2!', 'it answers';
    return stopped($p);
};

compare 'udp-serve, the wildcard' => sub {
    my $p = straced('udp-serve', '-vv', '--echo', '*', 0);
    is ask($p, 2), 'x1 x2', 'it answers';
    return stopped($p);
};

compare 'udp-serve --print' => sub {
    my $p = straced('udp-serve', '-vv', '--print', '--count', 2, '-4', 0);
    my $c = udp_socket(peer => ['127.0.0.1', $p->port]);
    $c->send($_) for 'a', 'b';
    return finished($p);
};

compare 'udp-serve, programs' => sub {
    my $p = straced('udp-serve', '-vv', '-4', 0, '--', 'cat');
    is ask($p, 2), 'x1 x2', 'it answers';
    return stopped($p);
};

compare 'udp-serve, a Unix socket' => sub {
    my $dir = scratch();
    my $p = straced('udp-serve', '-vv', "unix:$dir/s");
    $p->expect(err => qr/receiving on/);
    my $c = IO::Socket::UNIX->new(Local => "$dir/c", Peer => "$dir/s",
        Type => SOCK_DGRAM) or die $!;
    $c->send('x');
    $c->recv(my $got, 99);
    is $got, 'Hello, x!', 'it answers';
    return stopped($p);
};

# Multicast on the loopback interface, both ends.
compare 'multicast' => sub {
    my $p = straced('udp-serve', '-vv', '--echo', '--join', '239.255.17.9%lo',
        0);
    my $port = $p->port;
    my $q = straced('udp-send', '-vv', '--multicast-interface', 'lo',
        '--multicast-ttl', 2, '--replies', 1, '-w', 5, '-s', '127.0.0.1',
        '239.255.17.9', $port, 'x');
    finished($q);
    my @faults = map { faults_of($_) } processes($q);
    ok !@faults, 'the sender reports every call' or diag join "\n", @faults;
    return stopped($p);
};

# http-get

sub page { return answer('200 OK', join '', map { "$_\n" } 1 .. 100) }

compare 'http-get' => sub {
    my $s = http_server([page(), page()]);
    return finished(straced('http-get', '-vv', "$s->{url}/a", "$s->{url}/b"));
};

compare 'http-get, a redirect' => sub {
    my $s = http_server([
        "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
        page() ]);
    return finished(straced('http-get', '-L', '-vv', "$s->{url}/a"));
};

compare 'http-get, resumed' => sub {
    my $dir = scratch();
    my $s = http_server(
        "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\n12345",
        "HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\nContent-Length: 5\r\n"
        . "Content-Range: bytes 5-9/10\r\n\r\n67890");
    finished(straced('http-get', '-vv', '-o', "$dir/f", "$s->{url}/a"), 9);
    my $p = straced('http-get', '-vv', '-c', '-o', "$dir/f", "$s->{url}/a");
    finished($p);
    is slurp("$dir/f"), '1234567890', 'it is whole';
    return $p;
};

compare 'http-get, a large body' => sub {
    my $dir = scratch();
    my $s = http_server(answer('200 OK', 'x' x 2_000_000));
    return finished(straced('http-get', '-vv', '-o', "$dir/f", "$s->{url}/a"));
};

compare 'http-get, a proxy' => sub {
    my $s = http_server(page());
    return finished(straced('http-get', '-vv', '--proxy', $s->{url},
        'http://name.test/a'));
};

# portscan

compare 'portscan' => sub {
    my @open = map { tcp_listener() } 1 .. 2;
    return finished(straced('portscan', '-vv', '127.0.0.1',
        join ',', map({ port_of($_) } @open), map { free_port() } 1 .. 5));
};

compare 'portscan --banner' => sub {
    my $l = tcp_listener();
    peer($l, sub { print { $_[0] } "SSH-2.0-x\r\n" });
    return finished(straced('portscan', '-vv', '--banner', '127.0.0.1',
        port_of($l)));
};

compare 'portscan --udp' => sub {
    my $s = udp_socket();
    udp_peer($s, 1);
    my $deaf = udp_socket(peer => ['127.0.0.1', 1]);
    return finished(straced('portscan', '-vv', '--udp', '-w', '0.3',
        '127.0.0.1', join ',', port_of($s), port_of($deaf)));
};

done_testing;
