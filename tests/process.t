#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a running vole is to its host: the files that it holds, and the process that guards its terminal.
use strict;
use warnings;
no warnings 'portable'; # addresses have more than 32 bits
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use Test::More;
use Vole;

each_engine();

my $spin = build() . '/guest/spin.elf';

# What the descriptors of a process are open on.
sub files_of {
	my ($pid) = @_;
	return map { readlink // () } glob "/proc/$pid/fd/*";
}

{
	my $disk = write_file('disk', "\0" x 4096);
	my $vole = terminal(vole_run(), '-m', '47M', '-d', $disk, $spin);
	$vole->expect(qr/busy/);
	my @files = files_of($vole->pid);
	ok((grep { $_ eq $disk } @files), 'the disk is held');
	ok(!(grep { $_ eq '/dev/kvm' } @files), '/dev/kvm is not, once there is a machine');

	# The guard is vole's only child. Guest memory is the only mapping of 47 MiB that can be
	# written; those of sanitizers have other sizes, and what malloc reserves for a thread has 64 MiB.
	my ($guard) = map { split } slurp('/proc/' . $vole->pid . '/task/' . $vole->pid . '/children');
	ok($guard, 'a child guards the terminal');
	# It may not have had its first turn yet.
	my $deadline = time + 60;
	select undef, undef, undef, 0.02 while slurp("/proc/$guard/comm") eq "vole\n" && time < $deadline;
	is(slurp("/proc/$guard/comm"), "vole terminal\n", 'it has a name of its own');
	my $large = sub { grep { /^(\w+)-(\w+) rw/ && hex($2) - hex($1) == 47 << 20 } split /\n/, slurp("/proc/$_[0]/maps") };
	is(scalar $large->($vole->pid), 1, 'guest memory is mapped in vole');
	is(scalar $large->($guard), 0, 'and not in the guard') or diag($large->($guard));
	kill 'TERM', $vole->pid;
	is($vole->finish, 128 + 15, 'to its end');
}

# What a kernel is made of is closed before it runs. These print "!" at port 0xe9 and go on for ever, in 16-bit and in
# 32-bit code alike.
my $code = "\xb0!\xe6\xe9\xeb\xfe";

# A file with the code in place of what is there from $offset on.
sub patched {
	my ($name, $bytes, $offset) = @_;
	substr $bytes, $offset, length $code, $code;
	return write_file($name, $bytes);
}

# The offset in an ELF file of what is loaded at a physical address.
sub offset_of {
	my ($bytes, $address) = @_;
	for (elf_segments($bytes)) {
		my $from_base = $address - $_->{paddr};
		return $_->{offset} + $from_base if $from_base >= 0 && $from_base < $_->{filesz};
	}
	die "no segment at $address\n";
}

# Helpers that somebody has stopped do not keep vole from ending, and do their work once they go on.
{
	my $socket = scratch() . '/socket';
	my $vole = terminal(vole_run(), '--serial', "unix:$socket", $spin);
	$vole->expect(qr/busy/);
	my @helpers = split ' ', slurp('/proc/' . $vole->pid . '/task/' . $vole->pid . '/children');
	is(scalar @helpers, 2, 'there is a helper for the terminal, and one for the socket');
	kill 'STOP', @helpers;
	kill 'TERM', $vole->pid;
	is($vole->finish, 128 + 15, 'vole ends though they are stopped');
	my @told = $vole->text =~ /^vole: process (\d+) of vole's has not ended in a second; /mg;
	is("@{[sort { $a <=> $b } @told]}", "@helpers", 'and names them') or diag($vole->text);
	ok(-S $socket, 'the socket is still there');
	kill 'CONT', @helpers;
	for (1 .. 200) {
		last unless -e $socket;
		select undef, undef, undef, 0.05;
	}
	ok(!-e $socket, 'until the helper goes on');
}

{
	my $module = write_file('module', 'abc');
	my $elf = slurp($spin);
	my $multiboot = pack 'V8', 0x1badb002, 0x10000, -0x1badb002 - 0x10000 & 0xffffffff, 0x100000, 0x100000, 0, 0, 0x100020;
	my @kernels = (
		['vole', patched('elf', $elf, offset_of($elf, elf_entry($elf))), '--module', $module],
		['multiboot', patched('multiboot', $multiboot . "\0" x 64, 32), '--module', $module],
		['flat', patched('flat', '', 0)],
		['firmware', patched('firmware', "\0" x 0x20000, 0x1fff0)],
	);
	if (engine() eq 'kvm') {
		my $image = slurp(build() . '/guest/linux-probe.bzImage');
		push @kernels, ['linux', patched('bzImage', $image, (1 + ord substr $image, 0x1f1, 1) * 512), '--initrd', $module];
		my $pvh = slurp(build() . '/guest/linux-probe.elf');
		my ($entry) = run([vole(), qw(inspect --boot linux), build() . '/guest/linux-probe.elf'])->{out} =~ /EIP (0x\w+)/;
		push @kernels, ['linux', patched('pvh', $pvh, offset_of($pvh, hex $entry)), '--initrd', $module];
	}
	for (@kernels) {
		my ($boot, $kernel, @options) = @$_;
		my $vole = terminal(vole_run(), '--boot', $boot, qw(--debug-port 0xe9), @options, $kernel);
		ok($vole->expect(qr/!/), "$kernel runs");
		my @held = grep { $_ eq $kernel || $_ eq $module } files_of($vole->pid);
		is("@held", '', '... and is closed by then');
		kill 'TERM', $vole->pid;
		is($vole->finish, 128 + 15, '... to its end');
	}
}
done_testing();
