/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first and the last instructions of every exception and interrupt.
 *
 * The CPU has pushed EFLAGS, CS, EIP and, for some exceptions, an error code (Intel SDM 3, 6.13);
 * it stays on the stack of what was interrupted, since there is only one privilege level. The
 * segment registers need no care: all are flat, always.
 */

#include "vectors.h"

/* Exceptions with an error code, as bits: 8, 10 - 14, 17, 21, 29, 30 (Intel SDM 3, table 6-1; AMD
 * APM 2, 8.2). */
#define HAVE_ERROR_CODE 0x60227d00

	.text

/* The stubs, at equal distances, so that a vector's stub is found by multiplication. */
	.globl	trap_stubs
	.balign	16
trap_stubs:
	vector = 0
	.rept	VECTOR_COUNT
	.balign	16
	.if	vector >= 32 || !((HAVE_ERROR_CODE >> vector) & 1)
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	vector = vector + 1
	.endr

	.type	trap_common, @function
trap_common:
	pushal
	cld				/* C wants it so; iret brings the old flag back */
	pushl	%esp			/* struct trap_frame * */
	call	trap
	addl	$4, %esp
	popal
	addl	$8, %esp		/* vector and error code */
	iretl
	.size	trap_common, . - trap_common

	.section .note.GNU-stack, "", @progbits
