# ulimit -f: a file that may not grow is a failed write, not the end by SIGXFSZ.
use Sockt;
use Time::HiRes qw(time);

my $dir = scratch();
my $sockt = "'" . sockt() . "'";    # for a shell
my $listener = tcp_listener();
my $port = $listener->sockport;
peer($listener, sub { print { $_[0] } 'x' x 100_000 }, 2);

# dash counts in 512 bytes, bash in 1,024.
sub limited {
    my ($line) = @_;
    return ({ command => 'sh' }, '-c', "ulimit -f 8 && $line");
}

my $r = run(limited("$sockt connect 127.0.0.1 $port > $dir/out"));
is $r->{status}, 11, 'connect: stdout over ulimit -f is status 11'
    or diag $r->{signal};
like $r->{err}, qr/^sockt connect: stdout: file too large/m, 'and is said';
ok -s "$dir/out", 'what fits was written';

$r = run(limited("$sockt connect -o $dir/file 127.0.0.1 $port"));
is $r->{status}, 11, 'connect -o: over ulimit -f';

# A log line that cannot be written is dropped, and clients are served.
my $p = start(limited('exec ' . $sockt
        . " listen -k -vv --echo 127.0.0.1 0 2> $dir/log"));
my $until = time + 10;
select undef, undef, undef, 0.02
    until slurp_or("$dir/log") =~ /listening on .* port (\d+)/ || time > $until;
my ($echo) = slurp_or("$dir/log") =~ /listening on .* port (\d+)/;
is exchange($echo, "line $_\n"), "line $_\n", "client $_ of a full log"
    for 1 .. 40;
my $size = -s "$dir/log";
is exchange($echo, "last\n"), "last\n", 'one more';
is -s "$dir/log", $size, 'the log was full';
exits $p->stop, 0, 'the server goes on and stops as told';

# Programs get the signal's default action.
$p = start('listen', 0, '--', 'sh', '-c',
    "ulimit -f 1; exec dd if=/dev/zero of=$dir/p bs=8192 count=1 2>&1");
exchange($p->port, '');
is $p->finish->{status}, 153, 'a program dies by SIGXFSZ';

sub slurp_or { return -e $_[0] ? slurp($_[0]) : '' }

done_testing;
