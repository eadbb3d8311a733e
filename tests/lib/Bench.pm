# SPDX-License-Identifier: BSD-2-Clause
#
# Functions that the scripts of `make bench` share.
package Bench;

use strict;
use warnings;
use Exporter 'import';
use POSIX ();
use Time::HiRes qw(clock_gettime sleep);
use Vole;

our @EXPORT = qw(kernel row is_installed output_of median system_calls with_idle private_memory cpu_time idle_time interleave);

sub kernel { return build() . "/guest/$_[0].elf" }

sub is_installed {
	my ($program) = @_;
	return scalar grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

# One line of the result.
sub row {
	my ($what, $value, $target) = @_;
	printf "%-42s %s%s\n", $what, $value, defined $target ? "  (target: $target)" : '';
	return;
}

# Standard output of a command that must succeed.
sub output_of {
	my $result = run(\@_, limit => 600);
	die "@_: status $result->{status}\n$result->{err}" if $result->{status} ne 0;
	return $result->{out};
}

# System calls of a command that must succeed, and of all its threads, by name.
sub system_calls {
	my $log = scratch() . '/strace';
	my %calls;
	output_of('strace', '-f', '-c', '-o', $log, @_);
	open my $file, '<', $log or die "$log: $!\n";
	while (my $line = <$file>) {
		$calls{ $+{name} } = $+{calls}
			if $line =~ /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(?<calls>\d+)\s+(?:\d+\s+)?(?<name>\w+)$/ && $+{name} ne 'total';
	}
	close $file;
	return \%calls;
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);
	return @sorted % 2 ? $sorted[$middle] : ($sorted[ $middle - 1 ] + $sorted[$middle]) / 2;
}

# Start a machine whose guest waits for ever, and give its process to a function once it is ready.
sub with_idle {
	my ($function, @options) = @_;
	pipe my $out, my $out_write or die "pipe: $!\n";
	pipe my $in_read, my $in or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		POSIX::dup2(fileno $in_read, 0);
		POSIX::dup2(fileno $out_write, 1);
		exec vole(), 'run', @options, kernel('bench-idle') or POSIX::_exit(255);
	}
	close $out_write;
	my $line = <$out> // '';
	my @result = $line eq "idle\n" ? $function->($pid) : ();
	kill 'TERM', $pid;
	waitpid $pid, 0;
	die "the idle guest says \"$line\"\n" if $line ne "idle\n";
	return @result;
}

# KiB of private memory in RAM, of all mappings but the guest's: that one is as large as RAM.
sub private_memory {
	my ($pid) = @_;
	my ($sum, $guest) = (0, 0);
	open my $smaps, '<', "/proc/$pid/smaps" or die "smaps: $!\n";
	while (my $line = <$smaps>) {
		$guest = $1 >= 16 * 1024 if $line =~ /^Size:\s+(\d+) kB/;
		$sum += $1 if !$guest && $line =~ /^Private_(?:Clean|Dirty):\s+(\d+) kB/;
	}
	close $smaps;
	return $sum;
}

# Nanoseconds of CPU time of all threads, those that have ended too: the process's CPU-time clock, whose number
# clock_getcpuclockid(3) makes of the process id in this way.
sub cpu_time {
	my ($pid) = @_;
	return 1e9 * clock_gettime(2 - 8 * ($pid + 1));
}

# Nanoseconds of CPU time that an idle machine takes in this many seconds.
sub idle_time {
	my ($pid, $seconds) = @_;
	sleep 0.5;    # the machine's start has an end, too
	my $before = cpu_time($pid);
	sleep $seconds;
	return cpu_time($pid) - $before;
}

# --- guests that say when something begins and ends ---

# Seconds after which a guest is given up that says nothing more.
our $limit = 600;

# Seconds and checksum of each thing that the guest does, by name; clock gives nanoseconds for a process.
sub times_of {
	my ($clock, @command) = @_;
	my (%begin, %result);
	pipe my $out, my $out_write or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		my $null = POSIX::open('/dev/null', POSIX::O_RDWR());
		POSIX::dup2($null, $_) for 0, 2;
		POSIX::dup2(fileno $out_write, 1);
		exec { $command[0] } @command or POSIX::_exit(255);
	}
	close $out_write;
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm $limit;
	while (my $line = <$out>) {
		my $now = $clock->($pid);
		$begin{$1} = $now if $line =~ /^B (\w+)/;
		$result{$1} = [ ($now - $begin{$1}) / 1e9, $2 ] if $line =~ /^E (\w+) (\w+)/ && $begin{$1};
	}
	alarm 0;
	waitpid $pid, 0;
	return \%result;
}

# So many runs of several machines in turn: { machine => { name => median } }; they must agree on checksums. A
# machine is [name, rounds, command...].
sub interleave {
	my ($rounds, $clock, @machines) = @_;
	my (%all, %checksum);
	for my $round (1 .. $rounds) {
		for (@machines) {
			my ($machine, $limit, @command) = @$_;
			next if $round > $limit;
			my $result = times_of($clock, @command);
			die "$machine: no result of @command\n" if !%$result;
			for my $name (keys %$result) {
				my ($seconds, $checksum) = @{ $result->{$name} };
				push @{ $all{$machine}{$name} }, $seconds;
				$checksum{$name} //= $checksum;
				die "$machine computes $checksum in $name, others $checksum{$name}\n"
					if $checksum ne $checksum{$name};
			}
		}
	}
	for my $of (values %all) {
		$_ = median(@$_) for values %$of;
	}
	return \%all;
}

1;
