/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page directory that is const, with entries that are not yet accessed: the CPU sets that flag
 * when it uses them. This is the CPU's own write: it is made, and the kernel works.
 *   build: -DLOAD
 *   run: --timeout 30
 *   engine: soft
 *   status: 0
 *   says nothing
 *   prints: accessed\n
 *
 * A KVM that interprets guest code has no 32-bit paging. With one on hardware, where
 * tests/lane/hardware.t runs this, the same holds for loads. KVM may give an instruction that
 * stores at the entry's own offset in a page the entry instead, which ends with a report.
 *   build: -DSTORE
 *   run: --timeout 30
 *   engine: soft
 *   status: 0
 *   says nothing
 *   prints: accessed\n
 */
#include "case.h"

/* Present, writable, 4 MiB, at the same linear as physical address. */
#define ENTRY(n)       ((uint32_t)(n) << 22 | 0x83)
#define ENTRY_ACCESSED 0x20

#define CR4_PSE 0x10
#define CR0_PG  0x80000000

static const volatile uint32_t directory[1024] __attribute__((aligned(4096))) = {ENTRY(0)};
static uint32_t pages[16][1024] __attribute__((aligned(4096)));

int main(const struct start_info *info)
{
	(void)info;
	__asm__ volatile("mov %%cr4, %%eax; or %1, %%eax; mov %%eax, %%cr4\n"
			 "mov %0, %%cr3\n"
			 "mov %%cr0, %%eax; or %2, %%eax; mov %%eax, %%cr0"
			 :
			 : "r"(directory), "i"(CR4_PSE), "i"(CR0_PG)
			 : "eax", "memory");
#ifdef STORE
	for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++)
		*(volatile uint32_t *)&pages[i][0] = i;
#endif
	while (!(directory[0] & ENTRY_ACCESSED))
		;
	print("accessed\n");
	return (int)pages[0][1];
}
