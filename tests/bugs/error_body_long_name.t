# The body of an error could not be kept, since its name was too long, and the
# name was so long in the message that the reason was cut off.
use Sockt;
use SocktHttp;

my $dir = scratch();
chdir $dir or die $!;

# NAME.part is as long as a path can be; NAME.error is longer.
my $r = get(answer('404 No', 'no'), '/', '-q', '-o', './' x 2043 . 'long');
is $r->{status}, 11, 'the body of an error has no file';
like $r->{err}, qr{^sockt http-get: writing \./\N*\.\.\.: file name too long$}m,
    'what is said';
is_deeply [glob '*'], [], 'nothing is left';

chdir '/';
done_testing;
