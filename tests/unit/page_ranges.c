/* SPDX-License-Identifier: BSD-2-Clause */
/* What paging structures map to RAM, of structures that this program makes up. */
#include "cpu/page_ranges.h"

#include "../fake_cpu.h"
#include "../tap.h"

#define P   0x1u
#define PS  0x80u
#define ALL 0x7u

#define PG   0x80000001
#define PSE  0x10
#define PAE  0x20
#define LONG 0x400

#define MAX 8

/* The structures, one page each, from the root on. */
#define TABLE(level) (0x1000u * ((level) + 1))

static struct fake_cpu fake;
static struct page_range ranges[MAX];
static unsigned count;
static bool is_cut;

static void begin(uint64_t cr4, uint64_t efer)
{
	fake_cpu_init(&fake);
	fake.registers.cr0 = PG;
	fake.registers.cr3 = TABLE(0);
	fake.registers.cr4 = cr4;
	fake.registers.efer = efer;
}

static void find(unsigned max)
{
	count = page_ranges_find(&fake.gmem, &fake.registers, ranges, max, &is_cut);
}

static bool is_range(unsigned i, uint64_t linear, gpa_t gpa, uint64_t size)
{
	return i < count && ranges[i].linear == linear && ranges[i].gpa == gpa &&
	       ranges[i].size == size;
}

static void test_32(void)
{
	begin(0, 0);
	fake_word(&fake, TABLE(0) + 4 * 1, TABLE(1) | ALL);
	fake_word(&fake, TABLE(0) + 4 * 2, TABLE(1) | P);
	fake_word(&fake, TABLE(0) + 4 * 3, 0x7ffff000 | ALL);
	fake_word(&fake, TABLE(1) + 4 * 0, 0x9000 | ALL);
	fake_word(&fake, TABLE(1) + 4 * 1, 0xa000 | P);
	fake_word(&fake, TABLE(1) + 4 * 2, 0x8000 | ALL);
	fake_word(&fake, TABLE(1) + 4 * 4, 0x9000 | ALL);
	fake_word(&fake, TABLE(1) + 4 * 5, 0xd0000000 | ALL);
	find(MAX);
	is(count, 6, "32-bit: ranges of two directory entries, none of a table outside of RAM");
	ok(is_range(0, 0x400000, 0x9000, 0x2000), "pages that follow each other are one range");
	ok(is_range(1, 0x402000, 0x8000, 0x1000), "one that goes elsewhere is another");
	ok(is_range(2, 0x404000, 0x9000, 0x1000), "so is one behind a hole");
	ok(is_range(3, 0x800000, 0x9000, 0x2000), "a page can be in several places");
	ok(!is_cut, "and that is all of them");
	find(2);
	ok(count == 2 && is_cut, "there are no more than the caller has room for");
	fake.registers.cr0 = 1;
	find(MAX);
	ok(count == 0 && !is_cut, "none without paging");
}

static void test_large(void)
{
	begin(PSE, 0);
	fake.region.base = 0x1000;
	fake.region.host += 0x1000;
	fake.region.size -= 0x2000;
	fake_word(&fake, TABLE(0) + 4 * 768, PS | ALL);
	find(MAX);
	ok(count == 1 && is_range(0, 0xc0001000, 0x1000, FAKE_RAM_SIZE - 0x2000),
		"4 MiB: of a page that is RAM in part, the part that is");
}

static void test_wide(void)
{
	begin(PAE, 0);
	fake_word64(&fake, TABLE(0) + 8 * 3, TABLE(1) | P);
	fake_word64(&fake, TABLE(1) + 8 * 1, PS | ALL);
	find(MAX);
	ok(count == 1 && is_range(0, 0xc0200000, 0, FAKE_RAM_SIZE), "PAE: a page of 2 MiB");

	begin(PAE, LONG);
	fake_word64(&fake, TABLE(0) + 8 * 511, TABLE(1) | ALL);
	fake_word64(&fake, TABLE(1) + 8 * 510, TABLE(2) | ALL);
	fake_word64(&fake, TABLE(2) + 8 * 0, TABLE(3) | ALL);
	fake_word64(&fake, TABLE(3) + 8 * 8, 0x9000 | P);
	find(MAX);
	ok(count == 1 && is_range(0, UINT64_C(0xffffffff80008000), 0x9000, 0x1000),
		"4-level: a canonical address");
}

/* Each entry of the root leads back to it, so that there are pages everywhere. */
static void test_circle(void)
{
	begin(PAE, LONG);
	for (unsigned i = 0; i < 512; i++)
		fake_word64(&fake, TABLE(0) + 8 * i, TABLE(0) | ALL);
	find(MAX);
	ok(count == MAX && is_cut, "structures in a circle: there is an end of it");
	fake_word64(&fake, TABLE(0) + 8 * 511, 0xfffff000 | ALL);
	for (unsigned i = 0; i < 511; i++)
		fake_word64(&fake, TABLE(0) + 8 * i, TABLE(1) | ALL);
	for (unsigned i = 0; i < 512; i++)
		fake_word64(&fake, TABLE(1) + 8 * i, TABLE(2) | ALL);
	for (unsigned i = 0; i < 512; i++)
		fake_word64(&fake, TABLE(2) + 8 * i, TABLE(3) | ALL);
	find(MAX);
	ok(count == 0 && is_cut, "also of so many that map nothing");
}

int main(void)
{
	test_32();
	test_large();
	test_wide();
	test_circle();
	return tap_done();
}
