# The manual pages and the option tables say the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Source;
use Test::More;

# The option names in the .It lines of a page: "-w", "--timeout".
sub documented {
    my ($page) = @_;
    my %names;
    for my $line ($page =~ /^\.It (.*\bFl\b.*)$/mg) {
        while ($line =~ /\bFl (?:Fl )?(-*)([\w-]+)/g) {
            my ($dashes, $name) = ($1, $2);
            $names{ length $name > 1 || $dashes ? "--$name" : "-$name" } = 1;
        }
    }
    return \%names;
}

my (%want, %seen);
for my $o (list_options()) {
    $want{ $o->{command} }{"--$o->{name}"} = 1 if defined $o->{name};
    $want{ $o->{command} }{"-$o->{letter}"} = 1 if defined $o->{letter};
}
for my $command (run('help')->{out} =~ /^  (\S+) +\S/mg) {
    my $path = "man/sockt-$command.1";
    ok -e "$Source::TOP/$path", "$command has a page" or next;
    my $page = text($path);
    my $have = documented($page);
    delete $have->{'--help'};
    my $want = $want{$command} // {};
    is join(' ', grep { !$have->{$_} } sort keys %$want), '',
        "$path documents every option";
    is join(' ', grep { !$want->{$_} } sort keys %$have), '',
        "$path documents no option that does not exist";
    my ($summary) = run('help')->{out} =~ /^  \Q$command\E +(.+)$/m;
    like $page, qr/^\.Nm sockt-\Q$command\E\n\.Nd \Q$summary\E$/m,
        "$path names it as sockt help does";
    like $page, qr/^\.Sh EXIT STATUS\n/m, "$path tells the exit status";
    like $page, qr/^\.Sh EXAMPLES\n/m, "$path has examples"
        unless $command =~ /^(?:help|completion)$/;
}

# Every event and every member that the sources name is in sockt(1).
my $main = text('man/sockt.1');
my ($events) = $main =~ /^\.Sh JSON EVENTS\n(.+?)^\.Sh /ms;
my (%event, %member);
for my $path (files('src/*/*.c')) {
    my $c = text($path);
    $event{$1} = $path while $c =~ /diag_event_begin\(\s*\S+,\s*"([^"]+)"/g;
    next if $path eq 'src/base/json.c';
    $member{$1} = $path
        while $c =~ /(?:json_(?!begin)\w+|addr_json)\((?:[^;"]|\n)*?"([a-z_]+)"/g;
}
cmp_ok scalar keys %event, '>', 8, 'the events are found';
is join(' ', grep { $events !~ /\bQl (?:[\w-]+ , )*\Q$_\E\b/m } sort keys %event), '',
    'sockt(1) tells of every event';
delete @member{qw(ip port path)};
is join(' ', grep { $events !~ /\b(?:Va|Ql) (?:[\w-]+ , )*\Q$_\E\b/m } sort keys %member),
    '', 'and of every member';

done_testing;
