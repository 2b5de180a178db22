# http-get -v shows the request as it is sent, line by line, escaped.
use Sockt;
use SocktHttp;

# The lines "> ..." of a run.
sub shown {
    my ($r) = @_;
    return join "\r\n", map({ /^> (.*)/ ? $1 : () } split /\n/, $r->{err}), '';
}

my $r = get(answer('200 OK', 'body'), '/a?b', '-v', '-H', 'X-Test: yes');
is $r->{out}, 'body', 'the body is on stdout';
is shown($r), (requests($r->{server}))[0], 'the request is shown as it is sent';
like $r->{err}, qr/^> GET \/a\?b HTTP\/1\.1\n/m, 'its first line';
like $r->{err}, qr/^> \nHTTP\/1\.1 200 OK\r?\n/m, 'its end, then the response';
$r = get(answer('200 OK', 'body'), '/', '-v', '-H', "X-Test: \xc2\x9b");
like $r->{err}, qr/^> X-Test: \\xc2\\x9b\n/m, 'control characters are escaped';
$r = get([answer('302 Found', '', 'Location: /b'), answer('200 OK', 'x')], '/',
    '-vL');
is join(' ', $r->{err} =~ /^> GET (\S+)/mg), '/ /b', 'each request';
for my $options ([], ['-q'], ['-v', '--json']) {
    $r = get(answer('200 OK', 'body'), '/', @$options);
    unlike $r->{err}, qr/^>/m, "not with '@$options'";
}

done_testing;
