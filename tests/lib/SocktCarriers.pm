# What a connection may go through: a proxy that ends both directions at a FIN,
# as most do, and a small nc for --via.
package SocktCarriers;

use strict;
use warnings;
use Exporter qw(import);
use IO::Select;
use IO::Socket::IP;
use Sockt;

our @EXPORT = qw(forking_server dropping_proxy small_nc);

# Passes bytes on between two connections until either ends; then ends both.
sub pass_until_end {
    my @both = @_;
    my $select = IO::Select->new(@both);
    while (1) {
        for my $from ($select->can_read) {
            my $to = $from == $both[0] ? $both[1] : $both[0];
            my $n = sysread $from, my $bytes, 65536;
            return unless $n;
            print $to $bytes or return;
            $to->flush;
        }
    }
}

# A server that calls code for each connection, in a process of its own. Returns
# its port.
sub forking_server {
    my ($code) = @_;
    my $l = tcp_listener();
    Sockt::fork_child(sub {
        local $SIG{CHLD} = 'IGNORE';
        while (my $c = $l->accept) {
            next if fork;
            $code->($c);
            POSIX::_exit(0);
        }
    });
    return $l->sockport;
}

# Starts an HTTP proxy that drops what is still to come when one side ends.
# Returns its URL.
sub dropping_proxy {
    return 'http://127.0.0.1:' . forking_server(sub {
        my ($c) = @_;
        my $head = '';
        while ($head !~ /\r\n\r\n\z/) {
            sysread $c, $head, 1, length $head or return;
        }
        my ($host, $port) = $head =~ /\ACONNECT (\S+):(\d+) / or return;
        my $s = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port);
        syswrite $c, $s ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 503 No\r\n\r\n";
        pass_until_end($c, $s) if $s;
    });
}

# Writes a program like nc to a folder: --via can run it. It ends when its input
# and the peer have; half a second after the peer, as socat, or with a third
# argument, as OpenBSD's nc, however long that takes.
sub small_nc {
    my ($dir) = @_;
    return "exec $^X " . spew("$dir/nc", <<'END') . ' %h %p';
use IO::Socket::IP;
use Time::HiRes qw(ualarm);
my $c = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1]) or die;
my $child = fork;
if (!$child) {
    while (sysread STDIN, my $bytes, 65536) { syswrite $c, $bytes }
    shutdown $c, 1;
    exit;
}
while (sysread $c, my $bytes, 65536) { syswrite STDOUT, $bytes }
local $SIG{ALRM} = sub { kill 'KILL', $child };
ualarm 500_000 unless $ARGV[2];
waitpid $child, 0;
END
}

1;
