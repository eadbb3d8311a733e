/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts in AX and writes each value, 16 bits wide, to port 0x10, for ever: real mode, at any
 * address. Nobody answers that port; each write is one exit.
 *
 *	vole run --boot flat --load 0x10000 --log pio --max-exits 10 flat-count.bin
 */

#define PORT 0x10

	.code16
	.globl _start
_start:
	xor	%ax, %ax
next:
	out	%ax, $PORT
	inc	%ax
	jmp	next
