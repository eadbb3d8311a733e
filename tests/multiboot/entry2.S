/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header and the entry point of a Multiboot 2 kernel (Multiboot2 Specification 2.0, 3.1, 3.3).
 */
	.equ	MAGIC, 0xe85250d6
	.equ	LENGTH, header_end - header

	.section .multiboot, "a"
	.balign	8
header:
	.long	MAGIC, 0, LENGTH, -(MAGIC + LENGTH)

	/* Requests command line, modules and memory map. */
	.balign	8
	.word	1, 0
	.long	20, 1, 3, 6

	/* Would like a graphics mode. */
	.balign	8
	.word	5, 1
	.long	20, 1024, 768, 32

	/* The last tag. */
	.balign	8
	.word	0, 0
	.long	8
header_end:

#include "entry.inc"
