# SPDX-License-Identifier: BSD-2-Clause
#
# What the snippets of Mix.pm are made of: random choices, and the bytes of instructions. A snippet that is being
# made, $b, is a hash: ring, bits (of its code segment), iopl, start (its offset there), code (the bytes so far), and
# is_late, when general registers no longer address memory.
package Mix::Bytes;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw($CODE_AT $CODE_TARGET %RING $PAGING $WRITE_PROTECT $CF $PF $AF $ZF $SF $TF $IF $DF $OF $NT %UNDEFINED
	pointer pick chance value offset selector good_selector emit emit_value here size_prefix absolute memory operation
	target target_of size set_register forget);

# As tests/guest/mix.h has them: where things are, and the selectors with their privilege level for code, data
# and stack of 32 and 16 bits.
our $CODE_AT     = 0x4000;
our $CODE_TARGET = 0xe00;
our %RING = (
	0 => { code => 0x28, data => 0x30, code16 => 0x48, data16 => 0x50 },
	3 => { code => 0x3b, data => 0x43, code16 => 0x5b, data16 => 0x63 },
);
our ($PAGING, $WRITE_PROTECT) = (1, 2);

our ($CF, $PF, $AF, $ZF, $SF, $TF, $IF, $DF, $OF, $NT) = map { 1 << $_ } 0, 2, 4, 6, 7, 8, 9, 10, 11, 14;

# Flags that an instruction leaves undefined ("Flags Affected", SDM 2). A snippet forgets them at once: it
# clears them, or the next instruction defines them all.
our %UNDEFINED = (
	logic       => $AF,
	multiply    => $SF | $ZF | $AF | $PF,
	divide      => $CF | $OF | $SF | $ZF | $AF | $PF,
	bit_test    => $OF | $SF | $AF | $PF,
	bit_scan    => $CF | $OF | $SF | $AF | $PF,
	daa         => $OF,
	aaa         => $OF | $SF | $ZF | $PF,
	aam         => $OF | $AF | $CF,
	shift       => $AF,
	shift_many  => $AF | $OF,         # by more than 1
	shift_out   => $AF | $OF | $CF,   # by the operand's size or more
	rotate_many => $OF,
);

# --- choices --------------------------------------------------------------------------------------------------

sub pick { return $_[int rand @_] }
sub chance { return rand() < $_[0] }

sub value {
	return pick(0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff)
		if chance(0.4);
	return int rand 1 << 32;
}

# An offset in the window: anywhere in the pages before the code, around their borders, or in the pages after it.
sub offset {
	my $kind = rand;
	return 0x100 + int rand 0x3700 if $kind < 0.7;
	return 0x1000 * pick(1, 1, 2, 3) - int rand 6 if $kind < 0.93;
	return pick(0x5000, 0x5ffe, 0x6000, 0x6e00);
}

# A value for a register that addresses memory.
sub pointer { return 0x100 + int rand 0x2e00 }

# A selector: one of those of the window with any privilege level, or a strange one.
sub selector {
	my ($b) = @_;
	return pick(0 .. 3, 0x140, 0x143, 0x1000, 0xfff8, 0xffff) if chance(0.1);
	return pick(0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x44) | pick(0, 3, 3) if chance(0.2);
	my @there = map { 8 * $_ } grep { $_ != 1 && $_ != 2 && $_ != 4 } 1 .. 0x27;
	return pick(@there) | ($b->{ring} == 3 ? pick(3, 3, 0, 1) : pick(0, 0, 0, 3, 1));
}

# One that can be loaded, and with which the window can be accessed.
sub good_selector {
	my ($b) = @_;
	return $b->{ring} == 3 ? pick(0x43, 0x63, 0x103, 0x07, 0x1f) : pick(0x30, 0x50, 0x40, 0x14);
}

# --- bytes ----------------------------------------------------------------------------------------------------

sub emit { my ($b, @bytes) = @_; $b->{code} .= pack 'C*', @bytes; return }
sub emit_value { my ($b, $value, $size) = @_; $b->{code} .= substr pack('V', $value & 0xffffffff), 0, $size; return }
sub here { my ($b) = @_; return $b->{start} + length $b->{code} }

# The prefix that makes the operand size 2 or 4.
sub size_prefix { my ($b, $size) = @_; emit($b, 0x66) if $size > 1 && $size * 8 != $b->{bits}; return }

# An absolute address as an operand, in an instruction whose prefixes are $prefix.
sub absolute {
	my ($b, $reg, $at) = @_;
	emit($b, $reg << 3 | ($b->{bits} == 32 ? 5 : 6));
	emit_value($b, $at, $b->{bits} / 8);
	return;
}

sub memory {
	my ($b, $reg) = @_;
	return absolute($b, $reg, offset()) if $b->{is_late} || chance(0.5);
	my $mod = pick(0, 1, 1, 2);
	if ($b->{bits} == 16) {
		emit($b, $mod << 6 | $reg << 3 | pick(0 .. 5, 7));
		emit_value($b, int rand 64, $mod);
		return;
	}
	my $base = pick(3 .. 7);
	$mod = 1 if $base == 5 && $mod == 0;
	emit($b, $mod << 6 | $reg << 3 | $base);
	emit($b, pick(0x24, 0x23, 0x33, 0x3e)) if $base == 4;
	emit_value($b, chance(0.5) ? int rand 64 : -int rand 64, $mod == 2 ? 4 : $mod);
	return;
}

# Prefixes, opcode and ModRM byte of an instruction of this size, on a register or memory; register, memory:
# that alone; safe: memory that can be written.
sub operation {
	my ($b, $opcode, $reg, $size, %how) = @_;
	emit($b, pick(0x26, 0x36, 0x3e, 0x64, 0x65)) if !$b->{is_late} && chance(0.06);
	size_prefix($b, $size);
	emit($b, 0x0f) if $opcode > 0xff;
	emit($b, $opcode & 0xff);
	if ($how{memory} || !$how{register} && chance(0.4)) {
		return $how{safe} ? absolute($b, $reg, int rand 0x1ffc) : memory($b, $reg);
	}
	emit($b, 0xc0 | $reg << 3 | target_of($size));
	return;
}

# A register to write: none that addresses memory.
sub target { return pick(0 .. 2) }
sub target_of { my ($size) = @_; return $size == 1 ? pick(0 .. 2, 4 .. 6) : target() }
sub size { return pick(1, 2, 4, 4) }

sub set_register {
	my ($b, $reg, $value) = @_;
	size_prefix($b, 4);
	emit($b, 0xb8 | $reg);
	return emit_value($b, $value, 4);
}

# Forget undefined flags.
sub forget {
	my ($b, $flags) = @_;
	return if !$flags;
	if (chance(0.5)) {
		operation($b, 0x39, pick(0 .. 7), 4, register => 1); # CMP
		return;
	}
	size_prefix($b, 4);
	emit($b, 0x9c); # PUSHFD
	emit($b, 0x67) if $b->{bits} == 16;
	size_prefix($b, 4);
	emit($b, 0x81, 0x24, 0x24); # AND dword [ESP]
	emit_value($b, ~$flags, 4);
	size_prefix($b, 4);
	emit($b, 0x9d); # POPFD
	return;
}

1;
