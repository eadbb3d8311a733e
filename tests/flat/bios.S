/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot sector that prints with the BIOS, as most tutorials begin, where there is none. Raw code for
 * --load 0x7c00.
 */
	.code16
	.globl _start
_start:
	mov	$0x0e41, %ax	/* teletype output: A */
	int	$0x10
	hlt
