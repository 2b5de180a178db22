# Options with each other, and with what a connection goes through: a client
# directly, through a proxy or a program, with and without TLS, which may be asked
# for first; and the handlers of a server. Each run has its bytes, its status and
# its duration. A part of them, by chance; SOCKT_MATRIX=1 runs all.
use Sockt;
use SocktCarriers;
use SocktTls;
use Time::HiRes qw(sleep);

my $dir = scratch();
my $has_tls = tls_is_available();
my $cert = $has_tls ? tls_self_signed("$dir/self", 'IP:127.0.0.1') : undef;

# Keeps a part of a list.
if (!$ENV{SOCKT_MATRIX}) {
    my $seed = time;
    srand $seed;
    note "srand $seed";
}
sub some_of {
    my ($n, @all) = @_;
    return @all if $ENV{SOCKT_MATRIX};
    return map { splice @all, rand @all, 1 } 1 .. $n;
}

# Starts some at a time. Each is a name, what is started, and what is checked.
sub try_all {
    my @rest = @_;
    while (my @now = splice @rest, 0, 6) {
        my @started = map { [$_->{start}->()] } @now;
        $now[$_]{check}->(@{ $started[$_] }) for 0 .. $#now;
    }
}

# The server, by the first line that it gets: asked, it answers after 30 ms and
# waits for the end; or after half a second; or it ends first.
my %origin = (
    asked => forking_server(sub {
        my ($c) = @_;
        my $line = <$c> // return;
        sleep($line =~ /late/ ? 0.5 : 0.03);
        syswrite $c, "ANSWER\n";
        return if $line =~ /bye/;
        1 while sysread $c, my $rest, 65536;
    }),
    greeting => forking_server(sub { syswrite $_[0], "HELLO\n" }),
    # It keeps what it gets in the file of the first line.
    sink => forking_server(sub {
        my ($c) = @_;
        local $/;
        my ($name, $text) = split /\n/, <$c>, 2;
        spew("$dir/$name", $text);
    }),
);

# In front of a server: TLS, or TLS that is asked for first.
my %front = (plain => { %origin });
if ($has_tls) {
    my %process = map { $_ => tls_front($cert, $origin{$_}) } keys %origin;
    $front{TLS} = { map { $_ => $process{$_}->port } keys %origin };
    for my $kind (keys %origin) {
        $front{STARTTLS}{$kind} = forking_server(pop3_front($front{TLS}{$kind}));
    }
}

# The server, stdin, the options, what comes out. FILE is a file of its own.
my @sets = (
    [asked => "ask\n", [], "ANSWER\n"],
    [asked => "ask late\n", ['--on-eof', 'fin'], "ANSWER\n"],
    [asked => "ask bye\n", ['--on-eof', 'keep'], "ANSWER\n"],
    [sink => "NAME\nsent", ['--on-eof', 'quit'], ''],
    [sink => "NAME\nsent", ['--send-only'], ''],
    [greeting => '', ['--recv-only'], "HELLO\n"],
    [asked => "ask bye\n", ['--on-peer-eof', 'quit'], "ANSWER\n"],
    [asked => "ask bye\n", ['--on-peer-eof', 'finish'], "ANSWER\n"],
    [asked => "ask\n", ['-x', 'FILE'], "ANSWER\n", qr/^< /m],
    [asked => "ask\n", ['-o', 'FILE'], "ANSWER\n", qr/\AANSWER\n\z/],
    [asked => "ask\n", ['-w', '30'], "ANSWER\n"],
    [asked => "ask\n", ['--linger', '30'], "ANSWER\n"],
    [asked => '', ['--send', 'ask\n', '--expect', 'ANSWER', '--done'], "ANSWER\n"],
    [asked => "more\n", ['--send', 'ask\n'], "ANSWER\n"],
    [asked => "ask\n", ['-C', '--limit-rate', '1M'], "ANSWER\n"],
    [asked => "ask\n", ['--json', '-v', '-m', '40'], "ANSWER\n"],
);
my %way = (
    directly => [],
    'through a proxy' => ['--proxy', dropping_proxy()],
    'through a program' => ['--via', small_nc($dir)],
);
my %carrier = (
    plain => [],
    TLS => ['--tls', '--tls-insecure'],
    STARTTLS => ['--starttls', 'pop3', '--tls-insecure'],
);

my $number = 0;
my @clients;
for my $way (sort keys %way) {
    for my $carrier (grep { $front{$_} } sort keys %carrier) {
        push @clients, map { client($way, $carrier, @$_) } @sets;
    }
}

sub client {
    my ($way, $carrier, $kind, $stdin, $options, $out, $recorded) = @_;
    my $file = 'file' . ++$number;
    # A proxy drops what a FIN at once is ahead of, if TLS does not save it.
    my $drops = "@$options" eq '--on-eof fin' && $way =~ /proxy/ && $carrier eq 'plain';
    return {
        start => sub {
            start({ stdin => $stdin =~ s/NAME/$file/r }, 'connect', @{ $way{$way} },
                @{ $carrier{$carrier} }, map({ s/FILE/$dir\/$file/r } @$options),
                '127.0.0.1', $front{$carrier}{$kind});
        },
        check => sub {
            my $name = "$way, $carrier, @$options";
            exits $_[0]->finish(40), $drops ? '0 ' : "0 $out", $name, within => 20,
                $drops ? (err => qr/may have dropped/)
                : "@$options" =~ /-v/ ? () : (err => '');
            like -e "$dir/$file" ? slurp("$dir/$file") : '', $recorded,
                '  and its record' if $recorded;
            # The server may still be writing it.
            for (1 .. 500) { last if $kind ne 'sink' || -s "$dir/$file"; sleep 0.01 }
            is slurp("$dir/$file"), 'sent', '  and what the server has' if $kind eq 'sink';
        },
    };
}
try_all(some_of(36, @clients));

# Handlers, what a client that sends a line and ends gets.
mkdir "$dir/web";
spew("$dir/web/index.html", "page\n");
my @handlers = (
    [[], "stdin\n"],
    [['--echo'], "hello\n"],
    [['--discard'], ''],
    [['-e', 'read x; echo "<$x>"'], "<hello>\n"],
    [['--to', "127.0.0.1:$origin{asked}"], "ANSWER\n"],
    [['--files', "$dir/web"], qr/^HTTP\/1.1 400 /],
    [['--', 'sh', '-c', 'cat; echo end'], "hello\nend\n"],
);
my @options = ([], ['-x', 'FILE'], ['-w', '30'], ['-m', '40'], ['--max-conns', '2'], ['--json']);
my @servers;
for my $handler (@handlers) {
    for my $tls (0, $has_tls ? 1 : ()) {
        for my $keeps (0, 1) {
            push @servers, map { server($tls, $keeps, $_, @$handler) } @options;
        }
    }
}

sub server {
    my ($tls, $keeps, $options, $handler, $answer) = @_;
    my ($word) = (@$handler, '');
    my $file = "$dir/file" . ++$number;
    my $is_refused = "@$options" =~ /-x/ && $word eq '--files'
        || "@$options" =~ /-w/ && $word =~ /^--?e?$/;
    my @program = $word eq '--' ? @$handler : ();
    return {
        start => sub {
            my $p = start({ stdin => "stdin\n" }, 'listen', '-4v', $keeps ? '-k' : (),
                $tls ? ('--tls-cert', $cert->{cert}, '--tls-key', $cert->{key}) : (),
                map({ s/FILE/$file/r } @$options), $word eq '--' ? () : @$handler, 0, @program);
            return $p if $is_refused;
            my $port = $p->port;
            return ($p, start({ stdin => "hello\n" }, 'connect', '-q', '--on-eof', 'fin',
                $tls ? ('--tls', '--tls-insecure') : (), '127.0.0.1', $port));
        },
        check => sub {
            my ($p, $client) = @_;
            my $name = "listen @$handler @$options" . ($tls ? ' with TLS' : '')
                . ($keeps ? ', -k' : '');
            return exits $p->finish, 2, "$name: refused" if $is_refused;
            my $r = $client->finish(40);
            $r->{status} == 0 && $r->{seconds} < 20
                && (ref $answer ? $r->{out} =~ $answer : $r->{out} eq $answer)
                ? pass($name) : fail($name) || diag "$r->{status} '$r->{out}' $r->{err}";
            my $goes_on = $keeps || $word eq '--files';
            $p->expect(err => qr/closed/);
            my $end = $goes_on ? $p->stop : $p->finish(40);
            exits $end, $word ? 0 : "0 hello\n", '  and the server', within => 30;
            like slurp($file), qr/hello/, '  and its record' if "@$options" =~ /-x/;
        },
    };
}
try_all(some_of(36, @servers));

done_testing;
