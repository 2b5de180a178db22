# Builds programs with one object changed, with the commands that make(1) would
# run, as "make -n" prints them.
package Programs;

use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Path qw(make_path);

use Source;

our @EXPORT = qw(read_commands is_built includes compile_changed
    link_changed);

my $build;      # the build folder
my %compile;    # source of src/ => the command that compiles it
my %link;       # program => the command that makes it

# Reads the commands that build the programs under the folder.
sub read_commands {
    my ($folder, $file) = @_;
    $build = $folder;
    open my $f, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$f> };
    for my $line (split /\n/, $text =~ s/\\\n\s*/ /gr) {
        next unless $line =~ / -o (\S+)/;
        my $out = $1;
        if ($line =~ m{ -c .* (src/\S+\.c)\s*$}) {
            $compile{$1} = $line;
        } elsif ($line =~ m{ \Q$build\E/libsockt\.a}) {
            $link{$out} = $line;
        }
    }
    return;
}

# Whether the source is part of what is built here.
sub is_built { return exists $compile{ $_[0] } }

# Whether a shell command succeeds; what it prints is dropped.
sub succeeds {
    my ($command) = @_;
    return system("($command) >/dev/null 2>&1 </dev/null") == 0;
}

# Whether a test includes a source, to reach what is static there.
sub includes {
    my ($test, $source) = @_;
    my $name = $source =~ s{^src/}{}r;
    return $test =~ /\.c$/ && text($test) =~ /^#include "\Q$name\E"$/m;
}

# Compiles text in place of a source, without the numbers of its lines, so that
# equal code makes equal objects. Writes it under the object's folder. True if
# it compiles.
sub compile_changed {
    my ($source, $text, $object) = @_;
    my $copy = dirname($object) . "/$source";
    make_path(dirname($copy));
    open my $f, '>', $copy or die "$copy: $!\n";
    print $f $text;
    close $f or die "$copy: $!\n";
    my $command = $compile{$source} =~ s/ -MMD -MP\b//r;
    $command =~ s/ -o \S+/ -w -Wno-error -g0 -o $object/;
    $command =~ s/ \Q$source\E/ $copy/;
    return succeeds("timeout 60 $command");
}

# The object of a source file of a program, under the folder; it is kept.
sub own_object {
    my ($program, $source) = @_;
    my $object = "$build/mutants/objects/" . basename($program) . '-'
        . basename($source, '.c') . '.o';
    return $object if -e $object && -M $object < -M $source
        && -M $object < -M "$build/libsockt.a";
    make_path(dirname($object));
    my $command = $link{$program} =~ s/ -MMD -MP\b//r;
    $command =~ s/ \S+\.[aoc](?= )//g;
    $command =~ s/ -o \S+/ -c -o $object.$$/;
    succeeds("$command $source") && rename "$object.$$", $object
        or die "$source does not compile\n";
    return $object;
}

# Links the program anew, under another name, with the object in place of the
# library's member that defines the same, or compiles it with the changed source
# that it includes.
sub link_changed {
    my ($program, $source, $object, $out) = @_;
    my $command = $link{$program} // die "nothing makes $program\n";
    my $folder = dirname($object);
    $command =~ s{ -o \S+}{ -o $out};
    $command =~ s{ -MMD -MP\b}{};
    if (grep { includes($_, $source) } $command =~ m{ (tests/\S+\.c)\b}g) {
        $command =~ s{ -Isrc\b}{ -w -Wno-error -I$folder/src -Isrc};
    } else {
        $command =~ s{ (tests/\S+\.c)\b}{' ' . own_object($program, $1)}ge;
        $command =~ s{ (\Q$build\E/libsockt\.a)}{ $object $1};
    }
    make_path(dirname($out));
    succeeds($command) or die "$program cannot be linked\n";
    return;
}

1;
