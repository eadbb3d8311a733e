/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both entry points of a kernel that wants to be started as Linux is: at its first byte that of the
 * 32-bit boot protocol, and the one that the note names, for PVH.
 */
	.section .text.start, "ax"
	.globl	_start, pvh_start, interrupt_entry
_start:
	mov	$stack_end, %esp
	push	%ebx
	push	%esi
	call	linux_main

pvh_start:
	mov	$stack_end, %esp
	push	%esi
	push	%ebx
	call	pvh_main

	.text
interrupt_entry:
	pusha
	call	serial_interrupt
	popa
	iret

	/* Xen's note 18: XEN_ELFNOTE_PHYS32_ENTRY. */
	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	pvh_start

	.bss
	.balign	16
	.skip	4096
stack_end:
