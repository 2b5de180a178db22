# A scan of the loopback in several processes prints what one process prints,
# and ends as it does.
use Sockt;
use JSON::PP;

plan skip_all => 'PORTABLE=1 scans in one process'
    if run('--version')->{out} =~ /posix/;
own_network() or plan skip_all => 'no network namespace';
my ($first, $more) = slurp('/proc/self/status')
    =~ /^Cpus_allowed_list:\s+(\d+)([-,]?)/m;
plan skip_all => 'a single processor' unless $more;
my @alone = ('-c', $first);
plan skip_all => 'no taskset(1)' unless system("taskset @alone true") == 0;

# Ports that are open and say something, and ports that say nothing.
my @greeters = map { tcp_listener() } 1 .. 3;
my @silent = map { tcp_listener() } 1 .. 16;
my $v6 = has_ipv6() ? tcp_listener(host => '::1') : undef;
fork_greeter($_) for @greeters;
my $quick = join ',', '1-4200', map { $_->sockport } @greeters;
my $slow = join ',', $quick, map { $_->sockport } @silent;

sub fork_greeter {
    my ($l) = @_;
    peer($l, sub { print { $_[0] } "220 welcome\r\n" }, 1000);
}

# What differs from run to run: times, and the order of arrival.
sub normal {
    my ($text) = @_;
    my @lines = split /^/, $text;
    @lines = sort map { s/"(time|seconds)":[\d.e-]+//gr } @lines
        if $text =~ /^\{/;
    return join '', map { s/ in [\d.]+ m?s$//r } @lines;
}

sub compare {
    my ($name, @args) = @_;
    my $many = run('portscan', @args);
    my $one = run({ command => 'taskset' }, @alone, sockt(), 'portscan', @args);
    is $many->{status}, $one->{status}, "$name: status $one->{status}";
    is normal($many->{out}), normal($one->{out}), '  the same results';
    is normal($many->{err}), normal($one->{err}), '  the same messages';
}

my @here = ('127.0.0.1', $quick);
compare('table', @here);
compare('--all --verbose', '-a', '-v', @here);
compare('--quiet', '-q', @here);
compare('--greppable', '-g', @here);
compare('--json --all', '--json', '-a', @here);
compare('--json --banner', '--json', '--banner', @here);
compare('nothing open', '127.0.0.1', '1-4200');
compare('--retry-for, reached', '--retry-for', '10s', '--until', 'closed',
    '127.0.0.1', '1-4200');
compare('IPv6', '::1', '1-4200,' . $v6->sockport) if $v6;

# Starts a scan that waits for two seconds for what silent ports say. Returns it
# and its processes.
sub start_slow {
    my $p = start('portscan', '-n', '--banner', @_, '127.0.0.1', $slow);
    my @shards;
    for (1 .. 1000) {
        @shards = children($p->{pid});
        last if @shards > 1;
        select undef, undef, undef, 0.002;
    }
    cmp_ok scalar @shards, '>', 1, 'a process for each processor';
    return ($p, @shards);
}

sub all_ended {
    my (@pids) = @_;
    for (1 .. 1000) {
        return 1 unless grep { is_running($_) } @pids;
        select undef, undef, undef, 0.005;
    }
    return 0;
}

my $total = 4200 + @greeters + @silent;
my ($p, @shards) = start_slow();
my $r = $p->finish;
is $r->{status}, 0, '  status 0';
my $open = () = $r->{out} =~ /^\d+\/tcp +open/mg;
is $open, @greeters + @silent, '  each open port once';
like $r->{out}, qr/^not shown: 4200 closed \(refused\)$/m, '  and each closed one';

($p, @shards) = start_slow();
kill 'KILL', $shards[0];
$r = $p->finish;
is $r->{status}, 1, 'one is killed: status 1';
like $r->{err}, qr/^sockt portscan: one of the scanning processes was killed by signal 9$/m,
    '  and the reason';
my ($left) = $r->{out} =~ /^partial: (\d+) of $total ports were not decided$/m;
ok $left, '  what it had not reported is not decided';
my ($closed) = $r->{out} =~ /not shown: (\d+) closed \(refused\)$/m;
$open = () = $r->{out} =~ /^\d+\/tcp +open/mg;
is $left + ($closed // 0) + $open, $total, '  and in no state';
ok all_ended(@shards), '  all have ended';

($p, @shards) = start_slow('--json');
$p->signal('TERM');
$r = $p->finish;
is $r->{signal}, 15, 'TERM: it dies by the signal';
is decode_json((split /\n/, $r->{out})[-1])->{partial}, JSON::PP::true,
    '  and says that its results are partial';
ok all_ended(@shards), '  all have ended';

($p, @shards) = start_slow('-m', '0.5');
$r = $p->finish;
is $r->{status}, 5, '--max-time: status 5';
like $r->{out}, qr/^partial: \d+ of $total ports/m, '  with what is known';
ok all_ended(@shards), '  all have ended';

($p, @shards) = start_slow();
$p->signal('KILL');
$p->finish;
ok all_ended(@shards), 'KILL: no process is left';

done_testing;
