# The displays of a manual page or of README as steps to run: what is typed,
# where, and the lines that are shown after it. The rules for those who write
# pages are in Examples.pm.
package ExamplePage;

use strict;
use warnings;
use Sockt ();

my %SPECIAL = ('dq' => '"', 'aq' => "'", 'ti' => '~', 'ha' => '^', 'ga' => '`',
    'rs' => '\\', 'mi' => '-');

# What mdoc source shows.
sub decode {
    my ($text) = @_;
    return $text =~ s{\\(?:e|&|-|\((..)|\[(..)\])}{
        my $name = $1 // $2;
        defined $name ? $SPECIAL{$name} // die "unknown escape in: $text\n"
            : $& eq '\\e' ? '\\' : $& eq '\\-' ? '-' : ''
    }gre;
}

# Reads a page. Its displays are hashes:
#   at       the number of its first line
#   is       'run', 'file' (name) or 'form'
#   flags    what directives ask for: continued, private, needs, shell, unordered
#   lines    hashes of at, text and hidden
sub new {
    my ($class, $path) = @_;
    my $file = $path =~ m{^/} ? $path : "$Sockt::TOP/$path";
    my $self = bless { path => $path, displays => [],
        source => [split /\n/, Sockt::slurp($file), -1] }, $class;
    $path =~ /\.\d$/ ? $self->read_mdoc : $self->read_text;
    classify($_) for @{ $self->{displays} };
    return $self;
}

sub displays { return @{ $_[0]{displays} } }

# Where a display is, for people.
sub place { return "$_[0]{path}:" . ($_[1]{at} + 1) }

sub read_mdoc {
    my ($self) = @_;
    my ($inside, $pending) = (0, blank());
    for my $at (0 .. $#{ $self->{source} }) {
        my $line = $self->{source}[$at];
        if ($line =~ /^\.\\"example: (\S+) ?(.*)$/) {
            $pending->{flags}{$1} = $2;
        } elsif ($line =~ /^\.\\"(.*)/) {
            my $text = decode($1);
            next unless @{ $pending->{lines} } || $text =~ /^\w*\$ /;
            push @{ $pending->{lines} }, { at => $at, text => $text,
                hidden => 1 };
        } elsif ($line =~ /^\.Dl (.*)/) {
            push @{ $pending->{lines} }, { at => $at, text => decode($1) };
            $pending = $self->add($pending, $at);
        } elsif ($line =~ /^\.Bd .*-(?:literal|unfilled)/) {
            $inside = 1;
        } elsif ($inside && $line eq '.Ed') {
            $pending = $self->add($pending, $at);
            $inside = 0;
        } elsif ($inside) {
            die "$self->{path}:", $at + 1, ": a macro in a display\n"
                if $line =~ /^[.']/;
            push @{ $pending->{lines} }, { at => $at, text => decode($line) };
        }
    }
}

# README: what is indented by four spaces and begins with a prompt.
sub read_text {
    my ($self) = @_;
    my $pending = blank();
    for my $at (0 .. $#{ $self->{source} }) {
        my $line = $self->{source}[$at];
        if ($line =~ /^    (.*)/) {
            push @{ $pending->{lines} }, { at => $at, text => $1 };
            next;
        }
        $self->add($pending, $at)
            if @{ $pending->{lines} } && $pending->{lines}[0]{text} =~ /^\w*\$ /;
        $pending = blank();
    }
}

sub blank { return { flags => {}, lines => [] } }

sub add {
    my ($self, $display, $at) = @_;
    my ($first) = grep { !$_->{hidden} } @{ $display->{lines} };
    $display->{at} = $first ? $first->{at} : $at;
    push @{ $self->{displays} }, $display;
    return blank();
}

# What the display is, and its steps. A step has type (shell, input, key, show),
# terminal, text, at (its last line), hidden, and shown, the lines after it.
sub classify {
    my ($display) = @_;
    my $flags = $display->{flags};
    my ($first) = grep { !$_->{hidden} } @{ $display->{lines} };
    $display->{is} = exists $flags->{file} ? 'file'
        : exists $flags->{form} ? 'form'
        : $first && $first->{text} =~ /^\w*\$ / ? 'run' : 'unmarked';
    return if $display->{is} ne 'run';
    my @lines = @{ $display->{lines} };
    my $terminal = '';
    while (my $line = shift @lines) {
        my $step = step($line->{text}, \$terminal);
        if (!$step) {
            push @{ $display->{steps}[-1]{shown} }, $line;
            next;
        }
        @$step{qw(at hidden shown)} = (@$line{qw(at hidden)}, []);
        # A screen shows what is typed after a prompt; the terminal has no echo.
        my $before = $display->{steps} ? $display->{steps}[-1]{shown} : [];
        $before->[-1]{text} =~ s/\Q$step->{text}\E\z//
            if $step->{hidden} && $step->{type} eq 'input' && @$before;
        while ($step->{type} eq 'shell' && is_open($step->{text}) && @lines) {
            $line = shift @lines;
            $step->{at} = $line->{at};
            $step->{text} .= "\n" . $line->{text} =~ s/^> //r;
        }
        push @{ $display->{steps} }, $step;
    }
}

# Whether a command goes on in the next line.
sub is_open {
    my ($text) = @_;
    return 1 if $text =~ /(?:\\|\||\bdo|\bthen|\{)$/;
    return 1 if $text =~ /^(?:for|while|until) / && $text !~ /\bdone\b/;
    my $rest = $text =~ s/\\.//gsr =~ s/"[^"]*"//gr;
    return ($rest =~ tr/'//) % 2;
}

# A line as a step; undef when it is something shown.
sub step {
    my ($text, $terminal) = @_;
    if ($text =~ /^(\w*)\$ (.+)/s) {
        $$terminal = $1;
        return { type => 'shell', terminal => $1, text => $2 };
    }
    return { type => 'key', terminal => $$terminal, text => $1 }
        if $text =~ /^\^([CD])$/;
    my ($name, $input) = $text =~ /^([a-z]\w*)>(?: (.*))?$/ or return undef;
    $$terminal = $name;
    return { type => 'key', terminal => $name, text => $1 }
        if ($input // '') =~ /^\^([CD])$/;
    return { type => defined $input ? 'input' : 'show', terminal => $name,
        text => $input };
}

1;
