/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A BIOS image of 128 KiB that tells, byte by byte at port 0x402, what it finds around it. Then it
 * resets the machine. tests/boot-firmware.t knows the order.
 */

#define DEBUG   0x402
#define CHIPSET 0xcf9

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

/* AL goes to the debug port. */
.macro tell
	mov	$DEBUG, %dx
	out	%al, %dx
.endm

.macro tell_cmos index
	mov	$\index, %al
	out	%al, $CMOS_INDEX
	in	$CMOS_DATA, %al
	tell
.endm

/* Store to and load from segment:0. */
.macro tell_memory segment
	mov	$\segment, %ax
	mov	%ax, %ds
	movb	$0x77, 0
	mov	0, %al
	tell
.endm

	.code16
	.globl _start
_start:
	/* The image's first byte. */
	.byte	'F'

	/* In the copy below 1 MiB. */
	.org	0x10000
below:
	mov	$'B', %al
	tell
	mov	%cs:0xffef, %al
	tell
	/* The copy is RAM. */
	mov	$0xf000, %ax
	mov	%ax, %ds
	movb	$'W', 0xffef
	mov	0xffef, %al
	tell
	/* So is all from 0xc0000 on; before it is the hole. */
	tell_memory 0x9fff
	tell_memory 0xa000
	tell_memory 0xbfff
	tell_memory 0xc000
	/* The first byte of the copy. */
	mov	$0xe000, %ax
	mov	%ax, %ds
	mov	0, %al
	tell

	/* Somebody listens; nobody is at port 0x80. */
	mov	$DEBUG, %dx
	in	%dx, %al
	tell
	in	$0x80, %al
	tell

	/* The first PIC's mask register can be written. */
	mov	$0x5a, %al
	out	%al, $0x21
	in	$0x21, %al
	tell

	tell_cmos 0x10
	tell_cmos 0x30
	tell_cmos 0x31
	tell_cmos 0x34
	tell_cmos 0x35
	tell_cmos 0x5f
	tell_cmos 0x0e
	/* Bit 7 of the index is for NMIs. */
	tell_cmos 0xdf

	/* Reset. */
	mov	$CHIPSET, %dx
	mov	$0x06, %al
	out	%al, %dx
	hlt

	/* As the processor finds it after reset: CS begins at 4 GiB - 64 KiB. */
	.org	0x1ff00
above:
	mov	$'A', %al
	tell
	mov	%cs:0xffef, %al
	tell
	/* The image is read-only. */
	movb	$'W', %cs:0xffef
	mov	%cs:0xffef, %al
	tell
	ljmp	$0xf000, $0

	.org	0x1ffef
	.byte	'M'
	/* The reset vector. */
	jmp	above

	.org	0x1ffff
	.byte	0
