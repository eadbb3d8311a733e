/* SPDX-License-Identifier: BSD-2-Clause */
/* The Multiboot kernel of every tutorial: a header, two letters on the screen, cli, hlt. And with its header where no
 * loader looks for it: behind code and data, with a checksum that was forgotten, or not aligned.
 *   build: -DEARLY
 *   run: --timeout 20
 *   status: 0
 *   says: CPU 0 has halted with interrupts off, at 0x[0-9a-f]{8} \(stop\+0x1\): the machine ends
 *   says: the guest's screen, 80 x 25:
 *   says: \| OK
 *   says not: does not count
 *
 *   run: --timeout 20 --screen off
 *   status: 0
 *   says not: screen
 *
 *   build: -DLATE
 *   run: --timeout 20
 *   status: 126
 *   says: Multiboot 1 header at offset 0x2000 does not count: it is not in the first 8192 bytes
 *
 *   build: -DCHECKSUM=0
 *   run: --timeout 20
 *   status: 126
 *   says: Multiboot 1 header at offset 0x10[0-9a-f]{2} does not count: magic, flags and checksum do not add up to 0
 *
 *   build: -DSHIFTED
 *   run: --timeout 20
 *   status: 126
 *   says: Multiboot 1 header at offset 0x10[0-9a-f]{2} does not count: it is not aligned to 4 bytes
 */
	.equ	MAGIC, 0x1badb002
	.equ	FLAGS, 0
#ifndef CHECKSUM
#define CHECKSUM -(MAGIC + FLAGS)
#endif

#ifdef LATE
	.section .rodata
#else
	.text
#endif
	.balign	4
#ifdef SHIFTED
	.byte	0
#endif
	.long	MAGIC, FLAGS, CHECKSUM

	.text
	.globl	main
main:
	mov	$0xb8000, %edi
	cmp	$0x2badb002, %eax
	jne	1f
	movl	$0x0f4b0f4f, (%edi)	/* OK, white on black */
	jmp	stop
1:	movl	$0x4f524f45, (%edi)	/* ER, on red */
stop:
	cli
2:	hlt
	jmp	2b
