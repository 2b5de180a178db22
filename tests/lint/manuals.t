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
    next unless -e "$Source::TOP/$path";
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
ok -e "$Source::TOP/tests", 'the tree is there';

done_testing;
