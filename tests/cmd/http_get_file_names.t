# Names: what -O and --content-disposition may call a file, and where it lands.
use Sockt;
use SocktHttp;

use Cwd qw(getcwd);
my $home = getcwd;
my $dir = scratch();
chdir $dir or die $!;

# Fetches and returns the names of the files that came into being.
sub names {
    my ($path, $fields, @args) = @_;
    unlink glob '* .??*';
    my $r = get(answer('200 OK', 'x', @$fields), $path, '-q', '-O', @args);
    is $r->{status}, 0, "$path: exit status" or diag $r->{err};
    opendir my $d, '.' or die $!;
    return join ' ', sort grep { !/^\.\.?$/ } readdir $d;
}

for my $case (
    ['/a/b.txt'       => 'b.txt'], ['/b.txt?c=/d#e' => 'b.txt'],
    ['/a%20b'         => 'a b'],   ['/a%2Fb'        => 'a_b'],
    ['/..%2f..%2fetc' => '_._.._etc'],
    ['/.bashrc'       => '_bashrc'], ['/%2e%2e'     => '_.'],
    ['/-rf'           => '_rf'],   ['/a%1b%5bb'     => 'a_[b'],
    ['/%c3%a4'        => "\xc3\xa4"], ['/%ff'       => '_'],
    ['/a%e2%80%aegpj.exe' => 'a_gpj.exe'],
    ['/%c2%9bx'       => '_x'],    ['/a%5cb'        => 'a_b'],
    ['/' . 'n' x 300  => 'n' x 239],
) {
    is names($case->[0], []), $case->[1],
        'its name';
}

for my $case (
    ['attachment; filename="b.txt"'            => 'b.txt'],
    ['attachment; filename=b.txt; x=y'         => 'b.txt'],
    ['inline; FileName = "b \"c\".txt"'        => 'b "c".txt'],
    [q{attachment; filename="a"; filename*=UTF-8''%e2%82%ac.txt}
        => "\xe2\x82\xac.txt"],
    [q{attachment; filename*=iso-8859-1'en'%a3; filename="b"} => 'b'],
    ['attachment; filename="../../etc/passwd"' => 'passwd'],
    ['attachment; filename="c:\\\\dir\\\\b.txt"' => 'b.txt'],
    ['attachment; filename=".profile"'         => '_profile'],
    [q{attachment; filename*=UTF-8''..%2f.ssh%2fid} => 'id'],
    ['attachment'                              => 'url'],
    ['attachment; filename=""'                 => 'url'],
    ['attachment; filename="dir/"'             => 'url'],
    ['attachment; xfilename="b"'               => 'url'],
) {
    is names('/url', ["Content-Disposition: $case->[0]"],
        '--content-disposition'), $case->[1], $case->[0];
}
is names('/url', ['Content-Disposition: attachment; filename="b"']), 'url',
    'the response names nothing unless it may';

unlink glob '*';
spew('b', 'precious');
my $r = get(answer('200 OK', 'x', 'Content-Disposition: x; filename=b'), '/u',
    '-q', '-O', '--content-disposition');
is $r->{status}, 11, 'a name from the response overwrites nothing';
is slurp('b'), 'precious', 'it is as it was';
symlink 'elsewhere', 'link.part' or die $!;
$r = get(answer('200 OK', 'x'), '/link', '-q', '-O');
is $r->{status}, 11, 'nor follows a link that was laid in its way';
ok !-e 'elsewhere', 'nothing is written there';
for my $case (['-r', '1-1'], ['-I']) {
    $r = get("HTTP/1.1 206 Part\r\nContent-Disposition: x; filename=b\r\n"
            . "Content-Range: bytes 1-1/3\r\nContent-Length: 1\r\n\r\n"
            . ($case->[0] eq '-I' ? '' : 'x'),
        '/u', '-q', '-O', '--content-disposition', @$case);
    is $r->{status}, 11, "nor with @$case";
    like $r->{err}, qr/: b exists \(--force overwrites it\)$/, '  why';
    is slurp('b'), 'precious', '  it is as it was';
}
$r = get(answer('200 OK', 'x'), '/', '-q', '-O', '--content-disposition');
is $r->{status}, 11, 'no name at all';
like $r->{err}, qr/neither the response nor the URL names a file$/, '  is told';
is run('http-get', '--content-disposition', 'http://a/')->{status}, 2,
    '--content-disposition without -O is refused';

chdir $home;
done_testing;
