# Where a program that is named without a slash is looked for.
use Sockt;

my $dir = scratch();
mkdir "$dir/$_" or die "$dir/$_: $!" for qw(none plain first second);
for (['plain/told', 0644, "#!/bin/sh\necho plain\n"],
    ['first/told', 0755, "#!/bin/sh\necho first\n"],
    ['second/told', 0755, "#!/bin/sh\necho second\n"],
    ['first/rubbish', 0755, "echo no magic number\n"]) {
    my ($path, $mode, $text) = @$_;
    chmod $mode, spew("$dir/$path", $text);
}

# A server whose program is looked for in this PATH; what it says to a client is
# its output.
sub answer {
    my ($name, $path) = @_;
    my $p = start({ env => { PATH => $path } }, 'listen', '-4', 0, '--', $name);
    my $said = exchange($p->port, '');
    return { %{ $p->finish }, out => $said };
}

chdir "$dir/second" or die "chdir: $!";
for my $row (
    ['the first folder that has it', 'first', "$dir/none:$dir/first:$dir/second"],
    ['a folder that is not there is passed over', 'second',
        "$dir/no/such:$dir/second:$dir/first"],
    ['so is a file that may not be executed', 'second', "$dir/plain:$dir/second"],
    ['and a folder with too long a name', 'first', 'x' x 5000 . ":$dir/first"],
    ['a name with a slash is a path', 'second', "$dir/first", "$dir/second/told"],
    map { ['an empty entry is the working directory: ' . s/\Q$dir\E//gr, 'second', $_] }
        ":$dir/first", "$dir/none::$dir/first", "$dir/none:") {
    my ($name, $says, $path, $program) = @$row;
    exits answer($program // 'told', $path), "0 $says\n", $name;
}
chdir '/';

# What cannot be found is said before anything else: nobody listens.
for my $case (
    [ 'told', "$dir/none", 127, 'No such file' ],
    [ 'told', "$dir/none:$dir/plain", 126, 'Permission denied' ],
    [ '', "$dir/first", 127, 'no such file' ],
    [ "$dir/first", '', 126, 'permission denied' ],
) {
    my ($name, $path, $status, $why) = @$case;
    for my $command ([ 'listen', '-k', 0 ], [ 'connect', 'h.invalid', 9 ],
        [ 'connect', '-z', 'h.invalid', 9 ], [ 'udp-serve', 0 ]) {
        exits run({ env => { PATH => $path } }, @$command, '--', $name),
            $status, "@$command -- '$name': $status, $why",
            err => qr/\A\S+ \S+: cannot run \S*: $why.*\n\z/i;
    }
}

# So is the first word of a command for the shell.
for my $case ([ 'listen', '-k', 0, '-e' ], [ 'connect', 'h.invalid', 9, '-e' ],
    [ 'connect', 'h.invalid', 9, '--via' ],
    [ 'listen', 0, '--to', 'h.invalid:9', '--via' ],
    [ 'http-get', 'http://h.invalid/', '--via' ]) {
    exits run({ timeout => 5 }, @$case, '/nonexist/told x'), 127,
        "@$case /nonexist/told: 127",
        err => qr/\A\S+ \S+: (?:--\w+: )?cannot run \/nonexist\/told: no/;
}

# What a shell has, or reads in another way, is left to it.
for my $command ('read l; echo x', 'exec echo x', '{ echo x; }', 'if :; then
    echo x; fi', 'A=1 sh -c "echo x"', '(echo x)', '"echo" x', '  echo x',
    '~/none 2> /dev/null || echo x') {
    my $p = start('listen', '-4', 0, '-e', $command);
    is exchange($p->port, "\n"), "x\n", "-e '$command'";
    $p->finish;
}

# Only the system knows whether a file is a program.
exits answer('rubbish', "$dir/first"), '126 ',
    "'rubbish': 126, and not a program, the connection is closed",
    err => qr/cannot run \S*: not a program/i;

done_testing;
