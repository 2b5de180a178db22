# FILE.part obeys the rule of FILE: what is there and was not left by an earlier
# run is not overwritten without --force.
use Sockt;
use SocktHttp;

my $dir = scratch();
my $whole = answer('200 OK', 'whole');

spew("$dir/f.part", 'precious');
for my $flags ([], ['-c']) {
    my $r = get($whole, '/', '-q', @$flags, '-o', "$dir/f");
    is $r->{status}, 11, "a foreign FILE.part, @$flags: exit status";
    is slurp("$dir/f.part"), 'precious', 'it is as it was';
    like $r->{err}, qr/f\.part exists and was not left by an earlier run \(--force/,
        'what is said';
}
my $r = get($whole, '/', '-q', '-f', '-o', "$dir/f");
is slurp("$dir/f"), 'whole', '--force overwrites it';
is_deeply [glob "$dir/f*"], ["$dir/f"], 'nothing else is left';
$r = get("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", '/', '-q', '-o',
    "$dir/g");
is -s "$dir/g.part", 5, 'one that an earlier run has left, without a validator';
$r = get($whole, '/', '-q', '-o', "$dir/g");
is slurp("$dir/g"), 'whole', 'is begun anew';
is_deeply [glob "$dir/g*"], ["$dir/g"], 'nothing else is left';

# Another name of stdout is written as it is, whatever stdout is.
spew("$dir/out", 'before ');
open my $out, '>>', "$dir/out" or die $!;
$r = get($whole, '/', { stdout => $out }, '-q', '-o', '/dev/stdout');
is $r->{status}, 0, '-o /dev/stdout, which is a regular file: exit status';
is slurp("$dir/out"), 'before whole', 'it is appended to';
done_testing;
