# A folder includes only the folders below it, and no command another one.
# Modules include each other in no circle.
use Source;

# The folders that a folder may include, besides itself; see src/README.
my %reaches = (
    base  => [],
    cli   => [qw(base)],
    net   => [qw(base)],
    http  => [qw(net base)],
    relay => [qw(net base)],
    tls   => [qw(net base)],
    dial  => [qw(tls http net base)],
    serve => [qw(http dial tls relay net base)],
    fetch => [qw(dial relay http net base)],
    udp   => [qw(net base)],
    scan  => [qw(net base)],
    cmd   => [qw(scan udp fetch serve dial tls relay http net cli base)],
    main  => [qw(cmd tls cli net base)],
);
push @{ $reaches{$_} }, $_ for keys %reaches;

# Headers that only their own folder includes, besides internal.h.
my %private = (
    dial  => [qw(via)],
    relay => [qw(policy)],
    fetch => [qw(http_client part_file route timing)],
);

# http knows what an endpoint is, and nothing else of net.
my %only = ('http net' => [qw(net/endpoint.h)]);
my @sockets = qw(sys/socket.h sys/un.h netinet/in.h arpa/inet.h netdb.h);
my %is_command =
    map { s/\.c$/.h/r => 1 } grep { text($_) =~ /^const struct command \w/m }
    files('src/cmd/*.c');

my @sources = files('src/*.[ch]', 'src/*/*.[ch]');
cmp_ok scalar @sources, '>', 60, 'the sources are found';
my @wrong;
for my $path (@sources) {
    my ($floor) = $path =~ m{^src/(\w+)};
    for my $line (text($path) =~ /^\s*#\s*include\s+(.+)$/mg) {
        if ($line =~ /^"(\w+)\/(\w+)\.h"/) {
            my ($to, $header) = ($1, $2);
            push @wrong, "$path includes $line"
                unless grep { $_ eq $to } @{ $reaches{$floor} };
            push @wrong, "$path includes the private $line"
                if $to ne $floor
                && grep { $_ eq $header } 'internal', @{ $private{$to} };
            my $few = $only{"$floor $to"};
            push @wrong, "$path includes $line"
                if $few && !grep { $line eq qq("$_") } @$few;
        } elsif ($line =~ /^"/) {
            push @wrong, "$path includes $line, not from src/";
        }
        my ($inner) = $line =~ /^"(cmd\/\w+\.h)"/;
        push @wrong, "$path includes the command $inner"
            if $inner && $is_command{"src/$inner"};
        my ($system) = $line =~ /^<(.+)>/;
        push @wrong, "$path includes $line: no sockets on this floor"
            if $system && $floor =~ /^(base|cli)$/
            && grep { $_ eq $system } @sockets;
    }
}
is "@wrong", '', 'every include stays on its floor or goes down';

# The modules, a header with its sources and twins, that each one includes.
my %includes;
for my $path (@sources) {
    my ($from) = $path =~ m{^src/(.+?)(?:_linux|_posix)?\.[ch]$};
    for my $header (text($path) =~ /^\s*#\s*include "([\w\/]+)\.h"/mg) {
        $includes{$from}{$header} = 1 unless $header eq $from;
    }
}

# Whether a module includes itself through others.
sub is_in_circle {
    my ($module) = @_;
    my %seen;
    my @next = keys %{ $includes{$module} };
    while (defined(my $other = shift @next)) {
        push @next, keys %{ $includes{$other} } unless $seen{$other}++;
    }
    return $seen{$module};
}
is join(' ', grep { is_in_circle($_) } sort keys %includes), '',
    'modules include each other in no circle';

my (%seen, @twice);
for my $path (files('src/*.[ch]', 'src/*/*.[ch]', 'tests/*/*.[cht]',
    'tests/lib/*.pm')) {
    my ($name) = $path =~ m{([^/]+)$};
    next if $name eq 'internal.h';
    push @twice, "$path and $seen{$name}" if $seen{$name};
    $seen{$name} = $path;
}
is "@twice", '', 'file names are unique across folders';

done_testing;
