# A child that the shell left behind ends while listen relays: its signal does
# not end the relay.
use Sockt;

my $dir = scratch();
system('mkfifo', "$dir/go") == 0 or die;
my $p = start({ command => '/bin/sh' }, '-c',
    '(cat "$1"; echo gone) & exec "$2" listen -4 0', 'sh', "$dir/go", sockt());
my $client = tcp_client($p->port);
syswrite $client, "one\n";
$p->expect(out => qr/one/);
open my $go, '>', "$dir/go" or die $!;
close $go;
$p->expect(out => qr/gone/);
syswrite $client, "two\n";
close $client;
my $r = $p->finish;
is $r->{out}, "one\ngone\ntwo\n", 'everything came';
is $r->{status}, 0, 'exit status' or diag $r->{err};

done_testing;
