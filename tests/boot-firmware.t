#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# BIOS images, spec/boot-firmware.md; and that nothing of the boards that look like a PC can be reached
# from the machine of ELF kernels.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

each_engine();

my $image = build() . '/guest/flat-firmware.bin';
my $hello = build() . '/guest/hello.elf';

# --- an image of our own ---

# What tests/flat/firmware.S tells, in its order; cmos: of the registers that depend on RAM and CPUs.
sub told {
	my ($cmos) = @_;
	return join ' ', map { sprintf '%02x', $_ }
		ord 'A', ord 'M', ord 'M',    # at the reset vector, from a read-only image below 4 GiB
		ord 'B', ord 'M', ord 'W',    # in the copy below 1 MiB, which is RAM
		0x77, 0xff, 0xff, 0x77,       # RAM below 640 KiB, the hole, RAM from 768 KiB on
		ord 'F',                      # the copy's first byte
		0xe9, 0xff,                   # the debug port, nobody
		0x5a,                         # the PIC's mask
		0x00, @$cmos, 0xff, $cmos->[4];
}

my $large = write_file('256k', "\xff" x 0x20000 . slurp($image));
for my $case (
	['128 KiB', [$image], [0x00, 0xfc, 0x00, 0x03, 0]],
	['256 KiB', [$large], [0x00, 0xfc, 0x00, 0x03, 0]],
	['128 KiB, named', ['--boot', 'firmware', $image], [0x00, 0xfc, 0x00, 0x03, 0]],
	['4 CPUs, 1 GiB', [qw(-c 4 -m 1G), $image], [0xff, 0xff, 0x00, 0x3f, 3]],
	['2 MiB of RAM', [qw(-m 2M), $image], [0x00, 0x04, 0x00, 0x00, 0]]) {
	my ($name, $words, $cmos) = @$case;
	my $result = run([vole_run(), @$words]);
	is(join(' ', map { sprintf '%02x', ord } split //, $result->{out}), told($cmos), "$name: what the firmware finds");
	ok($result->{status} eq 0 && $result->{err} eq '', "$name: a reset ends it, status 0") or diag(shown($result));
}
{
	my $result = run([vole_run(), qw(--debug-port 0x80), $image]);
	# The debug port's byte is then at 0x80, and nobody is at 0x402: nothing is printed.
	is($result->{out}, '', '--debug-port moves the byte console');
	$result = run([vole_run(), qw(--log pio --max-exits 2), $image]);
	is($result->{status}, 124, '--max-exits ends firmware too') or diag(shown($result));
	is_deeply([$result->{err} =~ /out port 0x0402 size 1 value 0x(\w\w) rip/g], ['41', '4d'], '--log pio shows what it prints');
	# As inspect says: 16 bytes below 4 GiB, then a jump.
	$result = run([vole_run(), qw(--log pio --max-exits 1), $image]);
	like($result->{err}, qr/rip 0xffffff0/, 'it begins in the image at 4 GiB');
	$result = run([vole(), 'inspect', $large]);
	ok($result->{status} eq 0 && $result->{err} eq '' && $result->{out} =~ /256 KiB.*0xfffc0000.*read-only.*f000:fff0/s,
		'inspect shows memory and the reset vector') or diag(shown($result));
	$result = run([vole_run(), qw(-v --max-exits 1), $image]);
	like($result->{err}, qr/flat-firmware\.bin: BIOS image, --boot firmware|firmware with a jump.*--boot firmware/,
		'-v names what was recognised');
}

# --- the end ---

# A jump at the reset vector, and before it `cli; hlt`, which this reaches.
my $dead = write_file('dead', "\0" x 0x1ffe0 . "\xfa\xf4" . "\0" x 14 . "\xeb\xee" . "\0" x 14);
for my $case (['one CPU', []], ['two CPUs, one of them not started', ['-c', 2]]) {
	my ($name, $words) = @$case;
	my $result = run([vole_run(), '--timeout', 20, @$words, $dead]);
	ok($result->{status} eq 0 && $result->{err} =~ /^vole: CPU 0 has halted with interrupts off, at 0xffffffe1: the machine ends\n\z/,
		"$name: to halt with interrupts off is the end") or diag(shown($result));
}
{
	# `sti; hlt` in a loop: SeaBIOS waits so for a minute before it reboots.
	my $idle = write_file('idle', "\0" x 0x1ffe0 . "\xfb\xf4\xeb\xfc" . "\0" x 12 . "\xeb\xee" . "\0" x 14);
	my $result = run([vole_run(), '--timeout', 2, $idle]);
	is($result->{status}, 124, 'to halt with interrupts on is not') or diag(shown($result));
}

# --- what is refused ---

sub refused {
	my ($name, $status, $pattern, @words) = @_;
	my $result = run([vole_run(), @words]);
	my @said = split /\n/, $result->{err};
	ok($result->{status} eq $status && $result->{out} eq '' && @said == 1 && $said[0] =~ $pattern, "$name is refused with $status")
		or diag("expected $pattern", shown($result));
	return;
}
my $far_jump = "\xea\x5b\xe0\x00\xf0" . '01/01/99' . "\0\xfc\0";
sub padded { return write_file("image-$_[0]", "\0" x ($_[0] - 16) . $far_jump) }
for my $size (0x10000, 0x80000, 0x100000) {
	refused("a BIOS image of $size bytes", 127, qr/firmware of $size bytes; --boot firmware takes 128 or 256 KiB/, padded($size));
}
refused('what ends like a BIOS image and has no such size', 127, qr/nothing else that vole recognises/, padded(0x12345));
refused('what is not firmware', 127, qr/hello\.elf: firmware of \d+ bytes/, qw(--boot firmware), $hello);
refused('an empty file', 127, qr/empty: the file is empty/, qw(--boot firmware), write_file('empty', ''));
refused('memory of 1 MiB', 125, qr/memory size 1048576 is too small: --boot firmware/, qw(-m 1M), $image);
refused('memory over 3 GiB', 125, qr/--memory 3145732K: a machine has at most 3G/, qw(-m 3145732K), $image);
refused('a disk', 125, qr/--disk \S+: --boot firmware has no devices/, '--disk', $large, $image);
refused('a module', 125, qr/--boot firmware takes no --module/, '--module', $large, $image);
refused('a command line', 125, qr/--boot firmware takes no command line/, $image, '--', 'a');
refused('a load address', 125, qr/--boot firmware takes no --load/, '--load', 0, $image);
refused("the byte console at $_", 125, qr/--debug-port $_: --boot firmware has another port there; 0x402 is usual/, '--debug-port', $_, $image)
	for '0x64', '0x71', '0xcf9';
refused("the byte console at $_", 125, qr/--debug-port $_: taken/, '--debug-port', $_, $image)
	for map { sprintf '0x%x', $_ } 0x20, 0x21, 0x40, 0x43, 0x61, 0xa0, 0xa1, 0x4d0, 0x4d1;

# --- images that nobody takes ---

sub word { return pack 'V*', @_ }
my $zeros = "\0" x 4096;
for my $case (
	['a.out, OMAGIC', qr/a\.out/, word(0407, 1024, 512) . $zeros],
	['a.out, NMAGIC', qr/a\.out/, word(0410 | 100 << 16, 1024, 512) . $zeros],
	['a.out, ZMAGIC', qr/a\.out/, word(0413 | 100 << 16, 1024, 512) . $zeros],
	['a.out, QMAGIC', qr/a\.out/, word(0314 | 100 << 16, 1024, 512) . $zeros],
	['EFI executable', qr/EFI executable/, 'MZ' . "\0" x 58 . word(128) . "\0" x 64 . "PE\0\0" . $zeros],
	['EFI firmware', qr/EFI firmware/, "\0" x 40 . '_FVH' . $zeros],
	['gzip', qr/gzip.*unpack/, "\x1f\x8b\x08" . $zeros],
	['xz', qr/xz.*unpack/, "\xfd7zXZ\0" . $zeros],
	['zstd', qr/zstd.*unpack/, "\x28\xb5\x2f\xfd" . $zeros],
	['bzip2', qr/bzip2.*unpack/, 'BZh9' . $zeros],
	['lzma', qr/lzma.*unpack/, "\x5d" . pack('VV2', 1 << 23, ~0, ~0) . $zeros],
	['lz4', qr/lz4.*unpack/, "\x04\x22\x4d\x18" . $zeros],
	['lz4, the older format', qr/lz4.*unpack/, "\x02\x21\x4c\x18" . $zeros],
	['ZIP', qr/ZIP.*unpack/, "PK\x03\x04" . $zeros],
	['cpio', qr/cpio.*--initrd/, '070701' . $zeros],
	['cpio, binary', qr/cpio.*--initrd/, "\xc7\x71" . $zeros],
	['COFF for i386', qr/COFF.*ELF/, pack('v2V3v2', 0x14c, 3, 0, 0, 0, 0, 0) . $zeros],
	['COFF for x86-64', qr/COFF.*ELF/, pack('v2V3v2', 0x8664, 3, 0, 0, 0, 0, 0) . $zeros],
	['Mach-O', qr/Mach-O.*ELF/, "\xcf\xfa\xed\xfe" . $zeros],
	['Mach-O for two processors', qr/Mach-O.*ELF/, "\xca\xfe\xba\xbe\0\0\0\2" . $zeros],
	['a Java class', qr/nothing else/, "\xca\xfe\xba\xbe\0\0\0\x34" . $zeros],
	['WebAssembly', qr/WebAssembly/, "\0asm\1\0\0\0" . $zeros],
	['qboot', qr/firmware of 65536 bytes; .*qboot.* needs QEMU/, "\0" x 65520 . "\xe9\x8d\xff" . 'f' x 13],
	['U-Boot', qr/U-Boot/, "\x27\x05\x19\x56" . $zeros],
	['archive', qr/archive/, "!<arch>\n" . $zeros],
	['option ROM', qr/option ROM/, "\x55\xaa" . $zeros],
	['boot sector', qr/boot sector.*--boot flat --load 0x7c00/, 'x' x 510 . "\x55\xaa"],
	['one byte', qr/nothing else/, 'x'],
	['text', qr/nothing else/, "#!/bin/sh\n"]) {
	my ($name, $pattern, $bytes) = @$case;
	refused($name, 127, $pattern, write_file('unknown', $bytes));
}

# --- the machine of ELF kernels has nothing of this ---

my %ports = (0x01 => 'flat console', 0x10 => 'flat counter', 0x20 => 'PIC', 0x21 => 'PIC', 0xa0 => 'second PIC', 0xa1 => 'second PIC',
	0x4d0 => 'PIC, trigger modes', 0x40 => 'PIT', 0x43 => 'PIT', 0x61 => 'PIT, gate', 0x60 => 'keyboard', 0x64 => 'keyboard',
	0x70 => 'CMOS', 0x71 => 'CMOS', 0x92 => 'A20', 0xcf8 => 'PCI', 0xcf9 => 'reset', 0xcfc => 'PCI', 0x402 => 'SeaBIOS console',
	0x3f8 => 'UART', 0x3fd => 'UART', 0x2f8 => 'second UART', 0x510 => 'fw_cfg', 0x600 => 'power management');
for my $port (sort { $a <=> $b } keys %ports) {
	my $result = run([vole_run(), build() . '/guest/port-unknown.elf', '--', $port]);
	my $name = sprintf '0x%x', $port;
	ok($result->{status} eq 126 && $result->{err} =~ /reads 1 byte from port $name, where nothing answers/,
		"ELF machine: nothing at port $name ($ports{$port})") or diag(shown($result));
}
for my $address (0xfed00000, 0xfffe0000, 0xfffc0000, 0xfffffff0, 0xc0000000) {
	my $result = run([vole_run(), build() . '/guest/hole-load.elf', '--', $address]);
	my $name = sprintf '0x%08x', $address;
	ok($result->{status} eq 126 && $result->{err} =~ /loads 4 bytes from $name, where nothing answers/,
		"ELF machine: nothing at $name") or diag(shown($result));
}

# --- SeaBIOS ---

for my $name ('bios.bin', 'bios-256k.bin') {
	my $path = "/usr/share/seabios/$name";
	SKIP: {
		skip "$path: no such file (package seabios)", 2 unless -e $path;
		my $vole = terminal(vole_run(), qw(--serial), 'file:' . scratch() . '/serial', $path);
		my @lines = (qr/SeaBIOS \(version /, qr/RamSize: 0x04000000/, qr/Found 1 cpu\(s\)/, qr/All threads complete/,
			qr/Found 1 serial port/, qr/No bootable device/);
		shift @lines while @lines && $vole->expect($lines[0]);
		is("@lines", '', "$name: runs its self-test to the end") or diag($vole->text);
		kill 'TERM', $vole->pid;
		is($vole->finish, 128 + 15, "$name: and is ended");
	}
}

done_testing();
