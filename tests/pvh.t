#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels on the guest library start on other machines too, by PVH: on QEMU's microvm, emulated by TCG, and on the
# board that vole has for Linux. On vole they are started by vole's own protocol unless --boot says otherwise.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Installed;
use Vole;

my $guest = build() . '/guest';
my $text = "Words in sector 0.\n";
my $disk = write_file('disk.img', $text . "\0" x (65536 - length $text));

# What the demo kernel prints of the devices that it finds, in any order.
sub found {
	my ($out, $who, @kinds) = @_;
	like($out, qr/command line "some words"\n/, "$who: the command line is the kernel's own");
	like($out, qr/^  [0-9a-f]{8}  interrupt \d+ +$_$/m, "$who: $_ is in the device map") for @kinds;
	like($out, qr/^  [0-9a-f]{8} - [0-9a-f]{8} +\d+ KiB  free$/m, "$who: there is free memory");
	like($out, qr/^rng:\n(?:  [0-9a-f ]{47}\n)/m, "$who: random bytes came");
	like($out, qr/ sector 0 says\n  \| Words in sector 0\.\n/, "$who: sector 0 was read");
	like($out, qr/last sector: written, flushed, read back, compared, restored\n/, "$who: the last sector was written");
	return;
}

my $own = run([vole(), qw(run -v --engine soft), "$guest/devices.elf"]);
like($own->{err}, qr/ELF executable, --boot vole$/m, 'the note of vole wins');
like($own->{out}, qr/^d0000000  interrupt 1  console$/m, '... and the kernel has what vole tells it');

SKIP: {
	my $absent = kvm_absent();
	skip $absent, 1 if $absent;
	my $linux = run([vole(), qw(run --engine kvm --boot linux --debug-port 0xe9 --serial none --timeout 100 --disk), $disk,
		"$guest/demo.elf", '--', 'some words']);
	is($linux->{status}, 0, '--boot linux: the demo ends well') or diag(shown($linux));
	found($linux->{out}, '--boot linux', qw(rng block));
}

SKIP: {
	skip 'qemu-system-i386 is not here', 1 if !present('qemu-system-i386');
	my @machine = split ' ', <<'END';
qemu-system-i386 -accel tcg -cpu qemu32 -m 64 -display none -nodefaults -no-reboot
-global virtio-mmio.force-legacy=false -chardev stdio,id=out,signal=off
-device isa-debug-exit,iobase=0xf4,iosize=4
END
	my @debug_port = split(' ', '-device isa-debugcon,iobase=0xe9,chardev=out');
	my @devices = ('-device', 'virtio-rng-device', '-drive', "if=none,id=disk,file=$disk,format=raw",
		split(' ', '-device virtio-blk-device,drive=disk'));

	# With and without a PC's interrupt controllers and timers. The exit status is twice the code, and one more.
	for my $board ('microvm,acpi=off', 'microvm,acpi=off,pic=off,pit=off,rtc=off') {
		my $who = "QEMU -M $board";
		my $demo = run([@machine, '-M', $board, @debug_port, @devices, '-kernel', "$guest/demo.elf", '-append', 'some words']);
		is($demo->{status}, 1, "$who: the demo ends well") or diag(shown($demo));
		found($demo->{out}, $who, qw(rng block));
	}

	my $code = run([@machine, split(' ', '-M microvm,acpi=off'), @debug_port, '-kernel', "$guest/exit-code.elf", '-append', '7']);
	is($code->{status}, 15, 'QEMU: the exit code of the guest arrives') or diag(shown($code));

	# The virtio console, instead of the debug port.
	my $console = run([@machine, split(' ', '-M microvm,acpi=off -device virtio-serial-device -device virtconsole,chardev=out'),
		'-kernel', "$guest/devices.elf"]);
	is($console->{status}, 1, 'QEMU: a kernel with a console ends well') or diag(shown($console));
	like($console->{out}, qr/^[0-9a-f]{8}  interrupt \d+  console\r?$/m, '... and prints on it');
}

done_testing();
