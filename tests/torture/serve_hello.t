# serve-hello with each of its system calls failing; see Torture.pm.
use Torture;

my $talk = { steps => [ [ until => qr/Welcome!/ ], [ send => "Michael\n" ],
    [ until => qr/Michael!\n/ ], [ pause => 0.01 ],
    [ send => "Tracy\nexit\n" ], [ until => 'eof' ] ] };
my $said = "Welcome!Hello, Michael!\nHello, Tracy!\n";

scenario 'serve-hello',
    args    => 'serve-hello 127.0.0.1 0',
    stdin   => 'null',
    clients => [ ($talk) x 3 ],
    stop    => 'TERM',
    out     => '',
    got     => [ ($said) x 3 ];

my $page = head_of('GET / HTTP/1.1', 'Host: localhost', 'Connection: close');
scenario 'serve-hello-http',
    args    => 'serve-hello --http localhost 0',
    stdin   => 'null',
    clients => [ ({ steps => [ [ send => substr $page, 0, 20 ],
        [ pause => 0.01 ], [ send => substr $page, 20 ],
        [ until => 'eof' ] ] }) x 2 ],
    stop => 'TERM',
    got  => [ (qr{\AHTTP/1.1 200 OK\r\n.*\r\n\r\nHello!\z}s) x 2 ];

torture();
