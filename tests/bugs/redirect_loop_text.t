# A loop of long URLs is named without a look beyond the text of it (seen with
# the address sanitizer: make sanitize).
use Sockt;
use SocktHttp;

my $url = qr{http://127\.0\.0\.1:\d+/a+};
for my $length (480, 500, 505, 510, 520, 560, 590, 2000, 8000) {
    my $path = '/' . 'a' x $length;
    my $r = get([map { answer('302 Go', '', "Location: $path") } 1 .. 3],
        $path, '-L', '-q', '--max-redirs', 2);
    is $r->{status}, 9, "$length bytes: exit status";
    like $r->{err}, qr{redirected more than 2 times, in a loop: $url(?:\.\.\.)? and again $url\n\z},
        'what is said';
}
done_testing;
