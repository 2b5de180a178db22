# What runs the manual's examples finds what is untrue in them.
use Sockt;
use Examples;
use ExamplePage;

my $dir = scratch();

# A page with that text.
sub page { return ExamplePage->new(spew("$dir/page.1", $_[0])) }

# A page with one display of these lines.
sub display {
    return page(join "\n", '.Bd -literal',
        (map { s/\\/\\e/gr =~ s/^(?=\.)/\\&/r } map { split /\n/ } @_), ".Ed\n");
}

# What is wrong with a page's examples; '' when they are true.
sub faults {
    my ($page) = @_;
    return join '', Examples::page_faults($page),
        grep { defined } map { Examples::run_session($page, $_) }
        Examples::sessions($page);
}

is faults(display('$ echo hi', 'hi')), '', 'a true example';
like faults(display('$ echo hi', 'ho')), qr/something else.*ho.*hi/s,
    'a false one';
like faults(display('$ echo hi', 'hi', 'ho')), qr/something else/,
    'one that shows more than is printed';
like faults(display('$ echo hi; echo ho', 'hi')), qr/more is printed/,
    'one that shows less';
like faults(display('$ echo hi')), qr/more is printed/, '... or nothing';
like faults(display('sockt: hi')), qr/page.1:2: a display without a prompt/,
    'a display that is neither run nor marked';
is faults(page(".\\\"example: form\n.Dl Host: name\n")), '', '... marked';
is faults(display('$ echo a; echo b; echo c', '...', 'c')), '', 'some lines';
is faults(display('$ echo a; sleep 0.1; echo b', 'a', '...')), '',
    '... at the end of what is printed';
is faults(display('$ printf "1 2   3\n"', '1 2', '    3')), '',
    'blanks, and where a line is broken';
is faults(display('$ (exit 3)', '$ echo $?', '3', '$ cd /', '$ pwd', '/')), '',
    'one shell for all';
is faults(display('$ echo a \\', '    b', 'a b')), '', 'a long command';
is faults(page(".\\\"example: file f\n.Dl data\n.Dl \$ grep -q data f\n")), '',
    'a file';
is faults(page(".\\\"\$ printf 'data\en' >f\n.Dl \$ grep -q data f\n")), '',
    'a hidden step';
like faults(page(".\\\"\$ echo hi\n.Dl \$ true\n")), qr/more is printed/,
    '... is compared, too';

my $hello = <<'END';
server$ sockt serve-hello -v
sockt serve-hello: listening on 127.0.0.1 port 9999 (TCP)
sockt serve-hello: listening on ::1 port 9999 (TCP)
client$ sockt connect -v 127.0.0.1 9999
sockt connect: connected to 127.0.0.1 port 9999 from 127.0.0.1 port 50000
    in 1.5 ms
Welcome!
client> Michael
Hello, Michael!
client> exit
...
server>
sockt serve-hello: accepted 127.0.0.1 port 50000 on 127.0.0.1 port 9999
...
server> ^C
END
is faults(display($hello)), '', 'two terminals, ports, times and keys';
$Sockt::PATIENCE = 3 unless $ENV{SOCKT_PATIENCE};
like faults(display($hello =~ s/(accepted.*?)50000/${1}50001/r)),
    qr/something else/, 'another port where it must be the same';

is join(' ', grep { !-e "$Sockt::TOP/tests/examples/$_.t" } 'README',
    map { s{.*/}{}r } glob "$Sockt::TOP/man/*.[0-9]"), '',
    'every page has its test';

done_testing;
