# The JSON events as sockt-json(7) documents them, and whether an event is what it
# says.
package Events;

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP;
use Scalar::Util qw(looks_like_number);
use Source;

our @EXPORT_OK = qw(event_table event_fault);

# A list of { name, commands => [...], members => [{ name, optional }] }.
sub event_table {
    my ($events) = text('man/sockt-json.7') =~ /^\.Sh EVENTS\n(.+?)^\.El/ms;
    my @table;
    for my $item (split /^\.It /m, $events) {
        my ($name, $commands) = $item =~ /\ASy (\w+) Pq (\N+)\n/ or next;
        my ($members) = $item =~ /^\.((?:Va|Oo) [^.,]\N*)\n\z/m;
        push @table, {
            name => $name,
            commands => [split / , /, $commands],
            members => [map {
                { name => s/.* //r, optional => !!/^Oo / }
            } $members =~ /((?:Oo Va )?\b(?!Oo|Oc|Va)\w+)/g],
        };
    }
    return @table;
}

# A member's name says of what type it is; the others are text.
my %type = (
    (map { $_ => 'address' } qw(local remote target)),
    (map { $_ => 'seconds' } qw(seconds min avg max mdev rtt)),
    (map { $_ => 'bool' } qw(cut verified reused partial accepted)),
    (map { $_ => 'object' } qw(phases reasons)),
    (map { $_ => 'list' } qw(addresses names)),
    (map { $_ => 'number' } qw(connection port offset key_bits retransmitted bytes count status rate
        attempts connected sent received answered ignored lost duplicates late
        dropped refused sessions evicted hosts asked open probes)),
);
my %is = (
    text => sub { !ref $_[0] },
    number => sub { !ref $_[0] && $_[0] =~ /^\d+\z/ },
    seconds => sub { !ref $_[0] && looks_like_number($_[0]) },
    bool => sub { JSON::PP::is_bool($_[0]) },
    list => sub { ref $_[0] eq 'ARRAY' },
    object => sub { ref $_[0] eq 'HASH' },
    address => sub {
        ref $_[0] eq 'HASH'
            && join(' ', sort keys %{ $_[0] }) =~ /^(?:ip port|path|)\z/;
    },
);

# What is wrong with a line that command has printed, or ''. Its members come in
# the order of the page.
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
    delete @left{qw(event at time truncated connection)};
    for my $m (@{ $event->{members} }) {
        my $name = $m->{name};
        return "no '$name'" unless exists $left{$name} || $m->{optional}
            || $got->{truncated};
        next unless exists $left{$name};
        my $type = $type{$name} // 'text';
        return "'$name' is not of type $type" if !$is{$type}->($left{$name});
        delete $left{$name};
    }
    return join ' ', map { "'$_' is not in sockt-json(7)" } sort keys %left;
}

1;
