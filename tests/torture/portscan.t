# portscan with each of its system calls failing; see Torture.pm. What comes
# from a port itself is no failure, so connect(2) fails here only as it does
# when the trouble is on this side.
use Torture;

my %scan = (
    stdin  => 'null',
    peers  => [ { steps => [ [ until => 'eof' ] ] },
        { steps => [ [ send => "SSH-2.0-x\r\n" ], [ until => 'eof' ] ] } ],
    silent => qr/\A[456]\z/,
    except => qr/connect \d+ (ECONNREFUSED|EHOSTUNREACH|ETIMEDOUT)/,
);

# What is told about each port, in any order.
sub states {
    my (%truth) = @_;
    return sub {
        my ($r) = @_;
        my $open = () = $r->{stdout} =~ /\bopen\b(?!\|)/g;
        return $r->{status} == 0 && $open != $truth{open}
            ? "stdout is '$r->{stdout}'" : ();
    };
}

scenario 'portscan',
    args => 'portscan -q -w 0.3 127.0.0.1 PORT,PORT2,FREE',
    %scan,
    check => sub {
        my ($r) = @_;
        my @open = $r->{stdout} =~ /^127\.0\.0\.1:(\d+)$/mg;
        return $r->{status} == 0 && @open != 2
            ? "stdout is '$r->{stdout}'" : ();
    };

scenario 'portscan-all',
    args => 'portscan -a -w 0.3 localhost PORT,PORT2,FREE',
    %scan,
    check => states(open => 2);

scenario 'portscan-banner',
    args => 'portscan --banner -w 0.3 127.0.0.1 PORT,PORT2,FREE',
    %scan,
    # A banner is what a single recv(2) has; without one the port is open too.
    except => qr/$scan{except}|epoll_ctl|recv \d+ (?!EINTR)/,
    check => sub {
        my ($r) = @_;
        return $r->{status} == 0 && $r->{stdout} !~ /SSH-2\.0-x/
            ? "stdout is '$r->{stdout}'" : ();
    };

scenario 'portscan-files',
    args => 'portscan -q -w 0.3 --targets targets --ports-file ports',
    %scan,
    setup => sub {
        my ($dir) = @_;
        spew("$dir/targets", "127.0.0.1\n127.0.0.2\n");
        spew("$dir/ports", "1\n2\n");
    },
    stays  => qr/\A(targets|ports)\z/,
    files  => { targets => "127.0.0.1\n127.0.0.2\n", ports => "1\n2\n" },
    names  => qr/\b(targets|ports)\b/,
    status => 4,
    check  => sub {
        my ($r) = @_;
        return $r->{status} == 0 ? 'nothing is open here' : ();
    };

scenario 'portscan-udp',
    args   => 'portscan --udp -a -w 0.2 127.0.0.1 PORT,FREE',
    stdin  => 'null',
    peers  => [ { udp => 1, answer => sub { 'here' } } ],
    silent => $scan{silent},
    except => $scan{except},
    check  => states(open => 1);

torture();
