#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A machine that waits costs nothing: its threads sleep, and nothing wakes them but what they wait for.
use strict;
use warnings;
use lib 'tests/lib';
use List::Util 'sum0';
use POSIX ();
use Test::More;
use Abi 'slurp';
use Vole;

each_engine();

my $full = unread_pipe(1);

# Whether a process comes to rest: asleep whenever it is looked at, for a second. (One that works is to be
# seen running, or waiting for a CPU, on a host however busy.)
sub rests {
	my ($pid) = @_;
	my $asleep = 0;
	for (1 .. 2400) {
		my @states = map { (eval { slurp($_) } // '') =~ /\) (\w)/ } glob "/proc/$pid/task/*/stat";
		$asleep = @states && !grep({ $_ ne "S" } @states) ? $asleep + 1 : 0;
		return 1 if $asleep == 20;
		select undef, undef, undef, 0.05;
	}
	return 0;
}

# How often the threads of a process have gone to sleep.
sub sleeps {
	my ($pid) = @_;
	return sum0(map { (eval { slurp($_) } // '') =~ /^voluntary_ctxt_switches:\s+(\d+)/m } glob "/proc/$pid/task/*/status");
}

# A process with this standard input, and the console's output for nobody. It does not outlive this script.
my %started;
END { kill 'KILL', keys %started }

sub started {
	my ($stdin, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid) {
		$started{$pid} = 1;
		return $pid;
	}
	open STDIN, '<&', $stdin;
	open STDOUT, '>', '/dev/null';
	exec @command or POSIX::_exit(255);
}

# The status of a process that is sent SIGTERM.
sub ended {
	my ($pid) = @_;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	delete $started{$pid};
	return $?;
}

pipe my $silent_read, my $silent_write or die "pipe: $!\n";
open my $one_byte, '<', write_file('byte', 'x') or die "byte: $!\n";
for my $idle (
	{ kernel => 'hlt', what => 'a CPU in hlt' },
	{ kernel => 'echo', what => 'a console without input' },
	{ kernel => 'echo', what => 'a console with input for a port that nobody reads', stdin => $one_byte, vole => [qw(--console pty --console stdio)] },
	{ kernel => 'serial-handover', what => "the end, while nobody takes the serial port's output but somebody the console's,",
		vole => ['--serial', "file:$full", '--console', 'file:/dev/null'] },
) {
	my $pid = started($idle->{stdin} // $silent_read, vole_run(), @{$idle->{vole} // []}, build() . "/guest/$idle->{kernel}.elf");
	ok(rests($pid), "$idle->{what} comes to rest");
	my $before = sleeps($pid);
	ok(rests($pid), '... and stays there');
	cmp_ok(sleeps($pid) - $before, '<', 20, '... and is not woken to see whether there is something to do');
	is(ended($pid), POSIX::SIGTERM(), '... until a signal ends it');
}
{
	# Event indices would have the flags of the used ring stay 0.
	my $pid = started($silent_read, vole_run(), qw(--console none --virtio event-idx=off --serial), "file:$full", build() . '/guest/restless.elf');
	ok(rests($pid), 'HARD-18 a ring that goes on for ever is left alone, while nobody takes output after the end');
	sysopen my $pipe, $full, POSIX::O_RDWR() | POSIX::O_NONBLOCK() or die "$full: $!\n";
	sysread $pipe, my ($page), 4096;
	ok(rests($pid), 'and when somebody has taken a part of it');
	is(ended($pid), POSIX::SIGTERM(), 'and does not keep vole from ending');
}

done_testing();
