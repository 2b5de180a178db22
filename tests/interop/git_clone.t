# git through a proxy: it closes both pipes of the program that connects as soon
# as it has what it wants, while the server still holds the connection.
use Sockt;
use Time::HiRes qw(time);

my $dir = scratch();
$ENV{$_} = 1 for 'GIT_CONFIG_NOSYSTEM', 'GIT_TERMINAL_PROMPT';
$ENV{HOME} = $dir;
delete @ENV{ grep { /^GIT_(?:DIR|WORK_TREE|INDEX_FILE)$/ } keys %ENV };

# A repository of some MiB, which does not compress.
srand 7;
mkdir "$dir/work";
spew("$dir/work/file$_", join '', map { pack 'N', rand 2**32 } 1 .. 250_000) for 1 .. 3;
system(qq(cd "$dir/work" && git init -q && git add . && git -c user.name=a )
    . qq(-c user.email=a\@b commit -qm one && git clone -q --bare . "$dir/repo.git")) == 0
    or die 'git';
my $base = "$dir";
my ($daemon, $port) = start_server('git', 'daemon', '--export-all', "--base-path=$base",
    '--listen=127.0.0.1', '--port=PORT', '--reuseaddr', $base);
my ($socks, $proxy) = start_server('microsocks', '-i', '127.0.0.1', '-p', 'PORT');

my $sockt = sockt();
for my $row (
    ['--proxy', "--proxy socks5://127.0.0.1:$proxy"],
    ['--via nc', "--via 'nc -X 5 -x 127.0.0.1:$proxy %h %p'"],
    ['directly', ''],
) {
    my ($name, $options) = @$row;
    my $program = spew("$dir/connect", qq(#!/bin/sh\nexec "$sockt" connect $options "\$1" "\$2"\n));
    chmod 0755, $program;
    for my $protocol (0, 1, 2) {
        my $to = "$dir/clone";
        my $r;
        # Through a proxy the end of stdin is passed on after a second of quiet: on
        # a busy machine the server may take longer.
        for (1 .. 5) {
            system('rm', '-rf', $to);
            $r = run({ command => 'git', timeout => 60,
                    env => { GIT_PROXY_COMMAND => $program } },
                '-c', "protocol.version=$protocol", 'clone', '-q',
                "git://127.0.0.1:$port/repo.git", $to);
            last if $r->{status} == 0 || $name ne '--proxy';
        }
        exits $r, 0, "git clone, $name, protocol $protocol", err => '', within => 20;
        ok -s "$to/file3", '  it is there';
    }
}
$_->stop for $daemon, $socks;

done_testing;
