# connect and http-get by way of squid and dante: names and numbers, targets
# that refuse, targets that come later, and what the proxies do not allow.
use Sockt;

$ENV{PATH} .= ':/usr/sbin';

# squid becomes another user and writes there.
my $dir = scratch();
chmod 0755, $dir;
mkdir "$dir/squid";
chmod 0777, "$dir/squid";

my $hello = start('serve-hello', '-4', 0);
my $target = $hello->port;
my $web = start('serve-hello', '-4', '--http', 0);
my $page = $web->port;
my @talk = ('--expect', 'Welcome', '--send', 'Bob\n', '--expect',
    'Hello, Bob!', '--send', 'exit\n');
my $forbidden = free_port();

my $squid = <<"C";
http_port 127.0.0.1:PORT
acl forbidden port $forbidden
http_access deny forbidden
http_access allow all
cache deny all
access_log none
cache_log $dir/squid/log
pid_filename none
coredump_dir $dir/squid
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
C
my $dante = <<"C";
logoutput: $dir/dante.log
internal: 127.0.0.1 port = PORT
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks block { from: 127.0.0.0/8 to: 0.0.0.0/0 port = $forbidden }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
C

for my $case (
    [$squid, ['http'], 'squid', '-N', '-f', 'CONF'],
    [$dante, ['socks5', 'socks4'], 'danted', '-f', 'CONF', '-p', "$dir/pid"],
) {
    my ($conf, $schemes, $name, @args) = @$case;
    my ($proxy, $port) = start_server({ conf => $conf }, $name, @args);
    for my $scheme (@$schemes) {
        my @via = ('--proxy', "$scheme://127.0.0.1:$port");
        my $what = "$name, $scheme";
        # dante's SOCKS4 takes no names (4a).
        my @hosts = ('127.0.0.1', $scheme eq 'socks4' ? () : 'localhost');
        for my $host (@hosts) {
            exits run('connect', @via, $host, $target, @talk),
                "0 Welcome!Hello, Bob!\n", "$what: $host";
        }
        exits run('connect', @via, '127.0.0.1', free_port()), 8,
            "$what: a target that refuses";
        exits run('connect', @via, '127.0.0.1', $forbidden), 8,
            "$what: a forbidden port", err => qr/declined: /;

        my $later = free_port();
        # squid takes a half-close for the end of both directions.
        my $p = start({ keep_stdin => 1 }, 'connect', '--retry-for', 30, @via,
            '127.0.0.1', $later);
        $p->expect(err => qr/declined: .*; trying again/);
        my $l = tcp_listener(port => $later);
        my $c = $l->accept;
        print $c 'there you are';
        close $c;
        $p->expect(out => qr{there you are});
        exits $p->finish, '0 there you are', "$what: a target that comes later";
        exits run('http-get', '-q', @via, map { "http://$_:$page/" } @hosts),
            '0 ' . 'Hello!' x @hosts, "$what: http-get, each URL";
    }
    ok !$proxy->stop->{timed_out}, "$name ends when it is told to";
}
$hello->stop;
$web->stop;

done_testing;
