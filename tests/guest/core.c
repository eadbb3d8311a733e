/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What core files are made of. Each CPU has a text of its own and is in a function of its own.
 * Then, by the first word of the command line:
 *
 *	crash   the last CPU stores where nothing answers: exit status of vole 126
 *	paging  the same on CPU 0, while the page tables show RAM once more in the higher half, and
 *	        not all of it at its own address
 *	loop    nothing ends it
 */

#include <stdatomic.h>

#include "cpu.h"
#include "info.h"
#include "memory.h"
#include "printf.h"
#include "string.h"
#include "x86.h"

#define HOLE 0xc8000000u
#define HIGH 0xc0000000u

/* 4 MiB pages (Intel SDM 3, table 4-4), and the control registers' bits (2.5). */
#define PRESENT    0x1u
#define WRITABLE   0x2u
#define LARGE      0x80u
#define LARGE_SIZE 0x400000u
#define CR0_PG     0x80000000u
#define CR4_PSE    0x10u

/* Where a text is that only guest-physical addresses lead to. */
#define UNMAPPED 0x1800000u

char texts[4][32];
static bool crashes;
static volatile bool stop;
static volatile uint32_t hole =
	HOLE; /* unknown to the compiler, so that it makes no copy of outer() */
static atomic_uint ready;

static void copy_text(char *to, const char *from)
{
	while ((*to++ = *from++))
		;
}

static void store_to(uint32_t address)
{
	write32(address, 1);
}

/* Not inlined, and not left by a jump, so that each is a frame. */
__attribute__((noinline)) static void outer(uint32_t address)
{
	store_to(address);
	__asm__ volatile("");
}

__attribute__((noinline)) static void wait_here(void)
{
	while (!stop)
		cpu_relax();
	__asm__ volatile("");
}

static void other_cpu(void *ctx)
{
	unsigned cpu = (unsigned)ctx;

	copy_text(texts[cpu], "the text of CPU 1");
	texts[cpu][16] = (char)('0' + cpu);
	atomic_fetch_add(&ready, 1);
	if (cpu + 1 == cpu_count() && crashes)
		outer(hole);
	wait_here();
	__asm__ volatile("");
}

static void enable_paging(void)
{
	uint32_t *directory = pages_take(1);

	memset(directory, 0, PAGE_SIZE);
	directory[0] = PRESENT | WRITABLE | LARGE;
	directory[HIGH / LARGE_SIZE] = PRESENT | WRITABLE | LARGE;
	__asm__ volatile("movl %%cr4, %%eax\n\torl %0, %%eax\n\tmovl %%eax, %%cr4\n\t"
			 "movl %1, %%cr3\n\t"
			 "movl %%cr0, %%eax\n\torl %2, %%eax\n\tmovl %%eax, %%cr0"
			 :
			 : "i"(CR4_PSE), "r"(directory), "i"(CR0_PG)
			 : "eax", "memory");
}

int main(const struct start_info *info)
{
	const char *what = info_cmdline(info);

	copy_text(texts[0], "the text of CPU 0");
	crashes = strcmp(what, "crash") == 0;
	for (unsigned i = 1; i < cpu_count(); i++)
		cpu_run(i, other_cpu, (void *)i);
	while (atomic_load(&ready) + 1 < cpu_count())
		cpu_relax();
	printf("ready\n");
	if (strcmp(what, "paging") == 0) {
		copy_text((char *)UNMAPPED, "a text without a linear address");
		enable_paging();
		outer(hole);
	}
	wait_here();
	return 0;
}
