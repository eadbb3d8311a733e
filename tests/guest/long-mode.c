/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goes into 64-bit mode (Intel SDM 3, 10.8.5) and reads a port where nothing is. Exit status 126,
 * the report has all 64 bits of RAX.
 */

#include "check.h"
#include "memory.h"
#include "x86.h"

#define PRESENT  0x1
#define WRITABLE 0x2
#define LARGE    0x80

/* CR4.PAE, EFER.LME and CR0.PG, then code in a 64-bit segment. EDI: PML4 table. */
void enter_long_mode(const uint64_t *pml4);
__asm__(".section .rodata\n"
	".balign 8\n"
	"gdt:	.quad 0\n"
	"	.quad 0x00af9b000000ffff\n" /* code, 64 bits */
	"gdt_register:\n"
	"	.word . - gdt - 1\n"
	"	.long gdt\n"
	".text\n"
	"enter_long_mode:\n"
	"	movl 4(%esp), %eax\n"
	"	movl %eax, %cr3\n"
	"	movl %cr4, %eax\n"
	"	orl $0x20, %eax\n"
	"	movl %eax, %cr4\n"
	"	movl $0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	orl $0x100, %eax\n"
	"	wrmsr\n"
	"	movl %cr0, %eax\n"
	"	orl $0x80000000, %eax\n"
	"	movl %eax, %cr0\n"
	"	lgdt gdt_register\n"
	"	ljmp $8, $1f\n"
	".code64\n"
	"1:	movabsq $0x123456789abcdef0, %rax\n"
	"	movl $0x3f8, %edx\n"
	"	inb %dx, %al\n"
	".code32\n");

int main(const struct start_info *info)
{
	uint64_t *pml4 = pages_take(1), *pointers = pages_take(1), *directory = pages_take(1);

	(void)info;
	memset(pml4, 0, PAGE_SIZE);
	memset(pointers, 0, PAGE_SIZE);
	pml4[0] = (uint32_t)pointers | PRESENT | WRITABLE;
	pointers[0] = (uint32_t)directory | PRESENT | WRITABLE;
	for (uint32_t i = 0; i < 512; i++)
		directory[i] = i << 21 | PRESENT | WRITABLE | LARGE;
	interrupts_off();
	enter_long_mode(pml4);
	return 0;
}
