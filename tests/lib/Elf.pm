# SPDX-License-Identifier: BSD-2-Clause
#
# 32-bit ELF files as text, for scripts that change kernels.
package Elf;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(elf_entry elf_segments elf_symbols);

# The address of the entry point.
sub elf_entry { return unpack 'x24 V', $_[0] }

# The segments that are loaded, a hash each: where the program header is in the file, and its p_offset, p_vaddr, p_paddr
# and p_filesz.
sub elf_segments {
	my ($bytes) = @_;
	my ($table, $size, $count) = unpack 'x28 V x10 v v', $bytes;
	my @segments;
	for my $at (map { $table + $_ * $size } 0 .. $count - 1) {
		my ($type, %segment);
		($type, @segment{qw(offset vaddr paddr filesz)}) = unpack 'V5', substr $bytes, $at, 20;
		push @segments, {%segment, header => $at} if $type == 1;
	}
	return @segments;
}

# The symbols, a hash of name => value, of the first symbol table; the first one of each name.
sub elf_symbols {
	my ($bytes) = @_;
	my ($table, $size, $count) = (unpack('x32 V', $bytes), unpack 'x46 v v', $bytes);
	my @sections = map { [unpack 'x4 V x8 V V V', substr $bytes, $table + $_ * $size, $size] } 0 .. $count - 1;
	my %symbols;
	for (grep { $_->[0] == 2 } @sections) {
		my ($type, $offset, $len, $link) = @$_;
		my $names = substr $bytes, $sections[$link][1], $sections[$link][2];
		for (my $at = $offset; $at < $offset + $len; $at += 16) {
			my ($name, $value) = unpack 'V V', substr $bytes, $at, 16;
			$symbols{unpack 'Z*', substr $names, $name} //= $value;
		}
	}
	return %symbols;
}

1;
