#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A host's disk that does not return from a request: the time-out, signals, the terminal and the guest's other work go
# on, and vole ends when it is told to, without what the disk still owes. vole-faulty is a vole whose disk stalls
# when told to (tests/faulty/stall.c).
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use Vole;

each_engine();

my ($stall, $stalled) = map { scratch() . "/$_" } qw(stall stalled);
my $disk = write_file('disk', "\0" x 32768);
my $inline = engine() eq 'soft';    # the disk is served by the thread that executes the guest
$ENV{VOLE_STALL} = $stall;
$ENV{VOLE_STALLED} = $stalled;
$ENV{VOLE_FAULTY_FILE} = $disk;

# A vole on a terminal, with a socket too, whose guest has a request under way from which the disk does not return.
sub stalled {
	my ($kernel, @options) = @_;
	unlink $stall, $stalled;
	my $vole = terminal(build() . '/tests/tools/vole-faulty', 'run', '--engine', engine(), '-d', $disk,
		qw(--console stdio --serial), 'unix:' . scratch() . '/socket', @options, build() . "/guest/$kernel.elf", '--', 1_000_000_000);
	$vole->expect(qr/\n/);
	write_file('stall', '');
	$vole->send('x') if $kernel eq 'stalled';
	my $deadline = time + 60;
	sleep 0.01 until -e $stalled || time > $deadline;
	$vole->send('x') if $kernel eq 'stalled';
	return $vole;
}

sub ends {
	my ($vole, $status, $name) = @_;
	my $got = $vole->finish;
	is($got, $status, "$name: the exit status");
	like($vole->text, qr/the host does not return from a request/, "$name: says why it ends without it");
	# Its guard may outlive vole for a moment.
	my $deadline = time + 60;
	sleep 0.01 until $vole->settings eq $vole->before || time > $deadline;
	is($vole->settings, $vole->before, "$name: the terminal is as it was");
	ok(!-e scratch() . '/socket', "$name: the socket is gone");
	unlink $stalled;
	return;
}

{
	my $vole = stalled('journal');
	kill 'TERM', $vole->pid;
	ends($vole, 128 + 15, 'SIGTERM');
}
ends(stalled('journal', '--timeout', 2), 124, '--timeout');
# On the software CPU the thread that would read keys, and execute the guest, is at the disk.
if (!$inline) {
	my $vole = stalled('journal');
	$vole->send("\x01x");
	ends($vole, 0, '^A x');

	$vole = stalled('stalled');
	$vole->expect(qr/registers answer/);
	pass('a CPU that reads registers of the disk does not wait for the host');
	select undef, undef, undef, 0.3;
	unlike($vole->text, qr/reset/, 'one that resets it does');
	kill 'QUIT', $vole->pid;
	$vole->expect(qr/CPU 0 does not answer: it waits for .* a disk/);
	$vole->expect(qr/device \d+, block: at a request that the host has not finished/);
	pass('a state report says of both');
	unlink $stalled;
	$vole->expect(qr/reset\r\n/);
	is($vole->finish, 0, 'and goes on when the host returns');

	$vole = stalled('stalled');
	$vole->expect(qr/registers answer/);
	kill 'TERM', $vole->pid;
	ends($vole, 128 + 15, 'SIGTERM during a reset');
}
{
	# For as long as it takes, if nobody asks for the end.
	my $vole = stalled('journal');
	sleep 0.2;
	unlink $stalled;
	$vole->expect(qr/\n/);
	kill 'TERM', $vole->pid;
	is($vole->finish, 128 + 15, 'a disk that returns: the guest goes on');
	unlike($vole->text, qr/does not return/, 'and nothing is said');
}
done_testing();
