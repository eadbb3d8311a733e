# SPDX-License-Identifier: BSD-2-Clause
#
# Instructions after which a snippet may be lost: segments, far transfers, interrupts, stacks, system registers. Each
# function appends one, or a few that belong together, to the snippet $b (Mix::Bytes).
package Mix::System;

use strict;
use warnings;
use Exporter 'import';
use Mix::Bytes;
use Mix::Plain;

our @EXPORT = qw(load_segment load_stack_segment look_at_selector use_segment far push_value far_return
	set_flags interrupt move_stack bound invalid change_cr0 system_);

# What is loaded in DS and SS is used later, so it must be good if the load succeeds.
sub load_segment {
	my ($b) = @_;
	my $form = int rand 3;
	my $is_good = chance(0.4);
	my $selector = $is_good ? good_selector($b) : selector($b);
	if ($form == 0) {
		set_register($b, 0, $selector);
		return emit($b, 0x8e, 0xc0 | ($is_good ? pick(0, 2, 3, 4, 5) : pick(0, 4, 5)) << 3);
	}
	if ($form == 1) {
		push_value($b, $selector | int(rand 0x10000) << 16, 4);
		size_prefix($b, 4);
		my $register = $is_good ? int rand 5 : pick(0, 3, 4);
		return emit($b, $register < 3 ? (0x07, 0x17, 0x1f)[$register] : (0x0f, $register == 3 ? 0xa1 : 0xa9));
	}
	set_register($b, 0, $selector);
	my $at = 0x100 + 8 * int rand 64;
	emit($b, 0x66) if $b->{bits} == 32;
	emit($b, 0x89);
	absolute($b, 0, $at + 4);
	size_prefix($b, 4);
	my $opcode = $is_good ? pick(0xc4, 0xc5, 0x1b4, 0x1b5) : pick(0xc4, 0x1b4, 0x1b5);
	emit($b, 0x0f) if $opcode > 0xff;
	emit($b, $opcode & 0xff);
	return absolute($b, target(), $at);
}

# SS takes a writable data segment of the current privilege level alone; of those, the window's.
sub load_stack_segment {
	my ($b) = @_;
	my $selector = selector($b);
	$selector = good_selector($b) if grep { $_ == ($selector & 0xfff8) } 0x88, 0x110;
	set_register($b, 0, $selector);
	return emit($b, 0x8e, 0xd0) if chance(0.5);
	size_prefix($b, 4);
	emit($b, 0x50);
	size_prefix($b, 4);
	return emit($b, 0x17);
}

sub look_at_selector {
	my ($b) = @_;
	set_register($b, 1, selector($b) | int(rand 0x10000) << 16);
	my $form = int rand 4;
	size_prefix($b, pick(2, 4)) if $form < 2;
	return emit($b, 0x0f, pick(0x02, 0x03), 0xc1 | target() << 3) if $form < 2;
	return emit($b, 0x0f, 0x00, 0xc1 | pick(4, 5) << 3) if $form == 2;
	return emit($b, 0x63, 0xc0 | pick(0 .. 2) << 3 | target());
}

sub use_segment {
	my ($b) = @_;
	load_segment($b);
	return pick(\&move, \&alu, \&stack)->($b);
}

# The jump before it is for QEMU's sake: see Mix.pm.
sub far {
	my ($b) = @_;
	my $size = pick(2, 4, $b->{bits} / 8, $b->{bits} / 8);
	my $selector = selector($b);
	$selector = 0 if ($selector & 0xfffc) == 0x2c;
	if (chance(0.6)) {
		emit($b, 0xeb, 0);
		size_prefix($b, $size);
		emit($b, pick(0x9a, 0xea));
		emit_value($b, $CODE_TARGET, $size);
		return emit_value($b, $selector, 2);
	}
	size_prefix($b, 4);
	emit($b, 0xc7);
	absolute($b, 0, 0x200);
	emit_value($b, $CODE_TARGET, 4);
	size_prefix($b, 4);
	emit($b, 0xc7);
	absolute($b, 0, 0x200 + $size);
	emit_value($b, $selector, 4);
	emit($b, 0xeb, 0);
	size_prefix($b, $size);
	emit($b, 0xff);
	return absolute($b, pick(3, 5), 0x200);
}

sub push_value {
	my ($b, $value, $size) = @_;
	size_prefix($b, $size);
	emit($b, 0x68);
	return emit_value($b, $value, $size);
}

# A frame, and RET far or IRET to it. Flags are such that the snippet stays out of virtual-8086 mode.
sub far_return {
	my ($b) = @_;
	my $size = pick(2, 4, $b->{bits} / 8, $b->{bits} / 8);
	my $is_iret = chance(0.6);
	my $cs = chance(0.5) ? selector($b) : pick(0x3b, 0x5b, $RING{$b->{ring}}{code}, 0x10b);
	my $ss = chance(0.4) ? selector($b) : pick(0x43, 0x63);
	$ss = 0x43 if grep { $_ == ($ss & 0xfff8) } 0x88, 0x90, 0x110;
	my $flags = int(rand 0x8000) & ~($NT | (chance(0.9) ? $TF : 0)) | pick(0, 0, 1 << 18, 1 << 21);
	push_value($b, $_, $size) for $ss, 0x3600;
	push_value($b, 0x12345678, $size) if !$is_iret && (my $pops = chance(0.3));
	push_value($b, $flags, $size) if $is_iret;
	push_value($b, $_, $size) for $cs, $CODE_TARGET;
	size_prefix($b, $size);
	return emit($b, 0xcf) if $is_iret;
	return $pops ? emit($b, 0xca, $size, 0) : emit($b, 0xcb);
}

sub set_flags {
	my ($b) = @_;
	my $flags = value() & ~(1 << 17) & (chance(0.8) ? ~($TF | $NT) : -1);
	my $size = pick(2, 4);
	push_value($b, $flags, $size);
	size_prefix($b, $size);
	emit($b, 0x9d);
	size_prefix($b, 4);
	return emit($b, 0x9c);
}

sub interrupt {
	my ($b) = @_;
	return emit($b, pick(0xcc, 0xce)) if chance(0.2);
	return emit($b, 0xcd, chance(0.8) ? pick(0x20 .. 0x2c, 0x2e .. 0x31) : pick(0, 3, 4, 13, 14, 0x40, 0xff));
}

# ESP elsewhere in the window, then something that uses it, with what the window has there.
sub move_stack {
	my ($b) = @_;
	my $form = int rand 3;
	my $at = pick(0x800, 0x1001, 0x1002, 0x17fe, 0x3802);
	set_register($b, 4, $at) if $form == 0;
	if ($form == 1) {
		set_register($b, 5, $at);
		size_prefix($b, pick(2, 4));
		emit($b, 0xc9); # LEAVE
		return set_register($b, 5, pointer());
	}
	size_prefix($b, pick(2, 4));
	return emit($b, pick(0x50, 0x58, 0x60, 0x61, 0x9c, 0x1e));
}

sub bound {
	my ($b) = @_;
	size_prefix($b, my $size = pick(2, 4));
	emit($b, 0x62);
	return memory($b, target());
}

sub invalid {
	my ($b) = @_;
	my @ways = (
		[0x0f, 0x0b], [0x0f, 0xff, 0xc0], [0x0f, 0xb9, 0xc0], [0x8e, 0xc8], [0xc4, 0xc0], [0xc5, 0xc0], [0x62, 0xc0],
		[0xf0, 0x90], [0xf0, 0x01, 0xc0], [0xff, 0xf8], [0xff, 0xd8], [0xff, 0xe8], [0xfe, 0xf8],
		[0x8d, 0xc0], [0x0f, 0xc7, 0xc8], [0x0f, 0xba, 0xc0, 1], [0x0f, 0x04], [0x0f, 0x0a],
		[0x0f, 0x24, 0xc0], [0x0f, 0x05], [0x0f, 0x07], [0x8c, 0xf0],
		[(0x66) x 15, 0x90], [(0x66) x 14, 0x90], [0xf3, 0x90], [0xf2, 0x40],
	);
	return emit($b, @{ pick(@ways) });
}

# CR0: paging, write protection, task switched, emulation, alignment mask, and combinations that are refused.
sub change_cr0 {
	my ($b) = @_;
	emit($b, 0x0f, 0x20, 0xc0);
	size_prefix($b, 4);
	emit($b, 0x35);
	emit_value($b, pick(1 << 31, 1 << 16, 8, 4, 2, 1 << 18, 1 << 29, 1 << 10, 0x10), 4);
	emit($b, 0x0f, 0x22, 0xc0);
	return unary($b);
}

sub system_ {
	my ($b) = @_;
	my $form = int rand 12;
	my $denied = $b->{ring} == 3;
	return operation($b, 0x100, pick(0, 1), pick(2, 4)) if $form == 0;
	return operation($b, 0x101, 4, pick(2, 4)) if $form == 1;
	return operation($b, 0x101, pick(0, 1), 4, memory => 1, safe => 1) if $form == 2;
	return operation($b, 0x101, 7, 4, memory => 1) if $form == 3;
	return emit($b, pick(0xfa, 0xfb)) if $form == 4;
	return emit($b, 0x0f, pick(0x06, 0x08, 0x09)) if $form == 5;
	return emit($b, 0x0f, 0x20, pick(0xc0, 0xd8, 0xe0) | target()) if $form == 6;
	if ($form == 7) {
		set_register($b, 1, 0x12345);
		return emit($b, 0x0f, pick(0x30, 0x32, 0x34, 0x35));
	}
	if ($form == 8) {
		my $selector = selector($b);
		set_register($b, 1, $selector);
		return emit($b, 0x0f, 0x00, 0xc1 | ($selector < 4 ? 2 : pick(2, 3, 3)) << 3);
	}
	if ($form == 9 && $denied) {
		return emit($b, 0xf4) if chance(0.3);
		return operation($b, 0x101, pick(2, 3), 4, memory => 1);
	}
	if ($form == 10 && $denied && $b->{iopl} < 3) {
		return emit($b, pick(0xe4, 0xe5, 0xe6, 0xe7), 0x80) if chance(0.4);
		return emit($b, pick(0xec .. 0xef, 0x6c .. 0x6f));
	}
	return change_cr0($b) if !$denied;
	return emit($b, 0x0f, pick(0x22, 0x21, 0x23), 0xc0);
}

1;
