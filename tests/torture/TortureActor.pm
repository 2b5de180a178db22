# One of the driver's ends of something: a handle and the steps to take with
# it. It reads whenever there is something, unless it is deaf.
package TortureActor;

use strict;
use warnings;
use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket;
use Time::HiRes qw(time);

# Steps:
#   [send => BYTES]      code in place of bytes is called with the actor
#   [until => PATTERN, T]  goes on when that has come; 'eof': at the end; a
#                        number: when so many bytes, or datagrams, have; or
#                        when T has passed, if there is one
#   [pause => T], [deaf => T]
#   [fin =>], [close =>], [reset =>]
# Datagrams: a send is one, and answer => code makes the answer to each.
sub new {
    my ($class, %o) = @_;
    my $self = bless { got => '', messages => [], steps => [], sent => 0,
        resume => 0, hears => 1, %o, }, $class;
    # Of its own: what code makes to be sent takes its place in a step.
    $self->{steps} = [ map { [@$_] } @{ $self->{steps} } ];
    fcntl $self->{handle}, F_SETFL,
        fcntl($self->{handle}, F_GETFL, 0) | O_NONBLOCK;
    $self->take_steps;
    return $self;
}

sub is_open { return defined $_[0]{handle} }
sub is_done { return !@{ $_[0]{steps} } }

sub wants_read {
    my ($self) = @_;
    return $self->{hears} && !$self->{eof} && time >= ($self->{deaf} // 0);
}

sub wants_write {
    my ($self) = @_;
    return @{ $self->{steps} } && $self->{steps}[0][0] eq 'send'
        && time >= $self->{resume};
}

# When it has something to do by itself.
sub wakes {
    my ($self) = @_;
    my $now = time;
    return grep { $_ && $_ > $now } @$self{qw(resume deaf limit)};
}

sub shut { my ($self) = @_; close delete $self->{handle} if $self->{handle} }

sub lost {
    my ($self, $why) = @_;
    $self->{lost} = "$why";
    $self->{eof}  = 1;
    $self->shut;
    $self->{steps} = [];
}

sub receive {
    my ($self) = @_;
    return unless $self->is_open;
    return $self->receive_message if $self->{udp};
    my $n = sysread $self->{handle}, $self->{got}, 65536, length $self->{got};
    if (!defined $n) {
        return if $!{EAGAIN} || $!{EINTR};
        return $self->lost($!);
    }
    $self->{eof} = 1 if $n == 0;
    $self->take_steps;
}

sub receive_message {
    my ($self) = @_;
    my $from = recv $self->{handle}, my $bytes, 65536, 0;
    return unless defined $from;
    push @{ $self->{messages} }, $bytes;
    if ($self->{answer}) {
        my $answer = $self->{answer}->($bytes, scalar @{ $self->{messages} });
        send $self->{handle}, $answer, 0, $from if defined $answer;
    }
    $self->take_steps;
}

# Sends what it can of the step. True when that is all.
sub send_some {
    my ($self) = @_;
    my $step = $self->{steps}[0];
    $step->[1] = $step->[1]->($self) if ref $step->[1];
    while ($self->{sent} < length $step->[1]) {
        my $n = syswrite $self->{handle}, $step->[1],
            length($step->[1]) - $self->{sent}, $self->{sent};
        if (!defined $n) {
            return 0 if $!{EAGAIN} || $!{EINTR};
            $self->lost($!);
            return 0;
        }
        $self->{sent} += $n;
    }
    $self->{sent} = 0;
    return 1;
}

sub has_come {
    my ($self, $what) = @_;
    return $self->{eof} if $what eq 'eof';
    return $self->{got} =~ $what if ref $what;
    return @{ $self->{messages} } >= $what if $self->{udp};
    return length $self->{got} >= $what;
}

# Takes steps until one has to wait.
sub take_steps {
    my ($self) = @_;
    while ($self->is_open && @{ $self->{steps} }) {
        my ($what, $arg, $limit) = @{ $self->{steps}[0] };
        return if time < $self->{resume} && $what ne 'until';
        if ($what eq 'send') {
            $self->send_some or return;
        }
        elsif ($what eq 'until') {
            if (!$self->has_come($arg)) {
                $self->{limit} //= time + $limit if $limit;
                return if !$self->{eof} && time < ($self->{limit} // 9**9**9);
                if ($self->{eof}) {
                    $self->{steps} = [];
                    last;
                }
            }
            delete $self->{limit};
        }
        elsif ($what eq 'pause') { $self->{resume} = time + $arg }
        elsif ($what eq 'deaf')  { $self->{deaf}   = time + $arg }
        elsif ($what eq 'fin') {
            if ($self->{hears}) { shutdown $self->{handle}, 1 }
            else                { $self->shut }
        }
        elsif ($what eq 'close') { $self->shut }
        elsif ($what eq 'reset') {
            setsockopt $self->{handle}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
            $self->shut;
        }
        else { die "no step $what" }
        shift @{ $self->{steps} };
    }
    # One that has nothing more to say or to wait for closes.
    $self->shut if $self->is_done && $self->{closes} && $self->{eof};
}

1;
