# Names are made of the field's words: identifiers do without those that are
# private to this program. The exceptions are in glossary.known, which only
# shrinks.
use Source;
use Functions;

# Each stands for what a name would say in the words of RFCs and of manuals.
my %instead = (
    'take takes taken took'     => 'parse, receive, alloc, acquire',
    'give gives given'          => 'release, free, pass',
    'ask asks asked'            => 'request, probe, poll',
    'tell tells told'           => 'report, log, emit',
    'hear heard'                => 'receive',
    'judge verdict'             => 'classify, state',
    'most'                      => 'max, limit',
    'least'                     => 'min',
    'room'                      => 'capacity, space',
    'gone cut'                  => 'closed, aborted',
    'patience hurry retreat'    => 'deadline, flush, fall_back',
    'leads flying pair'         => 'discovery, in_flight, target',
    'trip trips'                => 'rtt',
    'feed'                      => 'source',
    'hops'                      => 'redirect',
    'reach talk'                => 'connect, relay',
    'way'                       => 'direction',
    'holder'                    => 'owner',
    'reticence'                 => 'icmp_limit',
    'fast'                      => 'os, spawn, splice, batch, ready',
);
my %word = map { my $say = $instead{$_}; map { $_ => $say } split } keys %instead;

my %found;
for my $path (sources()) {
    for my $name (code($path) =~ /\b([A-Za-z_]\w+)\b/g) {
        next if $name =~ /^IPV6_/;    # the system's
        my ($bad) = grep { $word{$_} } split /_/, lc $name;
        $found{$name} //= "$path: say $word{$bad}" if $bad;
    }
}
my ($new, $stale) = check_known('glossary.known', 'name', keys %found);
is $new =~ s/^(\w+)$/$1: $found{$1}/mgr, '', 'no name has a private word';
is $stale, '', 'every known exception is one';

done_testing;
