# SPDX-License-Identifier: BSD-2-Clause
#
# 32-bit ELF files as text, for scripts that change kernels.
package Elf;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(elf_entry elf_segments);

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

1;
