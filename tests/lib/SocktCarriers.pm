# What a connection may go through: a proxy that ends both directions at a FIN,
# as most do, and a small nc for --via.
package SocktCarriers;

use strict;
use warnings;
use Exporter qw(import);
use IO::Select;
use IO::Socket::IP;
use Sockt;

our @EXPORT = qw(dropping_proxy small_nc);

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

# Starts an HTTP proxy that drops what is still to come when one side ends.
# Returns its URL.
sub dropping_proxy {
    my $l = tcp_listener();
    Sockt::fork_child(sub {
        local $SIG{PIPE} = 'IGNORE';
        local $SIG{CHLD} = 'IGNORE';
        while (my $c = $l->accept) {
            next if fork;
            my $head = '';
            while ($head !~ /\r\n\r\n\z/) {
                sysread $c, $head, 1, length $head or POSIX::_exit(0);
            }
            my ($host, $port) = $head =~ /\ACONNECT (\S+):(\d+) / or POSIX::_exit(1);
            my $s = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port);
            syswrite $c, $s ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 503 No\r\n\r\n";
            pass_until_end($c, $s) if $s;
            POSIX::_exit(0);
        }
    });
    return 'http://127.0.0.1:' . $l->sockport;
}

# Writes a program like nc to a folder: --via can run it. It ends when both
# directions have, and passes the end of its input on.
sub small_nc {
    my ($dir) = @_;
    return "exec $^X " . spew("$dir/nc", <<'END') . ' %h %p';
use IO::Socket::IP;
my $c = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1]) or die;
my $child = fork;
if (!$child) {
    while (sysread STDIN, my $bytes, 65536) { syswrite $c, $bytes }
    shutdown $c, 1;
    exit;
}
while (sysread $c, my $bytes, 65536) { syswrite STDOUT, $bytes }
waitpid $child, 0 if $ARGV[2];
END
}

1;
