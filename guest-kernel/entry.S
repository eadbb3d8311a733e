/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ELF entry point, called by the VMM like a C function: int entry(const struct start_info *).
 * It could be written in C, but for one thing: EAX, which tells that the caller speaks the boot
 * protocol, is out of C's reach.
 */

#include <vole/start_info.h>

	.text
	.globl	entry
	.type	entry, @function
entry:
	cmpl	$VOLE_BOOT_MAGIC, %eax
	jne	stranger
	jmp	start			/* stack, argument and return address are as C wants them */

	/* Some other loader: no argument to be read, nowhere to return to. */
stranger:
	cli
	hlt
	jmp	stranger
	.size	entry, . - entry

	/*
	 * ELF notes, by which loaders know a kernel: vole's own, that it is entered above; and
	 * XEN_ELFNOTE_PHYS32_ENTRY (18), where it is entered by PVH (Xen's public/elfnote.h). Each
	 * is the sizes of name and value, a type, name and value.
	 */
	.section .note.vole, "a", @note
	.balign	4
	.long	5, 0, VOLE_NOTE_BOOT
	.asciz	"vole"
	.balign	4

	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	pvh_entry

	.section .note.GNU-stack, "", @progbits
