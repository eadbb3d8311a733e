/* SPDX-License-Identifier: BSD-2-Clause */
#include "paging.h"

#include <stdint.h>

#include "../boot/print.h"

/* Intel SDM 3, 4.3: 32-bit paging. */
#define PRESENT   0x1
#define WRITABLE  0x2
#define CR0_PG    0x80000000
#define CR0_WP    0x00010000
#define PAGE      4096
#define HIGH_BASE 0xc0000000u

static uint32_t directory[1024] __attribute__((aligned(PAGE)));
static uint32_t low_table[1024] __attribute__((aligned(PAGE)));

static void enable_paging(void)
{
	uint32_t cr0;

	__asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG | CR0_WP) : "memory");
}

/* Where it is executed. */
static uint32_t __attribute__((noinline)) where(void)
{
	uint32_t eip;

	__asm__ volatile("call 1f; 1: pop %0" : "=r"(eip));
	return eip;
}

void continue_in_higher_half(void)
{
	uint32_t (*high)(void) = (uint32_t(*)(void))((uint32_t)&where + HIGH_BASE);

	for (uint32_t i = 0; i < 1024; i++)
		low_table[i] = i * PAGE | PRESENT | WRITABLE;
	directory[0] = (uint32_t)low_table | PRESENT | WRITABLE;
	directory[HIGH_BASE >> 22] = directory[0];
	enable_paging();
	print(high() >= HIGH_BASE ? "in the higher half\n" : "below\n");
}
