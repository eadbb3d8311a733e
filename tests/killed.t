#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# vole is killed, at moments that nobody chooses: what a guest was told is safe is on the disk, and after a signal
# that can be handled, nothing is left behind. KILLS is how many times each; a thousand take minutes.
use strict;
use warnings;
use lib 'tests/lib';
use IO::Select;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Abi 'slurp';
use Vole;

each_engine();

my $kills = $ENV{KILLS} // 20;
my $sectors = 64;

# Start vole with this as its standard output; (pid, the other end).
sub start {
	my (@command) = @_;
	pipe my $read, my $write or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		POSIX::dup2(fileno $write, 1);
		exec { $command[0] } @command or POSIX::_exit(255);
	}
	close $write;
	return ($pid, $read);
}

# The last turn that the guest of journal.elf printed in whole, whose sector is to hold it.
sub last_turn {
	my ($text) = @_;
	my @turns = $text =~ /^(\d+)\n/mg;
	return $turns[-1] // 0;
}

{
	my $disk = write_file('journal', "\0" x ($sectors * 512));
	my ($lost, $seen) = (0, 0);
	for (1 .. $kills) {
		my ($pid, $out) = start(vole_run(), '--rng', 'none', '-d', $disk, build() . '/guest/journal.elf', '--', 1_000_000_000);
		IO::Select->new($out)->can_read(60);    # the guest's first flush was answered
		sleep rand 0.05;
		kill 'KILL', $pid;
		my $turn = last_turn(do { local $/; <$out> } // '');
		waitpid $pid, 0;
		$seen += $turn;
		$lost++ if $turn && substr(slurp($disk), $turn % $sectors * 512, 512) ne pack('V', $turn) x 128;
	}
	is($lost, 0, "SIGKILL, $kills times: each sector whose flush was answered is on the disk ($seen flushes)");
	cmp_ok($seen, '>=', $kills, 'and there were some to lose');
}
{
	# How long a run takes from its start to its end, so that the signals are spread over it, and some beyond.
	my $socket = scratch() . '/socket';
	my @command = (vole_run(), '--console', "unix:$socket", '--serial', 'file:' . scratch() . '/serial', build() . '/guest/hello.elf');
	my $since = time;
	run([@command]);
	my $span = 1.2 * (time - $since);
	my ($strange, $left) = ('', 0);
	for (1 .. $kills) {
		my ($pid, $out) = start(@command);
		sleep rand $span;
		kill 'TERM', $pid;
		my $deadline = time + 60;
		my $done;
		sleep 0.005 until ($done = waitpid($pid, POSIX::WNOHANG())) || time > $deadline;
		kill('KILL', $pid), waitpid($pid, 0), $strange .= ' hung' unless $done;
		# Before vole holds signals back they end it as any program.
		$strange .= " $?" if $done && $? != 0 && $? != 15;
		$left++ if -e $socket;
		unlink $socket;
	}
	is($strange, '', "SIGTERM, $kills times in the course of a run: it ends by the signal, or had ended");
	is($left, 0, 'and leaves no socket behind');
}
done_testing();
