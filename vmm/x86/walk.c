/* SPDX-License-Identifier: BSD-2-Clause */
#include "x86/walk.h"

#include <string.h>

#include "x86/physical.h"

/* Bits of entries (SDM 3, tables 4-4 to 4-6 and 4-8 to 4-11). */
#define ENTRY_P  0x001u
#define ENTRY_RW 0x002u
#define ENTRY_US 0x004u
#define ENTRY_A  0x020u
#define ENTRY_D  0x040u
#define ENTRY_PS 0x080u
#define ENTRY_G  0x100u
#define ENTRY_XD (UINT64_C(1) << 63)
#define ADDRESS  ((UINT64_C(1) << X86_PHYSICAL_BITS) - 1)
#define PAGE_4K  (ADDRESS & ~UINT64_C(0xfff))
#define PAGE_2M  (ADDRESS & ~UINT64_C(0x1fffff))
#define LARGE_2M 0x1fffffu
#define LARGE_4M 0x3fffffu

/* Reserved bits: of any PAE entry, but for XD; of a PDPTE; of a page of 2 MiB; of one of 4 MiB,
 * where bits 16:13 are bits 35:32 of the address (PSE-36). */
#define RESERVED_PAE   (~(ADDRESS | ENTRY_XD))
#define RESERVED_PDPTE (~(ADDRESS & ~UINT64_C(0x1e6)))
#define RESERVED_2M    UINT64_C(0x1fe000)
#define RESERVED_4M    UINT64_C(0x3e0000)

/* False if on_bus is NULL and the entry is not in RAM. */
static bool read_entry(const struct x86_cpu *cpu, struct x86_cpu *on_bus, gpa_t gpa, unsigned size,
	uint64_t *value)
{
	if (on_bus) {
		*value = x86_physical_load(on_bus, gpa, size);
		return true;
	}
	*value = 0;
	return gmem_read(cpu->system->gmem, gpa, value, size) == 0;
}

/* Take an entry into the walk. False if it is not present, or has one of these reserved bits. */
static bool take_entry(struct x86_walk *walk, gpa_t gpa, uint64_t value, uint64_t reserved)
{
	if (!(value & ENTRY_P))
		return false;
	if (value & reserved) {
		walk->error = X86_PF_PRESENT | X86_PF_RESERVED;
		return false;
	}
	walk->entry[walk->count].gpa = gpa;
	walk->entry[walk->count++].value = value;
	walk->is_user &= !!(value & ENTRY_US);
	walk->is_writable &= !!(value & ENTRY_RW);
	walk->is_executable &= !(value & ENTRY_XD);
	return true;
}

/* The last entry taken maps a page. */
static void map_page(const struct x86_cpu *cpu, struct x86_walk *walk, gpa_t gpa, bool is_large)
{
	uint64_t value = walk->entry[walk->count - 1].value;

	walk->gpa = gpa;
	walk->is_large = is_large;
	walk->is_dirty = value & ENTRY_D;
	walk->is_global = value & ENTRY_G && cpu->cr4 & X86_CR4_PGE;
}

/* 32-bit paging: 1024 entries of 4 bytes at each of two levels (SDM 3, 4.3). */
static bool walk_32(
	const struct x86_cpu *cpu, struct x86_cpu *on_bus, uint64_t linear, struct x86_walk *walk)
{
	gpa_t gpa = (cpu->cr3 & 0xfffff000) | (linear >> 20 & 0xffc);
	uint64_t value;
	bool is_large;

	if (!read_entry(cpu, on_bus, gpa, 4, &value))
		return false;
	is_large = value & ENTRY_PS && cpu->cr4 & X86_CR4_PSE;
	if (!take_entry(walk, gpa, value, is_large ? RESERVED_4M : 0))
		return false;
	if (is_large) {
		map_page(cpu, walk,
			(value & 0xffc00000) | (value & 0x1e000) << 19 | (linear & LARGE_4M), true);
		return true;
	}
	gpa = (value & 0xfffff000) | (linear >> 10 & 0xffc);
	if (!read_entry(cpu, on_bus, gpa, 4, &value) || !take_entry(walk, gpa, value, 0))
		return false;
	map_page(cpu, walk, (value & 0xfffff000) | (linear & ~X86_PAGE_MASK), false);
	return true;
}

/* PAE paging: four PDPTEs in the CPU, then 512 entries of 8 bytes at each of two levels (SDM 3,
 * 4.4). */
static bool walk_pae(
	const struct x86_cpu *cpu, struct x86_cpu *on_bus, uint64_t linear, struct x86_walk *walk)
{
	uint64_t reserved = RESERVED_PAE | (cpu->efer & X86_EFER_NXE ? 0 : ENTRY_XD);
	uint64_t value = cpu->pdpte[linear >> 30 & 3];
	bool is_large;
	gpa_t gpa;

	if (!(value & ENTRY_P))
		return false;
	gpa = (value & PAGE_4K) | (linear >> 18 & 0xff8);
	if (!read_entry(cpu, on_bus, gpa, 8, &value))
		return false;
	is_large = value & ENTRY_PS;
	if (!take_entry(walk, gpa, value, reserved | (is_large ? RESERVED_2M : 0)))
		return false;
	if (is_large) {
		map_page(cpu, walk, (value & PAGE_2M) | (linear & LARGE_2M), true);
		return true;
	}
	gpa = (value & PAGE_4K) | (linear >> 9 & 0xff8);
	if (!read_entry(cpu, on_bus, gpa, 8, &value) || !take_entry(walk, gpa, value, reserved))
		return false;
	map_page(cpu, walk, (value & PAGE_4K) | (linear & ~X86_PAGE_MASK), false);
	return true;
}

bool x86_walk(
	const struct x86_cpu *cpu, struct x86_cpu *on_bus, uint64_t linear, struct x86_walk *walk)
{
	*walk = (struct x86_walk){.is_user = true, .is_writable = true, .is_executable = true};
	if (!(cpu->cr0 & X86_CR0_PG)) {
		walk->gpa = linear;
		walk->is_dirty = true;
		return true;
	}
	if (cpu->cr4 & X86_CR4_PAE)
		return walk_pae(cpu, on_bus, linear, walk);
	return walk_32(cpu, on_bus, linear, walk);
}

void x86_walk_mark(struct x86_cpu *cpu, const struct x86_walk *walk, bool is_write)
{
	unsigned size = cpu->cr4 & X86_CR4_PAE ? 8 : 4;

	for (unsigned i = 0; i < walk->count; i++) {
		uint64_t value = walk->entry[i].value;
		uint64_t marked = value | ENTRY_A;

		if (is_write && i + 1 == walk->count)
			marked |= ENTRY_D;
		if (marked != value)
			x86_physical_mark(cpu, walk->entry[i].gpa, marked, size);
	}
}

void x86_load_pdptes(struct x86_cpu *cpu, uint64_t cr3)
{
	gpa_t gpa = cr3 & 0xffffffe0;
	uint64_t pdpte[4];

	for (unsigned i = 0; i < 4; i++) {
		pdpte[i] = x86_physical_load(cpu, gpa + 8 * i, 8);
		if (pdpte[i] & ENTRY_P && pdpte[i] & RESERVED_PDPTE)
			x86_raise_code(cpu, X86_GP, 0);
	}
	memcpy(cpu->pdpte, pdpte, sizeof pdpte);
}
