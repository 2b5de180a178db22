# An openssl that encrypts nothing, so that what sockt does around TLS can be
# tested without it. It answers 's_client' as openssl does, and relays.
package PlainTls;

use strict;
use warnings;
use Exporter qw(import);
use Sockt;

our @EXPORT = qw(plain_tls);

my $PROGRAM = <<'END';
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

open my $log, '>>', "$0.log" or die $!;
print $log "@ARGV\n";
close $log;
my %o = @ARGV[1 .. $#ARGV], 0;
my ($path) = "@ARGV" =~ /-unix (\S+)/;
my $s = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!";
sub fail { print STDERR @_; exit 1 }
fail("verify error:num=10:certificate has expired\n")
    if $ENV{PLAIN_TLS} eq 'expired' && "@ARGV" =~ /-verify_return_error/;
print STDERR "CONNECTION ESTABLISHED\nProtocol version: TLSv1.3\n",
    "Ciphersuite: NONE\nPeer certificate: CN = test\nVerification: OK\n";
my $both = IO::Select->new($s, \*STDIN);
while (1) {
    for my $ready ($both->can_read) {
        my $n = sysread $ready, my $bytes, 65536;
        if ($ready == $s) {
            fail("1:error:0A000126:SSL routines:ssl3_read_n:unexpected eof "
                    . "while reading:../ssl/record/rec_layer_s3.c:308:\n")
                if !$n && $ENV{PLAIN_TLS} eq 'cut';
            exit 0 if !$n;
            while (length $bytes) {
                my $w = syswrite STDOUT, $bytes or exit 1;
                substr $bytes, 0, $w, '';
            }
            next;
        }
        if (!$n) { $both->remove($ready); next }
        syswrite $s, $bytes;
    }
}
END

# Makes one: { path, log }. The path is for PATH, the log has the arguments of
# each run. PLAIN_TLS in the environment is "", "expired" or "cut": the peer
# closes the connection without the end of TLS.
sub plain_tls {
    my $dir = scratch();
    spew("$dir/openssl.log", '');
    spew("$dir/openssl", "#!$^X\n$PROGRAM");
    chmod 0755, "$dir/openssl";
    return { path => "$dir:$ENV{PATH}", log => "$dir/openssl.log" };
}

1;
