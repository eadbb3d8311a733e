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

	.section .note.GNU-stack, "", @progbits
