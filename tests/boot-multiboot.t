#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels with a Multiboot header, spec/boot-multiboot.md, and the board around them: tests/multiboot/ in both
# versions. What is refused by which field of a header, tests/unit/boot_multiboot.c has.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

each_engine();

my %kernel = map { $_ => build() . "/guest/multiboot$_.elf" } 1, 2;

# What vole says when a kernel halts for good, as most end.
my $halted = qr/vole: CPU 0 has halted with interrupts off, at 0x\w+(?: \(kernel_main\+0x\w+\))?: the machine ends\n/;

# The kernels of both versions, with this command line, end with this status and have said this; vole itself has
# said what matches $err, or nothing but why the machine ended.
sub runs {
	my ($name, $status, $out, $options, $cmdline, $err) = @_;
	for my $version (sort keys %kernel) {
		my $result = run([vole_run(), @$options, $kernel{$version}, '--', @$cmdline]);
		my $ok = $result->{status} eq $status && $result->{out} =~ $out &&
			$result->{err} =~ ($err // qr/\A$halted?\z/);
		ok($ok, "Multiboot $version: $name") or diag("expected $out\n", shown($result));
	}
	return;
}

# --- what a kernel is told ---

my $memory = join '', map { "memory $_\n" } '0 9f000 1', '9f000 1000 2', 'e0000 20000 2', '100000 3f00000 1';
my %told = (
	1 => "magic 2badb002\nflags 126d\nlower 27c\nupper fc00\ncommand line $kernel{1} a b\nsymbol kernel_main\n${memory}loader vole\n",
	2 => "magic 36d76289\ncommand line $kernel{2} a b\nloader vole\nlower 27c\nupper fc00\n${memory}tag 8\nsymbol kernel_main\n");
for my $version (sort keys %kernel) {
	my $result = run([vole_run(), $kernel{$version}, '--', 'a', 'b']);
	is($result->{out}, "$told{$version}done\n", "Multiboot $version: all that it is told") or diag(shown($result));
	ok($result->{status} eq 0 && $result->{err} =~ /\A$halted\z/, "Multiboot $version: a halt with interrupts off ends it, status 0")
		or diag(shown($result));
}
my @modules = map { write_file("module$_", "$_" x (5000 * $_)) } 1, 2;
my $list = join '', map { "module $_->[0]\nsize $_->[1]\nname $_->[2]\n" } [31313131, 1388, $modules[0]], [32323232, 2710, $modules[1]];
runs('modules', 7, qr/\Q$list\E/, [map { ('--module', $_) } @modules], ['exit=7']);
runs('RAM up to 3 GiB', 0, qr/^memory 100000 bff00000 1\n/m, ['-m', '3G'], []);
runs('an exception before the kernel has an IDT is reported as what it is', 126, qr/loader vole\n/, [], ['crash'],
	qr/\Avole: guest crashed: invalid opcode \(6\) on CPU 0 at 0x\w+ \(kernel_main\+0x\w+\)\n.*no interrupt table of its own/);

# --- the board ---

my @screen = ("\xe2\x95\x94" . "\xe2\x95\x90" x 5 . "\xe2\x95\x97", "\xe2\x95\x91Hello\xe2\x95\x91",
	"\xe2\x95\x9a" . "\xe2\x95\x90" x 5 . "\xe2\x95\x9d", '', 'the last row is below', ('') x 19, '24');
my %screens = ('C.UTF-8' => [@screen], C => ['+=====+', '|Hello|', '+=====+', @screen[3 .. $#screen]]);
for my $locale (sort keys %screens) {
	local $ENV{LC_ALL} = $locale;
	my $shown = join '', map { length ? "vole: | $_\n" : "vole: |\n" } @{$screens{$locale}};
	runs("the screen is shown at the end, LC_ALL=$locale", 0, qr/^blank 7200720\n.*^cursor 782\ndone\n\z/ms, [], ['screen'],
		qr/\A${halted}vole: the guest's screen, 80 x 25:\n\Q$shown\E\z/);
	runs("and after a crash, LC_ALL=$locale", 126, qr/cursor/, [], [qw(screen crash)],
		qr/\Avole: guest crashed: .*^vole: the guest's screen, 80 x 25:\n\Q$shown\E\z/ms);
}
{
	local $ENV{LC_ALL} = 'C.UTF-8';
	my $vole = terminal(vole_run(), $kernel{1}, '--', qw(screen wait));
	ok($vole->expect(qr/^done/m), 'a kernel that waits') or diag($vole->text);
	$vole->send("\x01s");
	ok($vole->expect(qr/state of the machine:.*the guest's screen, 80 x 25:\r\nvole: \| \Q$screen[0]\E\r\nvole: \| \Q$screen[1]\E/s),
		'^A s shows its screen') or diag($vole->text);
	$vole->send("\x01x");
	$vole->finish;
	like($vole->text, qr/the guest's screen, 80 x 25:\r\nvole: \| \Q$screen[0]\E/, 'and ^A x once more') or diag($vole->text);
}
runs('--screen off', 0, qr/cursor 782\n/, [qw(--screen off)], ['screen']);
{
	my $found = join "\n", 'port 80 ff', 'port e9 e9', 'base memory 280', 'extended memory fc00', 'BIOS data 27c', 'COM1 3f8',
		'CRT controller 3d4', 'MP table 5f504d5f', 'PCI ffffffff', 'retrace 9', 'open bus ffffffff', 'done';
	runs('the parts of a PC that kernels look for', 0, qr/^\Q$found\E\n/m, [], ['parts']);
}
runs('the timer, through the PIC', 0, qr/^ten ticks\ndone\n/m, [], ['timer']);
runs('the keyboard, by interrupts', 0, qr/^self-test 55\nkeyboard faab41\nleft 0\ndone\n/m, [], ['keyboard']);
runs('a reset through the keyboard controller', 0, qr/^done\n\z/m, [], ['reset']);
SKIP: {
	# A KVM that interprets guest code has no 32-bit paging; `make check-lane` has one that has.
	my $paging = engine() eq 'soft' || run([vole(), 'doctor'])->{out} =~ /^ok +32-bit paging/m;
	skip 'the KVM of this host has no 32-bit paging', 2 unless $paging;
	runs('paging, to the higher half', 0, qr/^in the higher half\ndone\n/m, [], ['paging']);
}

# --- who is what ---

{
	for my $version (sort keys %kernel) {
		my $what = $version == 1 ? 'Multiboot kernel' : 'Multiboot 2 kernel';
		my $result = run([vole_run(), '-v', $kernel{$version}, '--', 'exit=0']);
		like($result->{err}, qr/\Q$kernel{$version}: $what, --boot multiboot\E$/m, "-v: it is a $what");
		$result = run([vole(), 'inspect', '--module', $modules[0], $kernel{$version}, '--', 'word']);
		ok($result->{status} eq 0 && $result->{err} eq '' &&
			$result->{out} =~ /Multiboot $version, header.*\Q$kernel{$version}\E word\n.*module \Q$modules[0]\E\n.*EBX +0x00010000/s,
			"inspect: Multiboot $version") or diag(shown($result));
	}
	my $result = run([vole_run(), qw(--boot multiboot), build() . '/guest/hello.elf']);
	ok($result->{status} eq 127 && $result->{err} =~ /hello\.elf: no Multiboot header/, 'an ELF file without a header, named so')
		or diag(shown($result));
	$result = run([vole_run(), qw(--boot vole), $kernel{1}]);
	ok($result->{status} eq 126 && $result->{err} =~ /port 0x3fd, where nothing answers/,
		'--boot vole: a kernel with a header starts on vole\'s own board') or diag(shown($result));
}

sub word { return pack 'V*', @_ }
sub header1 { my ($flags, @fields) = @_; return word(0x1badb002, $flags, 0xffffffff & -(0x1badb002 + $flags), @fields) }
my $header = header1(0x10000, (0x100000) x 2, 0, 0, 0x100020);
my $raw = $header . "\xfa\xf4" x 4 . "\0" x 4096;
for my $case (
	['raw code with addresses in its header', 0, qr/\Avole: CPU 0 has halted with interrupts off/, $raw],
	['raw code without', 127, qr/a Multiboot header without addresses, and no ELF file/, header1(0) . "\0" x 4096],
	['a header at the end of the first 8192 bytes', 127, qr/begin before the file|the image|cut off/, 'x' x 8180 . header1(0x10000)],
	['a header behind them', 127, qr/nothing else/, 'x' x 8192 . $raw],
	['a header with a wrong checksum', 127, qr/nothing else/, word(0x1badb002, 0, 0) . "\0" x 4096],
	['an EFI executable with a header in it', 127, qr/EFI executable/,
		'MZ' . "\0" x 58 . word(128) . "\0" x 64 . "PE\0\0" . "\0" x 60 . $raw],
	['a disk image with a header in it', 127, qr/disk image/, 'x' x 510 . "\x55\xaa" . $raw],
	['an option ROM with a header in it', 127, qr/option ROM/, "\x55\xaa\0\0" . $raw],
	['a compressed file with a header in it', 127, qr/compressed with gzip/, "\x1f\x8b\x08\0" . $raw]) {
	my ($name, $status, $err, $bytes) = @$case;
	my $result = run([vole_run(), '--timeout', 20, write_file('image', $bytes)]);
	my $ok = $result->{status} eq $status && $result->{out} eq '' && $result->{err} =~ $err;
	ok($ok, "$name: status $status") or diag(shown($result));
}

# --- options ---

for my $case (
	['an initial RAM disk', qr/--boot multiboot takes no --initrd/, '--initrd', $modules[0]],
	['a load address', qr/--boot multiboot takes no --load/, '--load', 0],
	['1 MiB of RAM', qr/memory size 1048576 is too small/, '-m', '1M'],
	['a module that does not fit', qr/module of 2097152 bytes does not fit between/, '-m', '2M', '--module',
		write_file('large', "\0" x (2 << 20))]) {
	my ($name, $err, @options) = @$case;
	my $result = run([vole_run(), @options, $kernel{1}]);
	ok($result->{status} eq 125 && $result->{out} eq '' && $result->{err} =~ $err, "$name: refused") or diag(shown($result));
}

done_testing();
