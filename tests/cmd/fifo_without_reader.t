# A file to write to that is a FIFO without a reader: opening it obeys
# --max-time and signals, and goes on when there is a reader.
use Sockt;
use POSIX qw(mkfifo);
use SocktHttp;

my $dir = scratch();
my $fifo = "$dir/fifo";
mkfifo($fifo, 0600) or die $!;
my $port = free_port();
my $s = http_server();

for my $args (['http-get', '-o', $fifo, "$s->{url}/"],
    ['connect', '-o', $fifo, 'localhost', $port],
    ['connect', '-x', $fifo, 'localhost', $port],
    ['listen', '-q', '-o', $fifo, '0'], ['listen', '-q', '-x', $fifo, '0']) {
    my ($command, @rest) = @$args;
    my $r = run({ timeout => 10 }, $command, '-m', '0.3', @rest);
    exits $r, 5, "$command $rest[0]: --max-time ends it",
        err => qr/stopped after 0\.3 s \(--max-time\); opening \S+fifo: no program reads .*\n\z/;
    my $p = start($command, @rest);
    select undef, undef, undef, 0.002 until is_asleep($p->{pid});
    $r = $p->stop;
    exits $r, -15, "$command $rest[0]: SIGTERM ends it";
}

# With a reader it goes on.
my $pid = Sockt::fork_child(sub { spew("$dir/got", slurp($fifo)) });
my $r = get(answer('200 OK', 'body'), '/', '-q', '-o', $fifo);
is $r->{status}, 0, 'a FIFO with a reader: exit status';
reap($pid);
is slurp("$dir/got"), 'body', 'it has received the body';
my $l = tcp_listener();
my $peer = peer($l, sub { syswrite $_[0], 'hello' });
$pid = Sockt::fork_child(sub { spew("$dir/got", slurp($fifo)) });
$r = run('connect', '-o', $fifo, 'localhost', $l->sockport);
is $r->{status}, 0, 'connect -o FIFO: exit status';
reap($pid);
is slurp("$dir/got"), 'hello', 'it has received the record';
reap($peer);
kill 'KILL', $s->{pid};
done_testing;
