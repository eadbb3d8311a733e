/* SPDX-License-Identifier: BSD-2-Clause */
/* A Multiboot kernel that sets up both PICs and the timer, and sleeps until it has ticked three times.
 *   build: -DWELL
 *   run: --timeout 20
 *   status: 0
 *   says nothing
 *
 *   build: -DNO_EOI
 *   run: --timeout 2
 *   status: 124
 *   says: CPU 0 halted, interrupts on
 *   says: IRQ 0 \(timer\) in service, without an EOI so far \(port 0x20; 8259A, OCW2\)
 *
 * KVM's timer keeps further ticks to itself until then.
 *   run: --timeout 2
 *   engine: soft
 *   status: 124
 *   says: IRQ 0 \(timer\) waits behind IRQ 0$
 *
 *   build: -DMASKED
 *   run: --timeout 2
 *   status: 124
 *   says: CPU 0 halted, interrupts on
 *   says: IRQ 0 \(timer\) waits, but is masked \(port 0x21, bit 0; 8259A, OCW1\)
 *   says not: in service
 */
	.equ	MAGIC, 0x1badb002
	.equ	VECTOR, 0x20
	.equ	EXIT_PORT, 0xf4
#ifdef MASKED
	.equ	MASK, 0xff
#else
	.equ	MASK, 0xfe	/* all but the timer's */
#endif

	.macro	write port, value
	mov	$\value, %al
	out	%al, $\port
	.endm

	.text
	.balign	4
	.long	MAGIC, 0, -MAGIC

	.globl	main
main:
	mov	$stack_end, %esp
	mov	$tick, %eax
	mov	%ax, idt + 8 * VECTOR
	mov	%cs, idt + 8 * VECTOR + 2
	movw	$0x8e00, idt + 8 * VECTOR + 4
	shr	$16, %eax
	mov	%ax, idt + 8 * VECTOR + 6
	lidt	idt_pointer

	write	0x20, 0x11	/* ICW1 to ICW4, of both */
	write	0xa0, 0x11
	write	0x21, VECTOR
	write	0xa1, VECTOR + 8
	write	0x21, 4
	write	0xa1, 2
	write	0x21, 1
	write	0xa1, 1
	write	0x21, MASK
	write	0xa1, 0xff
	write	0x43, 0x34	/* counter 0, periodic: 18 times a second */
	write	0x40, 0xff
	write	0x40, 0xff
	sti
1:	hlt
	cmpl	$3, ticks
	jb	1b
	mov	$0, %al
	out	%al, $EXIT_PORT
	jmp	1b

tick:
	push	%eax
	incl	ticks
#ifndef NO_EOI
	write	0x20, 0x20
#endif
	pop	%eax
	iret

	.data
idt_pointer:
	.word	8 * 256 - 1
	.long	idt

	.bss
	.balign	8
idt:	.skip	8 * 256
	.skip	4096
stack_end:
ticks:	.skip	4

	.section .note.GNU-stack, "", @progbits
