# Completions come from the option tables: bash is asked for real.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Source;
use Test::More;

for my $shell (qw(bash zsh fish)) {
    my $r = run('completion', $shell);
    is "$r->{status} $r->{err}", '0 ', "completion $shell";
    my @absent = grep {
        my $name = $_;
        $r->{out} !~ ($shell eq 'fish' ? qr/-l \Q$name\E /
                                       : qr/--\Q$name\E(?![\w-])/)
    } map { $_->{name} // () } list_options();
    is "@absent", '', '  knows every option';
}
my $r = run('completion', 'tcsh');
is $r->{status}, 2, 'another shell is a usage error';
like $r->{err}, qr/'tcsh' must be bash, zsh or fish/, 'that is told';
is run('completion')->{status}, 2, 'no shell is one too';

chomp(my $bash = `sh -c "command -v bash"` // q());
SKIP: {
    skip 'no bash here', 16 unless $bash;
    my $script = scratch() . '/sockt.bash';
    spew($script, run('completion', 'bash')->{out});

    # What bash offers for these words, the last of which is being typed.
    my $offers = sub {
        my $r = run({ command => $bash }, '--norc', '-c',
            'source "$1"; shift; COMP_WORDS=("$@"); '
                . 'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sockt; '
                . 'printf "%s\n" "${COMPREPLY[@]}"',
            'bash', $script, @_);
        is $r->{err}, '', "no complaint for '@_'";
        return join ' ', sort grep { length } split /\n/, $r->{out};
    };
    is $offers->('sockt', 'conn'), 'connect', 'a command';
    like $offers->('sockt', ''), qr/\bconnect\b.*\blisten\b/, 'all of them';
    is $offers->('sockt', 'connect', '--idle'), '--idle-timeout', 'an option';
    is $offers->('sockt', 'connect', '--on-eof', ''), 'fin keep quit',
        'the words of a choice';
    is $offers->('sockt', 'connect', '--on-eof', '=', 'k'), 'keep',
        'also behind =';
    is $offers->('sockt', 'help', 'li'), 'listen', 'a command for help';
    is $offers->('sockt', 'help', 'soc'), 'socat', 'a program for help';
    spew(scratch() . '/x', '');
    my $dir = scratch();
    spew("$dir/some-file", '');
    is $offers->('sockt', 'connect', '-o', "$dir/so"), "$dir/some-file",
        'a file';
}

done_testing;
