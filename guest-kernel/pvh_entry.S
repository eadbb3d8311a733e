/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in for loaders that speak PVH (Xen's docs/misc/pvh.pandoc), such as those of QEMU's
 * microvm and of Firecracker: 32-bit protected mode, EBX = address of struct hvm_start_info, no
 * stack, and segments that may not be loaded again. This makes of it what vole's boot protocol
 * promises (vole/start_info.h), as far as it is the CPU's, and calls pvh_main().
 */

#include <vole/start_info.h>

#define STACK_SIZE 16384 /* as vole's */

	.text
	.globl	pvh_entry
	.type	pvh_entry, @function
pvh_entry:
	cld
	lgdt	gdt_register
	ljmp	$VOLE_SELECTOR_CODE, $1f
1:	mov	$VOLE_SELECTOR_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$stack_end, %esp
	xor	%ebp, %ebp		/* the last frame */
	sub	$12, %esp		/* so that the argument is aligned to 16 */
	push	%ebx
	call	pvh_main		/* does not return */
	.size	pvh_entry, . - pvh_entry

	.section .rodata
	.balign	8
gdt:	.quad	0
	.quad	VOLE_GDT_FLAT_CODE	/* VOLE_SELECTOR_CODE */
	.quad	VOLE_GDT_FLAT_DATA	/* VOLE_SELECTOR_DATA */
gdt_register:
	.word	. - gdt - 1
	.long	gdt

	.bss
	.balign	16
	.skip	STACK_SIZE
stack_end:

	.section .note.GNU-stack, "", @progbits
