# Compares what a page shows with what a program printed. What differs between
# two runs is put aside: durations, rates, dates and process ids may be any,
# and ports that the system chose must be the same wherever the page has the
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
  | (?<time>(?<![\d.])[\d.]+(?:/[\d.]+)+\ ms)
  | (?<time>(?<![\d.])\d+(?:\.\d+)?\ (?:us|ms|s|min|h)\b(?!\ \(--))
  | (?<rate>(?<![\d.])\d+(?:\.\d+)?\ (?:[KMGT]i)?B/s)
  | (?<json>(?<=":)\d+\.\d+(?:e-?\d+)?)
  | (?<port>(?<=port\ )\d{5}|(?<=":)\d{5}|(?<=:)\d{5}|(?<=\d\.)\d{5}(?=[:\ ])|(?m:^)(?=\d{5}(?m:$))\d{5})(?!\d)
  | (?<count>(?<=accepted\ )\d+\ of\ \d+(?=\ bytes))
  | (?<pid>(?<=process\ )\d+|(?<=pid\ )\d+|(?<="pid":)\d+)
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

# Lines as a page shows them after the ones it showed before: a line that only
# varies is kept as it was, others are broken at width columns.
sub rewrite {
    my ($names, $width, $old, $new) = @_;
    my %kept;
    for my $line (logical(@$old)) {
        my ($normal) = normalise($line);
        push @{ $kept{$normal} }, $line;
    }
    # Lines that are kept first: they say which port is which in the page.
    my @found;
    for my $line (logical(split /\n/, $new)) {
        my ($normal, @values) = normalise($line);
        my $same = shift @{ $kept{$normal} // [] };
        undef $same if defined $same
            && !same_values($names, [page_values($same)], \@values);
        push @found, [$line, $same];
    }
    return map { ref ? parts($_->[1] // join "\n",
            wrap($width, rename_values($names, $_->[0]))) : $_ }
        abridge([logical(@$old)], \@found);
}

# Leaves out again what the page left out with "...": the lines between those
# that stand for the lines around it.
sub abridge {
    my ($old, $found) = @_;
    my @want = map { kind_of($_) } @$old;
    return @$found if !grep { $_ eq '...' } @want;
    my @have = map { kind_of($_->[0]) } @$found;
    my @length = map { [(0) x (@have + 1)] } 0 .. @want;
    for my $i (reverse 0 .. $#want) {
        for my $j (reverse 0 .. $#have) {
            my ($without, $other) = ($length[$i + 1][$j], $length[$i][$j + 1]);
            $length[$i][$j] = $want[$i] eq $have[$j]
                ? 1 + $length[$i + 1][$j + 1]
                : $without > $other ? $without : $other;
        }
    }
    my ($i, $j, $left_out, @lines) = (0, 0, 0);
    while ($i < @want) {
        if ($want[$i] eq '...') {
            push @lines, '...';
            $left_out = 1;
            $i++;
        } elsif ($j >= @have || $length[$i][$j] == $length[$i + 1][$j]) {
            $i++;
        } elsif ($want[$i] eq $have[$j]) {
            push @lines, $found->[$j];
            ($left_out, $i, $j) = (0, $i + 1, $j + 1);
        } else {
            push @lines, $found->[$j] if !$left_out;
            $j++;
        }
    }
    push @lines, @$found[$j .. $#have] if !$left_out;
    return @lines;
}

# The words that two forms of one line have in common: its first five.
sub kind_of {
    my ($line) = @_;
    my ($normal) = normalise($line);
    my @words = split ' ', $normal =~ s/\b(?:fd )?\d+\b//gr;
    return join ' ', grep { defined } @words[0 .. 4];
}

sub page_values {
    my (undef, @values) = normalise($_[0]);
    return @values;
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

# The page's ports for those of the run. One that is new keeps its number.
sub rename_values {
    my ($names, $line) = @_;
    for my $value (page_values($line)) {
        my ($kind, $real) = @$value;
        next unless $kind =~ /port|pid/;
        my $shown = $names->{run}{"$kind $real"} //= $real;
        $names->{page}{"$kind $shown"} //= $real;
    }
    return $line =~ s{(?<![\d.])(\d{5})(?!\d)}
        {$names->{run}{"port $1"} // $1}gre;
}

sub wrap {
    my ($width, $line) = @_;
    my @lines;
    while (length $line > $width && $line !~ /\n/) {
        my $at = note_at(substr $line, 0, $width);
        if ($at < 20) {
            $at = rindex $line, ' ', $width;
            $at -= 5 if substr($line, $at - 5, 5) eq ' port';
        }
        last if $at < 20;
        push @lines, substr $line, 0, $at;
        $line = '    ' . substr $line, $at + 1;
    }
    return @lines, parts($line);
}

# Where a note in brackets begins: not a number or a word in them.
sub note_at {
    my ($line) = @_;
    my $at = -1;
    $at = $-[1] while $line =~ /( )\((?!fd |pid |IPv|--)/g;
    return $at;
}

# The lines of a line with its continuations.
sub parts { return length $_[0] ? split /\n/, $_[0] : '' }

1;
