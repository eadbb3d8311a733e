/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns paging on: 4 MiB pages that map all addresses to themselves but for one, whose page table
 * shows one page of RAM twice and lets a page fault add another (Intel SDM 3, 4.3). Then off again.
 * Exit status 0. On a KVM that interprets 32-bit code without paging it prints "no paging here".
 */

#include "check.h"
#include "idt.h"
#include "memory.h"
#include "x86.h"

#define GENERAL_PROTECTION 13
#define PAGE_FAULT         14

#define CR0_PG  0x80000000
#define CR4_PSE 0x10

/* Bits of directory and table entries (Intel SDM 3, 4.3); error code of a page fault, 4.7. */
#define PRESENT      0x1
#define WRITABLE     0x2
#define LARGE        0x80
#define FAULT_WRITES 0x2

/* Where the page table is used: RAM is far below, devices are far above. */
#define ALIAS 0x80000000u

static uint32_t *table;
static uint32_t faults, fault_address, fault_error;
static volatile uint32_t *missing_page;
static bool refused;

/* mov %eax, %cr0 is three bytes long. */
static void no_paging(struct trap_frame *frame)
{
	refused = true;
	frame->eip += 3;
}

static void add_page(struct trap_frame *frame)
{
	faults++;
	fault_address = read_cr2();
	fault_error = frame->error_code;
	table[fault_address / PAGE_SIZE % 1024] = (uint32_t)missing_page | PRESENT | WRITABLE;
}

static void write_cr0(uint32_t value)
{
	__asm__ volatile("movl %0, %%cr0" : : "a"(value) : "memory");
}

static uint32_t read_cr0(void)
{
	uint32_t value;

	__asm__ volatile("movl %%cr0, %0" : "=r"(value));
	return value;
}

static void load_directory(uint32_t *directory)
{
	for (uint32_t i = 0; i < 1024; i++)
		directory[i] = i << 22 | PRESENT | WRITABLE | LARGE;
	memset(table, 0, PAGE_SIZE);
	directory[ALIAS >> 22] = (uint32_t)table | PRESENT | WRITABLE;
	__asm__ volatile("movl %%cr4, %%eax; orl %0, %%eax; movl %%eax, %%cr4; movl %1, %%cr3"
			 :
			 : "i"(CR4_PSE), "r"(directory)
			 : "eax", "memory");
}

int main(const struct start_info *info)
{
	volatile uint32_t *alias = (uint32_t *)ALIAS;
	volatile uint32_t *page = pages_take(1);

	(void)info;
	table = pages_take(1);
	missing_page = pages_take(1);
	load_directory(pages_take(1));
	table[0] = (uint32_t)page | PRESENT | WRITABLE;
	exception_handle(GENERAL_PROTECTION, no_paging);
	exception_handle(PAGE_FAULT, add_page);

	write_cr0(read_cr0() | CR0_PG);
	if (refused) {
		printf("no paging here\n");
		return 0;
	}
	page[1] = 0x1234;
	check(alias[1] == 0x1234, "one page at two addresses, got 0x%x", alias[1]);
	alias[2] = 0x5678;
	check(page[2] == 0x5678, "and the other way, got 0x%x", page[2]);
	check(faults == 0, "no page fault so far");

	alias[PAGE_SIZE / 4 + 3] = 0x9abc;
	check(faults == 1, "one page fault, got %u", faults);
	check(fault_address == ALIAS + PAGE_SIZE + 12, "its address, got 0x%x", fault_address);
	check(fault_error == FAULT_WRITES, "its error code, got 0x%x", fault_error);
	check(missing_page[3] == 0x9abc, "the store was done then");

	write_cr0(read_cr0() & ~CR0_PG);
	check(page[2] == 0x5678, "RAM is as it was without paging");
	return check_done();
}
