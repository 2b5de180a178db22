# udp-serve gives each datagram to a program; what it writes is the answer.
use Sockt;
use SocktUdp;
use Time::HiRes qw(time);

sub descriptors { my @fds = glob "/proc/$_[0]/fd/*"; return scalar @fds }

my $dir = scratch();
my ($p, $c) = udp_pair('--', 'tr', 'a-z', 'A-Z');
is ask($c, 'shout'), 'SHOUT', 'payload on stdin, answer on stdout';
my $long = join '', map { chr(97 + $_ % 26) } 1 .. 65507;
is ask($c, $long), uc $long, 'the longest datagram';
is $p->stop->{status}, 0, 'ends';

$ENV{SSL_CLIENT_S_DN} = 'of an outer server';
($p, $c) = udp_pair('--', 'sh', '-c',
    'printf %s "$SSL_CLIENT_S_DN$PROTO $UDPLOCALIP $UDPLOCALPORT $UDPREMOTEIP $UDPREMOTEPORT"');
is ask($c, ''), join(' ', 'UDP', '127.0.0.1', $p->port, '127.0.0.1',
    $c->sockport), 'the variables of UCSPI';
$p->stop;

# Many at once, a bounded number.
($p, $c) = udp_pair('--max-programs', '3', '--count', '9', '--', 'sh', '-c',
    "echo begin >>$dir/log; sleep 0.2; echo end >>$dir/log; cat");
$c->send($_) for 1 .. 9;
my %got = map { scalar(hear($c)) => 1 } 1 .. 9;
is join(' ', sort keys %got), '1 2 3 4 5 6 7 8 9', 'every datagram is answered';
my ($running, $most) = (0, 0);
for (split /\n/, slurp("$dir/log")) {
    $running += $_ eq 'begin' ? 1 : -1;
    $most = $running if $running > $most;
}
cmp_ok $most, '<=', 3, 'not all of them at once';
cmp_ok $most, '>', 1, 'but several';
is $p->finish->{status}, 0, '--count waits for the last';

# Programs that say nothing, too much, fail, hang or do not exist.
spew("$dir/odd", <<'END');
#!/bin/sh
case $(cat) in
silent) exit 0 ;;
failing) echo oops; exit 3 ;;
long) head -c 70000 /dev/zero ;;
hanging) sleep 100 & sleep 100 ;;
*) echo fine ;;
esac
END
chmod 0755, "$dir/odd";
($p, $c) = udp_pair('-v', '--program-timeout', '3', '--', "$dir/odd");
my $fds = descriptors($p->{pid});
$c->send('silent');
is ask($c, 'failing'), "oops\n", 'a failing program\'s output is sent all the same';
$p->expect(err => qr/the program ended with status 3/);
$c->send('long');
$p->expect(err => qr/ignored: the program's answer is too long|too long: UDP/);
$c->send('hanging');
$p->expect(err => qr/ignored: the program took longer than allowed \(--program-timeout\)/);
is ask($c, 'x'), "fine\n", 'the server goes on';
is hear($c, 0.05), undef, 'silence is no empty answer';
for (1 .. 1000) {
    last if descriptors($p->{pid}) == $fds;
    select undef, undef, undef, 0.01;
}
is descriptors($p->{pid}), $fds, 'no descriptor stays open';
$p->stop;

spew("$dir/program", "#!/bin/sh\n");
chmod 0755, "$dir/program";
($p, $c) = udp_pair('--', "$dir/program");
unlink "$dir/program";
$c->send('x');
$p->expect(err => qr/cannot run \S+\/program: no such file/);
is $p->stop->{status}, 0, 'a program that has gone does not stop it';

# TERM leaves nothing behind.
($p, $c) = udp_pair('--', 'sh', '-c', "echo \$\$ >> $dir/pids; sleep 100");
$c->send($_) for 1 .. 3;
my $until = time + 10;
select undef, undef, undef, 0.01
    while time < $until && (!-e "$dir/pids"
    || (() = slurp("$dir/pids") =~ /\d+\n/g) < 3);
is $p->stop->{status}, 0, 'TERM ends it';
is join(' ', grep { kill 0, $_ } split ' ', slurp("$dir/pids")), '',
    'and all its programs';

# Where descriptors are short, a datagram for a program of udp-serve waits until
# another program has ended, as with --max-programs. It was lost.
$p = start({ command => 'sh' }, '-c', 'ulimit -n 12; exec "$@"', 'sh',
    sockt(), 'udp-serve', '-4', '--max-rate', '0', '0', '--',
    'sh', '-c', 'sleep 0.1; cat');
$c = udp_client($p);
$c->send($_) for 1 .. 12;
%got = map { scalar(hear($c, $Sockt::PATIENCE)) // 0 => 1 } 1 .. 12;
is join(' ', sort { $a <=> $b } keys %got), join(' ', 1 .. 12),
    'every datagram is answered';
my $r = $p->stop;
exits $r, 0, 'and the server ends, and it is no error', no_err => qr/pipe:/;
is scalar(() = $r->{err} =~ /datagrams wait for a program to end: too many open files/g),
    1, 'the shortage is reported once';

# A program of udp-serve that has exited while a child of it holds its output:
# the time limit, and the end of the server, also end that child. The program
# reports its process group. One process of it keeps the output open, and ignores
# what would end it.
my $program = '(trap "" HUP INT TERM; while :; do sleep 1; done) 2>/dev/null & '
    . 'echo $$ >&2';

# The server, and the group of its program, which has exited.
sub serve {
    my ($p, $c) = udp_pair(@_, '--', 'sh', '-c', $program);
    $c->send('x');
    return ($p, scalar $p->expect(err => qr/^(\d+)$/m));
}

($p, my $group) = serve('-v', '--program-timeout', '0.5');
$p->expect(err => qr/the program took longer than allowed \(--program-timeout\)/);
ok group_ends($group, 10), '--program-timeout: nobody is left';
is $p->stop->{status}, 0, 'the server went on';

($p, $group) = serve();
exits $p->stop, 0, 'TERM ends the server, which took its time, no more',
    within => 10;
ok group_ends($group, 10), 'and nobody is left';

done_testing;
