# The calls that -vv shows are made in net/sock.c, which reports them as steps,
# and in the twins of the systems, which report them themselves; of datagrams
# and of scans also in their own folders.
use Source;

my $call = qr/(?<![\w.>*])(?:socket|bind|listen|accept|connect|send|recv|sendto
    |recvfrom|sendmsg|recvmsg|shutdown)\s*\(/x;
my @wrong;
for my $path (files('src/*/*.c')) {
    next if $path =~ m{_(?:linux|posix)\.c$|^src/net/sock\.c$|^src/(?:udp|scan)/};
    push @wrong, map { "$path: $_" } code($path) =~ /$call/g;
}
is join("\n", @wrong), '', 'calls on sockets are in net/sock.c';

done_testing;
