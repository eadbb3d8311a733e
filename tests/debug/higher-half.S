/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel of the higher half: it is loaded at 1 MiB and linked 3 GiB above that, and turns on
 * paging. It calls function() twice: at its physical address before paging, and at its virtual one
 * after it. Exit status 5.
 */
#include <vole/ports.h>

#define BASE 0xc0000000

/* Intel SDM 3, 4.3: present, writable, 4 MiB. */
#define LARGE 0x83

	.section .boot, "ax"
	.globl _start
_start:
	movl $stack_end - BASE, %esp
	call function - BASE

	/* 4 MiB from 0 on, at 0 and at BASE. */
	movl $LARGE, directory - BASE
	movl $LARGE, directory - BASE + 4 * (BASE >> 22)
	movl $directory - BASE, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0x10, %eax		/* PSE */
	movl %eax, %cr4
	movl %cr0, %eax
	orl $0x80000000, %eax	/* PG */
	movl %eax, %cr0
	movl $main, %eax
	jmp *%eax

	.text
	.globl main, function
	.type main, @function
	.type function, @function
main:
	movl $stack_end, %esp
	call function
	movl calls, %eax
	addl $3, %eax
	movl $VOLE_PORT_EXIT, %edx
	outl %eax, %dx
	hlt
	.size main, . - main

function:
	/* By a place that is right with and without paging. */
	call 1f
1:	popl %eax
	incl calls - 1b(%eax)
	ret
	.size function, . - function

	.bss
	.globl calls
	.type calls, @object
	.size calls, 4
	.balign 4096
directory:
	.skip 4096
calls:	.skip 4
	.skip 1020
stack_end:
