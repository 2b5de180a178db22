# Certificates and TLS servers for tests, made with openssl.
#
#	my $ca = tls_authority("$dir/ca");
#	my $c = tls_certificate($ca, 'good', 'DNS:localhost');
#	my $server = tls_reverser($c);	# answers lines reversed, at $server->{port}
package SocktTls;

use strict;
use warnings;
use Carp qw(croak);
use Exporter qw(import);
use IO::Select;
use Socket ();
use Sockt;

our @EXPORT = qw(tls_is_available tls_authority tls_certificate tls_self_signed
    tls_reverser tls_serve tls_front tls_middle tls_cutter pop3_front);

# Whether there is an openssl that sockt can use.
sub has_openssl {
    return (qx(openssl version 2>/dev/null) // '') =~ /^OpenSSL [3-9]/;
}

# Whether certificates can be made, and sockt finds a libssl for its machine.
sub tls_is_available {
    return has_openssl() && run('--version')->{out} =~ /^TLS: OpenSSL/m;
}

sub openssl {
    my $out = qx(@_ 2>&1 </dev/null);
    croak "@_: $out" if $? != 0;
}

# A certificate authority in a directory, which is made; its certificate is the
# file ca.pem there.
sub tls_authority {
    my ($dir) = @_;
    mkdir $dir or croak "$dir: $!";
    openssl("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        "-nodes -keyout $dir/ca.key -out $dir/ca.pem -days 2 -subj /CN=authority");
    return $dir;
}

# A certificate that the authority signs, for these names. days may be negative;
# from and to are times like 20400101000000Z, subject is like /CN=name.
sub tls_certificate {
    my ($ca, $name, $names, %o) = @_;
    spew("$ca/$name.ext", "subjectAltName=$names\n");
    openssl("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes",
        "-keyout $ca/$name.key -out $ca/$name.csr -subj", $o{subject} // "/CN=$name");
    if ($o{from} || $o{to}) {
        spew("$ca/index", '');
        spew("$ca/conf", "[ca]\ndefault_ca=c\n[c]\ndatabase=$ca/index\n"
            . "new_certs_dir=$ca\nrand_serial=yes\ndefault_md=sha256\n"
            . "policy=p\n[p]\ncommonName=supplied\n");
        openssl("openssl ca -batch -config $ca/conf -cert $ca/ca.pem",
            "-keyfile $ca/ca.key -in $ca/$name.csr -out $ca/$name.pem -notext",
            "-extfile $ca/$name.ext",
            $o{to} ? "-enddate $o{to}" : "-startdate $o{from} -days 9");
        return { cert => "$ca/$name.pem", key => "$ca/$name.key" };
    }
    my $days = $o{days} // 1;
    my $serial = 1 + int rand 1e9;
    openssl("openssl x509 -req -in $ca/$name.csr -CA $ca/ca.pem",
        "-CAkey $ca/ca.key -set_serial $serial -days $days",
        "-extfile $ca/$name.ext -out $ca/$name.pem");
    return { cert => "$ca/$name.pem", key => "$ca/$name.key" };
}

# A certificate without an authority.
sub tls_self_signed {
    my ($stem, $names) = @_;
    openssl("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        "-nodes -keyout $stem.key -out $stem.pem -days 2 -subj /CN=self",
        "-addext subjectAltName=$names");
    return { cert => "$stem.pem", key => "$stem.key" };
}

# openssl s_server with these arguments; its port is free and announced.
sub tls_serve {
    my ($certificate, @args) = @_;
    my $p = start({ command => 'openssl', keep_stdin => 1 }, 's_server',
        '-accept', '127.0.0.1:0', '-cert', $certificate->{cert},
        '-key', $certificate->{key}, @args);
    my $port = $p->expect(out => qr/ACCEPT 127\.0\.0\.1:(\d+)\n/);
    return { process => $p, port => $port };
}

# sockt as a server of TLS in front of a port. Returns its process.
sub tls_front {
    my ($certificate, $port, @args) = @_;
    return start('listen', '-4', '-k', '--tls-cert', $certificate->{cert},
        '--tls-key', $certificate->{key}, '--to', "127.0.0.1:$port", @args, 0);
}

# Forwards connections to a server, record by record: what comes from the server
# goes through $pass, which returns the record to pass on, or undef to end the
# client's side; or the other way round. The server then gets a FIN, or a reset.
# Returns its port.
sub tls_middle {
    my ($port, $pass, $is_client, $resets) = @_;
    my $l = tcp_listener();
    Sockt::fork_child(sub {
        while (my $c = $l->accept) {
            my @both = ($c, tcp_client($port));
            pass($is_client ? reverse @both : @both, $pass, $resets);
        }
    });
    return $l->sockport;
}

# Instead of passing on the alert that ends TLS 1.3, a record of 24 bytes, it
# closes the client's side; or that of the client the server's; or it resets the
# server's side.
sub tls_cutter {
    my ($port, $who) = @_;
    return tls_middle($port, sub {
        my ($type, $size) = unpack 'Cx2n', $_[0];
        return $type == 23 && $size == 19 ? undef : $_[0];
    }, ($who // '') eq 'client', ($who // '') eq 'reset');
}

sub pass {
    my ($c, $s, $pass, $resets) = @_;
    my ($held, $done, $both) = ('', 0, IO::Select->new($c, $s));
    while (!$done) {
        for my $ready ($both->can_read) {
            my $n = sysread $ready, my $bytes, 65536;
            if ($ready == $s) { $held .= $bytes if $n; $done = !$n }
            elsif ($n) { syswrite $s, $bytes }
            else       { $both->remove($c); shutdown $s, 1 }
        }
        while (!$done && length $held >= 5) {
            my $length = 5 + unpack 'x3n', $held;
            last if length $held < $length;
            my $record = $pass->(substr $held, 0, $length, '');
            $done = !defined $record;
            syswrite $c, $record if !$done;
        }
    }
    setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0
        if $resets;
    close $s;
    shutdown $c, 1;
    1 while sysread $c, my $rest, 65536;
}

# What a server of POP3 does with a connection whose TLS, once it is asked for, is
# that of the server on a port.
sub pop3_front {
    my ($port) = @_;
    return sub {
        my ($c) = @_;
        syswrite $c, "+OK ready\r\n";
        sysread $c, my $line, 100;
        syswrite $c, "+OK go\r\n";
        pass($c, tcp_client($port), sub { $_[0] });
    };
}

# A server that answers each line with its reverse; CLOSE ends a connection.
sub tls_reverser { return tls_serve($_[0], '-rev') }

1;
