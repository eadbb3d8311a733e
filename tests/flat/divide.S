/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw code for --load 0x8000 that divides by zero twice: with a vector of its own, whose handler
 * tells port 0x10 and puts the old one back, and then without.
 */
#define LOAD 0x8000
#define PORT 0x10

	.code16
	.globl _start
_start:
	xor	%bx, %bx
	mov	%bx, %ds
	mov	$LOAD, %sp
	mov	0, %ecx
	movw	$handler - _start + LOAD, 0
	mov	%bx, 2
divide:
	div	%bx
	hlt

handler:
	mov	$0x4f4b, %ax
	out	%ax, $PORT
	mov	%ecx, 0
	iret
