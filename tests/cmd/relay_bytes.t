# Every byte arrives: both ways at once through listen and connect, their
# stdin and stdout being pipes and files. SOCKT_LONG=1 moves 1 GiB each way.
use Sockt;
use Digest::MD5;

my $size = $ENV{SOCKT_LONG} ? 1 << 30 : 24 << 20;
my $dir = scratch();

# A file of that size in which no two blocks are alike.
sub make_file {
    my ($path, $seed) = @_;
    my $md5 = Digest::MD5->new;
    my $block = join '', map { chr(($_ * $seed + ($_ >> 8)) & 255) }
        0 .. 65535;
    open my $f, '>:raw', $path or die "$path: $!";
    for (my $at = 0; $at < $size; $at += length $block) {
        substr $block, 0, 8, pack 'Q', $at * $seed;
        print $f $block;
        $md5->add($block);
    }
    close $f or die "$path: $!";
    return $md5->hexdigest;
}

sub digest {
    my ($path) = @_;
    open my $f, '<:raw', $path or die "$path: $!";
    return Digest::MD5->new->addfile($f)->hexdigest;
}

my @sums = (make_file("$dir/a", 3), make_file("$dir/b", 5));

# A process that copies a file into a pipe, or a pipe into a file.
sub copier {
    my ($from, $to) = @_;
    return Sockt::fork_child(sub {
        POSIX::dup2(fileno $from, 0);
        POSIX::dup2(fileno $to, 1);
        exec 'cat';
    });
}

sub opened {
    my ($mode, $path) = @_;
    open my $f, $mode, $path or die "$path: $!";
    return $f;
}

# The four ends of the two programs: files, or pipes with a copier.
for my $pipes (0, 1) {
    my (@in, @out, @copiers);
    for my $side (0, 1) {
        my $from = opened('<:raw', $side ? "$dir/b" : "$dir/a");
        my $to = opened('>:raw', "$dir/got$side");
        if ($pipes) {
            pipe my $in_r, my $in_w or die;
            push @copiers, copier($from, $in_w);
            pipe my $out_r, my $out_w or die;
            push @copiers, copier($out_r, $to);
            ($from, $to) = ($in_r, $out_w);
        }
        push @in, $from;
        push @out, $to;
    }
    my $l = start({ stdin => $in[0], stdout => $out[0] }, 'listen', 0);
    my $port = $l->port;
    my $c = start({ stdin => $in[1], stdout => $out[1] },
        'connect', '127.0.0.1', $port);
    @in = @out = ();
    my $what = $pipes ? 'pipes' : 'files';
    is $c->finish(300)->{status}, 0, "$what: connect";
    is $l->finish(300)->{status}, 0, "$what: listen";
    reap($_) for @copiers;
    is digest("$dir/got0"), $sums[1], "$what: whole at the server";
    is digest("$dir/got1"), $sums[0], "$what: whole at the client";
}

# Every byte value, written one at a time.
my $l = start({ keep_stdin => 1 }, 'listen', 0);
my $c = start({ keep_stdin => 1 }, 'connect', '127.0.0.1', $l->port);
my $every = join '', map { chr } 0 .. 255;
for my $byte (split //, $every) {
    $c->send_line($byte);
    $l->send_line($byte);
}
$_->close_stdin for $c, $l;
is $l->finish->{out}, $every, 'single bytes to the server';
is $c->finish->{out}, $every, 'single bytes to the client';

done_testing;
