# SPDX-License-Identifier: BSD-2-Clause
#
# A debugger that speaks the gdb remote protocol by itself, so that tests need no gdb: it starts vole with --gdb,
# sends packets and reads replies.
package Gdb;

use strict;
use warnings;
use Exporter 'import';
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes ();
use Vole ();

our @EXPORT = qw(go_to hex_of point stops_at);

my $LIMIT = 60;

sub hex_of { return sprintf '%x', $_[0] }

# point('Z2', ADDRESS, 4): the packet of a breakpoint or watchpoint, of one byte if no length is given.
sub point { return sprintf '%s,%x,%x', $_[0], $_[1], $_[2] // 1 }

# go_to($gdb, 'c', NAME, \%symbols): has the machine go on, and says where it stands then, by this name of a symbol
# or by address, and why.
sub go_to {
	my ($gdb, $how, $name, $at) = @_;
	my $why = $gdb->ask($how);
	my $eip = $gdb->eip;
	return ($eip == $at->{$name} ? $name : sprintf('%x', $eip)) . " $why";
}

# Whether CPUs stop at "hardware breakpoints" or "watchpoints": not every host's KVM has them.
my $doctor;
sub stops_at {
	my ($what) = @_;
	return 1 if Vole::engine() eq 'soft';
	$doctor //= Vole::run([Vole::vole(), 'doctor'])->{out};
	return $doctor =~ /^ok +$what/m;
}

# new(\@options_and_kernel): starts vole on pipes; new([...], socket => PATH) on a socket of its own. The machine stands
# at its first instruction. With replay => 1, the words are those of vole replay.
sub new {
	my ($class, $words, %how) = @_;
	my $self = bless { text => '', output => '', acks => 1, err_path => Vole::scratch() . "/gdb-err-$$" }, $class;
	my ($in_read, $in_write, $out_read, $out_write);
	pipe $in_read, $in_write or die "pipe: $!\n";
	pipe $out_read, $out_write or die "pipe: $!\n";
	$self->{pid} = fork // die "fork: $!\n";
	if ($self->{pid} == 0) {
		open my $err, '>', $self->{err_path} or POSIX::_exit(254);
		POSIX::dup2(fileno $in_read, 0);
		POSIX::dup2(fileno $out_write, 1);
		POSIX::dup2(fileno $err, 2);
		my @command = ($how{program} ? ($how{program}, 'run') : $how{replay} ? (Vole::vole(), 'replay') : Vole::vole_run(), '--gdb', $how{socket} ? "unix:$how{socket}" . ($how{lost} // '') : '-' . ($how{history} ? ",history=$how{history}" : ''), @$words);
		exec { $command[0] } @command or POSIX::_exit(255);
	}
	if ($how{socket}) {
		close $in_write;
		@$self{qw(stdout path)} = ($out_read, $how{socket});
		$self->connect;
	} else {
		@$self{qw(to from)} = ($in_write, $out_read);
	}
	return $self;
}

sub connect {
	my ($self) = @_;
	my $deadline = Time::HiRes::time() + $LIMIT;
	my $socket;
	until ($socket = IO::Socket::UNIX->new(Peer => $self->{path})) {
		die "$self->{path}: $!\n" if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep(0.02);
	}
	@$self{qw(to from text acks)} = ($socket, $socket, '', 1);
	return;
}

# Without a farewell, as a debugger that dies.
sub disappear {
	my ($self) = @_;
	close $self->{to};
	close $self->{from} if $self->{from} != $self->{to};
	return;
}

sub send_raw {
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	syswrite $self->{to}, $bytes;
	return;
}

sub packet_of {
	my ($content) = @_;
	return sprintf '$%s#%02x', $content, unpack '%8C*', $content;
}

sub send {
	my ($self, $content) = @_;
	$self->send_raw(packet_of($content));
	return;
}

# Bytes from vole; false at their end, or when nothing comes within so many seconds.
sub _take {
	my ($self, $seconds) = @_;
	return unless IO::Select->new($self->{from})->can_read($seconds);
	return sysread $self->{from}, $self->{text}, 65536, length $self->{text};
}

# The next byte or packet that vole sends, whatever it is: "+", "-", or what is in a packet; undef if none comes.
sub next_raw {
	my ($self, $seconds) = @_;
	my $deadline = Time::HiRes::time() + ($seconds // $LIMIT);
	while ($self->{text} !~ /^(?:[+-]|\$[^#]*#..)/s) {
		my $left = $deadline - Time::HiRes::time();
		return undef if $left < 0 || !$self->_take($left);
	}
	return $1 if $self->{text} =~ s/^([+-])//;
	$self->{text} =~ s/^\$([^#]*)#(..)//s;
	my ($content, $sum) = ($1, $2);
	die "a sum is wrong\n" if hex($sum) != unpack '%8C*', $content;
	return $content;
}

# The next packet's content; what the guest has put out meanwhile is added to output().
sub receive {
	my ($self, $seconds) = @_;
	while (defined(my $content = $self->next_raw($seconds))) {
		next if $content eq '+' || $content eq '-';
		$self->send_raw('+') if $self->{acks};
		$content =~ s/\}(.)/$1 ^ ' '/ges;
		if ($content =~ /^O((?:[0-9a-f]{2})*)$/) {
			$self->{output} .= pack 'H*', $1;
			next;
		}
		return $content;
	}
	return undef;
}

# A request's reply.
sub ask {
	my ($self, $content) = @_;
	$self->send($content);
	return $self->receive // 'nothing';
}

sub output { return $_[0]{output} }

sub interrupt { return $_[0]->send_raw("\x03") }

# What vole has said on standard error.
sub err {
	my ($self) = @_;
	open my $file, '<', $self->{err_path} or return '';
	local $/;
	return <$file> // '';
}

# EIP of the CPU that is selected.
sub eip { return unpack 'V', pack 'H*', $_[0]->ask('p8') }

sub word {
	my ($self, $address) = @_;
	return unpack 'V', pack 'H*', $self->ask(sprintf 'm%x,4', $address);
}

# Wait for vole's end; its status as Vole::run() has it.
sub finish {
	my ($self) = @_;
	my $deadline = Time::HiRes::time() + $LIMIT;
	while (Time::HiRes::time() < $deadline) {
		return Vole::status_of($?) if waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
		Time::HiRes::sleep(0.02);
	}
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	return 'time limit';
}

1;
