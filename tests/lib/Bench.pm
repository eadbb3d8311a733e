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

our @EXPORT = qw(kernel row output_of median with_idle private_memory cpu_time idle_time);

sub kernel { return build() . "/guest/$_[0].elf" }

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

1;
