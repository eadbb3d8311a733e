/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ROM of 128 KiB for Bochs with the kernel in it, CODE: raw bytes to be copied to KERNEL. It goes
 * from the reset vector to protected mode (Intel SDM 3, 10.9.1), copies, and enters the kernel's
 * first byte with EBX = 0. Assembled to be linked at 0.
 */
#define ROM    0xfffe0000
#define KERNEL 0x100000
#define SIZE   0x20000

code:	.incbin	CODE
code_end:

	.org	SIZE - 0x100		/* offset 0xff00 of segment 0xf000 */
	.code16
begin:	cli
	lgdtl	%cs:(gdt_register - SIZE + 0x10000)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$8, $(ROM + protected)

	.code32
protected:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	cld
	mov	$ROM, %esi
	mov	$KERNEL, %edi
	mov	$(code_end - code), %ecx
	rep movsb
	xor	%ebx, %ebx
	mov	$KERNEL, %eax
	jmp	*%eax

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_register:
	.word	. - gdt - 1
	.long	ROM + gdt

	.org	SIZE - 16
	.code16
	ljmp	$0xf000, $(begin - SIZE + 0x10000)
	.org	SIZE
