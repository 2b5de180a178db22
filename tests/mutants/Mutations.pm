# The one-token changes of C sources: where they can be made, and the text
# with one of them made.
#
# A change is a hash:
#   key       names it, whatever the lines around it: file, function, the line
#             with the change marked as {old -> new}, and a number where a
#             function has the same line twice
#   file, line, offset, old, new
#   function  undef in a table outside of functions
package Mutations;

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Exporter qw(import);

use Source;

our @EXPORT = qw(mutations mutated sampled);

# What stands between two operands, with white space on both sides.
my %binary = (
    '==' => ['!='], '!=' => ['=='],
    '<'  => ['<=', '>='], '<=' => ['<', '>'],
    '>'  => ['>=', '<='], '>=' => ['>', '<'],
    '&&' => ['||'], '||' => ['&&'],
    '+'  => ['-'], '-' => ['+'],
    '*'  => ['/'], '/' => ['*'], '%' => ['*'],
    '&'  => ['|'], '|' => ['&'], '^' => ['|'],
    '<<' => ['>>'], '>>' => ['<<'],
    '+=' => ['-='], '-=' => ['+='], '*=' => ['/='], '/=' => ['*='],
    '|=' => ['&='], '&=' => ['|='], '<<=' => ['>>='], '>>=' => ['<<='],
);
my $binary = join '|', map { quotemeta } sort { length $b <=> length $a }
    keys %binary;

my %word = (
    'true' => 'false', 'false' => 'true',
    'break' => 'continue', 'continue' => 'break',
    '++' => '--', '--' => '++',
);

# C of the same length in which comments, strings, characters and preprocessor
# lines are blank.
sub blanked {
    my ($c) = @_;
    $c =~ s{/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'}{
        $& =~ s/[^\n]/ /gr
    }gse;
    $c =~ s{^#(?:\\\n|[^\n])*}{$& =~ s/[^\n]/ /gr}gme;
    return $c;
}

# The parts of a file that can be changed: bodies of functions and values of
# tables, as hashes of start, end, function and bool, whether it returns one.
sub regions {
    my ($c) = @_;
    my @regions;
    while ($c =~ /^([a-z][^\n;{}()=]*\n)(\w+)\([^{};]*\)\n(\{\n.*?^\})/gsm) {
        my %region = (start => $-[3], end => $+[3], function => $2);
        $region{bool} = $1 =~ /\bbool\b/;
        push @regions, \%region;
    }
    while ($c =~ /^(?:static|const) [^;{}()]*=(.*?)^?[^\n]*;\n/gsm) {
        push @regions, { start => $-[1], end => $+[0] };
    }
    return @regions;
}

# Pairs of offset and length, and the replacements, of one region.
sub places {
    my ($r, $c) = @_;
    my $body = substr $c, $r->{start}, $r->{end} - $r->{start};
    my @places;
    my $add = sub {
        my ($at, $length, @new) = @_;
        push @places, [$r->{start} + $at, $length, @new];
    };
    while ($body =~ /(?<=[\w)\]] )($binary)(?=[ \n])/g) {
        $add->($-[1], length $1, @{ $binary{$1} });
    }
    while ($body =~ /(?<![\w)\]])([!~])(?!=)/g) {
        $add->($-[1], 1, '');
    }
    while ($body =~ /(\+\+|--|\b(?:true|false)\b|\b(?:break|continue)(?=;))/g) {
        $add->($-[1], length $1, $word{$1});
    }
    while ($body =~ /(?<![\w.])(0x[0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.])/g) {
        my ($at, $length, $suffix) = ($-[0], $+[0] - $-[0], $2);
        my $n = oct_or_number("$1");
        $add->($at, $length, map { "$_$suffix" } $n == 1 ? (0, 2) : $n + 1);
    }
    return @places unless defined $r->{function};
    # The call or the assignment that is a statement.
    while ($body =~ /(?<=[;{}:)]\n)\t+(?!if|for|while|switch|return|do)
        ( [a-z_]\w*\([^;{}]*\); | \*?[a-z_][\w.\[\]>-]*[ ][-+*\/|&]?=[^;{}]*;
        )(?=\n)/gx) {
        $add->($-[1], $+[1] - $-[1], ';');
    }
    while ($r->{bool} && $body =~ /\breturn ((?!true;|false;)[^;]+);/g) {
        $add->($-[1], length $1, undef);
    }
    return @places;
}

# The value of a number of C.
sub oct_or_number {
    no warnings 'portable';
    return $_[0] =~ /^0/ ? oct $_[0] : $_[0];
}

# The name of a change: see the top.
sub key {
    my ($file, $text, $at, $length, $new, $function, $seen) = @_;
    my $from = rindex($text, "\n", $at - 1) + 1;
    my $to = index $text, "\n", $at + $length;
    my $old = substr $text, $at, $length;
    my $line = substr($text, $from, $at - $from) . "{$old -> $new}"
        . substr $text, $at + $length, $to - $at - $length;
    $line =~ s/\s+/ /g;
    $line =~ s/^ | $//g;
    my $key = "$file " . ($function // 'table') . ": $line";
    my $n = ++$seen->{$key};
    return $n > 1 ? "$key #$n" : $key;
}

# All changes of a file.
sub mutations {
    my ($file) = @_;
    my $text = text($file);
    my $c = blanked($text);
    my (@found, %seen);
    for my $r (regions($c)) {
        for my $place (sort { $a->[0] <=> $b->[0] } places($r, $c)) {
            my ($at, $length, @new) = @$place;
            my $old = substr $text, $at, $length;
            for my $new (map { $_ // "!($old)" } @new) {
                push @found, {
                    key => key($file, $text, $at, $length, $new,
                        $r->{function}, \%seen),
                    file => $file, offset => $at, old => $old, new => $new,
                    line => 1 + (substr($text, 0, $at) =~ tr/\n//),
                    function => $r->{function},
                };
            }
        }
    }
    return @found;
}

# The text of the file with a change made.
sub mutated {
    my ($m) = @_;
    my $text = text($m->{file});
    substr($text, $m->{offset}, length $m->{old}) = $m->{new};
    return $text;
}

# The changes in the order in which a seed draws them. It depends on each
# change's name alone, so that an edit elsewhere does not draw others.
sub sampled {
    my ($seed, @mutations) = @_;
    my %rank = map { $_->{key} => md5_hex("$seed $_->{key}") } @mutations;
    return sort { $rank{ $a->{key} } cmp $rank{ $b->{key} } } @mutations;
}

1;
