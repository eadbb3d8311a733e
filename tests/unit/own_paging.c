/* SPDX-License-Identifier: BSD-2-Clause */
/* vmm/kvm/own_paging.c: flags of paging-structure entries in read-only memory. Clauses: Intel SDM
 * 3. */
#include "kvm/own_paging.h"
#include "cpu/register_bits.h"

#include <string.h>

#include "../tap.h"
#include "../x86_paging.h"

#define PAGES     16
#define READ_ONLY 0x8000 /* and above, up to PAGES pages */
#define LINEAR    0x40123456u
#define NOWHERE   UINT64_MAX

static uint64_t memory[PAGES * 512];

static const struct gmem_region regions[] = {
	{0, READ_ONLY, (uint8_t *)memory, true},
	{READ_ONLY, PAGES * 0x1000 - READ_ONLY, (uint8_t *)memory + READ_ONLY, false},
};

static const struct gmem gmem = {.regions = regions, .count = 2};

static uint32_t *entry_32(uint32_t table, unsigned index)
{
	return (uint32_t *)memory + table / 4 + index;
}

static uint64_t *entry_64(uint32_t table, unsigned index)
{
	return memory + table / 8 + index;
}

static bool complete(uint64_t cr3, uint64_t cr4, uint64_t efer, uint64_t gpa)
{
	struct kvm_sregs sregs = {.cr0 = X86_CR0_PG, .cr3 = cr3, .cr4 = cr4, .efer = efer};

	return own_paging_complete(&gmem, &sregs, LINEAR, gpa);
}

static void test_32(void)
{
	memset(memory, 0, sizeof memory);
	*entry_32(0x8000, 0x100) = 0x9000 | P | RW;
	*entry_32(0x8000, 0x200) = 0xa000 | P;
	*entry_32(0x8000, 0x201) = 0xb000;
	*entry_32(0x9000, 0x123) = 0x1000 | P | RW;
	*entry_32(0x9000, 0x124) = 0x1000 | P;
	*entry_32(0xa000, 0) = 0x1000 | P | RW;
	*entry_32(0xb000, 0) = 0x1000 | P | RW;
	ok(!complete(0x8000, 0, 0, NOWHERE), "4.3 an address outside of the structures");
	is(*entry_32(0x8000, 0x100), 0x9000 | P | RW | A, "4.8 a PDE becomes accessed");
	is(*entry_32(0x9000, 0x123), 0x1000 | P | RW | A | D, "4.8 a PTE, and dirty");
	is(*entry_32(0x9000, 0x124), 0x1000 | P | A, "4.8 but not if the page is read-only");
	is(*entry_32(0xa000, 0), 0x1000 | P | RW | A | D, "PTEs of other addresses, too");
	is(*entry_32(0x8000, 0x201), 0xb000, "an entry that is not present stays as it is");
	is(*entry_32(0xb000, 0), 0x1000 | P | RW, "and what it points to");
	ok(complete(0x8000, 0, 0, 0x9abc), "an address in a page table");
	ok(complete(0x8000, 0, 0, 0x8000), "an address in the page directory");
	ok(!complete(0x8000, 0, 0, 0xb000), "an address in what is none");

	memset(memory, 0, sizeof memory);
	*entry_32(0x8000, 0) = P | RW | PS;
	complete(0x8000, X86_CR4_PSE, 0, NOWHERE);
	is(*entry_32(0x8000, 0), P | RW | PS | A | D, "4.3 a 4-MiB page: its PDE becomes dirty");
}

static void test_writable(void)
{
	memset(memory, 0, sizeof memory);
	*entry_32(0x1000, 0x100) = 0x9000 | P | RW;
	*entry_32(0x1000, 0x101) = 0xa000 | P | RW;
	*entry_32(0x9000, 0x123) = 0x2000 | P | RW;
	*entry_32(0xa000, 0) = 0x2000 | P | RW;
	complete(0x1000, 0, 0, NOWHERE);
	is(*entry_32(0x1000, 0x100), 0x9000 | P | RW, "a writable directory is left to the CPU");
	is(*entry_32(0x9000, 0x123), 0x2000 | P | RW | A | D, "a read-only table below it is not");
	is(*entry_32(0xa000, 0), 0x2000 | P | RW, "but those of other addresses are not sought");

	complete(0x40000000, 0, 0, NOWHERE);
	ok(!own_paging_complete(&gmem, &(struct kvm_sregs){.cr3 = 0x8000}, LINEAR, 0x8000),
		"without paging there are no structures");
}

static void test_pae(void)
{
	memset(memory, 0, sizeof memory);
	*entry_64(0x8000, 4 + 1) = 0x9000 | P; /* CR3 is 0x8020 */
	*entry_64(0x9000, 0) = 0xa000 | P | RW;
	*entry_64(0x9000, 1) = P | RW | PS;
	*entry_64(0xa000, 0x123) = 0x1000 | P | RW;
	complete(0x8020, X86_CR4_PAE, 0, NOWHERE);
	is(*entry_64(0x8000, 5), 0x9000 | P, "4.4.1 a PDPTE has no such flags");
	is(*entry_64(0x9000, 0), 0xa000 | P | RW | A, "4.4 a PDE of PAE paging");
	is(*entry_64(0x9000, 1), P | RW | PS | A | D, "4.4 a 2-MiB page");
	is(*entry_64(0xa000, 0x123), 0x1000 | P | RW | A | D, "4.4 a PTE");
}

static void test_long(void)
{
	memset(memory, 0, sizeof memory);
	*entry_64(0xc000, 0) = 0x8000 | P | RW;
	*entry_64(0x8000, 0) = 0x9000 | P | RW;
	*entry_64(0x9000, 1) = 0xa000 | P | RW;
	*entry_64(0x9000, 2) = P | RW | PS;
	*entry_64(0xa000, 0) = 0xb000 | P | RW;
	*entry_64(0xb000, 0x123) = 0x1000 | P | RW;
	complete(0x8000, X86_CR4_PAE, X86_EFER_LMA, NOWHERE);
	is(*entry_64(0x8000, 0), 0x9000 | P | RW | A, "4.5 a PML4E");
	is(*entry_64(0x9000, 1), 0xa000 | P | RW | A, "4.5 a PDPTE");
	is(*entry_64(0x9000, 2), P | RW | PS | A | D, "4.5 a 1-GiB page");
	is(*entry_64(0xb000, 0x123), 0x1000 | P | RW | A | D, "4.5 a PTE");
	is(*entry_64(0xc000, 0), 0x8000 | P | RW, "4.5 no PML5E");
	complete(0xc000, X86_CR4_PAE | X86_CR4_LA57, X86_EFER_LMA, NOWHERE);
	is(*entry_64(0xc000, 0), 0x8000 | P | RW | A, "4.5 a PML5E");
}

/* Every entry of a structure points back to it: 512^5 ways. */
static void test_bounded(void)
{
	memset(memory, 0, sizeof memory);
	for (unsigned i = 0; i < 512; i++)
		*entry_64(0x8000, i) = 0x8000 | P | RW;
	ok(complete(0x8000, X86_CR4_PAE | X86_CR4_LA57, X86_EFER_LMA, 0x8000),
		"structures without an end are looked at within bounds");
}

int main(void)
{
	test_32();
	test_writable();
	test_pae();
	test_long();
	test_bounded();
	return tap_done();
}
