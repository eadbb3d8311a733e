/* SPDX-License-Identifier: BSD-2-Clause */
/* Linear to physical addresses in the software CPU. Clauses: SDM 3, chapter 4. */
#include <stdio.h>

#include "../tap.h"
#include "../x86_paging.h"

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

/* An access that was allowed once must not be found in the TLB when it is allowed no more. */
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

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	x86_machine_protect(m);
	test_shapes(m);
	test_rights(m);
	test_smap(m);
	test_dirty(m);
	x86_machine_free(m);
	return tap_done();
}
