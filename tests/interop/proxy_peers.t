# connect and http-get by way of squid and dante: names and numbers, targets
# that refuse, targets that come later, and what the proxies do not allow.
use Sockt;

$ENV{PATH} .= ':/usr/sbin';
for my $peer (qw(squid danted)) {
    ok scalar(grep { -x "$_/$peer" } split /:/, $ENV{PATH}),
        "$peer is installed";
}

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

sub squid {
    my $port = free_port();
    spew("$dir/squid.conf", <<"C");
http_port 127.0.0.1:$port
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
    return ($port, 'squid', '-N', '-f', "$dir/squid.conf");
}

sub dante {
    my $port = free_port();
    spew("$dir/danted.conf", <<"C");
logoutput: $dir/dante.log
internal: 127.0.0.1 port = $port
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks block { from: 127.0.0.0/8 to: 0.0.0.0/0 port = $forbidden }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
C
    return ($port, 'danted', '-f', "$dir/danted.conf", '-p', "$dir/pid");
}

for my $case (
    [ 'squid', \&squid, 'http' ],
    [ 'dante', \&dante, 'socks5', 'socks4' ],
) {
    my ($name, $make, @schemes) = @$case;
    my ($port, $command, @args) = $make->();
    my $proxy = start({ command => $command }, @args);
    for my $scheme (@schemes) {
        my @via = ('--proxy', "$scheme://127.0.0.1:$port");
        my $what = "$name, $scheme";
        # dante's SOCKS4 takes no names (4a).
        my @hosts = ('127.0.0.1', $scheme eq 'socks4' ? () : 'localhost');
        for my $host (@hosts) {
            my $r = run('connect', '--retry-for', 30, @via, $host, $target,
                @talk);
            is "$r->{status} $r->{out}", "0 Welcome!Hello, Bob!\n",
                "$what: $host" or diag $r->{err};
        }
        my $r = run('connect', @via, '127.0.0.1', free_port());
        is $r->{status}, 8, "$what: a target that refuses is status 8";
        $r = run('connect', @via, '127.0.0.1', $forbidden);
        is $r->{status}, 8, "$what: a forbidden port is too";
        like $r->{err}, qr/declined: /, '  and told' or diag $r->{err};

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
        $r = $p->finish;
        is "$r->{status} $r->{out}", '0 there you are',
            "$what: a target that comes later" or diag $r->{err};

        $r = run('http-get', '-q', @via, map { "http://$_:$page/" } @hosts);
        is $r->{status}, 0, "$what: http-get" or diag $r->{err};
        is $r->{out}, 'Hello!' x @hosts, '  each URL';
    }
    $proxy->signal('TERM');
    my $r = $proxy->finish;
    ok !$r->{timed_out}, "$name ends when it is told to";
}
$hello->stop;
$web->stop;

done_testing;
