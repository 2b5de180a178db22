# zsh and fish take the completions written for them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Sockt;
use Test::More;

my $dir = scratch();
spew("$dir/_sockt", run('completion', 'zsh')->{out});
my $r = run({ command => 'zsh' }, '-f', '-c',
    'autoload -Uz compinit && compinit -D -u && source "$1" '
        . '&& print $_comps[sockt]', 'zsh', "$dir/_sockt");
is "$r->{out}$r->{err}", "_sockt\n", 'zsh knows who completes sockt';
# Each _arguments line is well-formed when it can be parsed in earnest.
$r = run({ command => 'zsh' }, '-f', '-c', <<'END', 'zsh', "$dir/_sockt");
    compdef() { }
    source "$1"
    _arguments() { print -r -- ${#@} }
    _describe() { print -r -- ${#commands} commands }
    words=(sockt connect --on) CURRENT=3 _sockt
    words=(sockt c) CURRENT=2 _sockt
END
like $r->{out}, qr/\A[3-9]\d\n\d+ commands\n\z/, 'and it comes to its options';
is $r->{err}, '', 'without complaint';

spew("$dir/sockt.fish", run('completion', 'fish')->{out});
my %offers = (
    'conn'                => qr/\Aconnect\t.+\n\z/,
    'connect --idle'      => qr/\A--idle-timeout\t.+\n\z/,
    'connect --on-eof '   => qr/\Afin\t.*\nkeep\t.*\nquit\t.*\n\z/,
    'listen --on-peer-eof f' => qr/\Afinish\t.*\n\z/,
);
for my $typed (sort keys %offers) {
    $r = run({ command => 'fish', env => { HOME => $dir } }, '-c',
        "source $dir/sockt.fish; complete -C 'sockt $typed'");
    like $r->{out}, $offers{$typed}, "fish completes 'sockt $typed'";
    is $r->{err}, '', '  without complaint';
}

done_testing;
