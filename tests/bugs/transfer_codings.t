# A transfer coding that was not asked for cannot be taken off the body: status
# 9, and no file. Empty elements of the list, and "identity", are none.
use Sockt;
use SocktHttp;

my $dir = scratch();

sub coded {
    my ($coding) = @_;
    return get("HTTP/1.1 200 OK\r\nTransfer-Encoding: $coding\r\n\r\n"
            . "5\r\nhello\r\n0\r\n\r\n", '/', '-q', '-o', "$dir/file");
}

for my $coding ('chunked, gzip', 'gzip, chunked', 'xchunked', "\x0bchunked",
    "x\e[1m") {
    my $r = coded($coding);
    is $r->{status}, 9, "a coding that was not asked for: exit status";
    like $r->{err}, qr/\Asockt[^\e]*transfer coding '[^\e]*not asked for\n\z/,
        'what is said';
    is_deeply [glob "$dir/*"], [], 'and no file';
}
for my $coding ('chunked,', ', chunked ,', 'chunked, identity',
    "identity,\r\nTransfer-Encoding: chunked") {
    my $r = coded($coding);
    is $r->{status}, 0, "'$coding': exit status";
    is slurp("$dir/file"), 'hello', 'the chunks are taken off';
    unlink "$dir/file";
}
my $r = get("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n"
        . "Content-Length: 9\r\n\r\nhello", '/', '-q');
is $r->{status}, 9, 'identity leaves the length in force';
done_testing;
