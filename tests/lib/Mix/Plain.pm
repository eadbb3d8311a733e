# SPDX-License-Identifier: BSD-2-Clause
#
# Instructions of every privilege level, after which a snippet goes on. Each function appends one, or a few that belong
# together, to the snippet $b (Mix::Bytes).
package Mix::Plain;

use strict;
use warnings;
use Exporter 'import';
use Mix::Bytes;

our @EXPORT = qw(alu test unary move exchange convert swap_bytes shift_ double_shift multiply divide decimal
	bits conditional compare_and_jump loop_ string stack call_ jump change_code);

sub alu {
	my ($b) = @_;
	my ($kind, $size) = (int rand 8, size());
	my $form = int rand 4;
	if ($form == 0) {
		operation($b, $kind << 3 | ($size > 1), target_of($size), $size);
	} elsif ($form == 1) {
		operation($b, $kind << 3 | 2 | ($size > 1), target_of($size), $size);
	} elsif ($form == 2) {
		size_prefix($b, $size);
		emit($b, $kind << 3 | 4 | ($size > 1));
		emit_value($b, value(), $size);
	} else {
		my $opcode = $size == 1 ? pick(0x80, 0x82) : pick(0x81, 0x83);
		operation($b, $opcode, $kind, $size);
		emit_value($b, value(), $opcode == 0x81 ? $size : 1);
	}
	return forget($b, $kind == 1 || $kind == 4 || $kind == 6 ? $UNDEFINED{logic} : 0);
}

sub test {
	my ($b) = @_;
	my $size = size();
	if (chance(0.5)) {
		operation($b, 0x84 | ($size > 1), pick(0 .. 7), $size);
	} else {
		operation($b, 0xf6 | ($size > 1), 0, $size);
		emit_value($b, value(), $size);
	}
	return forget($b, $UNDEFINED{logic});
}

sub unary {
	my ($b, %how) = @_;
	my $size = size();
	if ($size > 1 && chance(0.4)) {
		size_prefix($b, $size);
		return emit($b, pick(0x40, 0x48) | target());
	}
	return operation($b, 0xf6 | ($size > 1), pick(2, 3), $size, %how) if chance(0.5);
	return operation($b, 0xfe | ($size > 1), pick(0, 1), $size, %how);
}

sub move {
	my ($b) = @_;
	my $size = size();
	my $form = int rand 6;
	return operation($b, 0x88 | ($size > 1), target_of($size), $size) if $form == 0;
	return operation($b, 0x8a | ($size > 1), target_of($size), $size) if $form == 1;
	return operation($b, pick(0x1b6, 0x1b7, 0x1be, 0x1bf), target(), pick(2, 4)) if $form == 2;
	return operation($b, 0x8d, target(), pick(2, 4), memory => 1) if $form == 3;
	if ($form == 4) {
		operation($b, 0xc6 | ($size > 1), 0, $size);
		return emit_value($b, value(), $size);
	}
	size_prefix($b, $size);
	emit($b, pick(0xa0, 0xa2) | ($size > 1));
	return emit_value($b, offset(), $b->{bits} / 8);
}

sub exchange {
	my ($b) = @_;
	my $size = size();
	my $form = int rand 5;
	my $is_locked = $form < 4 && chance(0.1);
	emit($b, 0xf0) if $is_locked;
	return operation($b, 0x86 | ($size > 1), target_of($size), $size, memory => $is_locked) if $form == 0;
	return operation($b, 0x1b0 | ($size > 1), target_of($size), $size, memory => $is_locked) if $form == 1;
	return operation($b, 0x1c0 | ($size > 1), target_of($size), $size, memory => $is_locked) if $form == 2;
	if ($form == 3) {
		operation($b, 0x1c7, 1, 4, memory => 1);
		return operation($b, 0x39, pick(0 .. 7), 4, register => 1);
	}
	return emit($b, 0x90 | target());
}

sub convert {
	my ($b) = @_;
	size_prefix($b, pick(2, 4));
	return emit($b, pick(0x98, 0x99)) if chance(0.5);
	return emit($b, pick(0x9e, 0x9f, 0xd7, 0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0xd6, 0x90));
}

sub swap_bytes { my ($b) = @_; size_prefix($b, 4); return emit($b, 0x0f, 0xc8 | target()) }

sub shift_ {
	my ($b) = @_;
	my ($kind, $size) = (int rand 8, size());
	my $form = pick(0 .. 2);
	my $count = $form == 0 ? 1 : chance(0.7) ? 1 + int rand 8 * $size : pick(0, 1, 7, 8, 9, 15 .. 17, 31 .. 34, 64, 255);
	if ($form == 2) {
		emit($b, 0xb1, $count); # MOV CL
		operation($b, 0xd2 | ($size > 1), $kind, $size, safe => 1);
	} else {
		operation($b, ($form ? 0xc0 : 0xd0) | ($size > 1), $kind, $size, safe => 1);
		emit($b, $count) if $form;
	}
	$count &= 31;
	return if $count == 0;
	return forget($b, $count > 1 ? $UNDEFINED{rotate_many} : 0) if $kind < 4;
	return forget($b, $UNDEFINED{$count == 1 ? 'shift' : $count < 8 * $size || $kind == 7 ? 'shift_many' : 'shift_out'});
}

# A count above the operand's size leaves all undefined (SDM 2, SHLD).
sub double_shift {
	my ($b) = @_;
	my $size = pick(2, 4);
	my $count = int rand 8 * $size;
	my $opcode = pick(0x1a4, 0x1ac);
	emit($b, 0xb1, $count);
	my $by_cl = chance(0.5);
	operation($b, $opcode | $by_cl, pick(0 .. 7), $size);
	emit($b, $count) if !$by_cl;
	return forget($b, $count == 0 ? 0 : $UNDEFINED{$count == 1 ? 'shift' : 'shift_many'});
}

sub multiply {
	my ($b) = @_;
	my $size = size();
	my $form = int rand 3;
	if ($form == 0) {
		operation($b, 0xf6 | ($size > 1), pick(4, 5), $size);
	} elsif ($form == 1) {
		operation($b, 0x1af, target(), pick(2, 4));
	} else {
		my $opcode = pick(0x69, 0x6b);
		$size = pick(2, 4);
		operation($b, $opcode, target(), $size);
		emit_value($b, value(), $opcode == 0x69 ? $size : 1);
	}
	return forget($b, $UNDEFINED{multiply});
}

sub divide {
	my ($b) = @_;
	my $size = size();
	if (chance(0.7)) {
		my $high = pick(0, 0, 1, 0xffffffff);
		set_register($b, 2, $high);
		set_register($b, 0, $size == 1 ? pick(0x7f, 0x3f01, 0xff80, 0x80) : value());
	}
	set_register($b, 1, value() | 1);
	operation($b, 0xf6 | ($size > 1), pick(6, 7), $size);
	return forget($b, $UNDEFINED{divide});
}

sub decimal {
	my ($b) = @_;
	my $kind = int rand 4;
	if ($kind == 0) {
		emit($b, pick(0x27, 0x2f));
		return forget($b, $UNDEFINED{daa});
	}
	if ($kind == 1) {
		emit($b, pick(0x37, 0x3f));
		return forget($b, $UNDEFINED{aaa});
	}
	emit($b, pick(0xd4, 0xd5), pick(10, 10, 1, 7, 16, 255, $kind == 2 ? 3 : 0));
	return forget($b, $UNDEFINED{aam});
}

# BSF and BSR of 0 leave the destination undefined (SDM 2), so the source is not 0.
sub bits {
	my ($b) = @_;
	my $size = pick(2, 4);
	my $form = int rand 3;
	if ($form == 0) {
		set_register($b, 1, value() | pick(1, 0x8000, 0x100));
		size_prefix($b, $size);
		emit($b, 0x0f, pick(0xbc, 0xbd), 0xc1 | target() << 3);
		return forget($b, $UNDEFINED{bit_scan});
	}
	my $kind = int rand 4;
	my $is_locked = $kind > 0 && chance(0.1);
	set_register($b, 1, int rand 4096);
	emit($b, 0xf0) if $is_locked;
	if ($form == 1) {
		operation($b, 0x1ba, 4 + $kind, $size, memory => $is_locked);
		emit($b, int rand 256);
	} else {
		operation($b, 0x1a3 + 8 * $kind, 1, $size, memory => $is_locked);
	}
	return forget($b, $UNDEFINED{bit_test});
}

sub conditional {
	my ($b) = @_;
	my $condition = int rand 16;
	return operation($b, 0x190 | $condition, 0, 1, safe => 1) if chance(0.4);
	return operation($b, 0x140 | $condition, target(), pick(2, 4)) if chance(0.4);
	my $rest = { %$b, code => '' };
	$rest->{start} = here($b) + 2;
	pick(\&unary, \&move, \&convert)->($rest);
	emit($b, chance(0.85) ? 0x70 | $condition : pick(0xe3, 0xeb), length $rest->{code});
	$b->{code} .= $rest->{code};
	return;
}

# CMP or TEST with a jump that may be one operation with it.
sub compare_and_jump {
	my ($b) = @_;
	operation($b, 0x39, pick(0 .. 7), pick(2, 4)) if chance(0.6);
	return conditional($b);
}

# Loops of a few rounds over instructions that leave ECX alone.
sub loop_ {
	my ($b) = @_;
	set_register($b, 1, 1 + int rand 9);
	my $at = length $b->{code};
	emit($b, pick(0x40, 0x42, 0x4a));
	size_prefix($b, 4), emit($b, pick(0x11, 0x19, 0x01, 0x29), pick(0xc2, 0xd0)) if chance(0.7);
	if (chance(0.5)) {
		emit($b, pick(0xe2, 0xe2, 0xe0, 0xe1));
	} else {
		emit($b, 0x49, pick(0x75, 0x7f, 0x79));
	}
	return emit($b, ($at - length($b->{code}) - 1) & 0xff);
}

sub string {
	my ($b) = @_;
	my $is_long = chance(0.1);
	my $opcode = pick(0xa4 .. 0xa7, 0xaa .. 0xaf);
	my $compares = $opcode == 0xa6 || $opcode == 0xa7 || $opcode >= 0xae;
	emit($b, $is_long ? 0xfc : pick(0xfc, 0xfd)) if $is_long || chance(0.5);
	set_register($b, 1, $is_long ? 0x400 : int rand 24);
	set_register($b, $_, $is_long ? int rand 0x1000 : $compares ? 0x100 + int rand 0x1e00 : offset()) for 6, 7;
	emit($b, pick(0x26, 0x36, 0x64)) if chance(0.1);
	emit($b, 0x67) if chance(0.1);
	size_prefix($b, pick(2, 4));
	emit($b, pick(0xf2, 0xf3)) if chance(0.8);
	emit($b, $opcode);
	set_register($b, $_, pointer()) for 6, 7;
	return;
}

sub stack {
	my ($b) = @_;
	my $size = pick($b->{bits} / 8, 2, 4);
	my $form = int rand 9;
	size_prefix($b, $size) if $form != 2;
	return emit($b, 0x50 | int rand 8) if $form == 0;
	return emit($b, 0x58 | target()) if $form == 1;
	return operation($b, 0xff, 6, $size) if $form == 2 && chance(0.5);
	return operation($b, 0x8f, 0, $size) if $form == 2;
	return emit($b, 0x60) if $form == 3;
	return emit($b, 0x9c) if $form == 4;
	return emit($b, 0x6a, int rand 256) if $form == 5;
	return emit($b, 0xc8, int rand 64, 0, pick(0, 0, 1, 2, 5, 33)) if $form == 6;
	return emit($b, pick(0x06, 0x0e, 0x16, 0x1e)) if $form == 7;
	return emit($b, 0x0f, pick(0xa0, 0xa8));
}

# A call over a jump: call A; jmp B; A: instruction that leaves the stack alone; ret; B:
sub call_ {
	my ($b) = @_;
	my $rest = { %$b, code => '' };
	my $width = $b->{bits} / 8;
	unary($rest, register => 1);
	emit($b, 0xe8);
	emit_value($b, 2, $width);
	emit($b, 0xeb, length($rest->{code}) + (my $pops = chance(0.3)) * 2 + 1);
	$b->{code} .= $rest->{code};
	return emit($b, 0xc2, 0, 0) if $pops;
	return emit($b, 0xc3);
}

sub jump {
	my ($b) = @_;
	my $to = chance(0.95) ? here($b) + ($b->{bits} == 32 ? 7 : 8) : $CODE_TARGET;
	set_register($b, 0, $to);
	return emit($b, 0xff, pick(0xe0, 0xd0));
}

# An instruction that may have been decoded becomes another. The jump is for processors that need it (SDM 3, 9.6).
sub change_code {
	my ($b) = @_;
	emit($b, 0x67) if $b->{bits} == 16;
	emit($b, 0xc6, 0x05);
	my $skip = pick(0, 1);
	emit_value($b, $CODE_AT + here($b) + 7 + $skip, 4);
	emit($b, pick(0x40 .. 0x42, 0x48 .. 0x4a));
	emit($b, 0xeb, 0);
	return emit($b, (0x90) x (1 + $skip));
}

1;
