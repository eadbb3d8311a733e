/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in for machines other than vole's: PVH's entry point, which QEMU uses (the library's note
 * leads here instead of to its own), and rom.S. It makes the state that vole's boot protocol
 * promises (vole/start_info.h), then calls pvh_main().
 */
#include <vole/start_info.h>

#define STACK_SIZE 16384

	.section .text.start, "ax"	/* the first byte, where rom.S enters */
	.globl	pvh_entry
pvh_entry:
	lgdt	gdt_register
	ljmp	$VOLE_SELECTOR_CODE, $1f
1:	mov	$VOLE_SELECTOR_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$stack_end, %esp
	push	%ebx			/* struct hvm_start_info, or 0 */
	call	pvh_main
2:	cli
	hlt
	jmp	2b

	.section .rodata
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* VOLE_SELECTOR_CODE: flat, accessed */
	.quad	0x00cf93000000ffff	/* VOLE_SELECTOR_DATA: the same for data */
gdt_register:
	.word	. - gdt - 1
	.long	gdt

	.bss
	.balign	16
	.skip	STACK_SIZE
stack_end:

	.section .note.GNU-stack, "", @progbits
