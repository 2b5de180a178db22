# Compares what a page shows with what a program printed. What differs between
# two runs is put aside: durations, rates, dates, digests and process ids may be
# any, and ports that the system chose must be the same wherever the page has the
# same one. Blanks, and where a long line is broken (four spaces in front of the
# rest), don't count.
package Transcript;

use strict;
use warnings;

# Ports above this one are chosen by the system.
our $EPHEMERAL = 32768;

my $VARIES = qr{
    (?<date>(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\ \d\d\ \w{3}\ \d{4}
        \ \d\d:\d\d:\d\d\ GMT)
  | (?<date>20\d\d-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:\.\d{6})?)
  | (?<time>(?<![\d.])[\d.]+(?:/[\d.]+)+\ ms)
  | (?<time>(?<![\d.])\d+(?:\.\d+)?\ (?:us|ms|s|min|h)\b(?!\ \(--))
  | (?<rate>(?<![\d.])\d+(?:\.\d+)?\ (?:[KMGT]i)?B/s)
  | (?<json>(?<=":)\d+\.\d+(?:e-?\d+)?)
  | (?<port>(?<=port\ )\d{5}|(?<=":)\d{5}|(?<=:)\d{5}|(?<=\d\.)\d{5}(?=[:\ ])|(?m:^)(?=\d{5}(?m:$))\d{5})(?!\d)
  | (?<digest>(?<![\da-f])[\da-f]{64}(?![\da-f]))
  | (?<count>\d+\ segments?\ lost,\ sent\ \d+\ times)
  | (?<count>\d+\ bytes,\ \d+\ of\ them(?=\ not\ acknowledged))
  | (?<count>(?<=accepted\ )\d+\ of\ \d+(?=\ bytes))
  | (?<count>(?<=expires\ in\ )\d+\ days?)
  | (?<pid>(?<=process\ )\d+|(?<=pid\ )\d+|(?<="pid":)\d+)
  | (?<digest>\b[0-9a-f]{64}\b)
  | (?<bar>(?<=\|)[\#\ ]+(?=\|))
}x;

# Text with marks for what varies, and those values in their order.
sub normalise {
    my ($text) = @_;
    my @values;
    $text =~ s/[ \t]+$//mg;
    $text =~ s/\n {4,}/ /g;
    $text =~ s/[ \t]+/ /g;
    $text =~ s{$VARIES}{
        my ($kind) = keys %+;
        my $value = $+{$kind};
        if ($kind eq 'port' && $value < $EPHEMERAL) {
            $value;
        } else {
            push @values, [$kind, $value];
            "\x02$kind\x03";
        }
    }ge;
    return ($text, @values);
}

# A pattern for the start of normalised output: the lines that are shown, where
# "..." is any number of lines. With whole, every line has to be complete.
sub pattern {
    my ($whole, @lines) = @_;
    my ($shown) = normalise(join "\n", @lines);
    my @parts = split /\n/, $shown, -1;
    my $last = pop @parts;
    my $any = '(?:[^\n]*\n)*?';
    my $end = $whole ? '\n' : '(?:\n|\z)';
    my $pattern = join '', map { $_ eq '...' ? $any : quotemeta($_) . '\n' }
        @parts;
    $pattern .= $last eq '...' ? '(?:[^\n]*\n)*' : quotemeta($last) . $end;
    return qr/\A$pattern/;
}

# Whether the values of a page and of a run can be the same ones: ports and
# process ids keep their names. Names is a hash that remembers them. A run may
# have more of them, where the page leaves lines out.
sub same_values {
    my ($names, $page, $run) = @_;
    for my $i (0 .. $#$page) {
        my ($kind, $shown) = @{ $page->[$i] };
        next unless $kind =~ /port|pid/;
        my $real = $run->[$i][1];
        return 0 if ($names->{page}{"$kind $shown"} //= $real) ne $real;
        return 0 if ($names->{run}{"$kind $real"} //= $shown) ne $shown;
    }
    return 1;
}

# Lines with their continuations.
sub logical {
    my @lines;
    for my $line (@_) {
        if (@lines && $line =~ /^ {4,}/) {
            $lines[-1] .= "\n$line";
        } else {
            push @lines, $line;
        }
    }
    return @lines;
}

1;
