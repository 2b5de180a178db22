# What users of other programs type is refused with the way to do it here. Every
# row of the table is typed, in every command that it is about, and every
# command line that it suggests is parsed.
use Sockt;
use Source;

# What makes a complete command line of an option.
my %operands = (
    'http-get' => ['http://localhost/'], portscan => ['localhost'],
    'udp-serve' => [0], listen => [0], 'serve-hello' => [0],
    connect => [qw(localhost 80)], 'udp-send' => [qw(localhost 80 x)],
    help => [],
);

my @rows = map { [split /\t/, $_, -1] } split /\n/,
    run('help', '--habits')->{out};
cmp_ok scalar @rows, '>=', 150, 'the table has its rows';

# Stands for what the wildcards of a pattern match.
sub typed {
    my ($pattern) = @_;
    return $pattern =~ s/#/1/gr =~ s/\*/x/gr;
}

sub is_hint {
    my ($hint, @args) = @_;
    my $r = run(@args);
    my @lines = split /\n/, $r->{err};
    is "$r->{status} " . @lines, '2 2', "sockt @args: two lines" or diag $r->{err};
    my ($got) = ($lines[1] // '') =~ /^sockt(?: [a-z-]+)?: (.*)/;
    is $got, $hint, '  the second is the hint';
    cmp_ok length $lines[1] // '', '<', 160, '  and not too long';
    return;
}

my (%seen, %suggested);
for my $row (@rows) {
    my ($command, $pattern, $hint, $instead) = @$row;
    my $text = "$hint" . ($instead ne '' ? ": sockt $instead" : '');
    ok !$seen{"$command $pattern"}++, "once: $command $pattern";
    like $hint, qr/^[^A-Z.]|^[A-Z]{2}|^(?:Cookie|Referer|User-Agent|Basic|WebSocket)/, '  a phrase';
    unlike $hint, qr/\.$/, '  without a full stop';
    $suggested{$instead} = 1 if $instead ne '';
    my @words = split / /, typed($pattern);
    if ($command eq '') {
        is_hint($text, @words);
    } elsif ($command eq '*') {
        is_hint($text, 'help', @words);
    } else {
        # What is in place of an operand is the only one.
        my @more = $pattern =~ /^-/ ? @{ $operands{$command} } : ();
        is_hint($text, $command, @words, @more);
    }
}

# A command line is accepted if it fails for want of descriptors, not as usage.
# Names resolve without the network.
my $dir = scratch();
my $names = ($ENV{SOCKT_BUILD} // "$Sockt::TOP/build") . '/tests/sockt-names';
for my $line (sort keys %suggested) {
    my $dry = $line =~ /^portscan/ ? $line =~ s/^portscan/portscan --dry-run/r
        : $line;
    $dry =~ s/--targets \S+/--targets -/;
    my $r = run({ command => 'sh', stdin => "127.0.0.1\n" }, '-c',
        "cd '$dir' && ulimit -n 4; sockt() { exec '$names' \"\$@\"; }; "
            . "sockt $dry");
    isnt $r->{status}, 2, "sockt $line is accepted" or diag $r->{err};
    unlike $r->{err}, qr/^sockt[^:]*: try '/m, '  and not as usage';
}

# What people type, and what of the hint matters.
my @typed = (
    ['listen -l -p 8080',             qr/operand: sockt listen 8080/],
    ['listen -lp 8080',               qr/operand: sockt listen 8080/],
    ['listen -p8080',                 qr/operand: sockt listen 8080/],
    ['listen -nlvp 4444',             qr/operand: sockt listen 8080/],
    ['listen -ul 8080',               qr/udp-serve/],
    ['listen TCP-LISTEN:80,fork TCP:b:80', qr/--to/],
    ['listen 8080 127.0.0.1',         qr/address comes before the port/],
    ['connect -l 8080',               qr/sockt listen 8080/],
    ['connect -N host 80',            qr/default/],
    ['connect -u host 80',            qr/udp-send/],
    ['connect -zvu host 80',          qr/udp-send/],
    ['connect -q 1 host 80',          qr/--linger/],
    ['connect -q1 host 80',           qr/--linger/],
    ['connect -X 5 -x p:1080 h 22',   qr/--proxy socks5/],
    ['connect tcp://localhost:80',    qr/HOST PORT/],
    ['connect TCP:localhost:80',      qr/HOST PORT/],
    ['connect http://localhost/',     qr/http-get/],
    ['connect --ssl h 443',           qr/connect --tls host 443$/],
    ['connect --ssl-verify h 443',    qr/--tls verifies the certificate/],
    ['connect --ssl-trustfile ca.pem h 443', qr/--tls-ca/],
    ['connect --ssl-cert c.pem h 443', qr/client's certificate is not/],
    ['connect -k h 443',              qr/curl's -k is --tls-insecure/],
    ['connect --insecure h 443',      qr/--tls-insecure/],
    ['connect --cacert ca.pem h 443', qr/--tls-ca/],
    ['connect -connect h:443',        qr/TLS is --tls/],
    ['connect -CAfile ca.pem h 443',  qr/--tls-ca/],
    ['connect -servername h h 443',   qr/sends and verifies the name/],
    ['connect -S h 443',              qr/TLS is --tls/],
    ['connect OPENSSL:h:443',         qr/TLS is --tls/],
    ['connect OPENSSL:h:443,verify=0', qr/--tls-insecure/],
    ['connect OPENSSL:h:443,cafile=ca.pem', qr/--tls-ca/],
    ['connect EXEC:nc',               qr/--via/],
    ['connect https://h/',            qr/connect --tls host 443$/],
    ['connect -z h 20-25',            qr/portscan/],
    ['connect --proxy-type=socks5 h 22', qr/socks5:/],
    ['portscan -p 80 host',           qr/second operand/],
    ['portscan -p- host',             qr/sockt portscan localhost -$/],
    ['portscan -p80,443 host',        qr/second operand/],
    ['portscan -sT -p 80 host',       qr/connecting/],
    ['portscan -sS host',             qr/raw packets/],
    ['portscan -Pn host',             qr/pinged/],
    ['portscan -T4 host',             qr/speed/],
    ['portscan host 22 80',           qr/one operand/],
    ['portscan http://localhost/ 80', qr/name or an address/],
    ['http-get -fsSL URL',            qr/-q .* -L /],
    ['http-get -sS http://localhost/', qr/-q/],
    ['http-get -s http://localhost/', qr/-q/],
    ['http-get -X POST URL',          qr/GET and HEAD/],
    ['http-get -XPOST URL',           qr/GET and HEAD/],
    ['http-get -d a=b URL',           qr/GET and HEAD/],
    ['http-get -kL https://h/',       qr/--tls-insecure/],
    ['http-get --cacert ca https://h/', qr/--tls-ca ca.pem/],
    ['http-get --tls http://h/',      qr{https://localhost/}],
    ['http-get --tlsv1.2 https://h/', qr/by openssl/],
    ['http-get --retry-all-errors h', qr/--retry-for/],
    ['http-get -r http://h/',         qr/ecursive/],
    ['udp-send -u h 9 x',             qr/needs no -u/],
    ['udp-serve -ul 9',               qr/needs no -u/],
    ['nc h 80',                       qr/sockt connect/],
    ['nc -l 8080',                    qr/sockt listen 8080/],
    ['nc -lk 8080',                   qr/sockt listen 8080/],
    ['nc -zv h 80',                   qr/connect -z/],
    ['curl -fsSL http://h/',          qr/http-get/],
    ['wait h:80',                     qr/--retry-for/],
    ['wait-for-it h:80',              qr/--retry-for .* -- /],
    ['wait4x tcp h:80',               qr/--retry-for .* -- /],
    ['dockerize -wait tcp://h:80',    qr/--retry-for .* -- /],
    ['tcping h 80',                   qr/--stats/],
    ['tcpclient h 80 prog',           qr/--ucspi/],
    ['connect -z -c 5 h 80',          qr/--count/],
    ['connect -z h:80 -t 30',         qr/--retry-for/],
    ['connect -z -timeout 30s h:80',  qr/--retry-for/],
    ['connect -wait tcp://h:80 prog', qr/operands.* -z /],
    ['connect -z --strict h:80 -- x', qr/all endpoints are open/],
    ['connect -z -s h:80 -- x',       qr/all endpoints are open/],
    ['connect -z --host=h --port=80', qr/operand/],
    ['connect -z --invert-check h:80', qr/not supported/],
    ['connect -vvv h 80',             qr/-vv .*strace\(1\)/],
    ['connect h:80 g:81',             qr/tested with -z/],
    ['localhost 80',                  qr/sockt connect localhost 80/],
    ['http://localhost/',             qr/http-get/],
    ['192.0.2.1 80',                  qr/sockt connect/],
    ['tcp://h:80',                    qr/sockt connect/],
    ['-l 8080',                       qr/sockt listen 8080/],
    ['-lvp 8080',                     qr/sockt listen 8080/],
    ['server 80',                     qr/listen/],
    ['client h 80',                   qr/connect/],
    ['ping h',                        qr/connect -z/],
    ['telnet h 80',                   qr/sockt connect/],
);
for (@typed) {
    my ($line, $pattern) = @$_;
    my $r = run(split / /, $line);
    is $r->{status}, 2, "sockt $line";
    like +(split /\n/, $r->{err})[1], $pattern, '  has its hint';
}

# Valid lines and other mistakes have no hint.
for (['connect', '--frobnicate', 'h', 80], ['connect', 'localhost'],
    ['listen', '--ttl', 256, 0], ['connect', '-4', '-6', 'h', 80], ['frob']) {
    like run(@$_)->{err}, qr/\n[^\n]*: try '.*'\n\z/, "sockt @$_: no hint";
}

done_testing;
