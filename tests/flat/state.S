/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw code that tells, word by word at port 0x10, how it was started, and then what an access to
 * nobody gives. tests/boot-flat.t knows the order. Runs at any address; uses the stack as it is.
 */

#define PORT 0x10

.macro tell register
	mov	\register, %ax
	out	%ax, $PORT
.endm

	.code16
	.globl _start
_start:
	out	%ax, $PORT
	tell	%bx
	tell	%cx
	tell	%dx
	tell	%si
	tell	%di
	tell	%bp
	tell	%sp
	tell	%cs
	tell	%ds
	tell	%es
	tell	%fs
	tell	%gs
	tell	%ss
	pushf
	pop	%ax
	out	%ax, $PORT

	/* Where is this? Less the distance to the first instruction. */
	call	here
here:
	pop	%ax
	sub	$here - _start, %ax
	out	%ax, $PORT

	/* A port of 32 bits, one of 16, one of 8; the other half of AX shows. */
	in	$0x80, %eax
	out	%ax, $PORT
	shr	$16, %eax
	out	%ax, $PORT
	in	$0x80, %ax
	out	%ax, $PORT
	mov	$0x1234, %ax
	in	$0x80, %al
	out	%ax, $PORT

	/* Memory: the last word below 64 KiB, which this test has as RAM, and the one above. */
	xor	%ax, %ax
	mov	%ax, %ds
	movw	$0x5678, 0xfff0
	mov	0xfff0, %ax
	out	%ax, $PORT
	mov	$0x1000, %ax
	mov	%ax, %ds
	movw	$0x5678, 0
	mov	0, %ax
	out	%ax, $PORT
	hlt
