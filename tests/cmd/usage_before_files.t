# A usage error comes before any file is opened, let alone emptied.
use Sockt;

my $dir = scratch();
my $file = spew("$dir/kept", 'kept');
my $port = free_port();

sub refuses {
    my ($name, @args) = @_;
    exits run(@args), 2, "$name: usage";
    is slurp($file), 'kept', '  and the file is as it was';
    is join(' ', map { s/.*\///r } glob "$dir/*"), 'kept', '  and alone';
}

for my $option ('-o', '-x') {
    refuses("-n NAME $option", 'connect', '-n', 'localhost', $port, $option,
        $file);
    refuses("-4 ::1 $option", 'connect', '-4', '::1', $port, $option, $file);
    refuses("-n, a proxy's NAME, $option", 'connect', '-n', '--proxy',
        "socks5://localhost:$port", '127.0.0.1', 1, $option, $file);
    refuses("a name with blanks by way of a proxy, $option", 'connect',
        '--proxy', "http://127.0.0.1:$port", 'a b', 1, $option, $file);
    refuses("a contradiction, $option", 'connect', '--done', '127.0.0.1',
        $port, $option, $file);
    refuses("listen -n NAME $option", 'listen', '-n', 'localhost', 0, $option,
        $file);
    refuses("listen --user nobody, $option", 'listen', '--user', 'no/body', 0,
        $option, $file);
}
refuses('http-get -n NAME', 'http-get', '-n', '-o', $file,
    "http://localhost:$port/");
refuses('http-get -n NAME, the second one', 'http-get', '-n',
    "http://127.0.0.1:$port/", "http://localhost:$port/");
refuses('http-get -4 [::1]', 'http-get', '-4', '-o', "$dir/new",
    "http://[::1]:$port/");
refuses("http-get -n, a proxy's NAME", 'http-get', '-n', '-o', "$dir/new",
    '--proxy', "http://localhost:$port", 'http://127.0.0.1/');

my $r = run({ env => { http_proxy => "http://localhost:$port" } }, 'http-get',
    '-n', '-o', "$dir/new", 'http://127.0.0.1/');
is $r->{status}, 2, 'the same from the environment';
ok !-e "$dir/new.part", '  and nothing was made';

# A target is asked for at every connection, but it is known at the start.
exits run({ timeout => 5 }, 'listen', '-n', 0, '--to', "localhost:$port"), 2,
    'listen -n --to NAME, before it listens', no_err => qr/listening/;

done_testing;
