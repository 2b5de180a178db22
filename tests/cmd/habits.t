# What users of other programs type is refused with the way to do it here. Every
# row of the table is typed in every command that it is about, and finds its own
# hint; what a hint names exists.
use Sockt;
use Source;

# What makes a complete command line of an option.
my %operands = (
    'http-get' => ['http://localhost/'], portscan => ['localhost'],
    'udp-serve' => [0], listen => [0], 'serve-hello' => [0],
    connect => [qw(localhost 80)], 'udp-send' => [qw(localhost 80 x)],
    help => [],
);

my @table = grep { !/^#|^$/ } split /\n/, text('src/cmd/habits.txt');
my @rows;
for (@table) {
    my ($commands, $typed, $hint) = split /\t/;
    push @rows, map { [$commands, $_, $hint] } split /\|/, $typed;
}
cmp_ok scalar @table, '>', 200, 'the table has its rows';
is join("\n", grep { !/^[^\t]{1,63}\t[^\t]{1,255}\t[^\t]{1,127}\z/ } @table), '',
    'each has three columns, which fit the buffers of hint.c';
my @offered = list_options();
my %options = map { ("--$_->{name}" => 1, "-$_->{letter}" => 1) }
    map { { %$_, letter => $_->{letter} // '' } } @offered;

for my $row (@rows) {
    my ($commands, $pattern, $hint) = @$row;
    my @options = grep { !$options{$_} && !/^(?:-vv|--help|--version)$/ }
        $hint =~ /(?<![\w-])(--?[a-zA-Z][\w-]*)/g;
    # curl's -s is -q (-s is --source here).
    is join(' ', grep { $hint !~ /'s \Q$_\E is / && $hint !~ /[Nn]o \Q$_\E / }
        @options), '', "the options of '$hint' exist";
    my $regex = join '', map { /^[*?]/ ? ".$_" =~ s/\?//r : /^\[./ ? s/^\[!/[^/r : quotemeta }
        $pattern =~ /(\[[^]]+\]|.)/g;
    is join(' ', map { $_->{name} } grep { "--$_->{name}" =~ /^$regex\z/
        && " $commands " =~ / (?:\*|\Q$_->{command}\E) / } @offered), '',
        "$commands: $pattern is no option there";
    # Stands for what the wildcards of the pattern match.
    my @words = split / /,
        $pattern =~ s/\[!.\]/x/gr =~ s/\[(.)[^]]*\]/$1/gr =~ s/^-\*/--/r =~ s/\*/x/gr;
    # One more operand than the command takes.
    my ($excess) = "@words" =~ /^unexpected operand '(.*?)'/;
    for my $command (split / /, $commands =~ s/^\*$/connect http-get/r) {
        my @args = $command eq 'sockt' ? @words
            : defined $excess ? ($command, @{ $operands{$command} }, $excess)
            # What is in place of an operand is the only one.
            : ($command, @words, $pattern =~ /^-/ ? @{ $operands{$command} } : ());
        my $r = run(@args);
        my @lines = split /\n/, $r->{err};
        is "$r->{status} " . @lines, '2 2', "sockt @args: two lines"
            or diag $r->{err};
        my ($got) = ($lines[1] // '') =~ /^sockt(?: [a-z-]+)?: (.*)/;
        is $got, $hint, '  the second is the hint';
        cmp_ok length $lines[1] // '', '<', 120, '  and not too long';
    }
}

# What people type, and what of the hint matters.
my @typed = (
    ['listen -l -p 8080',             qr/operand: sockt listen 8080/],
    ['listen -lp 8080',               qr/operand: sockt listen 8080/],
    ['listen -p8080',                 qr/operand: sockt listen 8080/],
    ['listen -nlvp 4444',             qr/operand: sockt listen 8080/],
    ['listen -l 8080',                qr/'\*' 8080 for the network/],
    ['udp-serve -l 8080',             qr/anyway; the port is an operand$/],
    ['http-get -fsSL localhost',      qr/fsSL is -q -L/],
    ['http-get -sSL -o x localhost',  qr/fsSL is -q -L/],
    ['portscan a.example b.example 22', qr/hosts are one operand/],
    ['connect tcp:localhost:80',      qr/HOST PORT/],
    ['listen -ul 8080',               qr/udp-serve/],
    ['listen TCP-LISTEN:80,fork TCP:b:80', qr/--to/],
    ['listen 8080 127.0.0.1',         qr/address comes before the port/],
    ['connect -l 8080',               qr/listen does/],
    ['connect -zvu host 80',          qr/udp-send/],
    ['connect -q1 host 80',           qr/--linger/],
    ['connect -X 5 -x p:1080 h 22',   qr/--proxy socks5/],
    ['connect tcp://localhost:80',    qr/HOST PORT/],
    ['connect --ssl h 443',           qr/TLS is --tls$/],
    ['connect --ssl-verify h 443',    qr/--tls verifies the certificate/],
    ['connect OPENSSL:h:443,verify=0', qr/--tls-insecure/],
    ['connect -z h 20-25',            qr/portscan/],
    ['connect --proxy-type=socks5 h 22', qr/socks5:/],
    ['connect h:80 g:81',             qr/tested with -z/],
    ['connect -z h:80 -t 30',         qr/--retry-for/],
    ['connect -vvv h 80',             qr/-vv .*strace\(1\)/],
    ['connect --hex-dump f h 80',     qr/the option is --hexdump/],
    ['http-serve .',                  qr/served with listen --files/],
    ['httpd',                         qr/served with listen --files/],
    ['help http.server',              qr/served with listen --files/],
    ['nc -k -l 8080',                 qr/sockt listen -k/],
    ['curl -X POST http://h/',        qr{sockt http-get http://host/ here}],
    ['connect -p 80 h',               qr/the port is an operand/],
    ['connect h 80 cat',              qr/after '--'/],
    ['connect -z h 80 81',            qr/tested with portscan/],
    ['listen 7204 cat',               qr/after '--'/],
    ['listen 8090 h:8088',            qr/--to HOST:PORT/],
    ['listen 8090 --to h 8088',       qr/HOST:PORT is one word/],
    ['connect --keep-open h 80',      qr/--keep-open is an option of listen$/],
    ['portscan -p- host',             qr/sockt portscan localhost -$/],
    ['portscan -p80,443 host',        qr/second operand/],
    ['portscan -sT -p 80 host',       qr/connecting/],
    ['portscan -T4 host',             qr/speed/],
    ['portscan -oG - host',           qr/--json/],
    ['listen 8090 ::1',               qr/address comes before the port/],
    ['listen 127.0.0.1 8090 --to h 8088', qr/HOST:PORT is one word/],
    ['listen 127.0.0.1 8090 cat',     qr/after '--'/],
    ['portscan host 22 80',           qr/one operand/],
    ['portscan --order ascending h',  qr/random order/],
    ['portscan --retries 0 h',        qr/as losses require/],
    ['portscan --no-skip h',          qr/never skipped/],
    ['http-get -sSL URL',             qr/ is -q /],
    ['http-get -fLo page URL',        qr/always fails; .* is --force/],
    ['http-get -XPOST URL',           qr/GET and HEAD/],
    ['http-get -d a=b URL',           qr/GET and HEAD/],
    ['http-get -kL https://h/',       qr/--tls-insecure/],
    ['http-get -OJ http://h/',        qr/named by the URL with -O/],
    ['http-get -qO- http://h/',       qr/-O takes no name/],
    ['http-get -O- http://h/',        qr/-O takes no name/],
    ['http-get -nvO./f http://h/',    qr/-O takes no name/],
    ['http-get -qO/tmp/f http://h/',  qr/-O takes no name/],
    ['listen --directory . 8080',     qr/--files DIR/],
    ['listen --root=. 8080',          qr/--files DIR/],
    ['connect -L 8080:h:80 h',        qr/listen --to/],
    ['http-get --etag-save f h',      qr/--if-modified-since/],
    ['http-get -r http://h/',         qr/ecursive/],
    ['nc h 80',                       qr/nc host 80 is sockt connect host 80 /],
    ['nc -lp 8080',                   qr/nc -l 8080 is sockt listen '\*' 8080 /],
    ['nc -lk 8080',                   qr/sockt listen -k/],
    ['nc -zvw3 h 80',                 qr/sockt connect -zv /],
    ['netcat -u h 53',                qr/sockt udp-send .*'sockt help nc'/],
    ['ncat --ssl h 443',              qr/--tls --tls-insecure/],
    ['curl -fsSL http://h/',          qr/http-get -Lo/],
    ['wget -r http://h/',             qr/wget http/],
    ['nmap -p 80 h',                  qr/sockt portscan host 22,80/],
    ['tcpserver 0 80 prog',           qr/sockt listen -k .* -- handler/],
    ['wait-for-it h:80',              qr/--retry-for/],
    ['localhost 80',                  qr/sockt connect localhost 80/],
    ['http://localhost/',             qr/http-get/],
    ['192.0.2.1 80',                  qr/sockt connect/],
    ['tcp://h:80',                    qr/sockt connect/],
    ['-lvp 8080',                     qr/sockt listen 8080/],
    ['ping h',                        qr/connect -z/],
);
# Fifty options of nc, ncat, socat, curl, wget, nmap, openssl s_client, httpie and
# miniserve.
my @fifty = (
    ['connect -N h 80', qr/FIN .* is the default/], ['connect -I 9000 h 80', qr/--rcvbuf/],
    ['connect -M 9 h 80', qr/--ttl/], ['connect -b h 80', qr/udp-send --broadcast/],
    ['connect -R ca.pem h 443', qr/--tls-ca/], ['listen -s 127.0.0.1 80', qr/operand/],
    ['connect --ssl-alpn h2 h 443', qr/--tls-alpn/],
    ['connect --ssl-servername n h 443', qr/--tls-name/],
    ['connect --sctp h 80', qr/only TCP, UDP/], ['connect --nodns h 80', qr/--numeric/],
    ['listen --lua-exec x 80', qr/-e COMMAND/], ['listen --source 127.0.0.1 80', qr/operand/],
    ['connect ABSTRACT-CONNECT:x', qr/unix:\@NAME/], ['connect GOPEN:f', qr/< FILE/],
    ['listen OPENSSL-LISTEN:443 -', qr/--tls-cert/], ['connect SYSTEM:cat', qr/'--'/],
    ['connect -T 30 TCP:h:80', qr/--idle-timeout/],
    ['http-get --unix-socket /x http://h/', qr/--unix PATH/],
    ['http-get --netrc http://h/', qr/-u \@FILE/],
    ['http-get --key k https://h/', qr/--tls-key/],
    ['http-get --local-port 99 http://h/', qr/--source-port/],
    ['http-get --oauth2-bearer x http://h/', qr/Authorization: Bearer/],
    ['http-get --max-filesize 9 http://h/', qr/no limit/],
    ['http-get --speed-limit 9 http://h/', qr/--idle-timeout/],
    ['http-get --proxy-user a:b http://h/', qr/USER:PASSWORD\@HOST/],
    ['http-get --create-dirs http://h/', qr/mkdir/],
    ['http-get --trace f http://h/', qr/-vv/], ['http-get --url http://h/', qr/operand/],
    ['http-get --doh-url x http://h/', qr/resolver/],
    ['http-get --output-document f http://h/', qr/-o FILE/],
    ['http-get --read-timeout 9 http://h/', qr/--idle-timeout/],
    ['http-get --waitretry 9 http://h/', qr/between retries/],
    ['http-get --http-user x http://h/', qr/-u USER:PASSWORD/],
    ['http-get --content-on-error http://h/', qr/--fail-with-body/],
    ['http-get --start-pos 9 http://h/', qr/--range N-/],
    ['http-get --bind-address 127.0.0.1 http://h/', qr/--source/],
    ['http-get --body-data x http://h/', qr/GET and HEAD/],
    ['portscan -f h', qr/raw packets/], ['portscan -e eth0 h', qr/--interface$/],
    ['portscan --max-rtt-timeout 9 h', qr/--timeout/],
    ['portscan --packet-trace h', qr/-vv/], ['portscan --resume f', qr/--shard/],
    ['connect -servername n h 443', qr/--tls-name/], ['connect -CAfile f h 443', qr/--tls-ca/],
    ['connect -tls1_2 h 443', qr/--tls-version/], ['connect -alpn h2 h 443', qr/--tls-alpn/],
    ['s_client -connect h:443', qr/connect --tls/], ['http GET http://h/', qr/http-get/],
    ['http-get --verify=no https://h/', qr/--tls-insecure/], ['miniserve .', qr/\bfiles\b/],
);
# TLS by hand.
my @tls = (
    ['http-get --pinnedpubkey sha256//x https://h/', qr/--tls-pin/],
    ['http-get --tlsv1.2 https://h/', qr/--tls-version/],
    ['http-get --tls-max 1.2 https://h/', qr/--tls-version/],
    ['connect -showcerts h 443', qr/ -v$/], ['connect -keylogfile f h 443', qr/SSLKEYLOGFILE/],
    ['connect -checkend 9 h 443', qr/--tls-days N/], ['connect -starttls smtp h 25', qr/--starttls/],
    ['connect -fingerprint h 443', qr/-v shows/], ['listen --ssl 8443', qr/--tls-self/],
    ['listen --ssl-cert c 8443', qr/--tls-cert FILE/], ['ncat -l --ssl 8443', qr/--tls-self/],
    ['openssl s_client -starttls imap -connect h:143', qr/connect --starttls smtp/],
    ['openssl x509 -checkend 86400', qr/--tls-days 21/],
    ['openssl s_client -tls1_2 -connect h:1', qr/--tls-version 1\.2/],
    ['openssl s_server -accept 4433', qr/listen --tls-cert/],
    ['openssl s_client -keylogfile f', qr/SSLKEYLOGFILE=keys/],
);
is scalar @fifty, 50, 'fifty options';
# Hints that led astray.
my %astray = ('connect --tls-version 1.1 h 1' => qr/printed by/,
    'connect --proxy-protocol h 1' => qr/socks5:/);
unlike run(split / /)->{err}, $astray{$_}, "sockt $_: is not led astray"
    for sort keys %astray;

for (@typed, @fifty, @tls) {
    my ($line, $pattern) = @$_;
    my $r = run(split / /, $line);
    is $r->{status}, 2, "sockt $line";
    like +(split /\n/, $r->{err})[1], $pattern, '  has its hint';
}

# Valid lines and other mistakes have no hint.
for (['connect', '--frobnicate', 'h', 80], ['connect', 'localhost'],
    ['listen', '--ttl', 256, 0], ['connect', '-4', '-6', 'h', 80], ['frob'],
    ['http-get', '-w', 3, '-r', '5-3', 'h'],
    # The operands and options are right, or not what is wrong.
    map { [split / /] } 'listen --allow foo --echo 127.0.0.1 4010',
    'listen -k -o f --echo 127.0.0.1 4010', 'listen 127.0.0.1 99999',
    'listen 127.0.0.1 frob', 'listen 192.0.2.256 8080', 'serve-hello --allow foo 0',
    'udp-serve --deny foo --echo 127.0.0.1 4010', 'udp-serve 127.0.0.1 frob',
    'connect -p 4000 localhost 99999', 'udp-send -p 4000 localhost 99999 x',
    'http-get -s 127.0.0.1 ftp://h/', 'http-get --retry-for 3 ftp://h/',
    'http-get --retry-for frob http://h/', 'http-get --timeout frob http://h/') {
    like run(@$_)->{err}, qr/\n[^\n]*: try '.*'\n\z/, "sockt @$_: no hint";
}
# A port that is right is not what makes a third operand unexpected.
like run(split / /, 'connect -p 4000 h 80 cat')->{err}, qr/ after '--'/,
    'the hint is that of the operand';

done_testing;
