/* SPDX-License-Identifier: BSD-2-Clause */
/* Linear to physical addresses in the software CPU. Clauses: SDM 3, chapter 4. */
#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "../x86_machine.h"

#define P  0x001u
#define RW 0x002u
#define US 0x004u
#define A  0x020u
#define D  0x040u
#define PS 0x080u
#define G  0x100u
#define XD (UINT64_C(1) << 63)

/* Where the tables of the tests are, and the page that they map. */
#define DIRECTORY 0x2000u
#define TABLE     0x3000u
#define POINTERS  0x4000u
#define PAGE      0x5000u
#define LINEAR    0x40123456u

/* In PAE paging LINEAR has PDPTE 1, PDE 0, PTE 0x123; in 32-bit paging PDE 0x100, PTE 0x123. */
#define PDE_32  (DIRECTORY + 4 * 0x100)
#define PTE_32  (TABLE + 4 * 0x123)
#define PDE_PAE DIRECTORY
#define PTE_PAE (TABLE + 8 * 0x123)

enum mode { MODE_32, MODE_PSE, MODE_PAE, MODE_NX };

static void set_mode(struct x86_machine *m, enum mode mode)
{
	struct x86_cpu *cpu = &m->cpu;

	cpu->cr0 |= X86_CR0_PG | X86_CR0_PE;
	cpu->cr4 = mode == MODE_32 ? 0 : mode == MODE_PSE ? X86_CR4_PSE : X86_CR4_PAE;
	cpu->efer = mode == MODE_NX ? X86_EFER_NXE : 0;
	cpu->cr3 = mode >= MODE_PAE ? POINTERS : DIRECTORY;
	cpu->pdpte[1] = DIRECTORY | P;
	cpu->eflags = X86_FLAG_ONE;
	x86_tlb_flush(cpu, false);
}

static bool is_pae(enum mode mode)
{
	return mode >= MODE_PAE;
}

static void set_entries(struct x86_machine *m, enum mode mode, uint64_t pde, uint64_t pte)
{
	if (is_pae(mode)) {
		x86_machine_store64(m, PDE_PAE, pde);
		x86_machine_store64(m, PTE_PAE, pte);
	} else {
		x86_machine_store(m, PDE_32, (uint32_t)pde);
		x86_machine_store(m, PTE_32, (uint32_t)pte);
	}
	x86_tlb_flush(&m->cpu, false);
}

static uint32_t pde_now(const struct x86_machine *m, enum mode mode)
{
	return x86_machine_load(m, is_pae(mode) ? PDE_PAE : PDE_32);
}

static uint32_t pte_now(const struct x86_machine *m, enum mode mode)
{
	return x86_machine_load(m, is_pae(mode) ? PTE_PAE : PTE_32);
}

/* --- shapes of tables ------------------------------------------------------------------------- */

struct shape {
	const char *name;
	enum mode mode;
	uint64_t pde, pte;
	uint64_t gpa;   /* or 0: it faults, with */
	uint32_t error; /* for a read at CPL 0 */
};

static const struct shape shapes[] = {
	{"4.3 a page of 4 KiB", MODE_32, TABLE | P, PAGE | P, PAGE | 0x456, 0},
	{"4.3 PDE not present", MODE_32, TABLE, PAGE | P, 0, 0},
	{"4.3 PTE not present", MODE_32, TABLE | P, PAGE, 0, 0},
	{"4.3 PS is ignored without CR4.PSE", MODE_32, TABLE | P | PS, PAGE | P, PAGE | 0x456, 0},
	{"4.3 bit 7 of a PTE is PAT", MODE_32, TABLE | P, PAGE | P | PS, PAGE | 0x456, 0},
	{"4.3 a PDE without PS has no reserved bit", MODE_PSE, TABLE | 0xf01 | P, PAGE | P,
		PAGE | 0x456, 0},
	{"4.3 a page of 4 MiB", MODE_PSE, 0x00c00000 | P | PS, 0, 0x00d23456, 0},
	{"4.3 PSE-36: bits 16:13 are address bits 35:32", MODE_PSE, 0x00c00000 | 0x1e000 | P | PS,
		0, UINT64_C(0xf00d23456), 0},
	{"4.3 bit 12 of a page of 4 MiB is PAT", MODE_PSE, 0x00c01000 | P | PS, 0, 0x00d23456, 0},
	{"4.3 bit 17 of a page of 4 MiB is reserved", MODE_PSE, 0x00c20000 | P | PS, 0, 0, 9},
	{"4.3 bit 21 of a page of 4 MiB is reserved", MODE_PSE, 0x00e00000 | P | PS, 0, 0, 9},
	{"4.4 a page of 4 KiB", MODE_PAE, TABLE | P, PAGE | P, PAGE | 0x456, 0},
	{"4.4 PDE not present", MODE_PAE, TABLE, PAGE | P, 0, 0},
	{"4.4 PTE not present", MODE_PAE, TABLE | P, PAGE, 0, 0},
	{"4.4 a page of 2 MiB needs no CR4.PSE", MODE_PAE, 0x00c00000 | P | PS, 0, 0x00d23456, 0},
	{"4.4 36 bits of address", MODE_PAE, TABLE | P, UINT64_C(0xfffff5000) | P,
		UINT64_C(0xfffff5456), 0},
	{"4.4 bit 36 of a PTE is reserved", MODE_PAE, TABLE | P, UINT64_C(0x1000005000) | P, 0, 9},
	{"4.4 bit 62 of a PTE is reserved", MODE_PAE, TABLE | P, UINT64_C(1) << 62 | PAGE | P, 0,
		9},
	{"4.4 bit 51 of a PDE is reserved", MODE_PAE, UINT64_C(1) << 51 | TABLE | P, PAGE | P, 0,
		9},
	{"4.4 bit 13 of a page of 2 MiB is reserved", MODE_PAE, 0x00c02000 | P | PS, 0, 0, 9},
	{"4.4 bit 12 of a page of 2 MiB is PAT", MODE_PAE, 0x00c01000 | P | PS, 0, 0x00d23456, 0},
	{"4.4 XD of a PTE is reserved without EFER.NXE", MODE_PAE, TABLE | P, XD | PAGE | P, 0, 9},
	{"4.4 XD of a PDE is reserved without EFER.NXE", MODE_PAE, XD | TABLE | P, PAGE | P, 0, 9},
	{"4.4 XD does not hinder a load", MODE_NX, XD | TABLE | P, XD | PAGE | P, PAGE | 0x456, 0},
	{"4.7 reserved bits count only if present", MODE_PAE, TABLE | P, UINT64_C(1) << 62, 0, 0},
};

static void check_shape(struct x86_machine *m, const struct shape *shape)
{
	struct x86_cpu *cpu = &m->cpu;
	gpa_t gpa = 0;
	bool found;

	set_mode(m, shape->mode);
	x86_set_cpl(cpu, 0);
	set_entries(m, shape->mode, shape->pde, shape->pte);
	found = x86_translate(cpu, LINEAR, &gpa) == 0;
	ok(found == (shape->gpa != 0) && gpa == shape->gpa, "%s: x86_translate()", shape->name);
	is(pde_now(m, shape->mode), (uint32_t)shape->pde, "%s: no flag is set", shape->name);
	m->bus_calls = 0;
	attempt(m, x86_load_linear(cpu, LINEAR, 4, X86_READ));
	if (shape->gpa) {
		ok(!m->raised && (shape->gpa < X86_RAM_SIZE) == (m->bus_calls == 0) &&
				(m->bus_calls == 0 || m->bus_gpa == shape->gpa),
			"%s: a load", shape->name);
		ok(pde_now(m, shape->mode) == ((uint32_t)shape->pde | A),
			"4.8 %s: the PDE is accessed, not dirty", shape->name);
	} else {
		ok(x86_machine_raised(m, X86_PF_FAULT, shape->error) && cpu->raised.cr2 == LINEAR,
			"%s: #PF with code %u and CR2", shape->name, shape->error);
		ok(pde_now(m, shape->mode) == (uint32_t)shape->pde &&
				pte_now(m, shape->mode) == (uint32_t)shape->pte,
			"4.8 %s: no flag is set", shape->name);
	}
}

static void test_shapes(struct x86_machine *m)
{
	for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
		check_shape(m, &shapes[i]);
}

/* --- access rights ---------------------------------------------------------------------------- */

/* Bits of a combination. */
enum {
	IS_PDE_USER = 1,
	IS_PDE_WRITABLE = 2,
	IS_PTE_USER = 4,
	IS_PTE_WRITABLE = 8,
	IS_CPL_3 = 16,
	IS_WP = 32,
	IS_SMEP = 64,
	IS_SMAP = 128,
	IS_AC = 256,
	IS_SYSTEM = 512,
	IS_PTE_XD = 1024,
	COMBINATIONS = 2048,
};

static bool has(unsigned combination, unsigned bits)
{
	return (combination & bits) == bits;
}

/* The paragraphs of 4.6.1, one by one. */
static bool is_allowed(unsigned c, unsigned access, enum mode mode)
{
	bool is_user_page = has(c, IS_PDE_USER | IS_PTE_USER);
	bool is_writable = has(c, IS_PDE_WRITABLE | IS_PTE_WRITABLE);
	bool is_user_mode = has(c, IS_CPL_3) && !has(c, IS_SYSTEM);

	if (access == X86_EXECUTE) {
		if (mode == MODE_NX && has(c, IS_PTE_XD))
			return false;
		if (is_user_mode)
			return is_user_page;
		return !is_user_page || !has(c, IS_SMEP);
	}
	if (is_user_mode)
		return is_user_page && (access == X86_READ || is_writable);
	if (is_user_page && has(c, IS_SMAP) && (has(c, IS_SYSTEM) || !has(c, IS_AC)))
		return false;
	return access == X86_READ || is_writable || !has(c, IS_WP);
}

static uint32_t expected_error(unsigned c, unsigned access, enum mode mode)
{
	uint32_t error = P;

	if (access == X86_WRITE)
		error |= 2;
	if (has(c, IS_CPL_3) && !has(c, IS_SYSTEM))
		error |= 4;
	if (access == X86_EXECUTE && (mode == MODE_NX || has(c, IS_SMEP)))
		error |= 16;
	return error;
}

/* Do the access of a kind. */
static void do_access(struct x86_machine *m, unsigned access, unsigned system)
{
	if (access == X86_READ)
		attempt(m, x86_load_linear(&m->cpu, LINEAR, 4, X86_READ | system));
	else if (access == X86_WRITE)
		attempt(m, x86_store_linear(&m->cpu, LINEAR, 1, 4, X86_WRITE | system));
	else
		attempt(m, x86_translate_code(&m->cpu, LINEAR));
}

static bool check_flags(struct x86_machine *m, enum mode mode, unsigned access, bool allowed)
{
	uint32_t pde = pde_now(m, mode) & (A | D), pte = pte_now(m, mode) & (A | D);

	if (!allowed)
		return pde == 0 && pte == 0;
	return pde == A && pte == (access == X86_WRITE ? A | D : A);
}

static bool check_combination(struct x86_machine *m, enum mode mode, unsigned access, unsigned c)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t pde = P | (has(c, IS_PDE_USER) ? US : 0) | (has(c, IS_PDE_WRITABLE) ? RW : 0);
	uint32_t pte = P | (has(c, IS_PTE_USER) ? US : 0) | (has(c, IS_PTE_WRITABLE) ? RW : 0);
	bool allowed = is_allowed(c, access, mode), right = true;

	cpu->cr0 = X86_CR0_PE | X86_CR0_PG | (has(c, IS_WP) ? X86_CR0_WP : 0);
	cpu->cr4 &= ~(uint64_t)(X86_CR4_SMEP | X86_CR4_SMAP);
	cpu->cr4 |= (has(c, IS_SMEP) ? X86_CR4_SMEP : 0) | (has(c, IS_SMAP) ? X86_CR4_SMAP : 0);
	cpu->eflags = X86_FLAG_ONE | (has(c, IS_AC) ? X86_AC : 0);
	x86_set_cpl(cpu, has(c, IS_CPL_3) ? 3 : 0);
	set_entries(m, mode, TABLE | pde, PAGE | pte | (has(c, IS_PTE_XD) ? XD : 0));
	/* Twice: the second access finds what the first one left in the TLB. */
	for (unsigned i = 0; i < 2; i++) {
		do_access(m, access, has(c, IS_SYSTEM) ? X86_SYSTEM : 0);
		right = right && m->raised == !allowed && check_flags(m, mode, access, allowed);
		if (!allowed)
			right = right && x86_machine_raised(
						 m, X86_PF_FAULT, expected_error(c, access, mode));
	}
	/* An access of the other privilege must not live on what this one was allowed. */
	c ^= IS_CPL_3;
	x86_set_cpl(cpu, has(c, IS_CPL_3) ? 3 : 0);
	do_access(m, access, has(c, IS_SYSTEM) ? X86_SYSTEM : 0);
	right = right && m->raised == !is_allowed(c, access, mode);
	if (!right)
		printf("# mode %d, access %u, combination %#x\n", mode, access, c ^ IS_CPL_3);
	return right;
}

static void test_rights(struct x86_machine *m)
{
	static const char *const modes[] = {
		"32-bit paging", "", "PAE paging", "PAE paging with NX"};
	static const char *const accesses[] = {"loads", "stores", "fetches"};

	for (enum mode mode = MODE_32; mode <= MODE_NX; mode++) {
		if (mode == MODE_PSE)
			continue;
		for (unsigned access = X86_READ; access <= X86_EXECUTE; access++) {
			bool right = true;

			set_mode(m, mode);
			for (unsigned c = 0; c < COMBINATIONS; c++) {
				if (access == X86_EXECUTE && has(c, IS_SYSTEM))
					continue;
				if (mode != MODE_NX && has(c, IS_PTE_XD))
					continue;
				right &= check_combination(m, mode, access, c);
			}
			ok(right, "4.6.1, 4.7, 4.8 %s: %s, in all combinations", modes[mode],
				accesses[access]);
		}
	}
	x86_set_cpl(&m->cpu, 0);
	m->cpu.eflags = X86_FLAG_ONE;
}

/* What was allowed once must not be found in the TLB when it is not any more. */
static void test_smap(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	set_mode(m, MODE_NX);
	cpu->cr4 |= X86_CR4_SMAP;
	set_entries(m, MODE_NX, TABLE | P | US, PAGE | P | US);
	cpu->eflags |= X86_AC;
	attempt(m, x86_load_linear(cpu, LINEAR, 4, X86_READ));
	ok(!m->raised, "4.6.1 SMAP: EFLAGS.AC allows a load");
	cpu->eflags &= ~X86_AC;
	attempt(m, x86_load_linear(cpu, LINEAR, 4, X86_READ));
	ok(x86_machine_raised(m, X86_PF_FAULT, 1), "4.6.1 SMAP: but not the next, without it");
	cpu->cr4 &= ~(uint64_t)X86_CR4_SMAP;
	set_entries(m, MODE_NX, XD | TABLE | P, PAGE | P);
	attempt(m, x86_translate_code(cpu, LINEAR));
	ok(x86_machine_raised(m, X86_PF_FAULT, 0x11), "4.6.1 XD of a PDE is enough");
}

/* A write after a read, while the TLB has the page: the dirty flag must not be missed. */
static void test_dirty(struct x86_machine *m)
{
	set_mode(m, MODE_32);
	set_entries(m, MODE_32, TABLE | P | RW, PAGE | P | RW);
	attempt(m, x86_load_linear(&m->cpu, LINEAR, 4, X86_READ));
	is(pte_now(m, MODE_32), PAGE | P | RW | A, "4.8 a load sets accessed alone");
	attempt(m, x86_store_linear(&m->cpu, LINEAR, 7, 4, X86_WRITE));
	is(pte_now(m, MODE_32), PAGE | P | RW | A | D, "4.8 a store that follows sets dirty");
	is(x86_machine_load(m, PAGE + 0x456), 7, "4.3 the store arrived");
	set_entries(m, MODE_32, TABLE | P | RW, PAGE | P | RW);
	attempt(m, x86_check_write(&m->cpu, LINEAR, 4, X86_WRITE));
	is(x86_machine_load(m, PAGE + 0x456), 7, "x86_check_write() stores nothing");
	set_mode(m, MODE_PSE);
	x86_machine_store(m, PDE_32, P | RW | PS);
	attempt(m, x86_store_linear(&m->cpu, 0x40000000 + PAGE, 9, 4, X86_WRITE));
	is(x86_machine_load(m, PDE_32), P | RW | PS | A | D,
		"4.8 a PDE that maps a page gets dirty");
}

/* --- TLB -------------------------------------------------------------------------------------- */

static uint32_t look(struct x86_machine *m, uint64_t linear)
{
	return (uint32_t)x86_load_linear(&m->cpu, linear, 4, X86_READ);
}

static void test_tlb(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	set_mode(m, MODE_PSE);
	x86_machine_store(m, PAGE, 0x11111111);
	x86_machine_store(m, PAGE + 0x1000, 0x22222222);
	set_entries(m, MODE_PSE, TABLE | P, PAGE | P);
	is(look(m, LINEAR & ~0xfffu), 0x11111111, "4.10.2 a load fills the TLB");
	x86_machine_store(m, PTE_32, (PAGE + 0x1000) | P);
	is(look(m, LINEAR & ~0xfffu), 0x11111111, "4.10.2.3 a changed PTE is not seen at once");
	x86_tlb_flush_page(cpu, LINEAR);
	is(look(m, LINEAR & ~0xfffu), 0x22222222, "4.10.4.1 but after INVLPG");
	x86_machine_store(m, PTE_32, PAGE | P | G);
	x86_tlb_flush(cpu, true);
	is(look(m, LINEAR & ~0xfffu), 0x11111111, "4.10.4.1 and after a load of CR3");

	cpu->cr4 |= X86_CR4_PGE;
	x86_tlb_flush(cpu, false);
	look(m, LINEAR & ~0xfffu);
	x86_machine_store(m, PTE_32, (PAGE + 0x1000) | P);
	x86_tlb_flush(cpu, true);
	is(look(m, LINEAR & ~0xfffu), 0x11111111, "4.10.2.4 a global page outlives a load of CR3");
	x86_tlb_flush(cpu, false);
	is(look(m, LINEAR & ~0xfffu), 0x22222222, "4.10.4.1 but no load of CR4 that changes PGE");

	x86_machine_store(m, PDE_32, P | PS);
	x86_tlb_flush(cpu, false);
	is(look(m, 0x40000000 + PAGE), 0x11111111, "4.3 a page of 4 MiB");
	x86_machine_store(m, PDE_32, 0);
	x86_tlb_flush_page(cpu, 0x40200000);
	attempt(m, look(m, 0x40000000 + PAGE));
	ok(x86_machine_raised(m, X86_PF_FAULT, 0), "4.10.4.1 INVLPG forgets all of a large page");

	/* CPL 3 keeps its own entries, and INVLPG reaches them. */
	set_entries(m, MODE_PSE, TABLE | P | US, PAGE | P | US);
	x86_set_cpl(cpu, 3);
	is(look(m, LINEAR & ~0xfffu), 0x11111111, "4.6 a user page at CPL 3");
	x86_set_cpl(cpu, 0);
	x86_machine_store(m, PTE_32, (PAGE + 0x1000) | P | US);
	x86_tlb_flush_page(cpu, LINEAR);
	x86_set_cpl(cpu, 3);
	is(look(m, LINEAR & ~0xfffu), 0x22222222, "4.10.4.1 INVLPG at CPL 0 is for CPL 3, too");
	x86_set_cpl(cpu, 0);
}

/* A write tag is given for a page that is dirty, and taken back for a page with code. */
static void test_protect(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	unsigned index = LINEAR / 0x1000 % X86_TLB_ENTRIES;

	set_mode(m, MODE_32);
	set_entries(m, MODE_32, TABLE | P | RW, PAGE | P | RW | D);
	look(m, LINEAR);
	is(cpu->tlb[index].write, LINEAR & ~0xfffu, "a load of a dirty page gives a write tag");
	x86_tlb_protect(&m->system, PAGE + 0x1000);
	is(cpu->tlb[index].write, LINEAR & ~0xfffu, "x86_tlb_protect() leaves other pages alone");
	x86_tlb_protect(&m->system, PAGE + 8);
	is(cpu->tlb[index].write, X86_TLB_EMPTY, "x86_tlb_protect() takes it back");
	is(cpu->tlb[index].read, LINEAR & ~0xfffu, "x86_tlb_protect() leaves the read tag");
}

/* --- borders, devices, read-only memory ------------------------------------------------------- */

static void test_borders(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	set_mode(m, MODE_32);
	set_entries(m, MODE_32, TABLE | P | RW, PAGE | P | RW);
	x86_machine_store(m, PTE_32 + 4, 0);
	x86_machine_store(m, PAGE + 0xffc, 0x12345678);
	attempt(m, x86_store_linear(cpu, 0x40123ffe, 0xaabbccdd, 4, X86_WRITE));
	ok(x86_machine_raised(m, X86_PF_FAULT, 2) && cpu->raised.cr2 == 0x40124000,
		"6.15 #PF: CR2 is where the second page begins");
	is(x86_machine_load(m, PAGE + 0xffc), 0x12345678,
		"6.5 nothing was stored before the fault");
	x86_machine_store(m, PTE_32 + 4, 0x7000 | P | RW);
	attempt(m, x86_store_linear(cpu, 0x40123ffe, 0xaabbccdd, 4, X86_WRITE));
	is(x86_machine_load(m, PAGE + 0xffc), 0xccdd5678, "4.1 a store over two pages: low part");
	is(x86_machine_load(m, 0x7000) & 0xffff, 0xaabb, "4.1 a store over two pages: high part");
	is(look(m, 0x40123ffe), 0xaabbccdd, "4.1 a load over two pages");
	x86_machine_store(m, PTE_32 + 4, X86_ROM | P | RW);
	x86_tlb_flush(cpu, false);
	attempt(m, x86_check_write(cpu, 0x40123000, 0x1004, X86_WRITE));
	is(x86_machine_load(m, PTE_32 + 4) & D, D, "x86_check_write() looks at every page");

	/* Without paging, the last byte of the address space is followed by the first. */
	cpu->cr0 &= ~(uint64_t)X86_CR0_PG;
	x86_tlb_flush(cpu, false);
	m->bus_calls = 0;
	x86_machine_store(m, 0, 0x000000ee);
	is(look(m, 0xffffffff) >> 8 & 0xff, 0xee, "3.3.1 a load wraps at 4 GiB");
	is(m->bus_gpa, 0xffffffff, "3.3.1 its first byte is the last one");
	is(m->bus_len, 1, "mmio: only the part within the page");
}

static void test_bus(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	m->bus_calls = 0;
	x86_machine_store(m, X86_ROM + 8, 0x5a5a5a5a);
	is(look(m, X86_ROM + 8), 0x5a5a5a5a, "read-only memory is read as RAM");
	is(m->bus_calls, 0, "read-only memory: no bus access for a load");
	attempt(m, x86_store_linear(cpu, X86_ROM + 8, 1, 4, X86_WRITE));
	ok(m->bus_calls == 1 && m->bus_is_write && m->bus_gpa == X86_ROM + 8 && m->bus_len == 4,
		"read-only memory: the bus is told of a store");
	is(x86_machine_load(m, X86_ROM + 8), 0x5a5a5a5a, "read-only memory keeps its value");
	attempt(m, x86_mark_linear(cpu, X86_ROM + 8, 1));
	ok(!m->raised && m->bus_calls == 1, "a byte of the CPU's own is dropped there");
	is(x86_load_linear(cpu, 0xd0000000, 2, X86_READ), 0xffff,
		"a device reads what the bus has");
	m->bus_refuses = true;
	attempt(m, look(m, 0xd0000000));
	ok(m->raised && cpu->raised.vector == X86_NO_VECTOR, "a load that the bus refuses is left");
	attempt(m, x86_store_linear(cpu, 0xd0000000, 1, 4, X86_WRITE));
	ok(m->raised && cpu->raised.vector == X86_NO_VECTOR,
		"a store that the bus refuses is left");
	m->bus_refuses = false;
}

/* Paging structures in read-only memory work, their flags stay, and nobody hears of it. */
static void test_read_only_tables(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	set_mode(m, MODE_32);
	cpu->cr3 = X86_ROM;
	x86_machine_store(m, X86_ROM + 4 * 0x100, P | RW | X86_ROM);
	x86_machine_store(m, X86_ROM + 4 * 0x123, P | RW | PAGE);
	m->bus_calls = 0;
	attempt(m, x86_store_linear(cpu, LINEAR, 77, 4, X86_WRITE));
	ok(!m->raised && m->bus_calls == 0, "4.8 flags in read-only memory are dropped");
	is(x86_machine_load(m, PAGE + 0x456), 77, "4.8 the store itself is made");
	is(x86_machine_load(m, X86_ROM + 4 * 0x123), P | RW | PAGE, "4.8 the PTE is as it was");
	cpu->cr3 = 0xd0000000;
	x86_tlb_flush(cpu, false);
	m->bus_refuses = true;
	attempt(m, look(m, LINEAR));
	ok(m->raised && m->bus_gpa == 0xd0000400,
		"paging structures outside of RAM: the bus decides");
	m->bus_refuses = false;
	memset(m->ram + X86_ROM, 0, 0x1000);
}

/* Registers of PAE paging (4.4.1). */
static void test_pdptes(struct x86_machine *m)
{
	static const struct x86_operands to_cr3 = {.reg = 3, .rm = X86_RAX};
	struct x86_cpu *cpu = &m->cpu;

	set_mode(m, MODE_PAE);
	cpu->pdpte[3] = 0x77;
	for (unsigned i = 0; i < 4; i++)
		x86_machine_store64(m, POINTERS + 0x20 + 8 * i, (DIRECTORY + 0x1000 * i) | P);
	cpu->reg[X86_RAX] = POINTERS + 0x20;
	x86_machine_store64(m, POINTERS + 0x28, DIRECTORY | P | RW);
	attempt(m, x86_op_mov_to_cr(cpu, &to_cr3));
	ok(x86_machine_raised(m, X86_GP, 0), "4.4.1 a reserved bit of a PDPTE is #GP(0)");
	ok(cpu->cr3 == POINTERS && cpu->pdpte[3] == 0x77, "4.4.1 nothing was loaded");
	x86_machine_store64(m, POINTERS + 0x28, UINT64_C(1) << 36 | P);
	attempt(m, x86_op_mov_to_cr(cpu, &to_cr3));
	ok(x86_machine_raised(m, X86_GP, 0), "4.4.1 an address bit too many is #GP(0)");
	x86_machine_store64(m, POINTERS + 0x28, RW);
	attempt(m, x86_op_mov_to_cr(cpu, &to_cr3));
	ok(!m->raised && cpu->pdpte[3] == ((DIRECTORY + 0x3000) | P), "4.4.1 PDPTEs are loaded");
	attempt(m, look(m, LINEAR));
	ok(x86_machine_raised(m, X86_PF_FAULT, 0), "4.4.2 a PDPTE that is not present: #PF");
	x86_machine_store64(m, POINTERS + 0x28, DIRECTORY | P);
	attempt(m, look(m, LINEAR));
	ok(x86_machine_raised(m, X86_PF_FAULT, 0), "4.4.1 a PDPTE in memory is not looked at");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	x86_machine_protect(m);
	test_shapes(m);
	test_rights(m);
	test_smap(m);
	test_dirty(m);
	test_tlb(m);
	test_protect(m);
	test_borders(m);
	test_bus(m);
	test_read_only_tables(m);
	test_pdptes(m);
	x86_machine_free(m);
	return tap_done();
}
