# Names: what -O may call a file, and where it lands.
use Sockt;
use SocktHttp;

use Cwd qw(getcwd);
my $home = getcwd;
my $dir = scratch();
chdir $dir or die $!;

# Fetches and returns the names of the files that came into being.
sub names {
    my ($path, $fields, @args) = @_;
    unlink glob '{*,.??*}';
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

is names('/url', ['Content-Disposition: attachment; filename="b"']), 'url',
    'the response names nothing';

unlink glob '*';
symlink 'elsewhere', 'link.part' or die $!;
my $r = get(answer('200 OK', 'x'), '/link', '-q', '-O');
is $r->{status}, 11, 'a link that was laid in its way is not followed';
ok !-e 'elsewhere', 'nothing is written there';

chdir $home;
done_testing;
