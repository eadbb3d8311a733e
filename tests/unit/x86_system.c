/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers and instructions of the software CPU. Clauses: SDM 3, unless they say SDM 2. */
#include <string.h>

#include "../tap.h"
#include "../x86_machine.h"

#define GDT 0x1000u

enum { CODE_0 = 0x08, DATA_0 = 0x10, TSS_32 = 0x18, TSS_16 = 0x20, LDT = 0x28, ABSENT = 0x30 };

static const struct x86_operands none = {.operand_size = 4};

/* A memory operand at DS:0x4000, or register EAX. */
static const struct x86_operands *memory(unsigned size)
{
	static struct x86_operands operands;

	operands = (struct x86_operands){
		.base = X86_ZERO,
		.index = X86_ZERO,
		.displacement = 0x4000,
		.segment = X86_DS,
		.operand_size = (uint8_t)size,
		.address_size = 4,
		.is_memory = true,
	};
	return &operands;
}

static const struct x86_operands *eax(unsigned reg)
{
	static struct x86_operands operands;

	operands = (struct x86_operands){.reg = (uint8_t)reg, .rm = X86_RAX, .operand_size = 4};
	return &operands;
}

static void start(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	x86_cpu_reset(cpu, false);
	x86_machine_protect(m);
	x86_machine_store64(m, GDT + CODE_0, UINT64_C(0x00cf9a000000ffff));
	x86_machine_store64(m, GDT + DATA_0, UINT64_C(0x00cf92000000ffff));
	x86_machine_store64(m, GDT + TSS_32, UINT64_C(0x0000890030000067));
	x86_machine_store64(m, GDT + TSS_16, UINT64_C(0x000081003000002b));
	x86_machine_store64(m, GDT + LDT, UINT64_C(0x0000820032000007));
	x86_machine_store64(m, GDT + ABSENT, UINT64_C(0x0000020032000007));
	cpu->gdtr = (struct x86_table){GDT, 0x37};
}

/* --- reset ------------------------------------------------------------------------------------ */

static void test_reset(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	memset(cpu->reg, 0xff, sizeof cpu->reg);
	cpu->tsc_offset = 5;
	cpu->halted = true;
	x86_cpu_reset(cpu, true);
	ok(cpu->reg[X86_RAX] == 0 && cpu->reg[X86_RDX] >> 8 == 6, "10.1.2 EDX is family and model");
	is(cpu->cr0, 0x60000010, "table 10-1 CR0 after INIT: caches as they were");
	is(x86_eflags(cpu), 2, "table 10-1 EFLAGS");
	is(cpu->dr[6], 0xffff0ff0, "table 10-1 DR6");
	is(cpu->dr[7], 0x400, "table 10-1 DR7");
	ok(cpu->gdtr.limit == 0xffff && cpu->idtr.limit == 0xffff, "table 10-1 GDTR and IDTR");
	ok(cpu->tsc_offset == 5, "table 10-1 INIT leaves the time-stamp counter");
	is(cpu->halted, false, "10.4.1 INIT ends HLT");
	cpu->cr0 = X86_CR0_ET;
	x86_cpu_reset(cpu, true);
	is(cpu->cr0, 0x10, "table 10-1 INIT leaves CD and NW");
	x86_cpu_reset(cpu, false);
	ok(cpu->cr0 == 0x60000010 && cpu->pat == UINT64_C(0x0007040600070406),
		"table 10-1 RESET does not; PAT");
}

/* --- control registers ------------------------------------------------------------------------ */

static void load_cr(struct x86_machine *m, unsigned number, uint32_t value)
{
	m->cpu.reg[X86_RAX] = value;
	attempt(m, x86_op_mov_to_cr(&m->cpu, eax(number)));
}

static bool was_gp0(const struct x86_machine *m)
{
	return x86_machine_raised(m, X86_GP, 0);
}

static void check_cr(struct x86_machine *m, unsigned number, bool exists)
{
	attempt(m, x86_op_mov_from_cr(&m->cpu, eax(number)));
	ok(exists ? !m->raised : x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 MOV from CR%u",
		number);
}

static void test_control(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;
	uint32_t generation;

	start(m);
	load_cr(m, 0, 0x80000000);
	ok(was_gp0(m), "2.5 CR0: PG without PE is #GP(0)");
	load_cr(m, 0, 0x20000001);
	ok(was_gp0(m), "2.5 CR0: NW without CD is #GP(0)");
	load_cr(m, 0, 0x1ffdffc1);
	ok(!m->raised && cpu->cr0 == 0x00050011, "2.5 CR0: reserved bits are dropped, ET is set");
	generation = cpu->map_generation;
	load_cr(m, 0, 0x60000010);
	ok(!m->raised && cpu->map_generation != generation, "CR0.PE: blocks are looked up again");
	start(m);
	for (unsigned bit = 0; bit < 32; bit++) {
		static const uint32_t announced = X86_CR4_TSD | X86_CR4_PSE | X86_CR4_PAE |
						  X86_CR4_PGE | X86_CR4_PCE | X86_CR4_UMIP |
						  X86_CR4_SMEP | X86_CR4_SMAP;
		bool allowed = announced >> bit & 1;

		cpu->cr4 = 0;
		load_cr(m, 4, 1u << bit);
		ok(allowed ? !m->raised && cpu->cr4 == 1u << bit : was_gp0(m), "2.5 CR4 bit %u",
			bit);
	}
	cpu->cr4 = 0;
	load_cr(m, 2, 0x12345678);
	attempt(m, x86_op_mov_from_cr(cpu, eax(2)));
	is(cpu->reg[X86_RAX], 0x12345678, "2.5 CR2 can be written");
	load_cr(m, 3, 0x5018);
	is(cpu->cr3, 0x5018, "2.5 CR3 keeps PCD and PWT");
	for (unsigned number = 0; number < 8; number++)
		check_cr(m, number, number == 0 || (number >= 2 && number <= 4));
}

static void test_machine_status(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	cpu->reg[X86_RAX] = 0xfffe;
	attempt(m, x86_op_lmsw(cpu, eax(6)));
	is(cpu->cr0, 0x6000001f, "SDM 2 LMSW sets MP, EM and TS, and cannot clear PE");
	attempt(m, x86_op_smsw(cpu, eax(4)));
	is(cpu->reg[X86_RAX], 0x6000001f, "SDM 2 SMSW: all of CR0");
	attempt(m, x86_op_clts(cpu, &none));
	is(cpu->cr0, 0x60000017, "SDM 2 CLTS");
	x86_machine_store(m, 0x4000, 0);
	attempt(m, x86_op_smsw(cpu, memory(4)));
	is(x86_machine_load(m, 0x4000), 0x17, "SDM 2 SMSW: 16 bits to memory");
}

/* --- privilege -------------------------------------------------------------------------------- */

struct privileged {
	const char *name;
	x86_operation *function;
	bool has_memory;
};

static const struct privileged privileged[] = {
	{"LGDT", x86_op_lgdt, true},
	{"LIDT", x86_op_lidt, true},
	{"LLDT", x86_op_lldt, true},
	{"LTR", x86_op_ltr, true},
	{"LMSW", x86_op_lmsw, true},
	{"MOV from CR", x86_op_mov_from_cr, false},
	{"MOV to CR", x86_op_mov_to_cr, false},
	{"MOV from DR", x86_op_mov_from_dr, false},
	{"MOV to DR", x86_op_mov_to_dr, false},
	{"CLTS", x86_op_clts, false},
	{"INVLPG", x86_op_invlpg, true},
	{"WBINVD", x86_op_wbinvd, false},
	{"HLT", x86_op_hlt, false},
	{"RDMSR", x86_op_rdmsr, false},
	{"WRMSR", x86_op_wrmsr, false},
	{"RDPMC", x86_op_rdpmc, false},
	{"CLI", x86_op_cli, false},
	{"STI", x86_op_sti, false},
	{"SYSEXIT", x86_op_sysexit, false},
};

static void check_privileged(struct x86_machine *m, const struct privileged *entry)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	cpu->sysenter_cs = 8;
	x86_set_cpl(cpu, 3);
	attempt(m, entry->function(cpu, entry->has_memory ? memory(4) : eax(0)));
	ok(was_gp0(m), "5.9 %s at CPL 3", entry->name);
}

static const struct privileged umip[] = {
	{"SGDT", x86_op_sgdt, true},
	{"SIDT", x86_op_sidt, true},
	{"SLDT", x86_op_sldt, true},
	{"STR", x86_op_str, true},
	{"SMSW", x86_op_smsw, true},
};

static void check_umip(struct x86_machine *m, const struct privileged *entry)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	x86_set_cpl(cpu, 3);
	attempt(m, entry->function(cpu, memory(4)));
	ok(!m->raised, "2.5 %s at CPL 3 without UMIP", entry->name);
	cpu->cr4 = X86_CR4_UMIP;
	attempt(m, entry->function(cpu, memory(4)));
	ok(was_gp0(m), "2.5 %s at CPL 3 with UMIP", entry->name);
	x86_set_cpl(cpu, 0);
	attempt(m, entry->function(cpu, memory(4)));
	ok(!m->raised, "2.5 %s at CPL 0 with UMIP", entry->name);
}

static void test_privilege(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	for (unsigned i = 0; i < sizeof privileged / sizeof *privileged; i++)
		check_privileged(m, &privileged[i]);
	for (unsigned i = 0; i < sizeof umip / sizeof *umip; i++)
		check_umip(m, &umip[i]);

	start(m);
	attempt(m, x86_op_sti(cpu, &none));
	ok(cpu->eflags & X86_IF && cpu->shadow,
		"SDM 2 STI holds interrupts off for an instruction");
	cpu->shadow = false;
	attempt(m, x86_op_sti(cpu, &none));
	is(cpu->shadow, false, "SDM 2 STI with IF set does not");
	x86_set_cpl(cpu, 3);
	cpu->eflags |= X86_IOPL_MASK;
	attempt(m, x86_op_cli(cpu, &none));
	ok(!m->raised && !(cpu->eflags & X86_IF), "SDM 2 CLI at CPL 3 with IOPL 3");
	attempt(m, x86_op_stac(cpu, &none));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 STAC at CPL 3: #UD");
	x86_set_cpl(cpu, 0);
	attempt(m, x86_op_stac(cpu, &none));
	ok(cpu->eflags & X86_AC, "SDM 2 STAC");
	attempt(m, x86_op_clac(cpu, &none));
	ok(!(cpu->eflags & X86_AC), "SDM 2 CLAC");
	attempt(m, x86_op_hlt(cpu, &none));
	ok(cpu->halted, "SDM 2 HLT");
	cpu->halted = false;
}

/* --- descriptor tables ------------------------------------------------------------------------ */

static void test_tables(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	x86_machine_store64(m, 0x4000, UINT64_C(0x89abcdef1234));
	attempt(m, x86_op_lidt(cpu, memory(4)));
	ok(cpu->idtr.base == 0x89abcdef && cpu->idtr.limit == 0x1234, "SDM 2 LIDT");
	attempt(m, x86_op_lidt(cpu, memory(2)));
	is(cpu->idtr.base, 0xabcdef, "SDM 2 LIDT, 16 bits: 24 bits of base");
	cpu->idtr.base = 0x89abcdef;
	x86_machine_store64(m, 0x4000, 0);
	attempt(m, x86_op_sidt(cpu, memory(2)));
	ok(x86_machine_load(m, 0x4000) == 0xcdef1234 && x86_machine_load(m, 0x4004) == 0x89ab,
		"SDM 2 SIDT stores 6 bytes");
	attempt(m, x86_op_sgdt(cpu, eax(0)));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "SDM 2 SGDT of a register: #UD");
	cpu->segment[X86_DS].limit = 0x4004;
	attempt(m, x86_op_lgdt(cpu, memory(4)));
	ok(was_gp0(m) && cpu->gdtr.base == GDT, "SDM 2 LGDT beyond the segment: #GP(0)");
}

struct system_load {
	const char *name;
	x86_operation *function;
	uint16_t selector;
	unsigned vector;
	uint32_t error;
};

static const struct system_load system_loads[] = {
	{"LTR null", x86_op_ltr, 0, X86_GP, 0},
	{"LTR of the LDT", x86_op_ltr, TSS_32 | 4, X86_GP, TSS_32 | 4},
	{"LTR beyond the GDT", x86_op_ltr, 0x38, X86_GP, 0x38},
	{"LTR data", x86_op_ltr, DATA_0, X86_GP, DATA_0},
	{"LTR an LDT", x86_op_ltr, LDT, X86_GP, LDT},
	{"LTR a TSS", x86_op_ltr, TSS_32, X86_NO_VECTOR, 0},
	{"LTR a 16-bit TSS", x86_op_ltr, TSS_16, X86_NO_VECTOR, 0},
	{"LLDT null", x86_op_lldt, 0, X86_NO_VECTOR, 0},
	{"LLDT an LDT", x86_op_lldt, LDT, X86_NO_VECTOR, 0},
	{"LLDT of the LDT", x86_op_lldt, LDT | 4, X86_GP, LDT | 4},
	{"LLDT a TSS", x86_op_lldt, TSS_32, X86_GP, TSS_32},
	{"LLDT not present", x86_op_lldt, ABSENT, X86_NP, ABSENT},
};

static void check_system_load(struct x86_machine *m, const struct system_load *load)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	cpu->reg[X86_RAX] = load->selector;
	attempt(m, load->function(cpu, eax(0)));
	if (load->vector == X86_NO_VECTOR)
		ok(!m->raised && (load->function == x86_op_ltr ? cpu->tr : cpu->ldtr).selector ==
					 load->selector,
			"SDM 2 %s", load->name);
	else
		ok(x86_machine_raised(m, load->vector, load->error), "SDM 2 %s", load->name);
}

static void test_system_loads(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	for (unsigned i = 0; i < sizeof system_loads / sizeof *system_loads; i++)
		check_system_load(m, &system_loads[i]);
	start(m);
	cpu->reg[X86_RAX] = TSS_32;
	attempt(m, x86_op_ltr(cpu, eax(0)));
	is(m->ram[GDT + TSS_32 + 5], 0x8b, "SDM 2 LTR makes the TSS busy");
	attempt(m, x86_op_ltr(cpu, eax(0)));
	ok(x86_machine_raised(m, X86_GP, TSS_32), "SDM 2 LTR a busy TSS: #GP");
	memcpy(m->ram + X86_ROM, m->ram + GDT, 0x38);
	m->ram[X86_ROM + TSS_32 + 5] = 0x89;
	cpu->gdtr.base = X86_ROM;
	m->bus_calls = 0;
	attempt(m, x86_op_ltr(cpu, eax(0)));
	ok(!m->raised && m->bus_calls == 0 && m->ram[X86_ROM + TSS_32 + 5] == 0x8b,
		"SDM 2 LTR of a read-only GDT: the busy bit is the CPU's own to set");
	x86_cpu_reset(cpu, false);
	attempt(m, x86_op_ltr(cpu, eax(0)));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "21.1.3 LTR in real mode: #UD");
	attempt(m, x86_op_str(cpu, eax(0)));
	ok(x86_machine_raised(m, X86_UD, X86_NO_ERROR), "21.1.3 STR in real mode: #UD");
}

/* --- debug registers -------------------------------------------------------------------------- */

static void load_dr(struct x86_machine *m, unsigned number, uint32_t value)
{
	m->cpu.reg[X86_RAX] = value;
	attempt(m, x86_op_mov_to_dr(&m->cpu, eax(number)));
}

static void test_debug(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	load_dr(m, 6, 0);
	is(cpu->dr[6], 0xffff0ff0, "18.2.3 DR6: bits that are always set");
	load_dr(m, 6, 0xffffffff);
	is(cpu->dr[6], 0xffffefff, "18.2.3 DR6: bit 12 is always clear");
	load_dr(m, 7, 0xffffdfff);
	is(cpu->dr[7], 0xffff07ff, "18.2.4 DR7: reserved bits");
	load_dr(m, 5, 0);
	is(cpu->dr[7], 0x400, "18.2.2 DR5 is DR7");
	load_dr(m, 3, 0x1234);
	attempt(m, x86_op_mov_from_dr(cpu, eax(3)));
	is(cpu->reg[X86_RAX], 0x1234, "18.2.1 DR3 reads back");
	load_dr(m, 6, 0);
	cpu->dr[7] |= 0x2000;
	attempt(m, x86_op_mov_from_dr(cpu, eax(0)));
	ok(x86_machine_raised(m, X86_DB, X86_NO_ERROR) && cpu->dr[6] & 0x2000,
		"18.2.4 with GD set an access is #DB, with BD");
}

/* --- SYSENTER --------------------------------------------------------------------------------- */

static void test_sysenter(struct x86_machine *m)
{
	struct x86_cpu *cpu = &m->cpu;

	start(m);
	attempt(m, x86_op_sysenter(cpu, &none));
	ok(was_gp0(m), "SDM 2 SYSENTER without IA32_SYSENTER_CS: #GP(0)");
	cpu->sysenter_cs = 0x40;
	cpu->sysenter_esp = 0x8000;
	cpu->sysenter_eip = 0x123456;
	cpu->reg[X86_RCX] = 0x9000;
	cpu->reg[X86_RDX] = 0x654321;
	attempt(m, x86_op_sysexit(cpu, &none));
	ok(!m->raised && cpu->cpl == 3 && cpu->next_eip == 0x654321 && cpu->reg[X86_RSP] == 0x9000,
		"SDM 2 SYSEXIT: CPL 3, EIP from EDX, ESP from ECX");
	ok(cpu->segment[X86_CS].selector == 0x53 && cpu->segment[X86_CS].rights == 0xc0fb &&
			cpu->segment[X86_SS].selector == 0x5b &&
			cpu->segment[X86_SS].rights == 0xc0f3 && x86_segments_are_flat(cpu),
		"SDM 2 SYSEXIT: flat segments");
	cpu->eflags |= X86_IF;
	attempt(m, x86_op_sysenter(cpu, &none));
	ok(!m->raised && cpu->cpl == 0 && cpu->next_eip == 0x123456 &&
			cpu->reg[X86_RSP] == 0x8000 && !(cpu->eflags & X86_IF),
		"SDM 2 SYSENTER: CPL 0, IF clear");
	ok(cpu->segment[X86_CS].selector == 0x40 && cpu->segment[X86_SS].selector == 0x48,
		"SDM 2 SYSENTER: selectors");
}

int main(void)
{
	struct x86_machine *m = x86_machine_make();

	test_reset(m);
	test_control(m);
	test_machine_status(m);
	test_privilege(m);
	test_tables(m);
	test_system_loads(m);
	test_debug(m);
	test_sysenter(m);
	x86_machine_free(m);
	return tap_done();
}
