# -x, -o and --json with --to, --echo and --discard: both directions of each
# connection, which is named, so that the bytes of two clients are told apart
# even where 50 processes write to one file.
use Sockt;
use IO::Select;
use JSON::PP;
use POSIX ();

my $dir = scratch();
my $json = JSON::PP->new->utf8;
my $number = 50;

# A server that answers what it gets with its reverse, many clients at a time.
my $target = tcp_listener();
peer($target, sub {
    my ($c) = @_;
    $SIG{CHLD} = 'IGNORE';
    return if fork // die "fork: $!";
    local $/;
    my $all = <$c>;
    print $c scalar reverse $all;
    close $c;
    POSIX::_exit(0);
}, 1000);
my $to = '127.0.0.1:' . $target->sockport;

# What client $n sends: its bytes name it, and some are long.
sub text_of {
    my ($n) = @_;
    return join('', map { chr(($n * 7 + $_) % 256) } 0 .. 255)
        x ($n % 5 == 0 ? 40 : 1) . "client $n\n";
}

# Many clients at once. What each has sent and got, by its port.
sub clients {
    my ($port, $count) = @_;
    my (%got, %sent, @pids);
    my @c = map { tcp_client($port) } 1 .. $count;
    for my $n (1 .. $count) {
        my $c = $c[ $n - 1 ];
        $sent{ $c->sockport } = text_of($n);
        $got{ $c->sockport } = '';
        push @pids, Sockt::fork_child(sub {
            print $c text_of($n);
            shutdown $c, 1;
        });
    }
    my %name = map { fileno($_) => $_->sockport } @c;
    my $all = IO::Select->new(@c);
    while ($all->count) {
        for my $c ($all->can_read) {
            my $name = $name{ fileno $c };
            sysread $c, $got{$name}, 1 << 16, length $got{$name}
                or $all->remove($c);
        }
    }
    reap($_) for @pids;
    return (\%sent, \%got);
}

# The bytes of a hex dump, by the client's port: { received, sent }; and the ports
# by connection. Dies where it is no dump.
sub parse_dump {
    my ($text) = @_;
    my (%port, %data);
    my $line = qr/[0-9a-f]{8,}((?: {1,2}[0-9a-f]{2}){1,16}) +\|.{1,16}\|\n/;
    while ($text !~ /\G\z/gc) {
        if ($text =~ /\G= connection (\d+) from 127\.0\.0\.1 port (\d+) at [\d.]+ s\n/gc) {
            die "connection $1 twice" if $port{$1};
            $data{ $port{$1} = $2 } = { sent => '', received => '' };
        } elsif ($text =~ /\G(?:> (sent)|< (received)) on connection (\d+) at [\d.]+ s: (\d+) bytes? from offset (\d+)\n((?:$line)+)/gc) {
            my $data = \$data{ $port{$3} }{ $1 // $2 };
            die "offset $5" if $5 != length $$data;
            my ($size, $lines) = ($4, $6);
            my $bytes = join '', map { pack 'H*', s/ //gr } $lines =~ /$line/g;
            die "$size bytes" if $size != length $bytes;
            $$data .= $bytes;
        } else {
            die 'no dump: ' . substr $text, pos $text // 0, 100;
        }
    }
    return (\%data, \%port);
}

# The same of data events, with the ports of accepted events.
sub parse_events {
    my ($text, @events) = @_;
    my %port = map { $_->{connection} => $_->{remote}{port} }
        grep { $_->{event} eq 'accepted' } @events;
    my %data = map { $_ => { sent => '', received => '' } } values %port;
    for (map { $json->decode($_) } split /\n/, $text) {
        die "event $_->{event}" if $_->{event} ne 'data';
        my $data = \$data{ $port{ $_->{connection} } }{ $_->{direction} };
        die "offset $_->{offset}" if $_->{offset} != length $$data;
        $$data .= pack 'H*', $_->{hex};
        die 'bytes' if $_->{offset} + $_->{bytes} != length $$data;
    }
    return (\%data, \%port);
}

# --- One file for all ------------------------------------------------------

# A pipe, for which file is '-', carries only short writes as a whole.
my $reversed = sub { scalar reverse $_[0] };
my $same = sub { $_[0] };
for my $row (
    [$reversed, "$dir/dump", '--to', $to],
    [$same, "$dir/dump", '--echo'],
    [sub { '' }, "$dir/dump", '--discard'],
    [$same, "$dir/dump", '-e', 'cat'],
    [$reversed, '-', '--to', $to],
    [$reversed, "$dir/events", '--to', $to, '--json'],
    [$reversed, '-', '--to', $to, '--json'],
) {
    my ($reply, $file, @options) = @$row;
    my $name = "@options -x $file";
    # The reader of the pipe is not this test, which is busy.
    open my $pipe, '|-', "cat >$dir/stdout" or die;
    my $p = start({ stdout => $pipe }, 'listen', '-4', '-k', '-v', @options, '-x',
        $file, '-o', "$dir/%n.%d", 0);
    my ($sent, $got) = clients($p->port, $number);
    $p->expect(err => qr/\A(?>.*?(?:: closed 127|"event":"closed")){$number}/s);
    my $r = $p->stop;
    close $pipe or die;
    is $r->{status}, 0, "$name: stopped" or diag $r->{err};
    is scalar(grep { $got->{$_} ne $reply->($sent->{$_}) } keys %$sent), 0,
        "$name: every client is served";

    my $text = slurp($file eq '-' ? "$dir/stdout" : $file);
    my @events = map { $json->decode($_) } $r->{err} =~ /^(\{.*\})$/mg;
    my ($data, $port) = eval { @events ? parse_events($text, @events) : parse_dump($text) };
    is $@, '', "$name: it can be read";
    is_deeply $data, { map {
        ($_ => { received => $sent->{$_}, sent => $got->{$_} })
    } keys %$sent }, "$name: what each client sent, and what it was sent";
    is scalar(grep {
        slurp("$dir/$_.received") ne $sent->{ $port->{$_} }
            || slurp("$dir/$_.sent") ne $got->{ $port->{$_} }
    } 1 .. $number), 0, "$name -o: files for each connection";
    next unless @events;
    my %of;
    $of{ $_->{connection} }{ $_->{event} }++ for grep { $_->{connection} } @events;
    is scalar(grep {
        join(' ', sort keys %{ $of{$_} }) ne 'accepted closed connected'
    } 1 .. $number), 0, 'events of each connection have its number';
}

# --- One connection, and names ---------------------------------------------

my $p = start('listen', '-4', '--echo', '-x', "$dir/one", '-o', "$dir/got", 0);
exchange($p->port, 'one');
is $p->finish->{status}, 0, 'without -k';
like slurp("$dir/one"),
    qr/\A< received at \d\.\d{6} s: 3 bytes from offset 0\n00000000  6f 6e 65 .*\|one\|\n> sent at \d\.\d{6} s: 3 bytes from offset 0\n/,
    'there is one connection: no number';
is slurp("$dir/got"), 'one', '-o without %n';
$p = start('listen', '-4', '--echo', '-x', "$dir/one", '--append', 0);
exchange($p->port, 'two');
$p->finish;
like slurp("$dir/one"), qr/\|one\|.*\|two\|/s, '--append';

$p = start('listen', '-4', '-k', '--echo', '-x', "$dir/%n.hex", 0);
for my $n (1, 2) {
    exchange($p->port, "text $n");
    like slurp("$dir/$n.hex"), qr/\A= connection $n from .*\|text $n\|/s,
        "-x with %n: file $n";
}
$p->stop;

# --- Failures --------------------------------------------------------------

misused 'listen',
    qr/--output: the bytes of several connections would mix in one file: put %n, the number of the connection, into its name/ => [['-k', '--echo', '-o', "$dir/mixed", 0]],
    qr/put %n/ => [['-k', '--to', $to, '-o', "$dir/%d", 0]],
    qr/--append goes with a file of --output, --hexdump or --textdump/ => [['--echo', '--append', 0]],
    qr/after % there may be n/ => [['--echo', '-x', '%d', 0]],
    qr/--progress is about relaying stdin and stdout/ => [['--echo', '-P', 0]],
    qr/cannot both be/ => [['--echo', '-x', '-', '-o', '-', 0]];
ok !-e "$dir/mixed", 'no file was made';
is run('listen', '--echo', '-x', "$dir/no/such", 0)->{status}, 11,
    'a record that cannot be opened';

SKIP: {
    -e '/dev/full' or skip 'no /dev/full', 6;
    for my $record ('-x', '-o') {
        symlink '/dev/full', "$dir/1.full" if $record eq '-o';
        my $file = $record eq '-o' ? "$dir/%n.full" : '/dev/full';
        $p = start('listen', '-4', '-k', '--to', $to, $record, $file, 0);
        my $c = tcp_client($p->port);
        print $c 'lost';
        is sysread($c, my $nothing, 1), undef,
            "$record that accepts nothing: the client is reset";
        $p->expect(err => qr/^sockt listen: 127\.0\.0\.1 port \d+: \S*full: no space/m);
        ok 1, 'and that is reported';
        is $p->stop->{status}, 0, 'the server goes on';
    }
}

# How a connection ends within 5 s.
sub how_it_ends {
    my ($s) = @_;
    while (IO::Select->new($s)->can_read(5)) {
        my $n = sysread $s, my $got, 1e6;
        return $n // 'reset' if !$n;
    }
    return 'not';
}

# The reader of a record has gone, and the target does not read: both are reset
# at once.
{
    my ($fifo, $slow) = ("$dir/fifo", tcp_listener());
    POSIX::mkfifo($fifo, 0600) or die $!;
    $p = start('listen', '-4', '-k', '--to', '127.0.0.1:' . $slow->sockport,
        '-x', $fifo, 0);
    open my $reader, '<', $fifo or die $!;
    my $drain = Sockt::fork_child(sub { 1 while sysread $reader, my $x, 1e6; 0 });
    my $c = tcp_client($p->port);
    my $t = $slow->accept;
    $c->blocking(0);
    for (my $idle = 0; $idle < 10; ) {
        $idle = syswrite($c, 'x' x 65536) ? 0 : $idle + 1;
        select undef, undef, undef, 0.05 if $idle;
    }
    kill 'KILL', $drain;
    reap($drain);
    close $reader;
    # A call that fails takes the error away: reading shows an end then.
    my $was_reset = !syswrite $t, 'answer';
    $c->blocking(1);
    is how_it_ends($c), 'reset', 'a record without a reader: the client is reset';
    is $was_reset ? 'reset' : how_it_ends($t), 'reset', 'and so is a target that does not read';
    $p->expect(err => qr/: \S*fifo was closed by its reader after \d+ bytes$/m);
    ok 1, 'and that is reported';
    $p->stop;
}

done_testing;
