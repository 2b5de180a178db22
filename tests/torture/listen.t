# listen with each of its system calls failing; see Torture.pm.
use Torture;

my $up   = data(9_000, 1);
my $down = data(7_000, 2);
my @up   = (substr($up, 0, 100), substr($up, 100, 5_000), substr $up, 5_100);

sub pieces {
    return map { ([ pause => 0.01 ], [ send => $_ ]) } @_;
}

my $sender   = { steps => [ pieces(@up), ['fin'], [ until => 'eof' ] ] };
my $receiver = { steps => [ ['fin'], [ until => 'eof' ] ] };

scenario 'listen-receive',
    args    => 'listen 127.0.0.1 0',
    stdin   => 'null',
    clients => [$sender],
    out     => $up,
    got     => [''];

scenario 'listen-send',
    args    => 'listen 127.0.0.1 0',
    stdin   => [ pieces(@up) ],
    clients => [$receiver],
    out     => '',
    got     => [$up];

scenario 'listen-both',
    args    => 'listen localhost 0',
    stdin   => [ [ send => $down ] ],
    clients => [$sender],
    out     => $up,
    got     => [$down];

scenario 'listen-any',
    args    => 'listen --allow @access * 0',
    stdin   => [ [ send => $down ] ],
    setup   => sub { spew("$_[0]/access", "127.0.0.1\n::1\n") },
    files   => { access => "127.0.0.1\n::1\n" },
    notes   => qr/listening on every IPv4 address/,
    names   => qr/\baccess\b|\*/,
    clients => [$sender],
    out     => $up,
    got     => [$down];

scenario 'listen-file',
    args    => 'listen -o record 127.0.0.1 0',
    stdin   => 'null',
    stdout  => 'file',
    clients => [$sender],
    out     => $up,
    got     => [''],
    records => { record => $up },
    names   => qr/\brecord\b/;

scenario 'listen-unix',
    args    => 'listen -v unix:s',
    notes   => qr/: (?:accepted|closed) unix:/,
    stdin   => [ [ send => $down ] ],
    clients => [ { %$sender, unix => 's' } ],
    out     => $up,
    got     => [$down];

scenario 'listen-unix-mode',
    args    => "listen -v --mode 600 unix:s",
    notes   => qr/: (?:accepted|closed) unix:/,
    stdin   => [ [ send => $down ] ],
    clients => [ { %$sender, unix => 's' } ],
    out     => $up,
    got     => [$down];

scenario 'listen-program',
    args    => 'listen 127.0.0.1 0 -- cat',
    stdin   => 'null',
    clients => [$sender],
    out     => '',
    got     => [$up],
    names   => qr/\bcat\b/;

scenario 'listen-echo',
    args    => 'listen --echo 127.0.0.1 0',
    stdin   => 'null',
    clients => [$sender],
    out     => '',
    got     => [$up];

scenario 'listen-to',
    args    => 'listen --to 127.0.0.1:PORT 127.0.0.1 0',
    stdin   => 'null',
    peers   => [ { steps => [ [ until => 'eof' ], [ send => $down ],
        ['fin'] ] } ],
    clients => [$sender],
    out     => '',
    got     => [$down],
    check   => sub {
        my ($r) = @_;
        my $c = $r->{connections}[0];
        return $r->{status} == 0 && (!$c || $c->{got} ne $up)
            ? 'the target did not receive everything' : ();
    };

# A reset before any byte is told with -v.
scenario 'listen-keep-echo',
    args    => 'listen -kv --echo 127.0.0.1 0',
    stdin   => 'null',
    clients => [ ($sender) x 3 ],
    stop    => 'TERM',
    out     => '',
    got     => [ ($up) x 3 ];

scenario 'listen-keep-exec',
    args    => 'listen -kvv --exec cat 127.0.0.1 0',
    stdin   => 'null',
    clients => [ ($sender) x 2 ],
    stop    => 'TERM',
    out     => '',
    got     => [ ($up) x 2 ],
    notes   => qr/ \(fd \d+\)|: (ok|FAILED)\b|fork|closed/,
    names   => qr/\bcat\b/;

scenario 'listen-keep-program-record',
    args    => 'listen -kv -x dump 127.0.0.1 0 -- cat',
    stdin   => 'null',
    clients => [$sender],
    stop    => 'TERM',
    out     => '',
    got     => [$up],
    names   => qr/\b(cat|dump)\b/,
    # A reset is told when the connection is closed; these are not real ones. As
    # a stop ends the run, EINTR is the answer to it.
    except  => qr/\Arecv\@\S+ \d+ ECONNRESET|\Aclose \d+ EINTR/,
    check   => sub { delete $_[0]{files}{dump}; return () };

scenario 'listen-keep-steps',
    args    => 'listen -kvv --echo 127.0.0.1 0',
    stdin   => 'null',
    clients => [$sender],
    stop    => 'TERM',
    out     => '',
    got     => [$up],
    notes   => qr/ \(fd \d+\)|: (ok|FAILED)\b|fork|closed/,
    # listen-keep-echo is about what is said without the steps.
    except  => qr/\A(?!fork)/;

scenario 'listen-keep-discard',
    args    => 'listen -kv --discard unix:s',
    stdin   => 'null',
    clients => [ ({ %$sender, unix => 's' }) x 2 ],
    stop    => 'TERM',
    out     => '',
    got     => [ ('') x 2 ];

scenario 'listen-keep-to',
    args    => 'listen -kv --to localhost:PORT 127.0.0.1 0',
    stdin   => 'null',
    peers   => [ { steps => [ [ until => 'eof' ], [ send => $down ],
        ['fin'] ] } ],
    clients => [ ($sender) x 2 ],
    stop    => 'TERM',
    out     => '',
    got     => [ ($down) x 2 ];

torture();
