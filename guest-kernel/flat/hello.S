/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints a line to port 0x01, byte by byte, and halts: real mode, at address 0, no stack.
 *
 *	vole run --boot flat --debug-port 0x01 flat-hello.bin
 */

#define PORT 0x01

	.code16
	.globl _start
_start:
	mov	$text, %si
	cld
next:
	lodsb
	test	%al, %al
	jz	end
	out	%al, $PORT
	jmp	next
end:
	hlt

text:
	.asciz	"Hello KVM!\n"
