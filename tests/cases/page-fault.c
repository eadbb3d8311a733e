/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel maps its first 4 MiB and turns paging on, and then uses an address that it has not
 * mapped, or not in that way. Only the software CPU is asked: some KVMs have no 32-bit paging, and
 * some processors keep nothing of a triple fault.
 *
 *   build: -DFAR_AWAY
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: guest crashed: page fault \(14\) on CPU 0 at 0x[0-9a-f]{8} \(main\+0x[0-9a-f]+\): write to 0xdead0000, not mapped: page directory entry 0x37a is not present
 *   says: CR3 [0-9a-f]{8}; page directory entry 0x37a: 00000000\n
 *   build: -DNOT_PRESENT
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: page fault \(14\) on CPU 0 at .*: write to 0x00205678, not mapped: page table entry 0x205 is not present
 *   says: page directory entry 0x0: [0-9a-f]{8}; page table entry 0x205: 00000000\n
 *   build: -DREAD_ONLY
 *   run: --timeout 20
 *   engine: soft
 *   status: 126
 *   says: page fault \(14\) on CPU 0 at .*: write to 0x00206000, page table entry 0x206 is read-only, and CR0.WP is set
 */
#include "case.h"

#define PRESENT  0x1u
#define WRITABLE 0x2u

#define CR0_WP 0x00010000u
#define CR0_PG 0x80000000u

#ifdef FAR_AWAY
#define ADDRESS 0xdead0000u
#elif defined(NOT_PRESENT)
#define ADDRESS 0x00205678u
#else /* READ_ONLY */
#define ADDRESS 0x00206000u
#endif

static __attribute__((aligned(4096))) uint32_t directory[1024], table[1024];

static void turn_paging_on(void)
{
	uint32_t cr0;

	for (uint32_t i = 0; i < 1024; i++)
		table[i] = i << 12 | PRESENT | WRITABLE;
	directory[0] = (uint32_t)table | PRESENT | WRITABLE;
	table[0x205] = 0;
	table[0x206] &= ~WRITABLE;
	__asm__ volatile("mov %0, %%cr3" : : "r"(directory));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG | CR0_WP) : "memory");
}

int main(const struct start_info *info)
{
	(void)info;
	turn_paging_on();
	write32(ADDRESS, 1);
	return 0;
}
