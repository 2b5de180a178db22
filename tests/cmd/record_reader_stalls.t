# The reader of a record or of stderr that stops reading holds up neither a
# limit nor a signal, and a pattern is found without a process to spare.
use Sockt;
use Fcntl;
use IO::Handle;
use IO::Select;
use POSIX qw(mkfifo);

my $l = tcp_listener();
my @to = ('127.0.0.1', $l->sockport);
my $fifo = scratch() . '/fifo';
mkfifo($fifo, 0600) or die;

# Fills the record that nobody reads: the process, and what keeps it so.
sub stalled {
    my @options = @_;
    sysopen my $reader, $fifo, O_RDONLY | O_NONBLOCK or die;
    my $p = start('connect', @options, @to);
    my $c = $l->accept;
    syswrite $c, 'x' x 200_000;
    return ($p, $c, $reader);
}

sub pause { select undef, undef, undef, 0.002 }

for my $record ('-o', '-x') {
    for my $limit ('-m', '--idle-timeout') {
        my ($p, @held) = stalled($record, $fifo, $limit, '500ms');
        my $r = $p->finish(10);
        is $r->{status}, 5, "$record with $limit: status 5";
        like $r->{err}, qr{ 0\.5 s \(--(?:max-time|idle-timeout)\)}, "which limit";
        like $r->{err}, qr{^sockt connect: \N*/fifo: its reader took nothing.*\n\z}, 'one line says why';
    }
    my ($p, @held) = stalled($record, $fifo);
    sysopen my $writer, $fifo, O_WRONLY | O_NONBLOCK or die;
    pause() while IO::Select->new($writer)->can_write(0);
    $p->signal('TERM');
    is $p->finish(10)->{signal}, 15, "$record: a signal ends it";
}

# A stderr whose reader has stopped: the pipe is full before it begins.
pipe my $read, my $write or die;
$write->blocking(0);
1 while syswrite $write, 'x' x 65536;
1 while syswrite $write, 'x';
$write->blocking(1);
my $p = start({ stdin => '', stderr => $write }, 'connect', '-vv', @to);
pause() until is_asleep($p->{pid});
$p->signal('TERM');
is $p->finish(10)->{signal}, 15, 'a full stderr: a signal ends it';

# No descriptor is left for the process that would look for the pattern.
$l = tcp_listener();
@to = ('127.0.0.1', $l->sockport);
$p = start({ command => 'sh', stdin => '' }, '-c',
    'ulimit -n 6 && exec "$0" "$@"', sockt(), 'connect', '-m', '5',
    '--expect', 'a{2}', '--done', @to);
my $c = $l->accept;
syswrite $c, "aa\n";
shutdown $c, 1;
is $p->finish->{status}, 0, 'a pattern is found without descriptors';

done_testing;
