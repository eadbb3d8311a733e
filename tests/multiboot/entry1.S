/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header and the entry point of a Multiboot 1 kernel (Multiboot Specification 0.6.96, 3.1 and
 * 3.2).
 */
	.equ	MAGIC, 0x1badb002
	.equ	FLAGS, 0x00000003	/* modules at page boundaries, memory information */

	.section .multiboot, "a"
	.balign	4
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)

#include "entry.inc"
