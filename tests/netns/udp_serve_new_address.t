# udp-serve --to: the name of the target gets another address.
use Sockt;
use SocktNet;
use SocktUdp;

need_root();
own_network();
my $hosts = scratch() . '/hosts';
my $old = udp_socket(host => '127.0.0.5');
my $port = $old->sockport;
my $new = udp_socket(host => '127.0.0.6', port => $port);

sub name_is {
    my ($address) = @_;
    spew($hosts, "$address target.test\n");
}

name_is('127.0.0.5');
my $p = start({ command => 'unshare' }, '-m', 'sh', '-c',
    "mount --bind $hosts /etc/hosts && exec \"\$@\"", 'sh', sockt(),
    'udp-serve', '-v', '127.0.0.1', $port, '--to', "target.test:$port");
$p->expect(err => qr/receiving on/);
my $c = udp_socket(peer => ['127.0.0.1', $port]);

# Sends text 30 s after the last lookup. The next one begins then, and has ended
# when this returns.
sub look_up {
    my ($text) = @_;
    select undef, undef, undef, 30.1;
    $c->send($text);
    my $lookup = await_child($p->{pid});
    select undef, undef, undef, 0.01 while is_running($lookup);
}

$c->send('one');
is scalar(hear($old)), 'one', 'the address that the name has';
name_is('127.0.0.6');
look_up('two');
is scalar(hear($old)), 'two', 'the lookup holds up no datagram';
$c->send('three');
is scalar(hear($new)), 'three', 'the next one goes to the new address';
name_is('127.0.0.1');
look_up('four');
$c->send('five');
$p->expect(err => qr/cannot forward to 127\.0\.0\.1 port $port is this server itself: /);
exits $p->stop, 0, 'a name that becomes that of the server', err => qr/received 5 /;
done_testing;
