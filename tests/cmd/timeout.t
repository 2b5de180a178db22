# -w, --timeout: connecting, and idling once connected, as nc's -w.
# --connect-timeout and --idle-timeout are each one, and override it; an error
# names the option that was typed.
use Sockt;
use SocktHttp;

my $here = '127.0.0.1';
my $short = '300ms';

# A peer that says nothing, one that finishes after us, and one whose queue is
# full: nobody answers.
my $silent = tcp_listener();
my @kept;
peer($silent, sub { open my $copy, '<&', $_[0] or die; push @kept, $copy }, 99);
my $quiet = tcp_listener();
peer($quiet, sub { my ($c) = @_; 1 while sysread $c, my $got, 9999 }, 99);
my ($l, @held) = full_listener();
plan skip_all => 'a queue takes everybody' if @held == 20;

my $idle = 'nothing was sent or received';
my @to = ($here, $silent->sockport);
my @full = ($here, $l->sockport);
my $s = http_server(sub { my ($c) = @_; sleep 5 });

# The option that ends a command, and what it limits.
for my $row (
    ['--timeout', $idle, 'connect', '-w', $short, @to],
    ['--idle-timeout', $idle, 'connect', '-w', 20, '--idle-timeout', $short, @to],
    ['--timeout', 'no answer', 'connect', '-w', $short, @full],
    ['--connect-timeout', 'no answer', 'connect', '-w', 20, '--connect-timeout', $short, @full],
    ['--timeout', 'no answer', 'connect', '-z', '-w', $short, @full],
    ['--timeout', $idle, 'http-get', '-w', $short, "$s->{url}/"],
    ['--connect-timeout', 'no answer', 'http-get', '--connect-timeout', $short,
        'http://' . join ':', @full],
) {
    my ($option, $what, @command) = @$row;
    exits run({ stdin => 'x', timeout => 10 }, @command), 5, "@command[0 .. 2], by $option",
        err => qr/$what within 0\.3 s \($option\)/;
}

# listen: idling; with --to connecting alone.
pipe my $held, my $writer or die;
for my $row (['--timeout', '-w', $short], ['--timeout', '-w', $short, '--discard'],
    ['--idle-timeout', '-w', 20, '--idle-timeout', $short, '--to', join ':', @to]) {
    my ($option, @options) = @$row;
    my $p = start({ stdin => $held }, 'listen', '-4', @options, 0);
    my $c = tcp_client($p->port);
    exits $p->finish(10), 5, "listen @options, by $option",
        err => qr/$idle within 0\.3 s \($option\)/;
}
my @quiet = ($here, $quiet->sockport);
my $p = start('listen', '-4', '-w', $short, '--to', join(':', @quiet), 0);
my $c = tcp_client($p->port);
select undef, undef, undef, 0.8;
print $c 'late';
close $c;
is $p->finish(10)->{status}, 0, 'listen -w --to: the connection may idle';
$p = start('listen', '-4', '--connect-timeout', $short, '--to',
    join(':', @full), 0);
$c = tcp_client($p->port);
like $p->finish->{err}, qr/no answer within 0\.3 s \(--connect-timeout\)/,
    'listen --connect-timeout: reaching --to';

# A program's connection has no idle limit.
exits run('connect', '-w', $short, @quiet, '--', 'sleep', 0.8), 0,
    'connect -w with a program: connecting alone';
misused 'listen', qr/does not apply with a program: --max-time limits/ =>
    ['-w 1 0 -- cat', '--idle-timeout 1 0 -- cat'],
    qr/--connect-timeout goes with --to/ => '--connect-timeout 1 0';

# "sent" counted what the system holds, and a forwarder spoke of stdout.
{
    my $l = tcp_listener();
    open my $zero, '<', '/dev/zero' or die;
    exits run({ stdin => $zero }, 'connect', '-m', 1, '127.0.0.1', $l->sockport), 5,
        'a limit says how much was not acknowledged',
        err => qr/sent \d+ bytes, [1-9]\d* of them not acknowledged, received 0$/m;
    my $p = start('listen', '--idle-timeout', 1, '--to', '127.0.0.1:' . $l->sockport, 0);
    my $c = tcp_client($p->port);
    $c->blocking(0);
    my $until = time + 1.5;
    while (time < $until) {
        syswrite $c, 'x' x 65536 or select undef, undef, undef, 0.02;
    }
    exits $p->finish, 5, 'a forwarder names the target and the client',
        err => qr/sent to the target: \d+ bytes, [1-9]\d* of them not acknowledged; to the client: 0 bytes$/m,
        no_err => qr/stdout/;
}

done_testing;
