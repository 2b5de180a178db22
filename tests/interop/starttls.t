# connect --starttls with Exim, Dovecot, vsftpd and PostgreSQL: TLS begins,
# the protocol goes on within it, and the certificate's days are checked.
use Sockt;
use SocktTls;

plan skip_all => 'servers of mail need root' unless is_root();
# Dovecot has a second port.
own_network() or plan skip_all => 'no network of its own';

$ENV{PATH} .= ':/usr/sbin:' . ((glob '/usr/lib/postgresql/*/bin')[0] // '');
my $dir = scratch();
chmod 0755, $dir;
mkdir "$dir/$_" or die $! for qw(empty mail);
my $ca = tls_authority("$dir/ca");
my ($cert, $key) = @{ tls_certificate($ca, 'good', 'DNS:localhost') }{qw(cert key)};
my @ca = ('--tls-ca', "$dir/ca/ca.pem");
my $nobody = getpwnam 'nobody';
# The servers of mail and data read the key as this user.
chown $nobody, -1, "$dir/mail", $key;

my ($exim, $smtp) = start_server({ conf => <<"C" }, 'exim4', '-bdf', '-C', 'CONF');
local_interfaces = <; 127.0.0.1
daemon_smtp_ports = PORT
primary_hostname = localhost
exim_user = nobody
exim_group = nogroup
spool_directory = $dir/mail
log_file_path = $dir/mail/%slog
keep_environment =
tls_advertise_hosts = *
tls_certificate = $cert
tls_privatekey = $key
C
my ($dovecot, $imap) = start_server({ conf => <<"C" }, 'dovecot', '-F', '-c', 'CONF');
base_dir = $dir/dovecot
state_dir = $dir/dovecot
log_path = $dir/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <$cert
ssl_key = <$key
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
service imap-login {
  inet_listener imap {
    port = PORT
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3s {
    port = 0
  }
}
passdb {
  driver = static
}
C
await_listener(110);
my $ftp = <<"C";
listen=YES
background=NO
listen_address=127.0.0.1
listen_port=PORT
secure_chroot_dir=$dir/empty
anon_root=$dir/empty
ftp_username=nobody
C
my ($vsftpd, $ftps) = start_server({ conf => <<"C" }, 'vsftpd', 'CONF');
${ftp}ssl_enable=YES
rsa_cert_file=$cert
rsa_private_key_file=$key
C

# It refuses to be root.
my @nobody = ('setpriv', '--reuid', $nobody, '--clear-groups');
my $data = "$dir/postgres";
mkdir $data or die $!;
chown $nobody, -1, $data;
my @quick = ('-A', 'trust', '-U', 'me', '-N', '--no-instructions');
exits run({ command => 'setpriv', timeout => 60 }, @nobody[1 .. 3], 'initdb', @quick,
    '-D', $data), 0, 'a database is made';
my ($postgres, $sql) = start_server(@nobody, 'postgres', '-D', $data, '-p', 'PORT',
    '-h', '127.0.0.1', '-k', '', '-F', '-c', 'ssl=on', '-c', "ssl_cert_file=$cert",
    '-c', "ssl_key_file=$key");

# What is sent within TLS, what is answered, and how it ends.
my $startup = pack 'N', 196608;
$startup .= join "\0", qw(user me database postgres), '', '';
for my $row (
    ['smtp', $smtp, "EHLO me\r\nQUIT\r\n", 0, qr/^250 HELP\r\n221 /m],
    ['imap', $imap, "a CAPABILITY\r\nb LOGOUT\r\n", 0, qr/^a OK .*^b OK /ms],
    ['pop3', 110, "CAPA\r\nQUIT\r\n", 0, qr/^USER\r\n.*^\+OK Logging out\r\n/ms],
    # It ends TCP without ending TLS.
    ['ftp', $ftps, "PBSZ 0\r\nQUIT\r\n", 10, qr/^200 PBSZ set to 0\.\r\n221 /],
    ['postgres', $sql, pack('N', 4 + length $startup) . $startup . pack('CN', ord 'X', 4),
        0, qr/^R\0\0\0\x08\0{4}S.*Z\0\0\0\x05I$/s],
) {
    my ($protocol, $port, $says, $status, $answer) = @$row;
    my @connect = ('connect', '--starttls', $protocol, @ca);
    exits run({ stdin => $says }, @connect, '-v', 'localhost', $port), $status,
        "$protocol goes on within TLS", out => $answer, err => qr/, verified, /;
    exits run(@connect, '-z', 'localhost', $port), 0, '  -z';
    exits run(@connect, '-z', '--tls-days', 5, 'localhost', $port), 9,
        '  a certificate that expires', err => qr/expires in \d days?/;
    exits run('connect', '--starttls', $protocol, '-z', 'localhost', $port), 9,
        '  an unknown authority', err => qr/certificate/;
}
exits run('connect', '--starttls', 'smtp', '-z', 'localhost', 110), 9,
    'another protocol', err => qr/answers the connection with '\+OK/;
(my $plain, $ftp) = start_server({ conf => $ftp }, 'vsftpd', 'CONF');
exits run('connect', '--starttls', 'ftp', '-z', 'localhost', $ftp), 8,
    'a server without TLS', err => qr/declined \(AUTH TLS\): 530 /;

$_->stop for $exim, $dovecot, $vsftpd, $plain, $postgres;
done_testing;
