# SPDX-License-Identifier: BSD-2-Clause
#
# Makes tests/coverage/sample.c a kernel, for the scripts that look at what it has executed.
package Sample;

use strict;
use warnings;
use Exporter 'import';
use Vole;

our @EXPORT = qw(sample_source sample_kernel);

sub sample_source { return 'tests/coverage/sample.c' }

# Compiles it with these options, e.g. -g; the path of the kernel.
sub sample_kernel {
	my ($name, @options) = @_;
	my $kernel = scratch() . "/$name.elf";
	my @cc = split ' ', $ENV{GUEST_CC} || $ENV{CC} || 'cc';
	my $result = run([@cc, qw(-m32 -march=i686 -ffreestanding -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector),
		qw(-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -O0 -nostdlib -static), '-Wl,-Ttext-segment=0x100000,-e,main',
		@options, '-o', $kernel, sample_source()]);
	die "@options: $result->{err}" if $result->{status};
	return $kernel;
}

1;
