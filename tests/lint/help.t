# Every command's --help: on stdout, status 0, every option, at most 80 columns.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Source;
use Test::More;

my %options;
push @{ $options{ $_->{command} } }, $_ for list_options();
my @commands = run('help')->{out} =~ /^  (\S+) +\S/mg;
cmp_ok scalar @commands, '>', 1, 'the commands are found';

sub mentions {
    my ($help, $o) = @_;
    return $help =~ /^ +(?:-\Q@{[$o->{letter} \/\/ 'x']}\E, )?--\Q$o->{name}\E(?![\w-])/m
        if defined $o->{name};
    return $help =~ /^ +-\Q$o->{letter}\E(?!\w)/m;
}

for my $command (@commands) {
    my $r = run($command, '--help');
    is $r->{status}, 0, "$command --help ends well";
    is $r->{err}, '', '  and says nothing on stderr';
    like $r->{out}, qr/\Ausage: sockt \Q$command\E /, '  begins with the usage';
    my @absent = map { $_->{name} // $_->{letter} }
        grep { !mentions($r->{out}, $_) } @{ $options{$command} };
    is "@absent", '', '  mentions every option';
    my @wide = grep { length > 80 } split /\n/, $r->{out};
    is join("\n", @wide), '', '  has no line over 80 columns';
    unlike $r->{out}, qr/[ \t]+$/m, '  has no blanks at line ends';
    is run('help', $command)->{out}, $r->{out}, "  is what help $command says";
}

done_testing;
