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
my $l = tcp_listener(backlog => 0);
my @held;
while (@held < 20) {
    push @held, IO::Socket::IP->new(PeerHost => $here, Timeout => 0.2,
        PeerPort => $l->sockport) || last;
}
plan skip_all => 'a queue takes everybody' if @held == 20;

# Runs a command until its limit, and checks which one that was.
sub ends_by {
    my ($option, $what, $name, @command) = @_;
    my $o = ref $command[0] ? shift @command : {};
    exits run({ stdin => 'x', timeout => 10, %$o }, @command), 5,
        "$name, by $option", err => qr/$what within 0\.3 s \($option\)/;
}

my $idle = 'nothing was sent or received';
my @to = ($here, $silent->sockport);
ends_by('--timeout', $idle, 'connect -w FILE', 'connect', '-w', $short, @to);
ends_by('--idle-timeout', $idle, 'connect, both', 'connect', '-w', 20,
    '--idle-timeout', $short, @to);
my @full = ($here, $l->sockport);
ends_by('--timeout', 'no answer', 'connect -w', 'connect', '-w', $short, @full);
ends_by('--connect-timeout', 'no answer', 'connect, both', 'connect', '-w', 20,
    '--connect-timeout', $short, @full);
ends_by('--timeout', 'no answer', 'connect -z -w', 'connect', '-z', '-w',
    $short, @full);

# listen: idling; with --to connecting alone.
sub listens_by {
    my ($option, $name, @options) = @_;
    my $p = start({ keep_stdin => 1 }, 'listen', '-4', @options, 0);
    my $c = tcp_client($p->port);
    my $ended = reap($p->{pid}, 10);
    my $r = { status => ($ended // 0) >> 8, err => $p->{err} };
    is $r->{status}, 5, "$name: status 5" or diag $r->{err};
    ok eval { $p->expect(err => qr/$idle within 0\.3 s \($option\)/); 1 },
        "by $option" or diag $p->{err};
}

listens_by('--timeout', 'listen -w', '-w', $short);
listens_by('--timeout', 'listen -w --discard', '-w', $short, '--discard');
listens_by('--idle-timeout', 'listen --to, both', '-w', 20, '--idle-timeout',
    $short, '--to', join ':', @to);
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

# http-get: both.
my $s = http_server(sub { my ($c) = @_; sleep 5 });
ends_by('--timeout', $idle, 'http-get -w', 'http-get', '-w', $short,
    "$s->{url}/");
ends_by('--connect-timeout', 'no answer', 'http-get --connect-timeout',
    'http-get', '--connect-timeout', $short, 'http://' . join ':', @full);

# A program's connection has no idle limit.
my $r = run('connect', '-w', $short, @quiet, '--', 'sleep', 0.8);
is $r->{status}, 0, 'connect -w with a program: connecting alone';
misused 'listen', qr/does not apply to a program's connection/ =>
    ['-w 1 0 -- cat', '--idle-timeout 1 0 -- cat'],
    qr/--connect-timeout is for reaching --to/ => '--connect-timeout 1 0';

done_testing;
