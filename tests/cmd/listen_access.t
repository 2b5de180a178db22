# --allow and --deny decide who is served, before a process is made.
use Sockt;
use POSIX ();

my $dir = scratch();
my $list = spew("$dir/list", "# us\n127.0.0.1\n");
my $nul = spew("$dir/nul", "10.0.0.1\x00127.0.0.1\x00");

# What a client from 127.0.0.1 gets back for "x"; '': a reset, since a FIN would
# be an empty answer.
for my $row (
    ['an allowed peer is served', 'x', '--allow', '127.0.0.0/8'],
    ['a denied one is not', '', '--deny', '127.0.0.1'],
    ['who is not on a list of friends is not served', '', '--allow', '192.0.2.0/24,2001:db8::/32'],
    ['the first rule that matches wins', 'x', '--allow', '127.0.0.1', '--deny', '127.0.0.0/8'],
    ['whichever option it came from', '', '--deny', '127.0.0.0/8', '--allow', '127.0.0.1'],
    ['rules may come from a file', 'x', "--allow=\@$list"],
    ['  separated by NUL bytes too', '', '--deny', "\@$nul"],
    ['several with commas', 'x', '--allow', '192.0.2.1,127.0.0.1,10.0.0.0/8'],
) {
    my ($name, $answer, @options) = @$row;
    my $p = start('listen', '-4', '-k', '-v', '--echo', @options, '0');
    ok $answer ? exchange($p->port, 'x') eq $answer : is_reset($p->port), $name;
    exits $p->stop, 0, 'which is told', err => $answer ? qr/accepted/
        : qr/127\.0\.0\.1 port \d+: denied \(--allow, --deny\)/;
}

# Neither an address nor a network.
misused 'listen', qr{^sockt listen: --allow: '.*' is neither a numeric address nor a network ADDRESS/BITS$}m
    => [map { ["--allow=$_", 0] } '1.2.3', '1.2.3.4.5', '127.0.0.256',
        '10.0.0.0-10.0.0.9', 'four', 'backup.example', 'four/8', '::g', 'four:80',
        '[::1]', '*', '', '127.0.0.1,', 'a b', '-'];
spew($list, "127.0.0.1\nfour   # here\n");
exits run('serve-hello', '--deny', "\@$list", 0), 2,
    'in a file too, with its line',
    err => qr/--deny: \Q$list\E line 2: 'four' is neither/;
exits run('listen', '--allow', '127.0.0.1/33', '0'), 2,
    'what is no network is a usage error, which says so',
    err => qr/--allow: '127\.0\.0\.1\/33': the prefix length must be 0 to 32/;
exits run('listen', '--deny', '@/nonexistent/list', '0'), 11,
    'a file that cannot be read';

# A list that does not end is limited, as the server is.
POSIX::mkfifo("$dir/fifo", 0600);
for my $command (['listen'], ['listen', '-k', '--echo'], ['serve-hello'],
    ['udp-serve']) {
    open my $keep, '+<', "$dir/fifo" or die $!;
    exits run({ timeout => 5 }, @$command, '-m', '200ms', '--allow',
        "\@$dir/fifo", 0), 5, "@$command -m: a list in a FIFO has not ended",
        err => qr/--allow: .*the list in \S+fifo has not ended/;
}

done_testing;
