# A scan of the loopback, where no process can be started: one scans everything.
use Sockt;
use Errno qw(EAGAIN);
use Sandbox;

plan skip_all => 'the leak check needs a process' if sockt() =~ /sanitize/;
own_network() or plan skip_all => 'no network namespace';
my $r = run_without_processes(EAGAIN, 'portscan', '-n', '127.77.0.1', '1-4200');
is $r->{status}, 4, 'status 4: no port is open';
like $r->{out}, qr/^not shown: 4200 closed \(refused\)$/m, 'and every port';

done_testing;
