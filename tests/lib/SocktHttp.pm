# A web server that sends exact bytes: each connection is a list of answers, an
# answer is a string, or code that gets the socket and the request. The
# connection is closed after its last answer.
package SocktHttp;

use strict;
use warnings;
use Exporter qw(import);
use Sockt;

our @EXPORT = qw(http_server requests get get_from answer);

# Reads a request's head; '' at the end of the connection.
sub read_head {
    my ($c) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread($c, $head, 4096, length $head) or return '';
    }
    return $head;
}

sub put {
    my ($c, $bytes) = @_;
    while (length $bytes) {
        my $n = syswrite $c, $bytes or return;
        substr $bytes, 0, $n, '';
    }
}

# Sends the answers of one connection. False when no request came: a scan of all
# ports by another test is not the expected client.
sub play {
    my ($c, $log, @answers) = @_;
    my $count = 0;
    for my $answer (@answers) {
        my $head = read_head($c);
        last if $head eq '';
        $count++;
        open my $f, '>>:raw', $log or die $!;
        print $f $head;
        close $f;
        if (ref $answer) { $answer->($c, $head) }
        else             { put($c, $answer) }
    }
    return $count unless $c->opened;
    shutdown $c, 1;
    1 while sysread $c, my $rest, 65536;
    return $count;
}

# Starts one: { port, url, pid, log }. Options of tcp_listener may come first.
sub http_server {
    my $o = ref $_[0] eq 'HASH' ? shift : {};
    my @connections = @_;
    my $l = tcp_listener(%$o);
    my $log = scratch() . '/requests';
    spew($log, '');
    my $pid = Sockt::fork_child(sub {
        while (@connections) {
            my $c = $l->accept or next;
            my $answers = $connections[0];
            shift @connections if play($c, $log,
                ref $answers eq 'ARRAY' ? @$answers : $answers);
        }
    });
    my $host = $o->{host} // '127.0.0.1';
    $host = "[$host]" if $host =~ /:/;
    return { port => $l->sockport, pid => $pid, log => $log,
        url => "http://$host:" . $l->sockport };
}

# The requests so far, as a list of heads.
sub requests {
    my ($s) = @_;
    return split /(?<=\r\n\r\n)/, slurp($s->{log});
}

# A plain answer: status and body, with more fields before it.
sub answer {
    my ($status, $body, @fields) = @_;
    return join "\r\n", "HTTP/1.1 $status", @fields,
        'Content-Length: ' . length $body, '', $body;
}

# Serves the answers of one connection to one run of http-get. Returns its
# result; server is a member of it, and asked, the requests.
sub get {
    my ($answers, @args) = @_;
    return get_from([$answers], @args);
}

# The same for a list of connections, and for a path or a list of them.
sub get_from {
    my ($connections, $path, @args) = @_;
    my $o = ref $args[0] eq 'HASH' ? shift @args : {};
    my $s = http_server(@$connections);
    my $r = run($o, 'http-get', @args, map { "$s->{url}$_" }
        ref $path ? @$path : $path);
    $r->{server} = $s;
    $r->{asked} = slurp($s->{log});
    return $r;
}

1;
