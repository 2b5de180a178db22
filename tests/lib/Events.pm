# The table of JSON events, as 'sockt help --events' prints it, and whether an
# event is what the table says.
package Events;

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP;
use Scalar::Util qw(looks_like_number);

our @EXPORT_OK = qw(event_table event_fault);

# A list of { name, meaning, commands => [...], members => [...] }, a member
# being { name, type, optional, meaning }.
sub event_table {
    my ($text) = @_;
    my @table;
    for (split /\n/, $text) {
        if (/^(\w+): (.+)$/) {
            push @table, { name => $1, meaning => $2, members => [] };
        } elsif (/^  by (.+)$/) {
            $table[-1]{commands} = [split /, /, $1];
        } elsif (/^  (\[?)(\w+)\]? +(\w+) +(.+)$/) {
            push @{ $table[-1]{members} }, { name => $2, type => $3,
                optional => !!$1, meaning => $4 };
        }
    }
    return @table;
}

my %is = (
    text => sub { !ref $_[0] },
    number => sub { !ref $_[0] && $_[0] =~ /^-?\d+\z/ },
    seconds => sub { !ref $_[0] && looks_like_number($_[0]) },
    bool => sub { JSON::PP::is_bool($_[0]) },
    list => sub { ref $_[0] eq 'ARRAY' },
    object => sub { ref $_[0] eq 'HASH' },
    address => sub {
        ref $_[0] eq 'HASH'
            && join(' ', sort keys %{ $_[0] }) =~ /^(?:ip port|path|)\z/;
    },
);

# What is wrong with a line that command has printed, or ''.
sub event_fault {
    my ($line, $command, @table) = @_;
    my $got = eval { JSON::PP->new->utf8->decode($line) } or return $@;
    my ($event) = grep {
        $_->{name} eq $got->{event}
            && grep { $_ eq $command || $_ eq 'every command' }
            @{ $_->{commands} }
    } @table;
    return "$command prints no event '$got->{event}'" unless $event;
    my %left = %$got;
    return "'connection' is no number from 1"
        if ($left{connection} // 1) !~ /^[1-9]\d*\z/;
    delete @left{qw(event time truncated connection)};
    for my $m (@{ $event->{members} }) {
        my $name = $m->{name};
        return "no '$name'" unless exists $left{$name} || $m->{optional}
            || $got->{truncated};
        return "'$name' is not of type $m->{type}"
            if exists $left{$name} && !$is{ $m->{type} }->($left{$name});
        delete $left{$name};
    }
    return join ' ', map { "'$_' is not in the table" } sort keys %left;
}

1;
