# Real programs at both ends: SOURCE | sender, receiver | READER; through a
# forwarder and an echo server; and a body from nginx.
use strict;
use warnings;
no warnings 'qw';    # commas of socat's
use Bench;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SocktTls ();
use Time::HiRes qw(time);

my $BYTES = ($ENV{PIPELINES_MB} || 256) * 1024 * 1024;
my $dir = scratch() . '/pipelines';
mkdir $dir;
mkdir "$dir/tree";

# Text whose lines end anywhere, and the same as files.
my $text = "$dir/text";
my $lines = join '', map { $_ x (1 + 7 * $_ % 97) . " needle\n" } 1 .. 500;
open my $h, '>', $text or die $!;
for (my $left = $BYTES; $left > 0; $left -= length $lines) {
    print $h substr $lines, 0, $left;
}
close $h;
system "split -n 64 $text $dir/tree/part." and die 'split';

my $head = "head -c $BYTES $text";
my @sources = (['head -c' => $head],
    ['dd bs=1M' => "dd if=$text bs=1M status=none"],
    ['dd bs=4k' => "dd if=$text bs=4k status=none"]);
my @readers = (['wc -c' => 'wc -c'],
    ['dd bs=4k' => 'dd bs=4k status=none >/dev/null'],
    ['tail -c 1' => 'tail -c 1'], ['sha1sum' => 'sha1sum'],
    ['grep -c' => 'grep -c needle'], ['cat' => 'cat >/dev/null']);

# To send stdin, and to receive to stdout.
my @pairs = contestants(
    ['sockt', 'SOCKT connect -q 127.0.0.1 PORT',
        'SOCKT listen -q 127.0.0.1 PORT'],
    ['nc.openbsd', 'nc.openbsd -N 127.0.0.1 PORT',
        'nc.openbsd -l 127.0.0.1 PORT'],
    ['ncat', 'ncat --send-only 127.0.0.1 PORT',
        'ncat -l --recv-only 127.0.0.1 PORT'],
    ['socat', 'socat -u STDIN TCP:127.0.0.1:PORT',
        'socat -u TCP-LISTEN:PORT,bind=127.0.0.1 STDOUT'],
);
# The client at both ends of a forwarder, and that of an echo server.
my ($send, $receive) = @{ (grep { $_->[0] ne 'sockt' } @pairs)[0] // $pairs[0] }
    [1, 2];

my %expected;
# What the reader prints of the bytes of the source.
sub expected {
    my ($pipeline) = @_;
    return $expected{$pipeline} //= `$pipeline`;
}

sub pipeline_row {
    my ($name, $bytes, $code, @tools) = @_;
    row(
        name => $name, unit => 'GB/s', more => ['CPU s/GB'],
        tools => [map { my $t = $_;
            [$t->[0], sub { run_pipeline($bytes, $code->(@$t[1 .. $#$t])) }]
        } @tools],
    );
}

sub transfer_row {
    my ($name, $source, $reader, $bytes, @tools) = @_;
    pipeline_row($name, $bytes, sub {
        my $port = free_port();
        my ($send, $receive) = map { s/PORT/$port/gr } @_;
        return expected("$source | $reader"),
            ["$receive | $reader", $port], ["$source | $send"];
    }, @tools);
}

print "\npipelines of ", $BYTES / 1024 / 1024, " MiB\n";
for my $source (@sources) {
    transfer_row("$source->[0] | $_->[0]", $source->[1], $_->[1], $BYTES,
        @pairs) for @readers;
}
transfer_row('tar c | tar t', "tar cf - -C $dir tree", 'tar tf -', $BYTES,
    @pairs);
my $small = $BYTES / 16;
my $small_source = "dd if=$text bs=64 count=" . $small / 64 . ' status=none';
transfer_row('dd bs=64 | wc -c', $small_source, 'wc -c', $small, @pairs);

# A forwarder between two of the same program; then an echo server.
my @forwarders = contestants(
    ['sockt --to', 'SOCKT listen -q 127.0.0.1 PORT --to 127.0.0.1:TARGET'],
    ['socat',
        'socat TCP-LISTEN:PORT,bind=127.0.0.1 TCP:127.0.0.1:TARGET'],
);
my @echoes = contestants(
    ['sockt --echo', 'SOCKT listen -q 127.0.0.1 PORT --echo'],
    ['socat', 'socat TCP-LISTEN:PORT,bind=127.0.0.1 PIPE'],
);
for my $case (['head -c', $head, $BYTES], ['dd bs=64', $small_source, $small]) {
    my ($name, $source, $bytes) = @$case;
    pipeline_row("$name | --to | wc -c", $bytes, sub {
        my ($port, $target) = (free_port(), free_port());
        return expected("$source | wc -c"),
            [($receive =~ s/PORT/$target/r) . ' | wc -c', $target],
            [$_[0] =~ s/PORT/$port/r =~ s/TARGET/$target/r, $port],
            ["$source | " . $send =~ s/PORT/$port/r];
    }, @forwarders);
    pipeline_row("$name | --echo | wc -c", $bytes, sub {
        my $port = free_port();
        return expected("$source | wc -c"), [$_[0] =~ s/PORT/$port/r, $port],
            ["$source | " . ($send =~ s/PORT/$port/r) . ' | wc -c'];
    }, @echoes);
}

# TLS, verified by the senders but ncat's, which knows no IP addresses.
if (SocktTls::tls_is_available()) {
    my $tls = SocktTls::tls_self_signed("$dir/tls", 'IP:127.0.0.1');
    my ($cert, $key) = @$tls{qw(cert key)};
    my @tls = contestants(
        ['sockt', "SOCKT connect -q --tls --tls-ca $cert 127.0.0.1 PORT",
            "SOCKT listen -q --tls-cert $cert --tls-key $key 127.0.0.1 PORT"],
        ['ncat', 'ncat --send-only --ssl 127.0.0.1 PORT',
            "ncat -l --recv-only --ssl-cert $cert --ssl-key $key "
            . '127.0.0.1 PORT'],
        ['socat', "socat -u STDIN OPENSSL:127.0.0.1:PORT,cafile=$cert",
            "socat -u OPENSSL-LISTEN:PORT,bind=127.0.0.1,cert=$cert,key=$key,"
            . 'verify=0 STDOUT'],
    );
    transfer_row("TLS: head -c | $_->[0]", $head, $_->[1], $BYTES, @tls)
        for @readers[0, 3];
} else {
    print "  TLS: left out, no openssl\n";
}

# A body from nginx.
my @clients = contestants(['sockt', 'SOCKT http-get -q URL'],
    ['curl', 'curl -s URL'], ['wget', 'wget -q -O - URL']);
for my $reader (@readers, ['', '']) {
    last unless installed('nginx');
    my ($name, $to) = ("http | $reader->[0]", "| $reader->[1]");
    ($name, $to) = ('http > file',
        ">$dir/body; [ \$(stat -c %s $dir/body) = $BYTES ]") if !$reader->[0];
    pipeline_row($name, $BYTES, sub {
        my ($port) = nginx($dir) or die "nginx does not listen\n";
        return $reader->[0] ? expected("cat $text $to") : '',
            [($_[0] =~ s{URL}{http://127.0.0.1:$port/text}r) . " $to"];
    }, @clients);
}

# A byte to an echo server and back, through a client and through a forwarder
# with the same client; the median of many.
sub ping_row {
    my ($name, @tools) = @_;
    row(
        name => $name, unit => 'us', lower => 1,
        tools => [map { my $t = $_;
            [$t->[0], sub { ping(@$t[1, 2]) }] } @tools],
    );
}

sub ping {
    my ($client, $forwarder) = @_;
    my $l = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0,
        Listen => 1) or die;
    my $echo = fork // die;
    if ($echo == 0) {
        my $c = $l->accept;
        $c->setsockopt(Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1);
        while (sysread $c, my $byte, 1) { syswrite $c, $byte }
        POSIX::_exit(0);
    }
    my $port = $l->sockport;
    if ($forwarder) {
        my $target = $port;
        $port = free_port();
        start('exec ' . $forwarder =~ s/PORT/$port/r =~ s/TARGET/$target/r);
        wait_listening($port) or return { lost => 'does not listen' };
    }
    pipe my $in, my $to or die $!;
    pipe my $from, my $out or die $!;
    my $pid = fork // die;
    if ($pid == 0) {
        POSIX::dup2(fileno $in, 0);
        POSIX::dup2(fileno $out, 1);
        exec split ' ', $client =~ s/PORT/$port/r;
    }
    close $_ for $in, $out;
    my @us;
    for (1 .. 3000) {
        my $start = time;
        syswrite $to, 'x';
        sysread $from, my $byte, 1 or last;
        push @us, (time - $start) * 1e6;
    }
    kill 'KILL', $pid, $echo;
    waitpid $_, 0 for $pid, $echo;
    return { value => median(@us), lost => @us < 3000 ? 'no answer' : '' };
}

my @clients_of_echo = contestants(
    ['sockt', 'SOCKT connect -q 127.0.0.1 PORT'],
    ['nc.openbsd', 'nc.openbsd 127.0.0.1 PORT'],
    ['ncat', 'ncat 127.0.0.1 PORT'],
    ['socat', 'socat STDIO TCP:127.0.0.1:PORT'],
);
ping_row('a byte and back', @clients_of_echo);
my $client = $clients_of_echo[-1][1];
ping_row('a byte and back, --to',
    map { [$_->[0], $client, $_->[1]] } @forwarders);
1;
