/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a page fault came up, by paging structures that this program makes up. */
#include "cpu/page_walk.h"

#include <stdio.h>
#include <string.h>

#include "../capture.h"
#include "../fake_cpu.h"
#include "../tap.h"

#define P   0x1u
#define RW  0x2u
#define US  0x4u
#define PS  0x80u
#define ALL (P | RW | US)
#define XD  (UINT64_C(1) << 63)

#define WP    0x10000
#define PG    0x80000001
#define PSE   0x10
#define PAE   0x20
#define LA57  0x1000
#define SMEP  0x100000
#define SMAP  0x200000
#define LONG  0x400
#define NXE   0x800
#define WRITE PAGE_FAULT_WRITE
#define USER  PAGE_FAULT_USER
#define FETCH PAGE_FAULT_FETCH

/* The structures, one page each, from the root on. */
#define TABLE(level) (0x1000u * ((level) + 1))

static struct fake_cpu fake;

static void is_text(const char *got, const char *expected, const char *name)
{
	bool same = strcmp(got, expected) == 0;

	ok(same, "%s: %s", name, expected);
	if (!same)
		printf("# got: %s\n", got);
}

/* Walks, and compares the words for what is found. */
static void walk_is(uint64_t linear, uint32_t access, const char *expected, const char *name)
{
	struct page_walk walk;
	char text[200] = "";

	ok(page_walk(&fake.gmem, &fake.registers, linear, access, &walk), "%s: paging is on", name);
	page_walk_explain(&walk, access, text, sizeof text);
	is_text(text, expected, name);
}

static void put_32(unsigned level, unsigned index, uint32_t value)
{
	fake_word(&fake, TABLE(level) + 4 * index, value);
}

static void put_64(unsigned level, unsigned index, uint64_t value)
{
	fake_word64(&fake, TABLE(level) + 8 * index, value);
}

static void test_32(void)
{
	fake_cpu_init(&fake);
	fake.registers.cr0 = PG | WP;
	fake.registers.cr3 = TABLE(0) | 0x18;
	put_32(0, 1, TABLE(1) | ALL);
	put_32(0, 2, TABLE(1) | P | US);
	put_32(0, 3, 0x7ffff000 | ALL);
	put_32(0, 4, PS | ALL);
	put_32(1, 5, 0x9000 | ALL);
	put_32(1, 6, 0x9000 | P | US);
	put_32(1, 7, 0x9000 | P | RW);
	walk_is(0xdead0000, WRITE, "not mapped: page directory entry 0x37a is not present",
		"32-bit");
	walk_is(0x404000, 0, "not mapped: page table entry 0x4 is not present", "32-bit");
	walk_is(0x406000, WRITE | P, "page table entry 0x6 is read-only, and CR0.WP is set",
		"32-bit");
	walk_is(0x406000, WRITE | USER | P, "page table entry 0x6 is read-only", "32-bit user");
	walk_is(0x805000, WRITE | P, "page directory entry 0x2 is read-only, and CR0.WP is set",
		"32-bit");
	walk_is(0x407000, USER | P,
		"a supervisor's page: page table entry 0x7 has the U/S flag clear", "32-bit user");
	walk_is(0xc00000, 0,
		"not mapped: page table entry 0x0 would be at 0x7ffff000, where no RAM is",
		"32-bit");
	walk_is(0x405123, WRITE | P,
		"which the tables permit now: after a change, INVLPG or a write of CR3 is needed",
		"32-bit");
	fake.registers.cr0 = PG;
	walk_is(0x406000, WRITE | P,
		"which the tables permit now: after a change, INVLPG or a write of CR3 is needed",
		"32-bit without WP");
}

static void test_large(void)
{
	struct page_walk walk;

	fake.registers.cr4 = PSE;
	ok(page_walk(&fake.gmem, &fake.registers, 0x1012345, 0, &walk) &&
			walk.result == PAGE_WALK_PERMITTED && walk.count == 1 &&
			walk.gpa == 0x12345,
		"a page of 4 MiB has one entry");
	put_32(0, 4, PS | ALL | 0x2000);
	page_walk(&fake.gmem, &fake.registers, 0x1012345, 0, &walk);
	ok(walk.gpa == UINT64_C(0x100012345), "PSE-36 has more bits of an address");
	put_32(0, 4, PS | ALL | 0x20000);
	walk_is(0x1000000, P | PAGE_FAULT_RESERVED,
		"not mapped: page directory entry 0x4 has a reserved bit set", "4 MiB");
	fake.registers.cr4 = 0;
	put_32(0, 4, PS | ALL);
	walk_is(0x1000000, 0, "not mapped: page table entry 0x0 is not present",
		"PS means nothing without CR4.PSE");
	fake.registers.cr0 = 0x11;
	ok(!page_walk(&fake.gmem, &fake.registers, 0, 0, &walk), "without paging there is no walk");
}

static void test_pae(void)
{
	fake_cpu_init(&fake);
	fake.registers.cr0 = PG | WP;
	fake.registers.cr4 = PAE;
	fake.registers.cr3 = TABLE(0);
	put_64(0, 1, TABLE(1) | P);
	put_64(1, 0, TABLE(2) | ALL);
	put_64(1, 1, PS | ALL | XD);
	put_64(2, 3, 0x9000 | ALL | XD);
	put_64(2, 4, 0x9000 | ALL | UINT64_C(1) << 40);
	walk_is(0xc0000000, 0, "not mapped: page directory pointer table entry 0x3 is not present",
		"PAE");
	walk_is(0x40400000, 0, "not mapped: page directory entry 0x2 is not present", "PAE");
	walk_is(0x40003000, P | PAGE_FAULT_RESERVED,
		"not mapped: page table entry 0x3 has a reserved bit set", "PAE without EFER.NXE");
	walk_is(0x40004000, P | PAGE_FAULT_RESERVED,
		"not mapped: page table entry 0x4 has a reserved bit set", "PAE");
	fake.registers.efer = NXE;
	walk_is(0x40003000, P | FETCH,
		"page table entry 0x3 has the XD flag set: no instruction fetches", "PAE");
	walk_is(0x40200000, P | FETCH,
		"page directory entry 0x1 has the XD flag set: no instruction fetches", "PAE");
	fake.registers.cr4 |= SMEP | SMAP;
	walk_is(0x40003000, P, "a user page, and CR4.SMAP is set while EFLAGS.AC is clear", "SMAP");
	put_64(2, 3, 0x9000 | ALL);
	walk_is(0x40003000, P | FETCH, "a user page, and CR4.SMEP is set", "SMEP");
}

static void test_long(void)
{
	struct page_walk walk;

	fake_cpu_init(&fake);
	fake.registers.cr0 = PG | WP;
	fake.registers.cr4 = PAE;
	fake.registers.efer = LONG;
	fake.registers.cr3 = TABLE(0);
	put_64(0, 511, TABLE(1) | ALL);
	put_64(1, 510, TABLE(2) | ALL);
	put_64(1, 509, PS | ALL);
	put_64(2, 0, TABLE(3) | ALL);
	put_64(3, 8, 0x9000 | P);
	walk_is(0, 0, "not mapped: PML4 entry 0x0 is not present", "4-level");
	walk_is(UINT64_C(0xffffffff80009000), 0, "not mapped: page table entry 0x9 is not present",
		"4-level");
	walk_is(UINT64_C(0xffffffff80008000), WRITE | P,
		"page table entry 0x8 is read-only, and CR0.WP is set", "4-level");
	ok(page_walk(&fake.gmem, &fake.registers, UINT64_C(0xffffffff40012345), 0, &walk) &&
			walk.count == 2 && walk.gpa == 0x12345,
		"a page of 1 GiB has two entries");

	fake.registers.cr4 |= LA57;
	walk_is(0, 0, "not mapped: PML5 entry 0x0 is not present", "5-level");
}

static void test_line(void)
{
	struct page_walk walk;

	fake_cpu_init(&fake);
	fake.registers.cr0 = PG;
	fake.registers.cr3 = TABLE(0);
	put_32(0, 0x37a, TABLE(1) | P);
	page_walk(&fake.gmem, &fake.registers, 0xdead0000, WRITE, &walk);
	capture_begin();
	page_walk_say(&walk);
	is_text(capture_end(),
		"vole:   CR3 00001000; page directory entry 0x37a: 00002001; page table entry "
		"0x2d0: 00000000\n",
		"the walk is said level by level");
}

int main(void)
{
	test_32();
	test_large();
	test_pae();
	test_long();
	test_line();
	return tap_done();
}
