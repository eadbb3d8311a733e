; SPDX-License-Identifier: BSD-2-Clause
;
; The smallest kernel in assembly, for NASM.
;
;	nasm -f elf32 -o hello.o hello.asm
;	ld -m elf_i386 -Ttext-segment=0x100000 -e kernel -o hello.elf hello.o
;	vole run hello.elf
;
; At entry EAX is VOLE_BOOT_MAGIC and EBX the address of start_info; the stack is vole's. So `ret`
; ends the machine, and EAX is vole's exit status.

VOLE_BOOT_MAGIC	equ	0x656c6f76
VOLE_PORT_DEBUG	equ	0xe9

	bits	32
	section	.text
	global	kernel
kernel:
	cmp	eax, VOLE_BOOT_MAGIC
	mov	eax, 1			; another loader's call: exit status 1
	jne	.end
	mov	esi, text
	mov	ecx, text_len
	mov	dx, VOLE_PORT_DEBUG
	rep	outsb			; upwards: the direction flag is off at entry
	xor	eax, eax
.end:	ret

	section	.rodata
text:	db	"Hello from a kernel in assembly!", 10
text_len	equ	$ - text

	section	.note.GNU-stack noalloc noexec nowrite progbits
