#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels outside of the tree: each example, copied from where `make install` put it, is built by the commands in
# its own first lines and runs as it says. The headers are where those lines say.
use strict;
use warnings;
use lib 'tests/lib';
use File::Copy 'copy';
use Test::More;
use Abi 'slurp';
use Installed;
use Vole;

each_engine();

my $prefix = scratch() . '/prefix';
my $installed = install_vole("PREFIX=$prefix");
is($installed->{status}, 0, 'make install') or diag(shown($installed));
$ENV{PKG_CONFIG_PATH} = "$prefix/lib/pkgconfig";

$ENV{PATH} = "$prefix/bin:$ENV{PATH}";

# What the commands call by these names: the compilers of this run; and a rustc that has core for 32-bit x86, if any.
my $cc = $ENV{CC} || 'cc';
my $cache = $ENV{VOLE_CACHE} || ($ENV{XDG_CACHE_HOME} || ($ENV{HOME} // '') . '/.cache') . '/vole';
my ($rustc) = grep { has_core($_) } grep { present($_) } $ENV{RUSTC} // (), 'rustc', '/usr/bin/rustc', "$cache/rust/rustc";
my %called = (
	'cc' => $cc,
	'c++' => $cc =~ s/gcc/g++/r =~ s/clang/clang++/r =~ s/^cc$/c++/r,
	'rustc' => $rustc,
	'vole run' => 'vole run --engine ' . engine(),
);

sub has_core {
	my ($compiler) = @_;
	my $folder = run([$compiler, qw(--print target-libdir --target i686-unknown-linux-gnu)])->{out};
	chomp $folder;
	return scalar glob "$folder/libcore-*.rlib";
}

# The commands in the first lines of a file: comment lines with a tab before them; and a command as it is typed here.
sub commands {
	my ($path) = @_;
	my ($head) = slurp($path) =~ /^((?:[^\n]*\n){20})/;
	my $text = join "\n", $head =~ m{^(?: \*|//|;)\t(.*)$}mg;
	return split /\n/, $text =~ s/\\\n\s*//gr;
}

sub typed {
	my ($folder, $command) = @_;
	my $names = join '|', map { quotemeta } keys %called;
	$command =~ s/^($names)(?= )/$called{$1}/;
	return run(['sh', '-c', "cd $folder && $command"]);
}

# Build and run an example in a folder of its own. $text is what disk.img begins with.
sub example {
	my ($name, $expected, $text) = @_;
	my $folder = scratch() . "/$name.d";
	mkdir $folder or die "$folder: $!\n";
	copy("$prefix/share/doc/vole/examples/$name", "$folder/$name") or die "$name: $!\n";
	write_file("$name.d/disk.img", $text);
	my @commands = commands("$folder/$name");
	my $last = pop @commands;
	for (@commands) {
		my $built = typed($folder, $_);
		is($built->{status}, 0, "$name: $_") or diag(shown($built));
		is($built->{err}, '', '... without a complaint');
	}
	like($last, qr/^vole run /, "$name: the last command runs it");
	my $ran = typed($folder, $last);
	is($ran->{status}, 0, "$name: it runs") or diag(shown($ran));
	is($ran->{out}, $expected, '... and prints what it should');
	is($ran->{err}, '', '... without a word of vole');
	return slurp("$folder/disk.img");
}

my $disk = '';
example('hello.c', "Hello from a kernel!\n", $disk);
example('hello.cc', "Hello from a kernel in C++!\n", $disk);
my $size = 1 << 20;
my $text = "These words are on a disk.\n";
my $after = example('disk.c', $text . "The last sector says so, too.\n", $text);
is(length $after, $size, 'disk.c: its own command makes the image as large as it says');
is(substr($after, $size - 512), $text . "\0" x (512 - length $text), 'disk.c: the last sector of the image is written');
is(substr($after, 0, $size - 512), $text . "\0" x ($size - 512 - length $text), '... and nothing else');

SKIP: {
	skip 'nasm is not here', 1 if !present('nasm');
	example('hello.asm', "Hello from a kernel in assembly!\n", $disk);
}
SKIP: {
	skip 'no rustc here has core for i686-unknown-linux-gnu (tests/rust/fetch gets one)', 1 if !$rustc;
	example('hello.rs', "Hello from a kernel in Rust!\n", $disk);
}
SKIP: {
	skip 'pkg-config is not here', 1 if !present('pkg-config');
	example('devices.c', <<'END', $disk);
d0000000  interrupt 1  console
d0001000  interrupt 2  entropy
END

	# For loaders that want what Firecracker's does: a 64-bit file by its headers, of the same code.
	my ($link) = slurp('README.md') =~ /^`(-Wl,\S*elf64-x86-64)`/m;
	my $folder64 = scratch() . '/devices.c.d';
	my $wide = typed($folder64, "cc \$(pkg-config --cflags vole-guest) $link -o wide.elf devices.c \$(pkg-config --libs vole-guest)");
	is($wide->{status}, 0, 'a kernel in a 64-bit ELF file') or diag(shown($wide));
	my $headers = run(['readelf', '-hlW', "$folder64/wide.elf"])->{out};
	like($headers, qr/Class: +ELF64$/m, '... which it is');
	is_deeply([$headers =~ /^ +LOAD .* (0x\w+)$/mg], [('0x200000') x 3], '... with segments aligned to 2 MiB');
	like(run([qw(readelf -nW), "$folder64/wide.elf"])->{out}, qr/^ +Xen +0x0*4\b.*0x0*12\b/m, '... and the note for PVH');
	if (engine() eq 'kvm') {
		my $started = run([vole_run(), qw(--boot linux --serial none --debug-port 0xe9), "$folder64/wide.elf"]);
		is($started->{out}, "d0000000  interrupt 5  entropy\n", '... by which it starts') or diag(shown($started));
	}

	# In C++, and with the command that README has.
	my $folder = scratch() . '/library';
	mkdir $folder or die "$folder: $!\n";
	write_file('library/k.cc', <<'END');
extern "C" {
#include <vole/guest/printf.h>
#include <vole/guest/start.h>

int main(const struct start_info *info)
{
	printf("%u devices\n", info->dev_size);
	return 7;
}
}
END
	my $built = typed($folder, 'c++ $(pkg-config --cflags vole-guest) k.cc $(pkg-config --libs vole-guest)');
	is($built->{status}, 0, 'a kernel in C++ on the library') or diag(shown($built));
	my $ran = run([vole_run(), "$folder/a.out"]);
	is($ran->{out}, "2 devices\n", '... prints');
	is($ran->{status}, 7, '... and gives the exit status');
}

# Without a disk, disk.c says what is missing.
my $alone = run([vole_run(), scratch() . '/disk.c.d/disk.elf']);
is($alone->{out}, "There is no disk: --disk FILE adds one.\n", 'disk.c without a disk says so');
is($alone->{status}, 1, '... and gives exit status 1');

done_testing();
