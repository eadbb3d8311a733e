/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GDT beside the code that loads it, as tutorials in assembly have it: in .text, which is
 * read-only. See constant-gdt.c. Each instruction that can load a segment register is here.
 *   run: --timeout 30
 *   status: 0
 *   says nothing
 *   prints: ^123456789$
 */
#define DEBUG_PORT 0xe9
#define CODE(n)    (8 * (n))

	.macro	print character
	mov	$\character, %al
	out	%al, $DEBUG_PORT
	.endm

	.text
	.globl	main
main:
	lgdt	gdtr
	ljmp	$CODE(1), $1f
1:	print	'1'
	mov	$CODE(2), %ecx
	mov	%ecx, %ds
	print	'2'
	push	$CODE(3)
	pop	%es
	print	'3'
	les	pointer_4, %edx
	print	'4'
	mov	$pointer_5 - 0x40, %ebx
	mov	$0x10, %esi
	lfs	(%ebx,%esi,4), %edx
	print	'5'
	movw	selector_6, %gs
	print	'6'
	push	$CODE(7)
	push	$2f
	lret
2:	print	'7'
	ljmp	*pointer_8
3:	print	'8'
	pushf
	push	$CODE(9)
	push	$4f
	iret
4:	print	'9'
	xor	%eax, %eax
	ret

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* 1: code */
	.quad	0x00cf92000000ffff	/* 2: data */
	.quad	0x00cf92000000ffff
	.quad	0x00cf92000000ffff
	.quad	0x00cf92000000ffff
	.quad	0x00cf92000000ffff
	.quad	0x00cf9a000000ffff	/* 7: code */
	.quad	0x00cf9a000000ffff
	.quad	0x00cf9a000000ffff
gdtr:
	.word	. - gdt - 1
	.long	gdt
pointer_4:
	.long	0
	.word	CODE(4)
pointer_5:
	.long	0
	.word	CODE(5)
selector_6:
	.word	CODE(6)
pointer_8:
	.long	3b
	.word	CODE(8)
