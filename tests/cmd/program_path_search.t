# Where a program that is named without a slash is looked for.
use Sockt;
use Cwd qw(getcwd);
use File::Temp qw(tempdir);

my $dir = tempdir(CLEANUP => 1);
mkdir "$dir/$_" or die "$dir/$_: $!" for qw(none plain first second);

sub script {
    my ($path, $mode, $text) = @_;
    open my $f, '>', $path or die "$path: $!";
    print $f $text;
    close $f or die "$path: $!";
    chmod $mode, $path;
    return;
}
script("$dir/plain/told", 0644, "#!/bin/sh\necho plain\n");
script("$dir/first/told", 0755, "#!/bin/sh\necho first\n");
script("$dir/second/told", 0755, "#!/bin/sh\necho second\n");
script("$dir/first/rubbish", 0755, "echo no magic number\n");

# What a program says whose name is looked for in this PATH.
sub answer {
    my ($name, $path) = @_;
    my $p = start({ env => { PATH => $path } }, 'listen', '-4', 0, '--',
        $name);
    my $c = tcp_client($p->port);
    shutdown $c, 1;
    local $/;
    my $said = <$c> // '';
    my $r = $p->finish;
    return ($said, $r->{status}, $r->{err});
}

is((answer('told', "$dir/none:$dir/first:$dir/second"))[0], "first\n",
    'the first folder that has it');
is((answer('told', "$dir/no/such:$dir/second:$dir/first"))[0], "second\n",
    'a folder that is not there is passed over');
is((answer('told', "$dir/plain:$dir/second"))[0], "second\n",
    'so is a file that may not be executed');
is((answer('told', join ':', ('x' x 5000), "$dir/first"))[0], "first\n",
    'and a folder with too long a name');
is((answer("$dir/second/told", "$dir/first"))[0], "second\n",
    'a name with a slash is a path');

my $was = getcwd();
chdir "$dir/second" or die "chdir: $!";
for my $path (":$dir/first", "$dir/none::$dir/first", "$dir/none:") {
    is((answer('told', $path))[0], "second\n",
        "an empty entry is the working directory: '"
        . ($path =~ s/\Q$dir\E//gr) . "'");
}
chdir $was;

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
my ($said, $status, $err) = answer('rubbish', "$dir/first");
is $status, 126, "'rubbish': 126";
like $err, qr/cannot run \S*: not a program/i, 'and not a program';
is $said, '', 'the connection is closed';

done_testing;
