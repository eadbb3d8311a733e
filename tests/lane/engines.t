#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Both engines side by side on the same kernels: what the guest prints, its exit status, and what vole says of a
# crash are equal. For tests/lane/run, where KVM has hardware semantics: what differs is the software CPU's fault,
# or stands in spec/engines.md.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

my $absent = kvm_absent();
die "$absent\n" if $absent;

sub image {
	my ($name, $bytes) = @_;
	return write_file($name, pack 'V*', 0 .. $bytes / 4 - 1);
}

# What a run gives, without what may differ: see below.
sub outcome {
	my ($engine, $vole, $kernel, $guest) = @_;
	# Each engine has a disk of its own, as fresh as the other's.
	my @options = map { $_ eq 'DISK' ? image("$engine.img", 64 * 512) : $_ } @$vole;
	my $result = run([vole(), 'run', '--engine', $engine, @options, build() . "/guest/$kernel", @$guest ? ('--', @$guest) : ()],
		limit => 300);
	my ($out, $err) = @$result{qw(out err)};
	for ($out, $err) {
		# Frequencies and CPUID are the engine's; an access that KVM has emulated is told by the next instruction.
		s/time-stamp counter \d+ kHz/time-stamp counter N kHz/;
		s/by the instruction before or at .*\n/by the instruction before or at\n/;
		s/\Q$engine\E\.img/disk.img/g;
		# A fault pushes RF (Intel SDM 3, 18.3.1.1). QEMU, which is the processor here, forgets it.
		s/^(  eip .* eflags 000)1/${1}0/mg;
	}
	# After a crash: the cause. Registers and flags that manuals leave undefined may differ.
	my ($cause) = $err =~ /\A(vole: guest crashed[^\n]*)/;
	# An AMD processor does not keep which exception became a triple fault, and where.
	$cause =~ s/crashed: \K.*( on CPU \d).*; it could not be delivered.*/triple fault$1/ if defined $cause;
	return { status => $result->{status}, out => $out, err => $cause // $err };
}

for my $case (
	[[], 'hello.elf'],
	[[qw(-m 3G)], 'hello.elf'],
	(map { [[], 'exit-code.elf', $_] } 0, 1, 119, 256),
	(map { [[], "$_.elf"] } qw(null-store rodata-store text-store stack-overflow hole-load hole-store port-unknown port-width
		unhandled exceptions paging library modules timer features triple-fault)),
	[[], 'triple-fault.elf', 'int3'],
	[[], 'unhandled.elf', 'alone'],
	(map { [[qw(-c), $_], 'smp.elf'] } 1, 2),
	[[qw(-c 3)], 'cpu-state.elf'],
	[[qw(-c 2)], 'init-sipi.elf'],
	[[qw(-d DISK)], 'block-rw.elf'],
	(map { [['-d', 'DISK', '--virtio', $_], 'block-rw.elf'] } 'packed=on', 'event-idx=off', 'indirect=off,in-order=on'),
	[[qw(-d DISK)], 'register-access.elf'],
	[[qw(--virtio packed=on)], 'rng-draw.elf'],
	[[], 'emergency-write.elf'],
	[[], 'console-flood.elf', 20],
	[[qw(--boot flat --debug-port 1)], 'flat-hello.bin'],
) {
	my ($vole, $kernel, @guest) = @$case;
	my ($kvm, $soft) = map { outcome($_, $vole, $kernel, \@guest) } 'kvm', 'soft';
	isnt($kvm->{status}, 'time limit', join ' ', @$vole, $kernel, @guest, 'ends');
	is_deeply($soft, $kvm, '... and the engines agree')
		or diag("KVM\n", shown($kvm), "software CPU\n", shown($soft));
}

done_testing();
