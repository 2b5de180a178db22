# An --expect that waits for long is reported once, to a person who may wonder:
# on a terminal, without -q.
use Sockt;

my $dir = scratch();
my $pty = built('pty');
my $l = tcp_listener();
my @script = ('127.0.0.1', $l->sockport, '--expect', '^220-', '--send', 'x\n',
    '--expect', '^250 ', '--expect-timeout', '11', '--done');

# All wait at the same time, for the same text.
my %run = (
    terminal => [{ command => $pty }, "$dir/terminal", 2, 200, sockt()],
    quiet    => [{ command => $pty }, "$dir/quiet", 2, 200, sockt()],
    pipe     => [{}],
);
my (%process, @held);
for my $name (sort keys %run) {
    my @quiet = $name eq 'quiet' ? '-q' : ();
    $process{$name} = start(@{ $run{$name} }, 'connect', @quiet, @script);
    push @held, scalar $l->accept;
    $held[-1]->autoflush(1);
    print { $held[-1] } "220-mx\e.example\r\n";
}
my %result = map { $_ => $process{$_}->finish } keys %process;
is $result{$_}{status}, 5, "$_: the limit of --expect" for sort keys %result;
my $shown = slurp("$dir/terminal");
is_deeply [$shown =~ /^(.*): waiting for (.*?)\r?$/mg], ['sockt connect',
    "--expect 2 of 2 ('^250 '); received so far: 'mx\\x1b.example\\r\\n'"],
    'on a terminal: once, which one, and what was received';
unlike slurp("$dir/quiet"), qr/waiting/, 'not with -q';
unlike $result{pipe}{err}, qr/waiting/, 'not where stderr is a pipe';
like $result{pipe}{err},
    qr/--expect 2 of 2 \('\^250 '\): it was not received within 11 s/,
    'the error is the same';

done_testing;
