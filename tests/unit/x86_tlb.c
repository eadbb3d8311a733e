/* SPDX-License-Identifier: BSD-2-Clause */
/* The TLB of the software CPU, and accesses over borders, to devices and to read-only memory.
 * Clauses: SDM 3, chapter 4, unless said otherwise. */
#include <string.h>

#include "../tap.h"
#include "../x86_paging.h"

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
	ok(!m->raised && m->bus_calls == 1 && x86_machine_load(m, X86_ROM + 8) == 0x5a5a5a01,
		"read-only memory takes a byte that the CPU writes by itself");
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

/* Paging structures in read-only memory have their flags set, and the bus is not told. */
static void test_read_only_tables(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	set_mode(m, MODE_32);
	cpu->cr3 = X86_ROM;
	x86_machine_store(m, X86_ROM + 4 * 0x100, P | RW | X86_ROM);
	x86_machine_store(m, X86_ROM + 4 * 0x123, P | RW | PAGE);
	m->bus_calls = 0;
	attempt(m, x86_store_linear(cpu, LINEAR, 77, 4, X86_WRITE));
	ok(!m->raised && m->bus_calls == 0, "4.8 flags in read-only memory are no store");
	is(x86_machine_load(m, PAGE + 0x456), 77, "4.8 the store itself is made");
	is(x86_machine_load(m, X86_ROM + 4 * 0x123), P | RW | PAGE | A | D,
		"4.8 the PTE is accessed and dirty");
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
	test_tlb(m);
	test_protect(m);
	test_borders(m);
	test_bus(m);
	test_read_only_tables(m);
	test_pdptes(m);
	x86_machine_free(m);
	return tap_done();
}
