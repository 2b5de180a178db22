# Peers of udp-send and udp-serve.
package SocktUdp;

use strict;
use warnings;
use Exporter qw(import);
use IO::Select;
use Sockt;

our @EXPORT = qw(udp_pair udp_client hear ask arrived answers);

# udp-serve with these arguments on a free port of 127.0.0.1, and a client of it.
sub udp_pair {
    my $o = ref $_[0] ? shift : {};
    my $p = start($o, 'udp-serve', '-4', 0, @_);
    return ($p, udp_client($p));
}

# A socket that is connected to a server; its options are those of udp_socket.
sub udp_client {
    my ($p, %o) = @_;
    return udp_socket(peer => ['127.0.0.1', $p->port], %o);
}

# The next datagram, or undef if none comes within 10 s. In a list, and from whom.
sub hear {
    my ($s, $seconds) = @_;
    return undef unless IO::Select->new($s)->can_read($seconds // 10);
    my $from = recv($s, my $got, 70_000, 0) // return "error: $!";
    return wantarray ? ($got, $from) : $got;
}

# What a server answers to text.
sub ask {
    my ($c, $text, $seconds) = @_;
    $c->send($text);
    return scalar hear($c, $seconds);
}

# All that waits on a socket, in order.
sub arrived {
    my ($s) = @_;
    my @got;
    while (defined(my $x = hear($s, 0.05))) { push @got, $x }
    return \@got;
}

# Answers count datagrams in a process, each with the list that code makes of it
# and its number from 0. Returns the pid.
sub answers {
    my ($s, $count, $code) = @_;
    return Sockt::fork_child(sub {
        for my $n (0 .. $count - 1) {
            my $from = $s->recv(my $x, 70_000);
            $s->send($_, 0, $from) for $code->($x, $n);
        }
    });
}

1;
