# Credentials belong to an origin: those of the first URL go nowhere else, and
# those in a Location are the ones that it is asked with.
use Sockt;
use MIME::Base64 qw(encode_base64);
use SocktHttp;

sub to { return answer('302 Go', '', "Location: $_[0]") }

# The credentials of each request of a server, '-' for none.
sub users {
    return join ' ', map {
        /^Authorization: Basic (\S+)/m ? MIME::Base64::decode($1) : '-'
    } requests($_[0]);
}

# A URL of the server with credentials in it.
sub with { my ($s, $user, $path) = @_; return $s->{url} =~ s{//}{//$user@}r . $path }

my $second = http_server([answer('200 OK', 'yes')]);
my $r = get([to(with($second, 'b:2', '/x'))], '/', '-q', '-L', '-u', 'a:1');
is $r->{out}, 'yes', 'another origin';
is users($r->{server}), 'a:1', 'the first is asked with its own';
is users($second), 'b:2', 'the second with those of the Location';

$second = http_server([to('/y'), answer('200 OK', 'yes')]);
$r = get([to(with($second, 'b:2', '/x'))], '/', '-q', '-L', '-u', 'a:1');
is users($second), 'b:2 b:2', 'which its own origin is asked with again';

my $third = http_server([answer('200 OK', 'yes')]);
$second = http_server(to("$third->{url}/z"));
$r = get([to(with($second, 'b:2', '/x'))], '/', '-q', '-L', '-u', 'a:1');
is users($third), '-', 'and no other one';

my $s = http_server(sub {
        my ($c, $head) = @_;
        my ($host) = $head =~ /^Host: (\S+)/m;
        syswrite $c, to("http://b:2\@$host/x");
    }, answer('200 OK', 'yes'));
$r = run('http-get', '-q', '-L', with($s, 'a:1', '/'));
is $r->{out}, 'yes', 'the same origin';
is users($s), 'a:1 b:2', 'those of the Location there too';

$r = get([to('/b'), answer('200 OK', 'yes')], '/', '-q', '-L', '-u', 'a:1');
is users($r->{server}), 'a:1 a:1', 'a Location without any keeps them';
$s = http_server([to('/b'), answer('200 OK', 'yes')]);
$r = run('http-get', '-q', '-L', '-u', 'c:3', with($s, 'a:1', '/'));
is users($s), 'c:3 c:3', '--user stands in for those in the URL throughout';
done_testing;
