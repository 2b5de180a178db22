# --allow and --deny decide who is served, before a process is made.
use Sockt;
use POSIX ();

# What a client from 127.0.0.1 gets back for "x", '' when it is rejected.
sub ask {
    my $p = start('listen', '-4', '-k', '-v', '--echo', @_, '0');
    my $c = tcp_client($p->port);
    $c->syswrite("x");
    shutdown $c, 1;
    my $got = do { local $/; <$c> } // '';
    my $r = $p->stop;
    is $r->{status}, 0, 'the server ends well';
    return ($got, $r->{err});
}

my ($got, $err) = ask('--allow', '127.0.0.0/8');
is $got, 'x', 'an allowed peer is served';

($got, $err) = ask('--deny', '127.0.0.1');
is $got, '', 'a denied one is not';
like $err, qr/127\.0\.0\.1 port \d+: rejected \(--allow, --deny\)/,
    'which is told';

($got) = ask('--allow', '192.0.2.0/24,2001:db8::/32');
is $got, '', 'who is not on a list of friends is not served';

($got) = ask('--allow', '127.0.0.1', '--deny', '127.0.0.0/8');
is $got, 'x', 'the first rule that matches wins';

($got) = ask('--deny', '127.0.0.0/8', '--allow', '127.0.0.1');
is $got, '', 'whichever option it came from';

my $list = spew(scratch() . '/list', "# us\n127.0.0.1\n");
($got) = ask("--allow=\@$list");
is $got, 'x', 'rules may come from a file';

($got) = ask('--deny', '@' . spew(scratch() . '/nul', "10.0.0.1\x00127.0.0.1\x00"));
is $got, '', '  separated by NUL bytes too';

($got) = ask('--allow', '192.0.2.1,127.0.0.1,10.0.0.0/8');
is $got, 'x', 'several with commas';

# Neither an address nor a network.
misused 'listen', qr{^sockt listen: --allow: '.*' is neither an address nor a network ADDRESS/BITS; names are not accepted$}m
    => [map { ["--allow=$_", 0] } '1.2.3', '1.2.3.4.5', '127.0.0.256',
        '10.0.0.0-10.0.0.9', 'four', 'backup.example', 'four/8', '::g', 'four:80',
        '[::1]', '*', '', '127.0.0.1,', 'a b', '-'];
spew($list, "127.0.0.1\nfour   # here\n");
exits run('serve-hello', '--deny', "\@$list", 0), 2,
    'in a file too, with its line',
    err => qr/--deny: \Q$list\E line 2: 'four' is neither/;
my $r = run('listen', '--allow', '127.0.0.1/33', '0');
is $r->{status}, 2, 'what is no network is a usage error';
like $r->{err}, qr/--allow: '127\.0\.0\.1\/33': the prefix length must be 0 to 32/, 'which says so';
$r = run('listen', '--deny', '@/nonexistent/list', '0');
is $r->{status}, 11, 'a file that cannot be read is status 11';

# A list that does not end is limited, as the server is.
{
    my $fifo = scratch() . '/fifo';
    POSIX::mkfifo($fifo, 0600);
    for my $command (['listen'], ['listen', '-k', '--echo'], ['serve-hello'],
        ['udp-serve']) {
        open my $keep, '+<', $fifo or die "$fifo: $!";
        exits run({ timeout => 5 }, @$command, '-m', '200ms', '--allow',
            "\@$fifo", 0), 5, "@$command -m: a list in a FIFO has not ended",
            err => qr/--allow: .*the list in \S+fifo has not ended/;
    }
}

done_testing;
